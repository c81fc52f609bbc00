//! Workspaces: several crates, a library and a program of one name, an edit far below the program.

use soft_mock_tests::project::Project;

const ORIGINAL: &str = r#"format!("deep {}", self.step)"#;

#[test]
fn the_deepest_library_is_patched() {
    let project = Project::fixture("family");
    let mut session = project.hot(&["cargo", "run", "--bin", "app"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[app(middle(deep 1))]");

    project.edit(
        "deep/src/inner.rs",
        ORIGINAL,
        r#"format!("deeper {}", self.step * 10)"#,
    );
    let patch = session.wait_for_patch();
    assert!(
        patch.contains("deep::inner::Line::private_text (deep/src/inner.rs:"),
        "{patch}"
    );
    assert_eq!(session.ask("x"), "[app(middle(deeper 20))]");

    project.edit(
        "deep/src/inner.rs",
        r#"format!("deeper {}", self.step * 10)"#,
        ORIGINAL,
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[app(middle(deep 3))]");
}

#[test]
fn library_and_program_of_one_name_are_told_apart() {
    let project = Project::fixture("family");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[app(middle(deep 1))]");

    project.edit("app/src/lib.rs", r#""app({})""#, r#""library({})""#);
    let patch = session.wait_for_patch();
    assert!(patch.contains("app::line (app/src/lib.rs:"), "{patch}");
    assert_eq!(session.ask("x"), "[library(middle(deep 2))]");

    project.edit("app/src/main.rs", r#""[{line}]""#, r#""<{line}>""#);
    let patch = session.wait_for_patch();
    assert!(patch.contains("app::framed (app/src/main.rs:"), "{patch}");
    assert_eq!(session.ask("x"), "<library(middle(deep 3))>");
}

#[test]
fn edits_of_several_crates_all_take_effect() {
    let project = Project::fixture("family");
    let mut session = project.hot(&["cargo", "run", "-p", "app"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[app(middle(deep 1))]");

    project.edit(
        "deep/src/inner.rs",
        ORIGINAL,
        r#"format!("d{}", self.step)"#,
    );
    project.edit("middle/src/lib.rs", r#""middle({})""#, r#""m({})""#);
    project.edit("app/src/lib.rs", r#""app({})""#, r#""a({})""#);
    let answer = session.ask_until("x", "[a(m(d");
    assert!(answer.ends_with(")]"), "{answer}");
    for name in [
        "deep::inner::Line::private_text",
        "middle::line",
        "app::line",
    ] {
        session.wait_for_mention(name);
    }
}
