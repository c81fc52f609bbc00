//! What others must not get at, and what must not be there: the session's files, and a reloader in
//! a program that nobody asked to have one.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use soft_mock_tests::process;
use soft_mock_tests::project::Project;

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o7777
}

/// The entries of a folder whose names begin so.
fn entries(folder: &Path, start: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let begins = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start)
    };
    paths.filter(begins).collect()
}

#[test]
fn only_this_user_gets_at_a_session() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    let sessions = entries(&project.scratch().join("run"), "hot-");
    let [folder] = sessions.as_slice() else {
        panic!("{sessions:?}");
    };
    assert_eq!(mode(folder), 0o700);
    assert_eq!(mode(&folder.join("socket")) & 0o077, 0);
    let own = rustix::process::geteuid().as_raw();
    assert_eq!(fs::metadata(folder).expect("a folder").uid(), own);
    // The record of a rustc call holds its environment.
    let units = entries(&project.path("target/debug/.hot"), "ledger-");
    assert!(!units.is_empty());
    for unit in units {
        assert_eq!(mode(&unit.join("unit.json")), 0o600);
    }
    session.send_line("end");
    session.finish();
    assert_eq!(entries(&project.scratch().join("run"), "hot-").len(), 0);
}

#[test]
fn without_a_session_there_is_no_reloader() {
    let project = Project::fixture("ledger");
    for profile in [&["build"][..], &["build", "--release"]] {
        project.hot_to_end(&[&["cargo"][..], profile].concat());
    }
    for program in ["target/debug/ledger", "target/release/ledger"] {
        let path = project.path(program);
        let mut session = project.start(&path, &[]);
        session.wait_for_stdout("ready");
        let mark = project.scratch().display().to_string();
        let running = process::marked(&mark);
        let running: Vec<_> = running
            .iter()
            .filter(|process| process.command.contains("ledger"))
            .collect();
        assert_eq!(running.len(), 1, "{running:?}");
        let process = Path::new("/proc").join(running[0].id.as_raw_nonzero().to_string());
        assert_eq!(
            entries(&process.join("task"), "").len(),
            1,
            "no thread but its own"
        );
        let maps = fs::read_to_string(process.join("maps")).expect("maps");
        assert!(!maps.contains("agent"), "{maps}");
        let files = entries(&process.join("fd"), "").into_iter();
        let sockets = files.filter(|file| {
            fs::read_link(file).is_ok_and(|to| to.to_string_lossy().starts_with("socket"))
        });
        assert_eq!(sockets.count(), 0);
        session.send_line("end");
        session.finish();
    }
}
