//! What a session says first and last, at a terminal.

use std::fs;

use soft_mock_tests::hot;
use soft_mock_tests::project::{Project, Save};

const MAIN: &str = "mod words;\n\nfn main() {\n    for count in 0.. {\n        println!(\"{}\", words::line(count));\n        \
                    std::thread::sleep(std::time::Duration::from_millis(100));\n    }\n}\n";
const WORDS: &str = "pub fn line(count: u32) -> String {\n    format!(\"tick {count}\")\n}\n";

/// Long enough for cargo to show how far it is.
const BUILD: &str = "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    \
                     std::thread::sleep(std::time::Duration::from_secs(3));\n}\n";

fn ticking() -> Project {
    let manifest = "[package]\nname = \"ticking\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    Project::of_files([
        ("Cargo.toml", manifest),
        ("build.rs", BUILD),
        ("src/main.rs", MAIN),
        ("src/words.rs", WORDS),
        ("words.txt", ""),
    ])
}

#[test]
fn the_first_line_and_the_last() {
    let mut project = ticking();
    // Cargo shows none where it takes the machine for a server that builds.
    project.env("CARGO_TERM_PROGRESS_WHEN", "always");
    project.env("CARGO_TERM_PROGRESS_WIDTH", "80");
    let mut terminal = project.hot_at_terminal(&["--watch", "words.txt", "cargo", "run"]);
    // Cargo's own.
    terminal.wait_for("Building [");
    terminal.wait_for("hot: the first build under hot compiles your crates once more");
    // Not the manifests, which are watched too.
    terminal.wait_for(
        "hot: watching 2 source files, words.txt: 2 functions of ticking can be patched live",
    );
    terminal.wait_for("hot: keys: r restart");
    project.edit_by(Save::Rename, "src/words.rs", "tick", "tock");
    terminal.wait_for("patched 1 function");
    terminal.type_keys("r");
    terminal.wait_for("hot: restarted");
    project.edit_by(Save::Rename, "src/words.rs", "tock", "tuck");
    terminal.wait_for("patched 1 function");
    terminal.type_keys("q");
    terminal.wait_for("hot: 2 patches, 1 restart; about ");
    terminal.wait_for("against a build after each save (the shortest that was measured took ");
    let written = terminal.written();
    assert_eq!(
        written.matches("can be patched live").count(),
        1,
        "{written}"
    );
    assert_eq!(terminal.finish().code(), Some(0));

    let mut terminal = project.hot_at_terminal(&["cargo", "run"]);
    terminal.wait_for("can be patched live");
    terminal.wait_for("hot: keys: r restart");
    terminal.type_keys("q");
    let written = terminal.written();
    assert!(!written.contains("once more"), "{written}");
    assert_eq!(terminal.finish().code(), Some(0));
}

#[test]
fn another_hot_says_why_it_compiles() {
    let project = ticking();
    project.hot_to_end(&["cargo", "build"]);
    let other = project.scratch().join("hot");
    fs::hard_link(hot::binary(), &other)
        .or_else(|_| fs::copy(hot::binary(), &other).map(drop))
        .expect("another hot");
    let output = project.run(&other, &["cargo", "build"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("hot: hot is another one than before: your crates are compiled once more"),
        "{said}"
    );
    // What nobody patched has no last line.
    assert!(!said.contains("restart"), "{said}");
}
