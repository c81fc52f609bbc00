//! Ways to write a crate: whatever cargo and rustc accept runs under `hot` as it does without, and
//! can be patched.

use soft_mock_tests::project::{Project, Save};

/// A question to the fixture, where its answer is made, and an edit there.
struct Corner {
    question: &'static str,
    answer: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    patched: &'static str,
}

/// Short for a table.
const fn corner(
    [question, file]: [&'static str; 2],
    [answer, patched]: [&'static str; 2],
    [from, to]: [&'static str; 2],
) -> Corner {
    Corner {
        question,
        answer,
        file,
        from,
        to,
        patched,
    }
}

const MAIN: &str = "src/main.rs";
const CORNERS: [Corner; 13] = [
    corner(
        ["bare", "members/bare/src/lib.rs"],
        ["bare three", "bare 3"],
        ["bare three", "bare 3"],
    ),
    corner(
        ["built", MAIN],
        ["built generated known", "made generated known"],
        ["\"built {} {}\"", "\"made {} {}\""],
    ),
    // Its variable stays, although the attribute's macro has written half of the function.
    corner(
        ["counted", MAIN],
        ["counted 8", "seen 8"],
        ["\"counted {}\"", "\"seen {}\""],
    ),
    corner(
        ["derived", MAIN],
        ["derived Cat", "got Cat"],
        ["\"derived {}\"", "\"got {}\""],
    ),
    corner(
        ["edition15", "members/edition15/src/lib.rs"],
        ["edition 15", "year 15"],
        ["\"edition {}\"", "\"year {}\""],
    ),
    corner(
        ["edition18", "members/edition18/src/lib.rs"],
        ["edition 18", "year 18"],
        ["\"edition {}\"", "\"year {}\""],
    ),
    corner(
        ["edition24", "members/edition24/src/lib.rs"],
        ["edition 24", "year 24"],
        ["\"edition {number}\"", "\"year {number}\""],
    ),
    corner(
        ["included", MAIN],
        ["included a note", "has a note"],
        ["\"included {}\"", "\"has {}\""],
    ),
    // Its macro looks at the names that its patterns give.
    corner(
        ["known", MAIN],
        ["known 7 3", "heard 7 3"],
        ["\"known {number} {b}\"", "\"heard {number} {b}\""],
    ),
    corner(
        ["nested", "src/nested/deeper.rs"],
        [
            "nested corners::nested::deeper",
            "in corners::nested::deeper",
        ],
        ["\"nested {}\"", "\"in {}\""],
    ),
    corner(
        ["odd", "src/elsewhere/odd-name.rs"],
        ["odd 4", "strange 4"],
        ["\"odd {}\"", "\"strange {}\""],
    ),
    corner(
        ["strict", "members/strict/src/lib.rs"],
        ["strict 1", "hard 1"],
        ["\"strict {}\"", "\"hard {}\""],
    ),
    // A macro refuses what stands at its start, so whoever calls it is patched.
    corner(
        ["unready", MAIN],
        ["unprepared", "by others"],
        ["\"unprepared\"", "\"by others\""],
    ),
];

#[test]
fn all_answer_as_without_hot() {
    let project = Project::fixture("corners");
    let mut plain = project.start("cargo", &["run", "-q"]);
    let mut session = project.hot(&["cargo", "run"]);
    plain.wait_for_stdout("ready");
    session.wait_for_stdout("ready");
    for corner in &CORNERS {
        assert_eq!(plain.ask(corner.question), corner.answer);
        assert_eq!(
            session.ask(corner.question),
            corner.answer,
            "{}",
            session.output()
        );
    }
    let output = session.output().to_string();
    assert!(!output.contains("built unmodified"), "{output}");
    assert!(!output.contains("warning"), "{output}");
}

#[test]
fn all_can_be_patched() {
    let project = Project::fixture("corners");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    for corner in &CORNERS {
        project.edit(corner.file, corner.from, corner.to);
        let patch = session.wait_for_patch();
        assert!(patch.contains(corner.file), "{patch}");
        assert_eq!(
            session.ask(corner.question),
            corner.patched,
            "{}",
            session.output()
        );
        assert_eq!(session.patches().len(), 1 + position(corner.question));
    }
    // The macro's closure is the first one, so the variable has another path than it seems.
    assert_eq!(session.ask("closure"), "in a closure 7");
    project.edit(MAIN, "\"in a closure {}\"", "\"behind another {}\"");
    session.wait_for_stderr("what `#[observed]` makes of `in_closure` can't be patched");
}

fn position(question: &str) -> usize {
    let found = CORNERS
        .iter()
        .position(|corner| corner.question == question);
    found.expect("a question of the table")
}

#[test]
fn a_path_with_spaces_and_letters_of_all_kinds_and_a_program_named_hot() {
    let project = Project::fixture_in("ledger", "Überraschung mit 'Zeichen' & 花");
    // Its executable lies where the records of units lie.
    project.edit("Cargo.toml", "name = \"ledger\"", "name = \"hot\"");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    project.edit_by(
        Save::Rename,
        "src/report.rs",
        "account of {}",
        "purse of {}",
    );
    let patch = session.wait_for_patch();
    assert!(patch.contains("(src/report.rs:"), "{patch}");
    assert_eq!(session.ask("x"), "purse of ada: 2");
}

#[test]
fn a_crate_that_can_not_be_rewritten_is_built_unmodified() {
    let project = Project::fixture("stubborn");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "line 7");
    let output = session.output().to_string();
    let said = output
        .lines()
        .filter(|line| line.contains("taken") && line.contains("unmodified"))
        .count();
    assert_eq!(said, 1, "which crate, and why, once:\n{output}");

    // The others are none the worse for it.
    project.edit("src/main.rs", "\"line {}\"", "\"number {}\"");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "number 7");

    // An edit of that crate can't be patched: the program starts anew.
    project.edit(
        "taken/src/lib.rs",
        "__soft_mock::NUMBER\n",
        "__soft_mock::NUMBER + 1\n",
    );
    session.ask_until("x", "number 8");
}

#[test]
fn an_edit_of_a_proc_macro_crate_restarts_the_program() {
    let project = Project::fixture("corners");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("derived"), "derived Cat");
    project.edit(
        "members/derive/src/lib.rs",
        r#"\"{name}\" }} }}"#,
        r#"\"a {name}\" }} }}"#,
    );
    session.wait_for_stderr("it is a proc-macro crate");
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("derived"), "derived a Cat");
}

#[test]
fn a_file_that_becomes_a_folder_holds_the_same_functions() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit("src/report.rs", "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 1");

    std::fs::create_dir(project.path("src/report")).expect("a folder");
    std::fs::rename(
        project.path("src/report.rs"),
        project.path("src/report/mod.rs"),
    )
    .expect("a file");
    project.edit("src/report/mod.rs", "purse of {}", "bag of {}");
    assert_eq!(
        session.ask_until("x", "bag of ada").split(':').next(),
        Some("bag of ada")
    );

    std::fs::rename(
        project.path("src/report/mod.rs"),
        project.path("src/report.rs"),
    )
    .expect("a file");
    project.edit("src/report.rs", "bag of {}", "account of {}");
    session.ask_until("x", "account of ada");
}

/// A file that becomes a block of the file that declares it, and the other way round.
#[test]
fn a_module_that_becomes_a_block_holds_the_same_functions() {
    let project = Project::fixture("ledger");
    let (main, file) = (project.read("src/main.rs"), project.read("src/report.rs"));
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit("src/report.rs", "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 1");

    let text = file.replace("account of {}", "bag of {}");
    let text = text.trim_start_matches("//! How an account is shown.");
    let block = main.replace("mod report;", &format!("mod report {{{text}}}"));
    std::fs::remove_file(project.path("src/report.rs")).expect("a file");
    project.save(Save::InPlace, "src/main.rs", &block);
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 1 function in "), "{patch}");
    assert!(
        patch.contains("ledger::report::title (src/main.rs:"),
        "{patch}"
    );
    assert_eq!(session.ask("x"), "bag of ada: 2");

    // What is rolled back are both files; one that changes counts again with the other.
    let output = project.run(soft_mock_tests::hot::binary(), &["rollback"]);
    assert!(output.status.success(), "{output:?}");
    session.wait_for_mention("rolled back 1 function");
    assert_eq!(session.ask("x"), "purse of ada: 3");
    project.edit("src/main.rs", "bag of {}", "chest of {}");
    session.ask_until("x", "chest of ada");

    // Back, in a folder of its own, and on from there.
    std::fs::create_dir(project.path("src/report")).expect("a folder");
    let text = file.replace("account of {}", "wallet of {}");
    project.save(Save::InPlace, "src/report/mod.rs", &text);
    project.save(Save::InPlace, "src/main.rs", &main);
    session.ask_until("x", "wallet of ada");
    project.edit("src/report/mod.rs", "wallet of {}", "account of {}");
    session.wait_for_stderr("restored 1 function");
    session.ask_until("x", "account of ada");
    assert_eq!(
        session
            .finish()
            .stdout
            .iter()
            .filter(|line| *line == "ready")
            .count(),
        1
    );
}

/// Nothing of ours runs in it, and its files are followed all the same: those of its libraries too.
#[test]
fn a_program_that_can_not_be_rewritten_is_restarted_at_every_edit() {
    let manifest = "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let main = r#"mod __soft_mock {}
mod word;

fn main() {
    println!("{} {}", word::word(), own::number());
    std::thread::sleep(std::time::Duration::from_secs(600));
}
"#;
    let project = Project::of_files([
        ("Cargo.toml", manifest),
        ("src/main.rs", main),
        ("src/word.rs", "pub fn word() -> &'static str { \"one\" }\n"),
        ("src/lib.rs", "pub fn number() -> u32 { 1 }\n"),
    ]);
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("one 1");
    session.wait_for_stderr("crate `own` is built unmodified");
    session.wait_for_stderr("every edit needs a restart: `own`");
    let words = "// Words.\n\npub fn word() -> &'static str {\n    \"one\"\n}\n";
    project.save(Save::InPlace, "src/word.rs", words);
    session.wait_for_stderr("nothing differs from what runs");
    project.edit("src/word.rs", "one", "two");
    session.wait_for_all(&["src/word.rs:4: crate `own` was built unmodified"]);
    session.wait_for_stdout("two 1");
    session.wait_for_stderr("restarted");
    project.edit("src/lib.rs", "{ 1 }", "{ 2 }");
    session.wait_for_all(&["src/lib.rs:1: crate `own` was built unmodified"]);
    session.wait_for_stdout("two 2");
    session.wait_for_stderr("restarted");
    // Said once: what builds it says so each time.
    let said = session.output().to_string();
    assert_eq!(
        said.matches("every edit needs a restart").count(),
        1,
        "{said}"
    );
    project.edit("src/lib.rs", "{ 2 }", "{ 2 } // no other code");
    session.wait_for_stderr("nothing differs from what runs");
}

/// What the last expression of a body borrows of a parameter lives until that is dropped, also
/// where the parameter is a pattern.
#[test]
fn a_body_that_borrows_of_a_pattern_to_its_end_is_patched() {
    let main = r#"use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

struct State<T>(T);

fn one(State(items): State<Arc<Mutex<BTreeMap<u32, String>>>>, (id, _): (u32, u32)) -> Option<String> {
    items.lock().unwrap().get(&id).map(|name| format!("<{name}>"))
}

fn main() {
    let items = Arc::new(Mutex::new(BTreeMap::from([(1, "one".to_owned())])));
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{:?}", one(State(items.clone()), (1, 2)));
    }
}
"#;
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session.wait_for_stderr("2 functions of own can be patched live");
    project.edit("src/main.rs", "<{name}>", "({name})");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), r#"Some("(one)")"#);
}

/// What parameters hold is dropped as it is without `hot`, whichever of them are patterns.
#[test]
fn parameters_are_dropped_in_their_order() {
    let main = r#"use std::sync::Mutex;

static DROPPED: Mutex<String> = Mutex::new(String::new());

struct D(char);

impl Drop for D {
    fn drop(&mut self) {
        DROPPED.lock().unwrap().push(self.0);
    }
}

struct S(D);
struct P { x: D, y: D }

fn first((_a, _b): (D, D), _c: D) {}
fn partly((_a, _): (D, D), mut c: D) { c.0 = 'C'; }
fn several((_a, _): (D, D), _c: D, (_d, _): (D, D), _e: D) {}
fn any(_: D, (_a, _b): (D, D), _: D) {}
fn named(_w @ P { .. }: P, _c: D, _n: u32) {}
fn fields(P { x: _x, .. }: P, ref _r: D) {}

impl S {
    fn method(self, (_a, _): (D, D), _c: D) {}
}

fn main() {
    let [a, b, c, d, e, f] = [(); 6].map(|()| D);
    println!("ready");
    for _ in std::io::stdin().lines() {
        first((a('a'), b('b')), c('c'));
        partly((a('a'), b('b')), c('c'));
        several((a('a'), b('b')), c('c'), (d('d'), e('e')), f('f'));
        any(c('c'), (a('a'), b('b')), d('d'));
        named(P { x: a('x'), y: b('y') }, c('c'), 1);
        fields(P { x: a('x'), y: b('y') }, c('c'));
        S(d('s')).method((a('a'), b('b')), c('c'));
        println!("{}", std::mem::take(&mut *DROPPED.lock().unwrap()));
    }
}
"#;
    let order = "cbaCabfdecabdbaccxycxycabs";
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("as it was built"), order);
    project.edit("src/main.rs", "c.0 = 'C';", "c.0 = 'K';");
    session.wait_for_patch();
    assert_eq!(session.ask("patched"), order.replace('C', "K"));
}

/// Where a caller stands is part of what it does, and of what is said: also while whole crates are
/// compiled for another edit.
#[test]
fn an_edit_that_moves_a_call_in_its_line_is_told() {
    let main = r#"#[track_caller]
fn here() -> u32 {
    std::panic::Location::caller().column() + 1000
}

fn call() -> u32 { let _ = 2; here() }

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{}", call());
    }
}
"#;
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("as it was built"), "1031");
    project.edit("src/main.rs", "+ 1000", "+ 2000");
    session.wait_for_all(&["patched 1 function", "call (src/main.rs:6)"]);
    assert_eq!(session.ask("with another helper"), "2031");
    for (from, to, answer) in [
        ("let _ = 2; here()", "here()", "2020"),
        ("{ here()", "{ let _ = 2; here()", "2031"),
        ("let _ = 2; here()", "here()", "2020"),
    ] {
        project.edit("src/main.rs", from, to);
        session.wait_for_all(&["patched 1 function", "call (src/main.rs:6)"]);
        assert_eq!(session.ask("the same call elsewhere"), answer);
    }
}

/// A module that moves to another file is another one to `file!()`.
#[test]
fn a_moved_file_has_another_name() {
    let main = r#"mod named;

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{} {}", named::file(), named::other());
    }
}
"#;
    let named =
        "pub fn file() -> &'static str {\n    file!()\n}\n\npub fn other() -> u8 {\n    1\n}\n";
    let project = Project::of_main(main);
    project.save(Save::InPlace, "src/named.rs", named);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session.wait_for_stderr("can be patched live");
    assert_eq!(session.ask("as it was built"), "src/named.rs 1");
    project.hot_to_end(&["pause"]);
    std::fs::create_dir(project.path("src/named")).expect("a folder");
    project.save(Save::InPlace, "src/named/mod.rs", named);
    std::fs::remove_file(project.path("src/named.rs")).expect("removed");
    project.hot_to_end(&["resume"]);
    session.wait_for_all(&["patched 1 function", "named::file (src/named/mod.rs:"]);
    assert_eq!(session.ask("moved"), "src/named/mod.rs 1");
}
