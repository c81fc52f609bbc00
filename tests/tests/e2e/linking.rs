//! Programs that are linked in unusual ways: patched all the same, or told once what can't be.

use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const DEEP: &str = "deep/src/inner.rs";
const MIDDLE: &str = "middle/src/lib.rs";

/// The family of crates, built with these flags.
fn family(flags: &str) -> Project {
    let mut project = Project::fixture("family");
    project.env("RUSTFLAGS", flags);
    project
}

fn start(project: &Project) -> Session {
    let mut session = project.hot(&["--no-restart", "cargo", "run", "--bin", "app"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[app(middle(deep 1))]");
    session
}

/// A body in the program, one in a library, and a new function, which compiles whole crates.
fn is_patched(flags: &str) {
    let project = family(flags);
    let mut session = start(&project);
    project.edit("app/src/main.rs", r#""[{line}]""#, r#""<{line}>""#);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "<app(middle(deep 2))>");
    project.edit(MIDDLE, r#""middle({})""#, r#""m({})""#);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "<app(m(deep 3))>");
    let generic = "fn twice<T: std::fmt::Display>(of: T) -> String {\n    format!(\"{of}{of}\")\n}\n\npub fn line";
    project.edit_all(
        MIDDLE,
        &[
            ("pub fn line", generic),
            (
                "deep::inner::Line::new(step).text()",
                "twice(deep::inner::Line::new(step).text())",
            ),
        ],
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "<app(m(deep 4deep 4))>");
}

#[test]
fn a_program_with_a_fixed_address_is_patched() {
    is_patched("-C relocation-model=static");
}

#[test]
fn a_program_with_a_dynamic_std_is_patched() {
    is_patched("-C prefer-dynamic");
}

#[test]
fn a_static_program_runs_and_is_told() {
    let project = family("-C target-feature=+crt-static");
    let (told, _) = project.hot_to_end(&["doctor"]);
    for part in [
        "all crates: 0 of ",
        "it is linked statically (`+crt-static`)",
    ] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    let mut session = start(&project);
    session.wait_for_all(&["crate `app` is built unmodified", "`+crt-static`"]);
    session.send_line("x");
    session.wait_for_stdout("[app(middle(deep 2))]");
    session.wait_for_stderr("every edit needs a restart");
    project.edit(DEEP, "\"deep {}\"", "\"deeper {}\"");
    session.wait_for_all(&["deep/src/inner.rs:", "crate `deep` was built unmodified"]);
    session.close_stdin();
    assert!(session.finish().status.success());
}

#[test]
fn the_rest_of_a_program_with_a_dylib_is_patched() {
    let project = family("-C prefer-dynamic");
    project.edit(
        "deep/Cargo.toml",
        "publish.workspace = true",
        "publish.workspace = true\n\n[lib]\ncrate-type = [\"dylib\"]",
    );
    let (told, _) = project.hot_to_end(&["doctor"]);
    assert!(
        told.contains("deep (dylib deep/src/lib.rs): 0 of "),
        "{told}"
    );
    let mut session = start(&project);
    session.wait_for_all(&["crate `deep` is built unmodified", "`dylib`"]);
    project.edit(MIDDLE, r#""middle({})""#, r#""m({})""#);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[app(m(deep 2))]");
    project.edit(DEEP, "\"deep {}\"", "\"deeper {}\"");
    session.wait_for_all(&["deep/src/inner.rs:", "`deep` was built unmodified"]);
    assert_eq!(session.ask("x"), "[app(m(deep 3))]");
}
