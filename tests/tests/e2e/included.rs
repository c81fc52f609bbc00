//! `--include`: dependencies in a folder outside of the workspace, and from a registry.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use soft_mock_tests::folder;
use soft_mock_tests::package::{own_cargo_home, unpacked};
use soft_mock_tests::project::{Project, Save};

const INCLUDED: [&str; 4] = ["--include", "humantime,nearby", "cargo", "run"];

/// The fixture's program, with a copy of its registry that may be edited.
fn project() -> Project {
    let mut project = Project::with_kept_target(&folder::fixture("included"), "included");
    project.enter("app");
    let runtime = folder::workspace().join("soft-mock").display().to_string();
    project.edit("Cargo.toml", "../../../../soft-mock", &runtime);
    own_cargo_home(&mut project);
    project.cargo(&["fetch", "--locked"]);
    project
}

/// A file of the copy.
fn source_of_registry(project: &Project, file: &str) -> String {
    unpacked(project, "humantime")
        .join(file)
        .display()
        .to_string()
}

/// A wrapper for cargo that notes its calls, and where it does.
fn wrapper(project: &Project) -> (String, PathBuf) {
    let (path, log) = (
        project.scratch().join("wrapper"),
        project.scratch().join("calls"),
    );
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nexec \"$@\"\n",
        log.display()
    );
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("an executable script");
    (path.display().to_string(), log)
}

#[test]
fn dependencies_are_patched() {
    let mut project = project();
    let (wrapper, log) = wrapper(&project);
    project.env("RUSTC_WRAPPER", &wrapper);
    let mut session = project.hot(&INCLUDED);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("a"), "line 1 (a) (1) 1h");

    // The user's own wrapper has compiled it, and the program sees that one alone.
    let calls = std::fs::read_to_string(log).expect("the wrapper was called");
    assert!(calls.contains("--crate-name app "), "{calls}");
    let expected = format!("{:?}", [("RUSTC_WRAPPER", &wrapper)]);
    assert_eq!(session.ask("wrappers"), expected);

    // A folder: private, in a crate without std, and its state is kept.
    project.edit("../nearby/src/words.rs", "line {lines} ", "row {lines} ");
    let patch = session.wait_for_patch();
    assert!(patch.contains("nearby::words::number ("), "{patch}");
    assert_eq!(session.ask("b"), "row 2 (b) (3) 3h");

    // A registry.
    let file = source_of_registry(&project, "src/duration.rs");
    let position = project.read(&file).find("fn item(").expect("the function");
    let (before, after) = (
        project.read(&file)[..position].to_owned(),
        project.read(&file)[position..].to_owned(),
    );
    let after = after.replacen("\"{}{}\", value, name", "\"{} {}\", value, name", 1);
    project.save(Save::Rename, &file, &(before + &after));
    let patch = session.wait_for_patch();
    assert!(patch.contains("humantime::duration::item ("), "{patch}");
    session.wait_for_mention("humantime-2.4.0 is cargo's own copy of the package");
    assert_eq!(session.ask("c"), "row 3 (c) (4) 4 h");

    // A rude edit: cargo itself would see nothing of it.
    project.edit_all(
        &file,
        &[
            (
                "pub struct FormattedDuration(Duration);",
                "pub struct FormattedDuration(Duration, &'static str);",
            ),
            ("FormattedDuration(val)", "FormattedDuration(val, \"!\")"),
            (
                "\"ns\", nanosec)?;\n        Ok(())",
                "\"ns\", nanosec)?;\n        f.write_str(self.1)",
            ),
        ],
    );
    session.wait_for_stderr("restarted");
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("d"), "row 1 (d) (1) 1 h!");

    // A crate between that isn't included holds an instance.
    project.edit("../nearby/src/lib.rs", "\"({what})\"", "\"<{what}>\"");
    session.wait_for_all(&["`between` uses it, which is not included (`--include between`)"]);
    session.wait_for_stderr("restarted");
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("e"), "row 1 <e> <1> 1 h!");

    // What was edited after the restart is patched again.
    project.edit(&file, "f.write_str(self.1)", "f.write_str(\"?\")");
    session.wait_for_patch();
    assert_eq!(session.ask("f"), "row 2 <f> <2> 2 h?");
    let finished = session.finish();
    let told = finished
        .stderr
        .iter()
        .filter(|line| line.contains("cargo's own copy"));
    assert_eq!(told.count(), 1, "{:#?}", finished.stderr);
}

#[test]
fn one_target_folder_serves_all() {
    let project = project();
    let run = |arguments: &[&str]| {
        let mut session = project.start(arguments[0], &arguments[1..]);
        session.wait_for_stdout("ready");
        let answer = session.ask("x");
        let finished = session.finish();
        assert!(finished.status.success(), "{finished:?}");
        answer
    };
    let hot = soft_mock_tests::hot::binary();
    let hot = hot.to_str().expect("a path that is text");
    let plain = ["cargo", "run", "-q"];
    let without = [hot, "cargo", "run", "-q"];
    let included = [
        hot,
        "--include=humantime",
        "--include=nearby",
        "cargo",
        "run",
        "-q",
    ];
    let one = [hot, "--include", "humantime@2", "cargo", "run", "-q"];
    for arguments in [&plain[..], &included, &without, &one, &included, &plain] {
        assert_eq!(run(arguments), "line 1 (x) (1) 1h", "{arguments:?}");
    }

    // The edit of a registry's source reaches who included it, and later its undoing.
    let file = source_of_registry(&project, "src/duration.rs");
    project.edit(
        &file,
        "    FormattedDuration(val)",
        "    FormattedDuration(val * 2)",
    );
    assert_eq!(run(&included), "line 1 (x) (1) 2h");
    assert_eq!(run(&plain), "line 1 (x) (1) 1h");
    assert_eq!(run(&one), "line 1 (x) (1) 2h");
    project.edit(
        &file,
        "    FormattedDuration(val * 2)",
        "    FormattedDuration(val)",
    );
    assert_eq!(run(&included), "line 1 (x) (1) 1h");
    assert_eq!(run(&without), "line 1 (x) (1) 1h");

    // That of a folder reaches everybody.
    project.edit("../nearby/src/words.rs", "line {lines} ", "row {lines} ");
    for arguments in [&included[..], &plain, &one, &without] {
        assert_eq!(run(arguments), "row 1 (x) (1) 1h", "{arguments:?}");
    }
}

#[test]
fn names_are_looked_up_before_anything_is_built() {
    let project = project();
    let refused = |crates: &str, expected: &str| {
        let finished = project.hot(&["--include", crates, "cargo", "run"]).finish();
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        let stderr = finished.stderr.join("\n");
        assert!(stderr.contains(expected), "{stderr}");
        assert!(!stderr.contains("Compiling"), "{stderr}");
    };
    refused("human-tyme", "can't include `human-tyme`: no crate of the project's dependency graph has that name; near it: `humantime`");
    refused("humantime@1", "the project has humantime 2.4.0");
    refused(
        "nearby,serde_derive",
        "can't include `serde_derive`: it is a proc-macro crate",
    );

    // The manifest names them as well.
    let manifest = project.read("Cargo.toml");
    let more = "\n[workspace.metadata.hot]\ninclude = [\"nearby\"]\nskip = [\"nearby::line\"]\n";
    project.save(Save::Rename, "Cargo.toml", &(manifest + more));
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit("../nearby/src/words.rs", "line {lines} ", "row {lines} ");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "row 1 (x) (1) 1h");
    project.edit("../nearby/src/lib.rs", "+ 1;", "+ 2;");
    session.wait_for_all(&["nearby::line", "left out"]);
}
