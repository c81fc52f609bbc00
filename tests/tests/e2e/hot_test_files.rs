//! `hot test`: files that are written while it builds and while tests run, by tests and by the
//! user; and crates of which a test binary holds a part.

use std::path::Path;
use std::time::{Duration, Instant};

use soft_mock_tests::hot;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const MANIFEST: &str = "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

const LIBRARY: &str = "pub const ONE: u8 = 1;\n\npub fn one() -> u8 {\n    1\n}\n\n#[test]\nfn is_one() {\n    assert_eq!(one(), ONE);\n}\n";

/// It reads a file of the package's.
const READS: &str = "#[test]\nfn reads() {\n    assert_eq!(std::fs::read_to_string(\"data.txt\").unwrap(), \"1\");\n}\n";

/// It says that it runs, and goes on as long as it is held.
const WAITS: &str = "#[test]\nfn waits() {\n    one::one();\n    let place = |name: &str| std::path::Path::new(env!(\"PLACE\")).join(name);\n    if place(\"hold\").exists() {\n        std::fs::write(place(\"runs\"), \"\").unwrap();\n    }\n    while place(\"hold\").exists() {\n        std::thread::sleep(std::time::Duration::from_millis(20));\n    }\n}\n";

fn project(more: &[(&str, &str)]) -> Project {
    let own = [("Cargo.toml", MANIFEST), ("src/lib.rs", LIBRARY)];
    Project::of_files(own.into_iter().chain(more.iter().copied()))
}

fn write(project: &Project, file: &str, text: &str) {
    std::fs::write(project.path(file), text).expect("written");
}

fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "{path:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The lines that it has said until it was ended.
fn end(session: Session) -> Vec<String> {
    session.signal(rustix::process::Signal::INT);
    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(130), "{finished:#?}");
    finished.stderr
}

#[test]
fn tests_that_write_sources_have_an_end() {
    let writes = "#[test]\nfn writes() {\n    std::fs::create_dir_all(\"out\").unwrap();\n    let now = format!(\"// {:?}\", std::time::SystemTime::now());\n    std::fs::write(\"out/made.rs\", &now).unwrap();\n    std::fs::write(\"out/Cargo.toml\", now.replace(\"//\", \"#\")).unwrap();\n    std::thread::sleep(std::time::Duration::from_millis(500));\n    assert_eq!(one::one(), one::ONE);\n}\n";
    let project = project(&[("tests/it.rs", writes)]);
    // Cargo marks it as a cache only where it makes it.
    std::fs::create_dir(project.path("target")).expect("a folder");
    let mut session = project.hot(&["test"]);
    session.wait_for_stderr("hot: 2 tests: 2 passed");
    let told = "hot: written while tests ran, and not looked at: ";
    let line = session.wait_for_stderr(told);
    assert!(line.contains("out/Cargo.toml, out/made.rs"), "{line}");
    project.edit("src/lib.rs", "{\n    1", "{\n    2");
    session.wait_for_stderr("hot: 2 of 2 tests reach it: 2 FAILED");
    session.wait_for_stderr(told);
    let lines = end(session);
    let said = lines.iter().filter(|line| line.contains(told)).count();
    assert_eq!(said, 2, "{lines:#?}");
}

#[test]
fn what_is_saved_while_cargo_builds_is_read_by_the_tests() {
    let script = "fn main() {\n    println!(\"cargo:rerun-if-changed=src\");\n    std::thread::sleep(std::time::Duration::from_secs(2));\n}\n";
    let files = [
        ("build.rs", script),
        ("data.txt", "1"),
        ("tests/it.rs", READS),
    ];
    let project = project(&files);
    let mut session = project.hot(&["test"]);
    session.wait_for_stderr("waiting for saves");
    project.edit("src/lib.rs", "ONE: u8 = 1", "ONE: u8 = 1 + 0");
    session.wait_for_stderr("Compiling one");
    write(&project, "data.txt", "2");
    session.wait_for_stderr("hot: data.txt: no source, but tests may read it: all are run");
    session.wait_for_stderr("hot: 2 tests: 1 passed, 1 FAILED");
    session.wait_for_stdout("    it::reads");
    drop(end(session));
}

#[test]
fn what_is_saved_while_tests_run_is_told_when_a_save_ends_them() {
    let files = [
        ("data.txt", "1"),
        ("tests/it.rs", READS),
        ("tests/waits.rs", WAITS),
    ];
    let mut project = project(&files);
    let place = project.scratch().to_owned();
    project.env("PLACE", &place);
    let [hold, runs] = ["hold", "runs"].map(|name| place.join(name));
    let mut session = project.hot(&["test"]);
    session.wait_for_stderr("waiting for saves");
    std::fs::write(&hold, "").expect("written");
    project.edit("src/lib.rs", "{\n    1", "{\n    1 + 0");
    wait_for(&runs);
    std::thread::sleep(Duration::from_millis(50));
    write(&project, "data.txt", "2");
    std::thread::sleep(Duration::from_millis(300));
    std::fs::remove_file(&hold).expect("a file");
    project.edit("src/lib.rs", "{\n    1 + 0", "{\n    2 - 1");
    session.wait_for_stderr("hot: 2 of 3 tests reach it: 2 passed");
    session.wait_for_stderr("hot: written while tests ran, and not looked at: data.txt");
    drop(end(session));
}

#[test]
fn files_beside_the_packages_of_a_workspace_may_be_read_too() {
    let reads = READS.replace("data.txt", "../data/one.txt");
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
        ("a/Cargo.toml", MANIFEST),
        ("a/src/lib.rs", &reads),
        ("data/one.txt", "1"),
    ];
    let project = Project::of_files(files);
    let mut session = project.hot(&["test"]);
    session.wait_for_stderr("waiting for saves");
    write(&project, "data/one.txt", "2");
    session.wait_for_stderr("hot: data/one.txt: no source, but tests may read it: all are run");
    session.wait_for_stderr("hot: 1 test: 1 FAILED");
    drop(end(session));
}

#[test]
fn a_filter_keeps_nothing_from_being_due() {
    let project = project(&[("data.txt", "1"), ("tests/it.rs", READS)]);
    let mut terminal = project.hot_at_terminal(&["test"]);
    terminal.wait_for("hot: 2 tests: 2 passed");
    terminal.wait_for("hot: keys: Enter the last tests again");
    terminal.type_keys("/is_one\n");
    terminal.wait_for("hot: 1 of 2 tests: 1 passed");
    // What is written until the tests have ended is told otherwise.
    std::thread::sleep(Duration::from_millis(500));
    write(&project, "data.txt", "2");
    terminal.wait_for("since the filter leaves them out: 1");
    terminal.type_keys("/\n");
    terminal.wait_for("hot: no filter");
    terminal.wait_for("hot: 1 of 2 tests: 1 FAILED");
    terminal.type_keys("q");
    assert_eq!(terminal.finish().code(), Some(0));
}

#[test]
fn a_binary_that_holds_nothing_of_a_function_is_no_reason_to_build() {
    // Its binary has nothing of the library.
    let project = project(&[("tests/it.rs", "#[test]\nfn it() {}\n")]);
    let mut session = project.hot(&["test", "-v"]);
    session.wait_for_stderr("hot: 2 tests: 2 passed");
    // What is saved before that is built.
    session.wait_for_stderr("waiting for saves");
    project.edit("src/lib.rs", "{\n    1", "{\n    2");
    session.wait_for_stderr("unittests src/lib.rs is patched");
    session.wait_for_stderr("hot: 1 of 2 tests reaches it: 1 FAILED");
    let lines = end(session);
    let built = lines.iter().filter(|line| line.contains("Compiling one"));
    assert_eq!(built.count(), 1, "{lines:#?}");

    // What no binary holds has to compile as well.
    let mut session = project.hot(&["test", "--test", "it"]);
    session.wait_for_stderr("waiting for saves");
    project.edit("src/lib.rs", "{\n    2", "{\n    3");
    session.wait_for_stderr("hot: none of 1 test reaches it");
    project.edit("src/lib.rs", "{\n    3", "{\n    \"3\"");
    session.wait_for_stderr("mismatched types");
    session.wait_for_stderr("hot: not built: no test was run");
    drop(end(session));
}

#[test]
fn cargo_may_be_told_how_much_to_say() {
    let project = project(&[]);
    for words in [&["-q"][..], &["--lib", "-v"]] {
        let arguments = [&["test", "--once", "--forget"], words].concat();
        let finished = project.start(hot::binary(), &arguments).finish();
        assert_eq!(finished.status.code(), Some(0), "{finished:#?}");
    }
}
