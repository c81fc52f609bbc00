//! Edits that don't compile: shown like rustc shows them, and the program goes on.

use std::thread;
use std::time::Duration;

use soft_mock_tests::project::{Project, Save};

use crate::ledger::{start, FILE};

const ORIGINAL: &str = r#"format!("account of {}", account.owner())"#;

#[test]
fn a_syntax_error_is_shown_once_as_rustc_shows_it() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let before = session.now();
    project.edit(FILE, ORIGINAL, r#"format!("account of {}", account.owner("#);
    let (line, _) = project.position(FILE, "format!(\"account");
    session.wait_for_stderr("error: ");
    session.wait_for_stderr(&format!("--> {FILE}:{line}:"));
    session.wait_for_stderr("the edit doesn't compile: the old code runs on");
    let said = session.stderr_since(before).len();
    assert_eq!(session.ask("x"), "account of ada: 2");

    // Saved again as it is, it isn't said again.
    project.save(Save::InPlace, FILE, &project.read(FILE));
    thread::sleep(Duration::from_millis(700));
    let now = session.stderr_since(before);
    assert_eq!(now.len(), said, "{now:#?}");

    project.edit(
        FILE,
        r#"format!("account of {}", account.owner("#,
        r#"format!("purse of {}", account.owner())"#,
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 3");
}

#[test]
fn a_compile_error_is_shown_at_the_users_place() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(
        FILE,
        ORIGINAL,
        "let title: String = account.balance();\n    title",
    );
    let (line, column) = project.position(FILE, "account.balance();\n");
    session.wait_for_stderr("error[E0308]: mismatched types");
    session.wait_for_stderr(&format!("--> {FILE}:{line}:{column}"));
    session.wait_for_stderr("let title: String = account.balance();");
    assert_eq!(session.ask("x"), "account of ada: 2");

    // The next good save patches.
    project.edit(
        FILE,
        "account.balance();\n",
        "account.balance().to_string();\n",
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "3: 3");

    // The patched code is what runs on when another edit doesn't compile.
    project.edit(
        FILE,
        "account.balance().to_string()",
        "account.no_such_method()",
    );
    let (line, column) = project.position(FILE, "no_such_method");
    session.wait_for_stderr("error[E0599]");
    session.wait_for_stderr(&format!("--> {FILE}:{line}:{column}"));
    assert_eq!(session.ask("x"), "4: 4");

    // And an edit that is undone from there is the original.
    project.edit(
        FILE,
        "let title: String = account.no_such_method();\n    title",
        ORIGINAL,
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada: 5");
}

#[test]
fn an_error_that_stands_is_shown_once_and_named_after_every_save() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(FILE, "account.owner()", "account.owners()");
    session.wait_for_stderr("error[E0599]");
    session.wait_for_stderr("the edit doesn't compile");
    let before = session.now();
    project.edit(FILE, "{}: {}", "{} has {}");
    session.wait_for_stderr("still doesn't compile: saved edits wait until it does");
    let said = session.stderr_since(before);
    assert!(!said.iter().any(|line| line.contains("E0599")), "{said:#?}");
    assert_eq!(session.ask("x"), "account of ada: 2");

    project.edit(FILE, "account.owners()", "account.owner()");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada has 3");

    // Taken back: nothing is to be patched, and that is said.
    project.edit(FILE, "account.owner()", "account.owners()");
    session.wait_for_stderr("the edit doesn't compile");
    project.edit(FILE, "account.owners()", "account.owner()");
    session.wait_for_stderr("the edit was taken back");
    assert_eq!(session.ask("x"), "account of ada has 4");
}

#[test]
fn an_edit_that_changes_two_functions_is_all_or_nothing() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit_all(
        FILE,
        &[
            ("account of {}", "purse of {}"),
            ("account.balance())", "account.balanc())"),
        ],
    );
    session.wait_for_stderr("error[E0599]");
    assert_eq!(session.ask("x"), "account of ada: 2");
    project.edit(FILE, "account.balanc())", "account.balance())");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 3");
}

#[test]
fn a_borrow_error_is_found_too() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(
        FILE,
        ORIGINAL,
        "let title = account.owner().to_owned();\n    drop(title);\n    title",
    );
    let (line, column) = project.position(FILE, "title\n}");
    session.wait_for_stderr("error[E0382]");
    session.wait_for_stderr(&format!("--> {FILE}:{line}:{column}"));
    assert_eq!(session.ask("x"), "account of ada: 2");
}

#[test]
fn a_project_that_does_not_compile_at_first_ends_like_cargo() {
    let project = Project::fixture("ledger");
    project.edit(FILE, ORIGINAL, "account.balance()");
    let (line, column) = project.position(FILE, "account.balance()\n");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stderr("error[E0308]: mismatched types");
    session.wait_for_stderr(&format!("--> {FILE}:{line}:{column}"));
    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(101), "{finished:?}");
    let errors = finished
        .stderr
        .iter()
        .filter(|line| line.starts_with("error[E0308]"))
        .count();
    assert_eq!(errors, 1, "an error is shown once: {finished:#?}");
}
