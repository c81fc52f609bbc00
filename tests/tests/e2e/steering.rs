//! A session is steered from another terminal, and what it says is short and true.

use std::thread;
use std::time::Duration;

use soft_mock_tests::project::{Project, Save};

use crate::ledger::{start, FILE};

#[track_caller]
fn hot(project: &Project, arguments: &[&str]) -> String {
    project.hot_to_end(arguments).0
}

#[test]
fn a_restart_that_is_asked_for() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    assert_eq!(session.ask("x"), "account of ada: 2");
    let told = hot(&project, &["restart"]);
    assert_eq!(told, "building again, then restarting\n");
    session.wait_for_stderr("hot: restart: building again, then restarting");
    let before = session.now();
    session.wait_for_stderr("hot: restarted");
    // The program is there by then: cargo has said that it runs it.
    let said = session.stderr_since(0);
    let place = |text: &str| said.iter().rposition(|line| line.contains(text));
    assert!(place("Running `") < place("hot: restarted"), "{said:#?}");
    session.ask_until("x", "account of ada: 1");
    assert!(session.now() > before);

    // What was asked for once is done once, and edits go on.
    project.edit(FILE, "account of", "purse of");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
    let outside = project.run(
        soft_mock_tests::hot::binary(),
        &["restart", "--session", "1"],
    );
    assert!(!outside.status.success());
}

#[test]
fn saves_are_collected_while_it_is_paused() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    assert!(hot(&project, &["pause"]).contains("until `hot resume`"));
    session.wait_for_stderr("hot: paused");
    project.edit(FILE, "account of", "purse of");
    session.wait_for_stderr("hot: 1 file saved, not applied yet");
    project.edit(
        "src/account.rs",
        "self.balance += amount",
        "self.balance += amount + 9",
    );
    session.wait_for_stderr("hot: 2 files saved, not applied yet");
    thread::sleep(Duration::from_millis(500));
    assert_eq!(session.ask("x"), "account of ada: 2");
    assert!(hot(&project, &["status"]).contains("paused"));

    // Together, at once.
    assert_eq!(hot(&project, &["resume"]), "applying 2 files\n");
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 2 functions in "), "{patch}");
    assert_eq!(session.ask("x"), "purse of ada: 12");
    project.edit(FILE, "purse of", "pocket of");
    session.wait_for_patch();
    let again = project.run(soft_mock_tests::hot::binary(), &["resume"]);
    assert!(!again.status.success(), "it isn't paused");
}

#[test]
fn a_manual_session_patches_when_it_is_asked_to() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["--manual", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    for (from, to, count) in [("account", "purse", 2), ("purse", "pocket", 4)] {
        project.edit(FILE, &format!("\"{from} of"), &format!("\"{to} of"));
        session.wait_for_stderr("not applied yet");
        thread::sleep(Duration::from_millis(300));
        assert_eq!(session.ask("x"), format!("{from} of ada: {count}"));
        hot(&project, &["resume"]);
        session.wait_for_patch();
        assert_eq!(session.ask("x"), format!("{to} of ada: {}", count + 1));
    }
}

#[test]
fn a_syntax_error_is_shown_as_rustc_shows_it() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let original = project.read(FILE);
    project.edit(FILE, "account.owner())", "account.owner()");
    session.wait_for_stderr("error: mismatched closing delimiter: `}`");
    session.wait_for_stderr(&format!("--> {FILE}:"));
    session.wait_for_stderr("the edit doesn't compile: the old code runs on");
    let said = session.stderr_since(0);
    assert!(
        !said.iter().any(|line| line.contains("jobserver")),
        "{said:#?}"
    );
    project.edit(FILE, "//! How", "//!\n//! How");
    session.wait_for_stderr("still doesn't compile: saved edits wait until it does");
    project.save(
        Save::InPlace,
        FILE,
        &original.replace("account of", "purse of"),
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
}

#[test]
fn a_reason_is_short_and_the_status_has_all_of_it() {
    let nested = "Option<".repeat(40) + "u8" + &">".repeat(40);
    let stored = format!(
        "\n\nfn shown<T: Default + Into<u64>>(value: u64) -> u64 {{\n    T::default().into() + value\n}}\n\n\
         #[derive(Default)]\npub struct Deep(pub Option<{nested}>);\n\nimpl From<Deep> for u64 {{\n    \
         fn from(_: Deep) -> u64 {{\n        0\n    }}\n}}\n\n\
         pub struct With<T>(pub T);\nimpl<T> Default for With<T> where T: Default {{\n    fn default() -> Self {{\n        \
         Self(T::default())\n    }}\n}}\nimpl<T> From<With<T>> for u64 {{\n    fn from(_: With<T>) -> u64 {{\n        0\n    \
         }}\n}}\n\nstatic SHOWN: fn(u64) -> u64 = shown::<With<{nested}>>;\n"
    );
    let project = Project::fixture("ledger");
    project.edit(FILE, "account.balance())", "SHOWN(account.balance()))");
    let text = project.read(FILE) + &stored;
    project.save(Save::InPlace, FILE, &text);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit(FILE, ".into() + value", ".into() + value + 1");
    let reason = session.wait_for_all(&[FILE, "shown"]);
    assert!(reason.chars().count() <= 200, "{reason}");
    assert!(
        reason.contains("may still lead to its old code"),
        "{reason}"
    );
    let how = session.wait_for_stderr("the old code runs on (--no-restart)");
    assert!(how.contains("to restart it: `hot restart`"), "{how}");
    let status = hot(&project, &["status"]);
    assert!(status.contains("not patched:"), "{status}");
    assert!(
        status.contains(&nested.replace("Option", "core::option::Option"))
            || status.contains(&nested),
        "{status}"
    );
    session.close_stdin();
}
