//! Another terminal asks a running session, and takes patches back.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use soft_mock_tests::project::Project;
use soft_mock_tests::session::TIMEOUT;

use crate::ledger::{start, FILE};

/// What `hot` says to another terminal.
#[track_caller]
fn hot(project: &Project, arguments: &[&str]) -> String {
    project.hot_to_end(arguments).0
}

#[track_caller]
fn refused(project: &Project, arguments: &[&str]) -> String {
    let output = project.run(soft_mock_tests::hot::binary(), arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn patches_are_seen_and_taken_back_from_another_terminal() {
    let project = Project::fixture("ledger");
    let none = refused(&project, &["rollback"]);
    assert!(none.contains("no session"), "{none}");
    let mut session = start(&project);
    let nothing = refused(&project, &["rollback"]);
    assert!(nothing.contains("no patch is in effect"), "{nothing}");
    assert_eq!(hot(&project, &["history"]), "no patches yet\n");

    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_patch();
    // Nothing was asked since: the new body hasn't run.
    let waits = "not called yet: ledger::report::title";
    let status = hot(&project, &["status"]);
    assert!(status.contains(waits), "{status}");
    assert_eq!(session.ask("x"), "purse of ada: 2");
    let status = hot(&project, &["status"]);
    assert!(!status.contains("not called"), "{status}");
    project.edit_all(
        FILE,
        &[
            ("purse of {}", "chest of {}"),
            (r#""{}: {}""#, r#""{} = {}""#),
        ],
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "chest of ada = 3");

    let status = hot(&project, &["status"]);
    for part in [
        "`cargo run`",
        "2 of ",
        "2 patches in effect (2 installed)",
        "KiB",
    ] {
        // The command holds the full path of nothing: it is as it was typed.
        assert!(status.contains(part), "{part} is missing in {status}");
    }
    let history = hot(&project, &["history"]);
    assert!(
        history.contains("ledger::report::title (src/report.rs:"),
        "{history}"
    );
    let diff = hot(&project, &["diff"]);
    assert!(
        diff.contains("--- a/src/report.rs\n+++ b/src/report.rs"),
        "{diff}"
    );
    assert!(diff.contains("-    format!(\"account of {}\""), "{diff}");
    assert!(diff.contains("+    format!(\"chest of {}\""), "{diff}");
    let second = hot(&project, &["diff", "2"]);
    assert!(second.contains("-    format!(\"purse of {}\""), "{second}");

    // One patch back: exactly what ran before, and it stays so although the file holds the edit.
    let told = hot(&project, &["rollback"]);
    assert!(told.contains("rolled back patch 2"), "{told}");
    session.wait_for_all(&["rolled back 2 functions in ", "ledger::report::title"]);
    assert_eq!(session.ask("x"), "purse of ada: 4");
    let text = project.read("src/main.rs");
    project.edit(
        "src/main.rs",
        "mod account;",
        "// Nothing to do with it.\nmod account;",
    );
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(session.ask("x"), "purse of ada: 5");
    let diff = hot(&project, &["diff"]);
    assert!(diff.contains("+    format!(\"purse of {}\""), "{diff}");
    assert!(!diff.contains("chest"), "{diff}");
    project.save(soft_mock_tests::project::Save::Rename, "src/main.rs", &text);

    // The next change of the file counts from what really runs.
    project.edit(FILE, "chest of {}", "vault of {}");
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 2 functions"), "{patch}");
    assert_eq!(session.ask("x"), "vault of ada = 6");

    let too_many = refused(&project, &["rollback", "3"]);
    assert!(
        too_many.contains("only 2 patches are in effect"),
        "{too_many}"
    );
    hot(&project, &["rollback", "2"]);
    assert_eq!(session.ask("x"), "account of ada: 7");
    assert_eq!(hot(&project, &["diff"]), "");

    // An edit that is undone needs no patch then; and the original needs none.
    let now = session.now();
    project.edit_all(
        FILE,
        &[
            ("vault of {}", "account of {}"),
            (r#""{} = {}""#, r#""{}: {}""#),
        ],
    );
    let told = session.wait_for_stderr("nothing differs from what runs");
    assert_eq!(session.ask("x"), "account of ada: 8");
    assert_eq!(session.stderr_since(now), [told]);
    let json = hot(&project, &["history", "--json"]);
    let past: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let numbers: Vec<_> = past
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| &p["undone_by"])
        .collect();
    let by = |n: u64| serde_json::json!(n);
    let none = serde_json::Value::Null;
    assert_eq!(numbers, [&by(5), &by(3), &none, &by(5), &none]);
}

/// A process that starts after a rollback gets what the others run.
#[test]
fn a_process_that_comes_later_gets_the_state_after_the_rollback() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&[
        "--",
        "sh",
        "-c",
        "cargo build -q && target/debug/ledger && target/debug/ledger",
    ]);
    session.wait_for_stdout("ready");
    for (from, to) in [
        ("account of {}", "purse of {}"),
        ("purse of {}", "chest of {}"),
    ] {
        project.edit(FILE, from, to);
        session.wait_for_patch();
    }
    hot(&project, &["rollback"]);
    session.wait_for_mention("rolled back 1 function");
    assert_eq!(session.ask("x"), "purse of ada: 1");
    session.send_line("end");
    session.wait_for_stdout("ready");
    session.ask_until("x", "purse of ada");
    hot(&project, &["rollback"]);
    session.ask_until("x", "account of ada");
}

/// What was rolled back stays as it was before, also where other edits come and go that compile the
/// whole crate.
#[test]
fn a_rollback_holds_while_other_edits_come_and_go() {
    const ACCOUNT: &str = "src/account.rs";
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    // A new function and who calls it, in one file; then an edit of the other file, in two steps.
    project.edit_all(
        FILE,
        &[
            (
                "fn title(",
                "fn shown<T: std::fmt::Display>(of: T) -> String {\n    format!(\"<{of}>\")\n}\n\nfn title(",
            ),
            ("account.owner())", "shown(account.owner()))"),
        ],
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of <ada>: 1");
    let balance = |from: &str, to: &str| project.edit(ACCOUNT, from, to);
    balance("        self.balance\n", "        self.balance + 100\n");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of <ada>: 102");
    balance(
        "        self.balance + 100\n",
        "        self.balance + 200\n",
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of <ada>: 203");
    hot(&project, &["rollback"]);
    session.wait_for_mention("rolled back");
    assert_eq!(session.ask("x"), "account of <ada>: 104");

    project.edit(FILE, "\"<{of}>\"", "\"[{of}]\"");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of [ada]: 105");
    project.edit_all(
        FILE,
        &[
            (
                "fn shown<T: std::fmt::Display>(of: T) -> String {\n    format!(\"[{of}]\")\n}\n\n",
                "",
            ),
            ("shown(account.owner()))", "account.owner())"),
        ],
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada: 106");
    balance(
        "        self.balance + 200\n",
        "        self.balance + 300\n",
    );
    session.ask_until("x", "account of ada: 3");

    // What was saved before a rollback, and was in no patch yet, isn't taken back with it.
    project.edit(FILE, "account of", "purse of");
    session.ask_until("x", "purse of ada");
    hot(&project, &["pause"]);
    balance(
        "        self.balance + 300\n",
        "        self.balance + 5000\n",
    );
    session.wait_for_mention("not applied yet");
    hot(&project, &["rollback"]);
    session.wait_for_mention("rolled back");
    hot(&project, &["resume"]);
    session.ask_until("x", "account of ada: 5");
}

#[test]
fn a_command_is_run_after_patches_and_restarts() {
    let project = Project::fixture("ledger");
    let note = "echo \"$HOT_EVENT $HOT_FUNCTIONS\" >> noted; test \"$HOT_EVENT\" != restarted";
    let mut session = project.hot(&["--on-patch", note, "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    project.edit(FILE, "account of", "purse of");
    session.wait_for_patch();
    let noted = |text: &str| {
        let end = Instant::now() + TIMEOUT;
        while !fs::read_to_string(project.path("noted")).is_ok_and(|noted| noted == text) {
            assert!(
                Instant::now() < end,
                "{:?}",
                fs::read_to_string(project.path("noted"))
            );
            thread::sleep(Duration::from_millis(20));
        }
    };
    noted("patched ledger::report::title\n");
    project.hot_to_end(&["rollback"]);
    noted("patched ledger::report::title\nrolled-back ledger::report::title\n");
    project.hot_to_end(&["restart"]);
    session.wait_for_all(&["HOT_EVENT", "failed (exit status: 1)"]);
    let noted = project.read("noted");
    assert!(noted.ends_with("\nrestarted \n"), "{noted}");
}

#[test]
fn a_rollback_holds_beside_a_comment_that_was_saved_since() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
    project.edit(FILE, "use crate", "// It changes nothing.\nuse crate");
    hot(&project, &["rollback"]);
    session.wait_for_mention("rolled back 1 function");
    thread::sleep(Duration::from_millis(400));
    assert_eq!(session.ask("x"), "account of ada: 3");
    // Nor does a save of another file bring it back.
    project.edit(
        "src/account.rs",
        "&self.owner",
        "self.owner.trim_end_matches('a')",
    );
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 1 function in "), "{patch}");
    assert_eq!(session.ask("x"), "account of ad: 4");
    // Code does.
    project.edit(FILE, "purse of {}", "chest of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "chest of ad: 5");
}
