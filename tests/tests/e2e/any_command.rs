//! `hot` runs commands of any kind: a shell line that builds and starts a program, examples,
//! release builds.

use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const ORIGINAL: &str = r#"format!("account of {}", account.owner())"#;
const CHANGED: &str = r#"format!("{}'s account", account.owner())"#;

/// Edits the ledger while it runs, and back.
fn patch_and_undo(project: &Project, mut session: Session) {
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    project.edit("src/report.rs", ORIGINAL, CHANGED);
    let patch = session.wait_for_patch();
    assert!(
        patch.contains("ledger::report::title (") && patch.contains("src/report.rs:"),
        "{patch}"
    );
    assert_eq!(session.ask("x"), "ada's account: 2");
    project.edit("src/report.rs", CHANGED, ORIGINAL);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada: 3");
    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
}

#[test]
fn a_shell_line_that_builds_and_starts() {
    let project = Project::fixture("ledger");
    let line = "cargo build && ./target/debug/ledger";
    let session = project.hot(&["--watch", "src", "--", "sh", "-c", line]);
    patch_and_undo(&project, session);
}

#[test]
fn a_release_build() {
    let project = Project::fixture("ledger");
    let session = project.hot(&["cargo", "run", "--release"]);
    patch_and_undo(&project, session);
}

#[test]
fn a_folder_above_the_package() {
    let mut project = Project::fixture("ledger");
    project.enter("..");
    let manifest = "project/Cargo.toml";
    let session = project.hot(&["cargo", "run", "--manifest-path", manifest]);
    project.enter("project");
    patch_and_undo(&project, session);
}

#[test]
fn an_example() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["cargo", "run", "--example", "alone"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "step 0");
    project.edit("examples/alone.rs", r#""step {step}""#, r#""at {step}""#);
    let patch = session.wait_for_patch();
    assert!(
        patch.contains("alone::shown (examples/alone.rs:"),
        "{patch}"
    );
    assert_eq!(session.ask("x"), "at 1");
}

#[test]
fn cargo_hot_run() {
    let mut project = Project::fixture("ledger");
    let folder = soft_mock_tests::hot::binary()
        .parent()
        .expect("a folder")
        .to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    project.env("PATH", std::env::join_paths(folders).expect("a path"));
    let session = project.start("cargo", &["hot", "run"]);
    patch_and_undo(&project, session);
}
