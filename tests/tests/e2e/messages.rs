//! `--message-format json`, as programs read it.

use std::fs;

use serde_json::Value;
use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

use crate::ledger::FILE;

/// The pattern of the example for VS Code.
fn pattern() -> (Value, regex::Regex) {
    let path = folder::workspace().join("examples/vscode/tasks.json");
    let tasks = fs::read_to_string(path).expect("the example");
    let tasks: Value = serde_json::from_str(&tasks).expect("JSON");
    let matcher = tasks["tasks"][0]["problemMatcher"].clone();
    let text = matcher["pattern"]["regexp"].as_str().expect("a pattern");
    let pattern = regex::Regex::new(text).expect("a regular expression");
    (matcher, pattern)
}

#[test]
fn an_editor_without_an_extension_lists_what_is_wrong() {
    let (matcher, pattern) = pattern();
    let fits = |what: &str, line: &str| {
        let text = matcher["background"][what].as_str().expect("a pattern");
        regex::Regex::new(text)
            .expect("a regular expression")
            .is_match(line)
    };
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["--message-format", "json", "--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");

    project.edit(FILE, "account.owner()", "account.owners()");
    let line = session.wait_for_stderr("hot-saved");
    assert!(fits("beginsPattern", &line), "{line}");
    let line = session.wait_for_stderr("hot-diagnostic");
    let found = pattern.captures(&line).unwrap_or_else(|| panic!("{line}"));
    let part = |name: &str| {
        let group = matcher["pattern"][name].as_u64().expect("a group");
        let group = usize::try_from(group).expect("small");
        found.get(group).map_or("", |part| part.as_str())
    };
    let (row, column) = project.position(FILE, "owners");
    assert_eq!(part("file"), FILE);
    assert_eq!(
        (part("line"), part("column")),
        (&*row.to_string(), &*column.to_string())
    );
    assert_eq!((part("code"), part("severity")), ("E0599", "error"));
    assert!(
        part("message").starts_with("no method named `owners` found"),
        "{line}"
    );
    let line = session.wait_for_stderr("hot-not-compiled");
    assert!(fits("endsPattern", &line), "{line}");

    // What can't be patched is in the list too.
    project.edit(FILE, "account.owners()", "account.owner()");
    let line = session.wait_for_stderr("hot-taken-back");
    assert!(fits("endsPattern", &line), "{line}");
    project.edit(
        "src/account.rs",
        "balance: u64,",
        "balance: u64,\n    _more: (),",
    );
    let line = session.wait_for_stderr("hot-diagnostic");
    let found = pattern.captures(&line).unwrap_or_else(|| panic!("{line}"));
    assert!(
        found
            .iter()
            .flatten()
            .any(|part| part.as_str() == "src/account.rs"),
        "{line}"
    );
    session.wait_for_stderr("hot-refused");
    project.edit(FILE, "account of", "purse of");
    let line = session.wait_for_stderr("hot-patched");
    let value: Value = serde_json::from_str(&line).expect("a line is JSON");
    assert_eq!(value["functions"][0]["name"], "ledger::report::title");
    assert_eq!(session.ask("x"), "purse of ada: 2");
    let said = session.stderr_since(0);
    assert!(
        !said.iter().any(|line| line.starts_with("hot:")),
        "{said:#?}"
    );
}
