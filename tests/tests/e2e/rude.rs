//! Edits that can't be patched: said with file, line and reason, then built and started anew, or
//! not if so asked.

use std::thread;
use std::time::Duration;

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

const ACCOUNT: &str = "src/account.rs";
const REPORT: &str = "src/report.rs";
const FIELD: [(&str, &str); 3] = [
    ("balance: u64,", "balance: u64,\n    deposits: u64,"),
    ("balance: 0,", "balance: 0,\n            deposits: 500,"),
    (
        "        self.balance\n",
        "        self.balance + self.deposits\n",
    ),
];

fn start(project: &Project, arguments: &[&str]) -> Session {
    let mut session = project.hot(arguments);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    assert_eq!(session.ask("x"), "account of ada: 2");
    session
}

#[test]
fn a_field_that_is_added_restarts_the_program() {
    let project = Project::fixture("ledger");
    let mut session = start(&project, &["cargo", "run"]);
    project.edit_all(ACCOUNT, &FIELD);
    let reason = session.wait_for_stderr("field added to struct Account");
    assert!(reason.contains("src/account.rs:"), "{reason}");
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 501");
    assert_eq!(session.patches(), Vec::<String>::new());

    // The new program is patched like the first.
    project.edit(REPORT, "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 502");

    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert_eq!(project.processes().len(), 0, "{:?}", project.processes());
    assert_eq!(project.leftovers().len(), 0, "{:?}", project.leftovers());
}

#[test]
fn no_restart_keeps_the_program_running() {
    let project = Project::fixture("ledger");
    let original = project.read(ACCOUNT);
    let mut session = start(&project, &["--no-restart", "cargo", "run"]);
    project.edit_all(ACCOUNT, &FIELD);
    let reason = session.wait_for_stderr("field added to struct Account");
    assert!(reason.contains("src/account.rs:"), "{reason}");
    thread::sleep(Duration::from_secs(2));
    assert_eq!(session.ask("x"), "account of ada: 3");

    // What stands in the way is taken back: patches go on.
    project.save(Save::InPlace, ACCOUNT, &original);
    project.edit(REPORT, "account of {}", "purse of {}");
    session.ask_until("x", "purse of ada: ");
    let finished = session.finish();
    let starts = finished
        .stdout
        .iter()
        .filter(|line| *line == "ready")
        .count();
    assert_eq!(starts, 1, "it was started again: {finished:?}");
}

#[test]
fn after_a_refusal_every_save_is_answered_and_bodies_are_patched() {
    const STILL: &str = "still can't be patched: src/account.rs:";
    let project = Project::fixture("ledger");
    let original = project.read(ACCOUNT);
    let mut session = start(&project, &["--no-restart", "cargo", "run"]);
    project.edit_all(ACCOUNT, &FIELD);
    session.wait_for_stderr("the old code runs on (--no-restart)");

    // A body that does without it.
    project.edit(REPORT, "account of {}", "purse of {}");
    let patch = session.wait_for_patch();
    assert!(patch.contains("ledger::report::title ("), "{patch}");
    session.wait_for_stderr(STILL);
    assert_eq!(session.ask("x"), "purse of ada: 3");

    // One that needs it waits with it, and keeps no other from being patched. The lines below it
    // move.
    project.edit(
        ACCOUNT,
        "        &self.owner\n",
        "        let _ = self.deposits;\n        &self.owner\n",
    );
    session.wait_for_stderr(STILL);
    assert_eq!(session.patches(), [patch]);
    project.edit(ACCOUNT, "//! What", "//!\n//! What");
    session.wait_for_stderr(STILL);
    project.edit(REPORT, "purse of {}", "pocket of {}");
    session.wait_for_patch();
    let still = session.wait_for_stderr(STILL);
    assert!(
        still.ends_with(" more"),
        "what waits with it counts: {still}"
    );
    assert_eq!(session.ask("x"), "pocket of ada: 4");

    // What was patched meanwhile can be taken back.
    project.edit(REPORT, "pocket of {}", "account of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada: 5");
    project.edit(REPORT, "account of {}", "wallet of {}");
    session.wait_for_patch();

    // Nothing is left to do when the refused edit is.
    project.save(Save::InPlace, ACCOUNT, &original);
    session.wait_for_stderr("the edit was taken back");
    assert_eq!(session.ask("x"), "wallet of ada: 6");
    let finished = session.finish();
    let starts = finished.stdout.iter().filter(|line| *line == "ready");
    assert_eq!(starts.count(), 1, "it was started again: {finished:?}");
}

/// A body that is taken back in the save of an edit that can't be patched is taken back. What needs
/// that edit is named.
#[test]
fn what_is_saved_together_with_a_refused_edit_is_done_or_named() {
    let project = Project::fixture("ledger");
    let original = project.read(REPORT);
    let mut session = start(&project, &["--no-restart", "cargo", "run"]);
    project.edit(REPORT, "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 3");

    project.hot_to_end(&["pause"]);
    project.edit_all(ACCOUNT, &FIELD);
    project.save(Save::InPlace, REPORT, &original);
    session.wait_for_stderr("2 files saved, not applied yet");
    project.hot_to_end(&["resume"]);
    session.wait_for_stderr("the old code runs on (--no-restart)");
    session.wait_for_stderr("restored 1 function");
    assert_eq!(session.ask("x"), "account of ada: 4");

    // A body that the patch had, and one that needs the field.
    project.edit(
        ACCOUNT,
        "        &self.owner\n",
        "        let _ = self.deposits;\n        &self.owner\n",
    );
    session.wait_for_stderr("still can't be patched: src/account.rs:");
    let waits = session.wait_for_stderr("waits as well: src/account.rs:");
    assert!(waits.contains("body of "), "{waits}");
    let (_, more) = waits.split_once(" +").expect("more");
    let more: usize = more.trim_end_matches(" more").parse().expect("how many");
    // There, each has its line.
    let (status, _) = project.hot_to_end(&["status"]);
    let (_, waiting) = status.split_once("not patched:\n").expect("what waits");
    let waiting = waiting.lines().filter(|line| line.starts_with("    src/"));
    assert!(waiting.count() > 1 + more, "{waits}\n{status}");
}

/// Makes a table hold a function, whose body then is refused by facts. The text of its file.
fn keep_a_pointer(project: &Project) -> String {
    const STORED: &str =
        "\n\nfn shown<T: std::fmt::Display>(value: T) -> String {\n    format!(\"{value}\")\n}\n\n\
                          static SHOWN: fn(u64) -> String = shown::<u64>;\n";
    project.edit(REPORT, "account.balance())", "SHOWN(account.balance()))");
    let text = project.read(REPORT) + STORED;
    project.save(Save::InPlace, REPORT, &text);
    text
}

#[test]
fn bodies_do_without_what_only_a_build_finds_to_be_refused() {
    let project = Project::fixture("ledger");
    let text = keep_a_pointer(&project);
    let mut session = start(&project, &["--no-restart", "cargo", "run"]);
    project.edit(REPORT, "\"{value}\"", "\"+{value}\"");
    let reason = session.wait_for_stderr("src/report.rs:");
    assert!(reason.contains("shown"), "{reason}");
    session.wait_for_stderr("the old code runs on (--no-restart)");

    project.edit(REPORT, "account of {}", "purse of {}");
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 1 function in "), "{patch}");
    assert!(patch.contains("ledger::report::title ("), "{patch}");
    // Not the body that was edited last, and is patched.
    let mut lines = text.lines();
    let line = lines.position(|line| line.starts_with("fn shown")).unwrap() + 1;
    session.wait_for_stderr(&format!("still can't be patched: {REPORT}:{line}: "));
    assert_eq!(session.ask("x"), "purse of ada: 3");

    project.edit(REPORT, "\"+{value}\"", "\"{value}\"");
    session.wait_for_stderr("the edit was taken back");
    assert_eq!(session.ask("x"), "purse of ada: 4");
}

#[test]
fn what_was_refused_and_taken_back_is_no_reason_for_what_follows() {
    let project = Project::fixture("ledger");
    project.edit(
        REPORT,
        "    format!(\"account of {}\", account.owner())",
        "    static SHOWN_SO_FAR: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);\n    \
         const MORE: u32 = 1;\n    SHOWN_SO_FAR.fetch_add(MORE, std::sync::atomic::Ordering::Relaxed);\n    \
         format!(\"account of {}\", account.owner())",
    );
    keep_a_pointer(&project);
    let mut session = start(&project, &["--no-restart", "cargo", "run"]);
    // It differs from what was built from now on.
    project.edit(REPORT, "account of {}", "purse of {}");
    session.wait_for_patch();
    project.edit(REPORT, "MORE: u32 = 1", "MORE: u32 = 2");
    let reason = session.wait_for_stderr("src/report.rs:");
    assert!(reason.contains("beside static SHOWN_SO_FAR"), "{reason}");
    project.edit(REPORT, "MORE: u32 = 2", "MORE: u32 = 1");
    session.wait_for_stderr("the edit was taken back");

    project.edit(REPORT, "\"{value}\"", "\"+{value}\"");
    let reason = session.wait_for_stderr("src/report.rs:");
    assert!(reason.contains("shown"), "{reason}");
    assert!(!reason.contains("SHOWN_SO_FAR"), "{reason}");
    session.wait_for_stderr("the old code runs on (--no-restart)");
    assert_eq!(session.ask("x"), "purse of ada: 3");
}

#[test]
fn what_does_not_compile_beside_a_refused_edit_is_said() {
    let project = Project::fixture("ledger");
    let mut session = start(&project, &["--no-restart", "cargo", "run"]);
    project.edit_all(ACCOUNT, &FIELD);
    session.wait_for_stderr("field added to struct Account");
    project.edit(
        REPORT,
        "account of {}\", account.owner()",
        "account of {}\", missing(account)",
    );
    session.wait_for_stderr("cannot find function `missing`");
    project.edit(
        REPORT,
        "account of {}\", missing(account)",
        "purse of {}\", account.owner()",
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 3");
}

/// What can't be patched is found one after the other; what was saved with the second doesn't wait
/// for it.
#[test]
fn bodies_that_are_saved_with_another_edit_that_is_refused_do_not_wait() {
    let main = r#"struct P {
    x: u32,
}

fn held<T: Into<u32>>(x: T) -> u32 {
    x.into() + 1
}

fn plain() -> u32 {
    10
}

fn other(p: &P) -> u32 {
    p.x + 100
}

fn main() {
    let p = P { x: 0 };
    let table: Vec<fn(u8) -> u32> = vec![held::<u8>];
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{} {} {}", table[0](0), plain(), other(&p));
    }
}
"#;
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit_all(
        "src/main.rs",
        &[
            ("    x: u32,", "    x: u32,\n    y: u32,"),
            ("P { x: 0 }", "P { x: 0, y: 0 }"),
        ],
    );
    session.wait_for_stderr("field added to struct P");
    assert_eq!(session.ask("x"), "1 10 100");
    let edits = [
        ("x.into() + 1", "x.into() + 2"),
        ("    10\n", "    20\n"),
        ("p.x + 100", "p.x + 200"),
    ];
    project.edit_all("src/main.rs", &edits);
    session.wait_for_patch();
    session.wait_for_mention("held");
    assert_eq!(session.ask("x"), "1 20 200");
}

#[test]
fn a_rude_edit_that_does_not_compile_leaves_the_old_program_running() {
    let project = Project::fixture("ledger");
    let mut session = start(&project, &["cargo", "run"]);
    project.edit(ACCOUNT, FIELD[0].0, FIELD[0].1);
    session.wait_for_stderr("field added to struct Account");
    session.wait_for_stderr("error[E0063]");
    assert_eq!(session.ask("x"), "account of ada: 3");

    project.edit_all(ACCOUNT, &FIELD[1..]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 501");
}

#[test]
fn an_edit_of_the_manifest_restarts_the_program() {
    let project = Project::fixture("ledger");
    let mut session = start(&project, &["cargo", "run"]);
    project.edit("Cargo.toml", "edition = \"2021\"", "edition = \"2018\"");
    session.wait_for_stderr("Cargo.toml");
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
}

/// Edits that may be patched one day. Until then the program starts anew; in no case does the old
/// code stay, and in no case does it happen without a word.
fn check_new_behaviour(file: &str, replacements: &[(&str, &str)], answer: &str) {
    let project = Project::fixture("ledger");
    let mut session = start(&project, &["cargo", "run"]);
    project.edit_all(file, replacements);
    session.ask_until("x", answer);
    session.wait_for_mention(&format!("{file}:"));
}

#[test]
fn a_changed_signature() {
    let replacements = [
        (
            "fn title(account: &Account)",
            "fn title(account: &Account, mark: char)",
        ),
        ("\"account of {}\",", "\"{mark} account of {}\","),
        ("title(account), ", "title(account, '*'), "),
    ];
    check_new_behaviour(REPORT, &replacements, "* account of ada: ");
}

#[test]
fn a_removed_item() {
    let removed = "\n\nfn title(account: &Account) -> String {\n    format!(\"account of {}\", account.owner())\n}";
    let replacements = [(removed, ""), ("title(account), ", "account.owner(), ")];
    check_new_behaviour(REPORT, &replacements, "ada: ");
}

#[test]
fn a_new_item() {
    let replacements = [
        (
            "fn title(",
            "fn shout(text: &str) -> String {\n    text.to_uppercase()\n}\n\nfn title(",
        ),
        ("account.owner())\n", "shout(account.owner()))\n"),
    ];
    check_new_behaviour(REPORT, &replacements, "account of ADA: ");
}

#[test]
fn a_constant_and_who_uses_it() {
    let replacements = [
        (
            "pub fn line",
            "const PREFIX: &str = \"the\";\n\npub fn line",
        ),
        ("\"account of {}\",", "\"{PREFIX} account of {}\","),
    ];
    check_new_behaviour(REPORT, &replacements, "the account of ada: ");
}

#[test]
fn a_changed_derive() {
    let replacements = [
        (
            "pub struct Account {",
            "#[derive(Debug)]\npub struct Account {",
        ),
        ("&self.owner\n", "&self.owner[..2]\n"),
    ];
    check_new_behaviour(ACCOUNT, &replacements, "account of ad: ");
}
