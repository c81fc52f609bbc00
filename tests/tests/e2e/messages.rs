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

#[test]
fn the_first_call_of_a_new_body_is_told_once() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["--message-format", "json", "--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    let first_calls = |said: &[String]| -> Vec<Value> {
        let first_calls = said.iter().filter(|line| line.contains("hot-first-call"));
        let parse = |line: &String| serde_json::from_str(line).expect("a line is JSON");
        first_calls.map(parse).collect()
    };
    for (step, (old, new)) in [("account of", "purse of"), ("purse of", "bag of")]
        .into_iter()
        .enumerate()
    {
        project.edit(FILE, old, new);
        session.wait_for_stderr("hot-patched");
        assert_eq!(first_calls(&session.stderr_since(0)).len(), step);
        if step == 0 {
            let line = session.wait_for_stderr("hot-not-called");
            assert!(line.contains("ledger::report::title"), "{line}");
        }
        for _ in 0..2 {
            assert!(session.ask("x").starts_with(new));
        }
        session.wait_for_stderr("hot-first-call");
        let told = first_calls(&session.stderr_since(0));
        assert_eq!(told.len(), step + 1, "{told:#?}");
        let functions = &told[step]["functions"];
        assert_eq!(functions[0]["name"], "ledger::report::title");
        assert_eq!(functions[0]["file"], FILE);
    }
    session.finish();
}
