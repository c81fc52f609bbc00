//! Settings: who sets what, and what shells know of it.

use std::fs;
use std::process::Command;

use soft_mock_tests::hot;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

use crate::ledger::FILE;

#[track_caller]
fn set(project: &Project, table: &str) {
    let manifest = project.read("Cargo.toml");
    fs::write(project.path("Cargo.toml"), format!("{manifest}\n{table}\n")).expect("written");
}

/// A session in which something is saved that can't be patched.
#[track_caller]
fn with_rude_edit(project: &Project, arguments: &[&str]) -> Session {
    let mut session = project.hot(arguments);
    session.wait_for_stdout("ready");
    session.ask("x");
    project.edit(
        "src/account.rs",
        "balance: u64,",
        "balance: u64,\n    _more: (),",
    );
    session
}

/// Saves something that can't be patched, and returns what follows.
#[track_caller]
fn refused(project: &Project, arguments: &[&str]) -> String {
    let text = project.read("src/account.rs");
    let mut session = with_rude_edit(project, arguments);
    let said = session.wait_for_all(&["the old code runs on"]);
    fs::write(project.path("src/account.rs"), text).expect("written");
    said
}

#[test]
fn a_manifest_a_variable_and_the_command_line() {
    let mut project = Project::fixture("ledger");
    set(
        &project,
        "[package.metadata.hot]\nno-restart = true\nwatch = [\"src\"]\n[workspace.metadata.hot]\nno-restart = false\nquiet = true",
    );
    let config = project.hot_to_end(&["config"]).0;
    let line = |name: &str| {
        let mut lines = config.lines().filter(|line| line.starts_with(name));
        let line = lines.next().unwrap_or_else(|| panic!("{name}: {config}"));
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("no-restart"), "true Cargo.toml [package.metadata.hot]");
    assert_eq!(line("quiet"), "true Cargo.toml [workspace.metadata.hot]");
    assert_eq!(line("manual"), "false default");
    assert!(
        line("watch").ends_with("src Cargo.toml [package.metadata.hot]"),
        "{config}"
    );
    let said = refused(&project, &["cargo", "run"]);
    assert!(said.contains("(--no-restart)"), "{said}");

    project.env("HOT_NO_RESTART", "0");
    project.env("HOT_QUIET", "0");
    let config = project.hot_to_end(&["config", "--json"]).0;
    let rows: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let row = rows
        .iter()
        .find(|row| row["name"] == "no-restart")
        .expect("a row");
    assert_eq!(
        (&row["value"], &row["from"][0]),
        (&"false".into(), &"HOT_NO_RESTART".into())
    );
    let said = refused(&project, &["--no-restart", "cargo", "run"]);
    assert!(said.contains("(--no-restart)"), "{said}");

    // The variable holds.
    let mut session = with_rude_edit(&project, &["cargo", "run"]);
    session.wait_for_stderr("building again, then restarting");
}

#[test]
fn what_is_no_setting_is_an_error_with_a_suggestion() {
    let mut project = Project::fixture("ledger");
    let error = |project: &Project, arguments: &[&str]| {
        let output = project.run(hot::binary(), arguments);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    project.env("HOT_CLEAR", "perhaps");
    let said = error(&project, &["cargo", "run"]);
    assert!(said.contains("HOT_CLEAR isn't understood"), "{said}");
    project.env("HOT_CLEAR", "");
    set(&project, "[package.metadata.hot]\nno_restart = true");
    let line = project.read("Cargo.toml").lines().count();
    for arguments in [&["cargo", "run"][..], &["config"], &["doctor"]] {
        let said = error(&project, arguments);
        let place = format!("Cargo.toml:{line}: the metadata for hot isn't understood");
        assert!(said.contains(&place), "{said}");
        assert!(said.contains("did you mean `no-restart`?"), "{said}");
    }
    assert!(project.read(FILE).contains("account of"));
}

fn run_in(shell: &str, arguments: &[&str]) -> String {
    let output = Command::new(shell).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{shell} is needed: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{shell}: {text}\n{errors}"
    );
    text
}

/// The script for a shell, in a file.
fn script(project: &Project, shell: &str) -> String {
    let text = project.hot_to_end(&["completions", shell]).0;
    let path = project.scratch().join(format!("_hot-{shell}"));
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn bash_completes() {
    let project = Project::fixture("ledger");
    let script = script(&project, "bash");
    let ask = |words: &str, word: usize| {
        let line = format!(
            "set -u; source '{script}'; COMP_WORDS=({words}); COMP_CWORD={word}; COMPREPLY=(); \
             _hot hot \"${{COMP_WORDS[{word}]}}\" \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[*]}}\"",
            word - 1
        );
        run_in("bash", &["--norc", "--noprofile", "-c", &line])
    };
    assert_eq!(ask("hot stat", 1), "status\n");
    assert_eq!(ask("hot --no-r", 1), "--no-restart\n");
    assert_eq!(ask("hot diff --ses", 2), "--session\n");
}

#[test]
#[ignore = "needs zsh and fish: .ci/run installs them and runs it"]
fn zsh_and_fish_complete() {
    let project = Project::fixture("ledger");
    let file = script(&project, "fish");
    let ask = |line: &str| {
        let line = format!("source '{file}'; complete -C '{line}'");
        run_in("fish", &["--no-config", "-c", &line])
    };
    assert!(ask("hot stat").contains("status\t"), "{}", ask("hot stat"));
    assert!(ask("hot --no-r").starts_with("--no-restart"));
    assert!(ask("hot diff --ses").starts_with("--session"));
    // Options before a command, values, and the user's command.
    assert!(ask("hot --poll stat").contains("status\t"));
    assert!(ask("hot --message-format js").starts_with("json\t"));
    assert!(ask("hot --poll sle").contains("sleep"));
    assert_eq!(ask("hot sleep --no-r"), "");

    let file = script(&project, "zsh");
    run_in("zsh", &["-f", "-n", &file]);
    // What would be offered, told instead of shown.
    let line = format!(
        "autoload -Uz compinit && compinit -D -u; compdef() {{ :; }}; source '{file}'; \
         _describe() {{ print -l ${{(P)4}}; }}; _hot_commands"
    );
    let commands = run_in("zsh", &["-f", "-c", &line]);
    assert!(
        commands.lines().any(|line| line.starts_with("status:")),
        "{commands}"
    );
    // The first word is a command of ours or any other, which is completed as that is.
    let text = fs::read_to_string(&file).expect("a script");
    assert!(
        !text.contains("$line[2]"),
        "the user's command isn't one of ours"
    );
    assert!(text.contains("_hot_commands; _command_names -e"));
    assert!(text.contains("            (*)\n_normal\n;;\n"));
    assert!(text.contains("'--poll=-["));
}

#[test]
fn manual_pages() {
    let project = Project::fixture("ledger");
    let folder = project.scratch().join("man1");
    let folder = folder.display().to_string();
    let said = project.hot_to_end(&["man", &folder]).0;
    assert_eq!(said, format!("{folder}/hot.1\n"));
    let page = fs::read_to_string(format!("{folder}/hot.1")).expect("a page");
    assert!(
        page.contains(".TH hot 1") && page.contains("no\\-restart"),
        "{page}"
    );
    let page = fs::read_to_string(format!("{folder}/hot-status.1")).expect("a page");
    assert!(page.contains("\\-\\-json"), "{page}");
}
