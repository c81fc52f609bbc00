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

/// What stays is read once for both compilations, before what was edited: also where cargo compiles
/// it later.
#[test]
fn objects_of_an_edited_crate_beside_one_that_stays() {
    let member = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n"
        )
    };
    let library = |sides: u32| {
        format!(
            "pub trait Shape {{ fn corners(&self) -> u32 {{ {sides} }} fn name(&self) -> u32; }}
pub struct Plain;
impl Shape for Plain {{ fn name(&self) -> u32 {{ {sides}0 }} }}
pub fn shape() -> Box<dyn Shape> {{ Box::new(Plain) }}
"
        )
    };
    let main = r#"use {alpha::Shape as _, beta::Shape as _};
fn main() {
    let shapes = [(alpha::shape(), beta::shape(), gamma::shape())];
    println!("ready");
    for _ in std::io::stdin().lines() {
        let upper = |a: u32, b: u32| a * 100 + b * 10;
        let all = shapes.iter().map(|(a, b, c)| upper(a.corners(), b.corners()) + gamma::of(&**c));
        println!("corners {}", all.sum::<u32>());
    }
}
"#;
    let workspace = "[workspace]\nmembers = [\"alpha\", \"beta\", \"gamma\"]\n";
    let paths =
        ["alpha", "beta", "gamma"].map(|name| format!("{name} = {{ path = \"{name}\" }}\n"));
    let gamma = library(3) + "pub fn of(shape: &dyn Shape) -> u32 { shape.corners() }\n";
    let project = Project::of_files([
        ("Cargo.toml", member("app") + &paths.concat() + workspace),
        ("src/main.rs", main.to_owned()),
        ("alpha/Cargo.toml", member("alpha")),
        ("alpha/src/lib.rs", library(1)),
        ("beta/Cargo.toml", member("beta")),
        ("beta/src/lib.rs", library(2)),
        ("gamma/Cargo.toml", member("gamma")),
        ("gamma/src/lib.rs", gamma),
    ]);
    let mut session = project.hot(&["-v", "--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "corners 123");
    for (name, from, to, answer) in [
        ("alpha", "{ 1 }", "{ 7 }", "corners 723"),
        ("alpha", "{ 7 }", "{ 6 }", "corners 623"),
        ("gamma", "{ 3 }", "{ 5 }", "corners 625"),
        ("beta", "{ 2 }", "{ 4 }", "corners 645"),
    ] {
        project.edit(&format!("{name}/src/lib.rs"), from, to);
        session.wait_for_patch();
        assert_eq!(session.ask("x"), answer);
    }
}
