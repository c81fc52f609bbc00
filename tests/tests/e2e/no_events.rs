//! Files that change without an event, as in some containers and on network mounts.

use std::fs;
use std::thread;
use std::time::Duration;

use soft_mock_tests::project::Project;

use crate::ledger::{start, FILE};

/// Saves by another name of the file, in a folder that nobody watches: the kernel tells it there.
fn save_silently(project: &Project, from: &str, to: &str) {
    let link = project.scratch().join("link.rs");
    fs::hard_link(project.path(FILE), &link).expect("another name");
    let text = project.read(FILE);
    assert!(text.contains(from), "{text}");
    fs::write(&link, text.replace(from, to)).expect("written");
    fs::remove_file(link).expect("removed");
}

#[test]
fn a_save_without_an_event_is_patched_and_said_once() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    session.wait_for_mention("can be patched live");
    // What is saved before files are watched is found without an event.
    thread::sleep(Duration::from_secs(2));
    save_silently(&project, "account of", "purse of");
    session.wait_for_all(&[FILE, "was changed, and no event came", "--poll"]);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
    save_silently(&project, "purse of", "pocket of");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "pocket of ada: 3");
    let said = session.stderr_since(0);
    let said = said.iter().filter(|line| line.contains("no event came"));
    assert_eq!(said.count(), 1);
}

#[test]
fn who_wants_files_polled_is_told_nothing() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["--poll", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    save_silently(&project, "account of", "purse of");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
    let said = session.stderr_since(0);
    assert!(
        !said.iter().any(|line| line.contains("no event")),
        "{said:#?}"
    );
}
