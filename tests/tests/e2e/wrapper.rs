//! `hot` stands around the program without being noticed: what goes in, what comes out, how it
//! ends, what is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use rustix::process::Signal;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::Finished;

fn assert_nothing_left(project: &Project) {
    let processes = project.processes();
    assert!(processes.is_empty(), "still alive: {processes:#?}");
    let files = project.leftovers();
    assert!(files.is_empty(), "left behind: {files:#?}");
}

#[test]
fn arguments_are_the_programs_own() {
    let project = Project::fixture("mirror");
    let arguments = [
        "--help",
        "--watch",
        "x",
        "--",
        "-a b",
        "",
        "ö",
        "--no-restart",
    ];
    let command = [&["cargo", "run", "-q", "--", "arguments"], &arguments[..]].concat();
    let (plain, _) = project.cargo(&command[1..]);
    let (hot, _) = project.hot_to_end(&command);
    assert_eq!(hot, format!("{arguments:?}\n"));
    assert_eq!(hot, plain);
    assert_nothing_left(&project);
}

#[test]
fn the_environment_is_the_one_of_plain_cargo() {
    let mut project = Project::fixture("mirror");
    project.env("OF_THE_USER", "stays as it is");
    let (plain, _) = project.cargo(&["run", "-q", "--", "environment"]);
    let (hot, _) = project.hot_to_end(&["cargo", "run", "-q", "--", "environment"]);
    assert!(hot.contains("OF_THE_USER"), "{hot}");
    assert_same_lines(&plain, &hot);
}

fn assert_same_lines(plain: &str, hot: &str) {
    let only_in = |one: &str, other: &str| -> Vec<String> {
        let missing = |line: &&str| !other.lines().any(|known| known == *line);
        one.lines().filter(missing).map(str::to_owned).collect()
    };
    let (plain_only, hot_only) = (only_in(plain, hot), only_in(hot, plain));
    assert!(
        plain_only.is_empty() && hot_only.is_empty(),
        "plain: {plain_only:#?}\nhot: {hot_only:#?}"
    );
}

#[test]
fn input_and_output_are_the_programs_own() {
    let project = Project::fixture("mirror");
    let mut session = project.hot(&["cargo", "run", "-q", "--", "input"]);
    for _ in 0..20_000 {
        session.send_line("0123456789");
    }
    let Finished {
        status,
        stdout,
        stderr,
    } = session.finish();
    assert_eq!(status.code(), Some(0), "{stderr:?}");
    assert_eq!(stdout, ["220000 bytes, sum 10700000"]);
    assert!(stderr.iter().any(|line| line == "to stderr"), "{stderr:?}");
    assert_nothing_left(&project);
}

#[test]
fn the_exit_code_is_passed_on() {
    let project = Project::fixture("mirror");
    for code in [0, 7, 101, 255] {
        let session = project.hot(&["cargo", "run", "-q", "--", "exit", &code.to_string()]);
        let finished = session.finish();
        assert_eq!(finished.status.code(), Some(code), "{finished:?}");
    }
    let finished = project.hot(&["cargo", "run", "-q", "--", "abort"]).finish();
    let abort = Signal::ABORT.as_raw();
    let by_signal = finished.status.signal() == Some(abort);
    assert!(
        by_signal || finished.status.code() == Some(128 + abort),
        "{finished:?}"
    );
    assert_nothing_left(&project);
}

#[test]
fn a_command_that_can_not_be_started_is_named() {
    let project = Project::fixture("mirror");
    let finished = project.hot(&["no-such-command-at-all"]).finish();
    assert!(!finished.status.success(), "{finished:?}");
    assert!(
        finished
            .stderr
            .join("\n")
            .contains("no-such-command-at-all"),
        "{finished:?}"
    );
    assert_nothing_left(&project);
}

#[test]
fn ctrl_c_ends_both() {
    let project = Project::fixture("mirror");
    let mut session = project.hot(&["cargo", "run", "-q"]);
    session.wait_for_stdout("ready");
    session.signal_group(Signal::INT);
    let finished = session.finish();
    assert_ended_by(&finished, Signal::INT);
    assert_nothing_left(&project);
}

#[test]
fn a_signal_to_hot_alone_ends_both() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let project = Project::fixture("mirror");
        let mut session = project.hot(&["cargo", "run", "-q"]);
        session.wait_for_stdout("ready");
        session.signal(signal);
        let finished = session.finish();
        assert_ended_by(&finished, signal);
        assert_nothing_left(&project);
    }
}

fn assert_ended_by(finished: &Finished, signal: Signal) {
    let number = signal.as_raw();
    let ended =
        finished.status.signal() == Some(number) || finished.status.code() == Some(128 + number);
    assert!(ended, "{finished:?}");
}

#[test]
fn plain_cargo_afterwards_knows_nothing_of_us() {
    let mut project = Project::fixture("neighbour");
    project.enter("program");
    project.cargo(&["build"]);
    let finished = project.hot(&["cargo", "run"]).finish();
    assert_eq!(finished.stdout, ["hello from the library"]);
    let compiled: Vec<&String> = finished
        .stderr
        .iter()
        .filter(|line| line.contains("Compiling "))
        .collect();
    assert!(
        compiled.iter().all(|line| !line.contains("library v")),
        "a dependency was built twice: {compiled:?}"
    );

    let (stdout, stderr) = project.cargo(&["run"]);
    assert_eq!(stdout, "hello from the library\n");
    assert!(!stderr.contains("Compiling"), "built again:\n{stderr}");
    assert_nothing_of_ours(&project);

    // Likewise where the first build of all was ours.
    fs::remove_dir_all(project.path("target")).expect("the target folder");
    project.hot(&["cargo", "run"]).finish();
    let (_, stderr) = project.cargo(&["build"]);
    assert!(
        !stderr.contains("Compiling library"),
        "a dependency was built twice:\n{stderr}"
    );
    assert_nothing_of_ours(&project);
}

fn assert_nothing_of_ours(project: &Project) {
    let binary = fs::read(project.path("target/debug/program")).expect("the program");
    for word in ["soft_mock", "soft-mock", "HOT_SESSION"] {
        let found = binary
            .windows(word.len())
            .any(|window| window == word.as_bytes());
        assert!(!found, "{word} is in the plain program");
    }
}

#[test]
fn the_project_is_left_as_it_was() {
    let project = Project::fixture("ledger");
    let before = files(&project);
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    session.finish();
    assert_eq!(files(&project), before);
    assert_nothing_left(&project);
}

/// The names and texts of the project's own files.
fn files(project: &Project) -> Vec<(PathBuf, Vec<u8>)> {
    let mut folders = vec![project.path("")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "target" {
                folders.push(path);
            } else if path.is_file() {
                let text = fs::read(&path).expect("a file");
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// A wrapper that writes its calls into a file.
fn script(project: &Project, name: &str) -> (PathBuf, PathBuf) {
    let path = project.scratch().join(name);
    let log = path.with_extension("log");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nexec \"$@\"\n",
        log.display()
    );
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an executable script");
    (path, log)
}

/// A destructor can't be named, and this one isn't known for one: so the compiler refuses what
/// stands in it.
const REFUSED: &str = "use std::ops::Drop as Dropped;\npub struct Held<T: Default>(pub T);\n\
    impl<T: Default> Dropped for Held<T> {\n    fn drop(&mut self) {\n        drop(T::default());\n    }\n}\n";

#[test]
fn what_the_compiler_refused_is_left_out_at_once_the_next_time() {
    let mut project = Project::of_files([
        (
            "Cargo.toml",
            "[package]\nname = \"held\"\nedition = \"2021\"\n[workspace]\n",
        ),
        (
            "src/lib.rs",
            // Only what is named as a mock's has a site in the crate of the tests.
            "pub mod held;\nmacro_rules! mock { ($f:ident) => {} }\nmock!(drop);\n\
             #[test]\nfn one() {\n    assert_eq!(1, 1);\n}\n",
        ),
        ("src/held.rs", REFUSED),
    ]);
    let (wrapper, log) = script(&project, "workspace-wrapper");
    project.env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
    let compilations = || {
        let (stdout, _) = project.hot_to_end(&["cargo", "test", "--lib"]);
        assert!(stdout.contains("1 passed"), "{stdout}");
        let calls = fs::read_to_string(&log).expect("the wrapper was called");
        fs::remove_file(&log).expect("a log");
        let tests = calls.lines().filter(|call| call.contains(" --test "));
        tests.count()
    };
    assert_eq!(compilations(), 2, "it is refused");
    project.edit("src/lib.rs", "assert_eq!(1, 1)", "assert_eq!(2, 2)");
    assert_eq!(compilations(), 1);
    // Whoever edits it has another try.
    project.edit("src/held.rs", "drop(T::default())", "let _ = T::default()");
    assert_eq!(compilations(), 2);
}

#[test]
fn wrappers_that_are_set_already_are_called() {
    let mut project = Project::fixture("mirror");
    let (wrapper, wrapper_log) = script(&project, "wrapper");
    let (workspace_wrapper, workspace_log) = script(&project, "workspace-wrapper");
    project.env("RUSTC_WRAPPER", &wrapper);
    project.env("RUSTC_WORKSPACE_WRAPPER", &workspace_wrapper);
    let (plain, _) = project.cargo(&["run", "-q", "--", "environment"]);
    for log in [&wrapper_log, &workspace_log] {
        fs::remove_file(log).expect("plain cargo called the wrapper");
    }
    fs::remove_dir_all(project.path("target")).expect("the target folder");

    let (hot, _) = project.hot_to_end(&["cargo", "run", "-q", "--", "environment"]);
    for log in [&wrapper_log, &workspace_log] {
        let calls =
            fs::read_to_string(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        assert!(
            calls.contains("--crate-name mirror"),
            "{}:\n{calls}",
            log.display()
        );
    }
    assert_same_lines(&plain, &hot);
}

#[test]
fn what_hot_says_is_marked() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["cargo", "run", "-q"]);
    session.wait_for_stdout("ready");
    project.edit("src/report.rs", "account of {}", "purse of {}");
    session.wait_for_patch();
    let finished = session.finish();
    assert_eq!(finished.stdout, ["ready"]);
    let unmarked: Vec<&String> = finished
        .stderr
        .iter()
        .filter(|line| !line.starts_with("hot: "))
        .collect();
    assert!(unmarked.is_empty(), "{unmarked:#?}");
}
