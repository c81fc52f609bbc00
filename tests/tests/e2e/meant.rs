//! A function that was compiled alone may mean something else than in its crate, in ways that no
//! source shows. That is found out when nothing is saved for a moment.

use soft_mock_tests::project::Project;

const FILE: &str = "src/main.rs";
const COMPARED: &str = "functions mean what they mean in their crate, 0 something else";

#[test]
fn what_only_the_compiler_sees_is_patched_again() {
    let project = Project::fixture("meant");
    let mut session = project.hot(&["--verbose", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "it is derived, plain 1, trait");

    // What means the same stays as it is.
    project.edit(FILE, "plain {}", "simple {}");
    session.wait_for_patch();
    session.wait_for_stderr(COMPARED);
    assert_eq!(session.patches().len(), 1);
    assert_eq!(session.ask("x"), "it is derived, simple 1, trait");

    project.edit(FILE, "it is {}", "that is {}");
    session.wait_for_patch();
    let line = session.wait_for_stderr("means something else");
    for text in [
        "meant::kennel::Dog::tell (src/main.rs:20)",
        "<meant::kennel::Dog as meant::kennel::Animal>::name, not <meant::kennel::Dog>::name",
    ] {
        assert!(line.contains(text), "{line}");
    }
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "that is derived, simple 1, trait");

    // It is never compiled alone again.
    project.edit(FILE, "that is {}", "this is {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "this is derived, simple 1, trait");
    project.edit(FILE, "this is {}", "it is {}");
    session.ask_until("x", "it is derived");
    let output = session.output().to_string();
    assert_eq!(
        output.matches("means something else").count(),
        1,
        "{output}"
    );
}
