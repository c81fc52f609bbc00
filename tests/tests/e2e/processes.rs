//! Programs that become several processes, or another one: a patch reaches them all.

use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const FILE: &str = "src/main.rs";

fn start(mode: &str) -> (Project, Session) {
    let project = Project::fixture("processes");
    let session = project.hot(&["--no-restart", "cargo", "run", "--", mode]);
    (project, session)
}

/// Edits the word, and waits until each of these processes says it.
fn says(project: &Project, session: &mut Session, (from, to): (&str, &str), who: &[&str]) {
    let quoted = |word: &str| format!("\"{word}\"");
    project.edit(FILE, &quoted(from), &quoted(to));
    session.wait_for_patch();
    for who in who {
        session.wait_for_stdout(&format!("{who} {to}"));
    }
}

#[test]
fn a_forked_child_is_patched() {
    let (project, mut session) = start("fork");
    for who in ["child one", "parent one"] {
        session.wait_for_stdout(who);
    }
    let both = ["child", "parent"];
    says(&project, &mut session, ("one", "two"), &both);
    says(&project, &mut session, ("two", "one"), &both);
}

#[test]
fn a_child_that_is_forked_after_a_patch_has_it() {
    let (project, mut session) = start("late");
    session.wait_for_stdout("ready");
    project.edit(FILE, "\"one\"", "\"two\"");
    session.wait_for_patch();
    session.send_line("fork");
    session.wait_for_stdout("child two");
    let both = ["child", "parent"];
    says(&project, &mut session, ("two", "three"), &both);
    says(&project, &mut session, ("three", "one"), &both);
}

#[test]
fn a_program_that_executes_itself_is_patched() {
    let (project, mut session) = start("exec");
    session.wait_for_stdout("child one");
    says(&project, &mut session, ("one", "two"), &["child"]);
}

#[test]
fn a_child_of_the_same_program_is_patched() {
    let (project, mut session) = start("spawn");
    session.wait_for_stdout("child one");
    says(&project, &mut session, ("one", "two"), &["child", "parent"]);
}
