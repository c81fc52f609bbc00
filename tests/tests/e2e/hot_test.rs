//! `hot test`: what it runs, what it says, how it ends; and that a save has those tests run that it
//! concerns.

use soft_mock_tests::hot;
use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::{Finished, Session};

/// Without the one that is ignored.
const TESTS: usize = 11;

fn once(project: &Project, arguments: &[&str]) -> Finished {
    let arguments = [&["test", "--once"], arguments].concat();
    project.start(hot::binary(), &arguments).finish()
}

#[track_caller]
fn check_line(finished: &Finished, line: &str) {
    let says = finished.stderr.iter().any(|said| said.contains(line));
    assert!(says, "{line:?} is missing: {finished:#?}");
}

#[track_caller]
fn check_stdout(finished: &Finished, parts: &[&str]) {
    let text = finished.stdout.join("\n");
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing: {finished:#?}");
    }
}

#[test]
fn once_ends_as_cargo_does() {
    let project = Project::fixture("tested");
    let passed = once(&project, &[]);
    assert_eq!(passed.status.code(), Some(0), "{passed:#?}");
    check_line(&passed, "hot: 11 tests: 11 passed, 1 ignored (");

    // What is known to pass isn't run again. It isn't where other processes are started, and
    // without a harness.
    let again = once(&project, &[]);
    check_line(&again, "hot: 2 of 11 tests: 2 passed (");
    project.edit(
        "price/src/lib.rs",
        "gross - tax(gross)",
        "gross - (tax(gross))",
    );
    let edited = once(&project, &[]);
    check_line(&edited, "hot: 5 of 11 tests: 5 passed (");
    project.edit(
        "price/src/lib.rs",
        "gross - (tax(gross))",
        "gross - tax(gross)",
    );

    // What a failing test says is what libtest says, with the user's file and line.
    project.edit("price/src/lib.rs", "gross / FIFTH", "gross / 2");
    let (line, column) = project.position("price/src/lib.rs", "assert_eq!(tax(10), 2)");
    let failed = once(&project, &["-p", "price", "tax"]);
    assert_eq!(failed.status.code(), Some(101), "{failed:#?}");
    check_line(&failed, "hot: 1 test: 1 FAILED (");
    check_stdout(
        &failed,
        &[
            "failures in unittests price/src/lib.rs:",
            "---- tests::tax_is_a_fifth stdout ----",
            &format!("panicked at price/src/lib.rs:{line}:{column}:"),
            "\nfailures:\n    price::tests::tax_is_a_fifth\n",
        ],
    );
    let skipped = once(&project, &["-p", "price", "--lib", "--", "--skip", "tax"]);
    check_line(&skipped, "hot: 3 tests: 3 passed, 1 ignored (");
    let ignored = once(&project, &["-p", "price", "--", "--ignored"]);
    check_line(&ignored, "hot: 1 test: 1 FAILED (");
    check_stdout(&ignored, &["it isn't tomorrow"]);

    project.edit("price/src/lib.rs", "gross / 2", "gross / \"5\"");
    let broken = once(&project, &[]);
    assert_eq!(broken.status.code(), Some(101), "{broken:#?}");
    check_line(&broken, "cannot divide `u32` by `&str`");
    let unknown = once(&project, &["--no-such-option"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:#?}");
    let refused = once(&project, &["--doc"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:#?}");
    check_line(&refused, "`hot test` runs no doc tests");
}

#[test]
fn a_crash_or_a_hang_takes_nobody_with_it() {
    let mut project = Project::fixture("tested");
    project.env("TROUBLE", "crash");
    let crashed = once(&project, &["-p", "price"]);
    assert_eq!(crashed.status.code(), Some(101), "{crashed:#?}");
    check_line(&crashed, "hot: 8 tests: 7 passed, 1 FAILED, 1 ignored (");
    check_stdout(
        &crashed,
        &["signal 6 (SIGABRT)", "\n    trouble::crashes\n"],
    );

    project.env("TROUBLE", "hang");
    let hung = once(&project, &["--timeout", "2", "-p", "price"]);
    assert_eq!(hung.status.code(), Some(101), "{hung:#?}");
    check_line(&hung, "hot: 8 tests: 7 passed, 1 FAILED, 1 ignored (");
    check_stdout(
        &hung,
        &["longer than 2s (--timeout)", "\n    trouble::hangs\n"],
    );

    project.env("TROUBLE", "leave");
    let left = once(&project, &["-p", "price"]);
    assert_eq!(left.status.code(), Some(101), "{left:#?}");
    check_stdout(&left, &["before the test did", "\n    trouble::leaves\n"]);
    assert!(project.processes().is_empty(), "{:?}", project.processes());
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}

/// A session whose tests have all passed once.
fn session(project: &Project, arguments: &[&str]) -> Session {
    let mut session = project.hot(&[&["test"], arguments].concat());
    let first = session.wait_for_stderr("hot: 11 tests: ");
    assert!(first.contains(&format!("{TESTS} passed")), "{first}");
    session.wait_for_stderr("waiting for saves");
    session
}

#[test]
fn a_save_has_those_tests_run_that_it_concerns() {
    let project = Project::fixture("tested");
    let mut session = session(&project, &[]);

    // One crate: its own tests, and those that may run the program, which uses it as well.
    project.edit("apart/src/lib.rs", "{\n    \"apart\"", "{\n    \"aparT\"");
    session.wait_for_stderr("hot: 2 of 11 tests: 1 passed, 1 FAILED");
    project.edit("price/src/lib.rs", "gross / FIFTH", "gross / 2");
    let line = session.wait_for_stderr("hot: 7 of 11 tests reach it: ");
    assert!(
        line.contains("4 passed, 3 FAILED")
            && line.ends_with("still failing: apart::tests::it_has_a_name"),
        "{line}"
    );
    session.wait_for_stdout("---- the_price_is_told stdout ----");
    project.edit("price/src/lib.rs", "gross / 2", "gross / FIFTH");
    session.wait_for_stderr("hot: 7 of 11 tests reach it: 7 passed");

    // A test that is new, in a file that is new, and saved once more while it is built.
    let more = |text: &str| std::fs::write(project.path("apart/tests/more.rs"), text);
    more("#[test]\nfn new() {}\n").expect("written");
    session.wait_for_stderr("Compiling apart");
    more("#[test]\nfn new() {}\n// once more\n").expect("written");
    let line = session.wait_for_stderr(" of 12 tests: ");
    assert!(line.contains("1 of 12 tests: 1 passed"), "{line}");

    // What doesn't compile is said once, and what was due is run when it does.
    project.edit("price/src/lib.rs", "gross / FIFTH", "gross / no");
    session.wait_for_stderr("cannot find value `no`");
    session.wait_for_stderr("hot: not built: no test was run");
    project.edit("price/src/lib.rs", "gross / no", "gross / (FIFTH)");
    session.wait_for_stderr("hot: 7 of 12 tests reach it: 7 passed");
    session.signal(rustix::process::Signal::INT);
    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(130), "{finished:#?}");
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}

#[test]
fn only_tests_run_that_reach_what_was_edited() {
    let project = Project::fixture("tested");
    let mut session = project.hot(&["test", "-v", "-p", "price"]);
    session.wait_for_stderr("hot: 8 tests: 8 passed");
    let save = |from: &str, to: &str| project.edit("price/src/lib.rs", from, to);

    save(
        "ASKED.load(Ordering::Relaxed)",
        "ASKED.load(Ordering::Relaxed) + 1",
    );
    let line = session.wait_for_stderr("hot: 2 of 8 tests reach it: 2 FAILED");
    assert!(!line.contains("still failing"), "{line}");
    save(
        "ASKED.load(Ordering::Relaxed) + 1",
        "ASKED.load(Ordering::Relaxed)",
    );
    session.wait_for_stderr("hot: 2 of 8 tests reach it: 2 passed");
    // On another thread.
    save("amount * 2", "amount + amount");
    session.wait_for_stderr("hot: 1 of 8 tests reaches it: 1 passed");

    // A test itself, and what is there for tests alone.
    let (line, column) = project.position("price/src/lib.rs", "assert_eq!(on_a_thread");
    save("twice(1)).join()", "twice(4)).join()");
    session.wait_for_stderr("hot: 1 of 8 tests reaches it: 1 FAILED");
    session.wait_for_stdout(&format!("panicked at price/src/lib.rs:{line}:{column}:"));
    save("twice(4)).join()", "twice(1)).join()");
    session.wait_for_stderr("hot: 1 of 8 tests reaches it: 1 passed");
    project.edit(
        "price/tests/trouble.rs",
        "trouble == what",
        "what == trouble",
    );
    session.wait_for_stderr("hot: 3 of 8 tests reach it: 3 passed");

    // What is new comes with the functions that use it.
    save(
        "gross - tax(gross)\n}",
        "less(gross)\n}\n\nfn less(gross: u32) -> u32 {\n    gross - tax(gross)\n}",
    );
    session.wait_for_stderr("hot: 3 of 8 tests reach it: 3 passed");

    // What no test calls, what no function does differently.
    save(
        "fn by_nobody() -> u32 {\n    1",
        "fn by_nobody() -> u32 {\n    2",
    );
    session.wait_for_stderr("hot: none of 8 tests reaches it");
    save("/// How often", "/// Hence how often");
    session.wait_for_stderr("hot: none of 8 tests reaches it");

    // What has no site may be reached by all tests of a binary that is another one then.
    save("const FIFTH: u32 = 5", "const FIFTH: u32 = 2 + 3");
    session.wait_for_stderr("hot: 8 tests: 8 passed");
    // With something to compare with, it is known who enters what such an edit reaches.
    session.wait_for_stderr("can be compared");
    session.wait_for_stderr("can be compared");
    // What the harness holds of a test leads to the test's own code, which has a site: so `larger`
    // is patched, too. In one save: the first one is patched, then whatever takes less time.
    let [other, own] = [
        ("const FIFTH: u32 = 2 + 3", "const FIFTH: u32 = 6"),
        ("one.max(other)", "one.min(other)"),
    ];
    project.edit_all("price/src/lib.rs", &[other, own]);
    session.wait_for_stderr("hot: 5 of 8 tests reach it: 2 passed, 3 FAILED");
    project.edit_all(
        "price/src/lib.rs",
        &[other, own].map(|(old, new)| (new, old)),
    );
    session.wait_for_stderr("hot: 5 of 8 tests reach it: 5 passed");
    save("gross / FIFTH", "(gross / FIFTH).max(1)");
    let line = session.wait_for_stderr("hot: 5 of 8 tests reach it: ");
    assert!(line.contains("5 passed"), "{line}");

    // A new test isn't known to the harness.
    save(
        "    #[test]\n    #[ignore]",
        "    #[test]\n    fn more() {}\n\n    #[test]\n    #[ignore]",
    );
    session.wait_for_stderr("hot: 6 of 9 tests: 6 passed");
    // What no test enters has to compile as well.
    save(
        "fn by_nobody() -> u32 {\n    2",
        "fn by_nobody() -> u32 {\n    \"2\"",
    );
    session.wait_for_stderr("hot: not built: no test was run");

    // Whatever cargo had to build was told, and it was no body.
    session.signal(rustix::process::Signal::INT);
    let finished = session.finish();
    let lines = |part: &str| {
        let lines = finished.stderr.iter();
        let lines = lines.filter(|line| line.contains(part));
        lines.collect::<Vec<_>>()
    };
    let told = lines("hot: built, not patched: ");
    let reasons = ["FIFTH", "fn more added", "mismatched types"];
    let may_be = |line: &&&String| reasons.iter().any(|reason| line.contains(reason));
    let expected = told.iter().filter(may_be).count();
    assert_eq!(expected, told.len(), "{finished:#?}");
    assert_eq!(
        lines("Compiling price").len(),
        1 + told.len(),
        "{finished:#?}"
    );
}

#[test]
fn what_mocks_need_is_there_where_something_can_mock() {
    let project = Project::fixture("tested");
    let mut session = project.hot(&["test", "-p", "price", "--lib"]);
    session.wait_for_stderr("hot: 4 tests: 4 passed");
    let mocks = || {
        let units = std::fs::read_dir(project.target().join("debug/.hot")).expect("records");
        let units = units.map(|unit| unit.expect("a record").path().join("unit.json"));
        let texts = units.map(|unit| std::fs::read_to_string(unit).expect("a record"));
        let found = texts.map(|text| text.replace(' ', "").contains("\"mocks\":true"));
        found.collect::<Vec<_>>()
    };
    assert_eq!(mocks(), [false]);
    for (file, text) in [
        ("soft-mock/src/lib.rs", ""),
        (
            "soft-mock/Cargo.toml",
            "[package]\nname = \"soft-mock\"\nversion = \"0.0.0\"\n",
        ),
    ] {
        let path = project.path(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    let manifest = project.read("price/Cargo.toml");
    project.save(
        Save::Rename,
        "price/Cargo.toml",
        &format!("{manifest}\n[dev-dependencies]\nsoft-mock = {{ path = \"../soft-mock\" }}\n"),
    );
    session.wait_for_stderr("hot: 4 tests: 4 passed");
    assert!(mocks().contains(&true));
}

#[test]
fn a_file_that_is_no_source_has_all_tests_run() {
    let project = Project::fixture("tested");
    let mut session = session(&project, &[]);
    std::fs::write(project.path("price/data.txt"), "6\n").expect("written");
    session.wait_for_stderr("price/data.txt: no source, but tests may read it: all are run");
    session.wait_for_stderr("hot: 11 tests: 10 passed, 1 FAILED");
    session.wait_for_stdout("a fifth");
}

#[test]
fn a_save_ends_what_runs_and_nothing_is_forgotten() {
    let mut project = Project::fixture("tested");
    project.env("TROUBLE", "hang");
    let mut session = project.hot(&["test", "-p", "price", "-p", "apart"]);
    session.wait_for_stderr("Finished");
    project.edit("apart/src/lib.rs", "{\n    \"apart\"", "{\n    \"other\"");
    // All of it was due and still is: the one that hangs, too.
    project.edit(
        "price/tests/trouble.rs",
        "while told(\"hang\")",
        "if told(\"hang\")",
    );
    let line = session.wait_for_stderr("hot: 10 tests: ");
    assert!(line.contains("9 passed, 1 FAILED"), "{line}");
    session.wait_for_stdout("apart::tests::it_has_a_name");
}

#[test]
fn keys_run_tests_again() {
    let project = Project::fixture("tested");
    let mut terminal = project.hot_at_terminal(&["test", "-p", "apart"]);
    terminal.wait_for("hot: 2 tests: 2 passed");
    terminal.wait_for("hot: keys: Enter the last tests again");
    project.edit("apart/src/lib.rs", "{\n    \"apart\"", "{\n    \"aparT\"");
    terminal.wait_for("hot: 2 tests: 1 passed, 1 FAILED");
    terminal.type_keys("f");
    terminal.wait_for("hot: 1 of 2 tests: 1 FAILED");
    terminal.type_keys("\n");
    terminal.wait_for("hot: 1 of 2 tests: 1 FAILED");
    terminal.type_keys("w");
    terminal.wait_for("hot: the last run had 1 of 2:");
    // A filter; what it leaves out stays due.
    terminal.type_keys("/no");
    terminal.wait_for("Esc doesn't): no");
    terminal.type_keys("\x1b");
    terminal.wait_for("hot: no filter");
    terminal.type_keys("/plain\x7f\n");
    terminal.wait_for("hot: only tests with `plai` in their names");
    terminal.wait_for("hot: 1 of 2 tests: 1 passed");
    project.edit("apart/src/lib.rs", "{\n    \"aparT\"", "{\n    \"apart\"");
    terminal.wait_for("since the filter leaves them out: 1");
    terminal.type_keys("/\n");
    terminal.wait_for("hot: no filter");
    terminal.wait_for("hot: 1 of 2 tests: 1 passed");
    project.edit("apart/src/lib.rs", "{\n    \"apart\"", "{\n    \"aparT\"");
    terminal.wait_for("1 FAILED");
    terminal.type_keys("a");
    terminal.wait_for("hot: 2 tests: 1 passed, 1 FAILED");
    terminal.type_keys("q");
    assert_eq!(terminal.finish().code(), Some(0));
}

#[test]
fn a_profile_of_nextest_counts_and_results_are_written() {
    let project = Project::fixture("tested");
    let profile = "[profile.default]\nretries = 1\ntest-threads = 1\n\
                   [profile.ci]\nslow-timeout = { period = \"1s\", terminate-after = 2 }\n";
    std::fs::create_dir(project.path(".config")).expect("a folder");
    std::fs::write(project.path(".config/nextest.toml"), profile).expect("written");
    // It fails the first time.
    project.edit(
        "apart/src/lib.rs",
        "{\n    \"apart\"",
        "{\n    let been = std::path::Path::new(\"been\");\n    if !been.exists() {\n        \
         std::fs::write(been, \"\").unwrap();\n        return \"first\";\n    }\n    \"apart\"",
    );
    let own = [
        "test",
        "--once",
        "--junit",
        "tests.xml",
        "--nextest-profile",
    ];
    let run = |rest: &[&str]| {
        project
            .start(hot::binary(), &[&own[..], rest].concat())
            .finish()
    };
    let passed = run(&["ci", "-p", "apart", "--lib"]);
    assert_eq!(passed.status.code(), Some(0), "{passed:#?}");
    check_line(
        &passed,
        "nextest's profile: retries 1, slow after 1s, killed after 2s, 1 at once",
    );
    check_line(
        &passed,
        "apart::tests::it_has_a_name has failed and passes now (attempt 2)",
    );
    let written = std::fs::read_to_string(project.path("tests.xml")).expect("written");
    let case = r#"<testcase name="tests::it_has_a_name" classname="apart""#;
    assert!(written.contains(case), "{written}");
    let told = run(&["ci", "--message-format", "json", "-p", "apart", "--lib"]);
    check_line(
        &told,
        r#"{"reason":"hot-test-ended","version":1,"binary":"unittests"#,
    );
    check_line(
        &told,
        r#"{"reason":"hot-tests-ran","version":1,"all":1,"by_reach":false,"#,
    );
    let unknown = run(&["other"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:#?}");
    check_line(&unknown, "there is no [profile.other]");
}
