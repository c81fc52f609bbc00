//! Mocks that must not compile: what the compiler says of each, and a twin of each that compiles
//! and works.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

/// Writes what is said now where it is expected, for whoever has changed it and reads the
/// difference.
const ACCEPT: &str = "ACCEPT_DIAGNOSTICS";

#[test]
fn what_must_not_compile_says_why_and_has_a_twin() {
    let fixture = folder::fixture("refused");
    let project = Project::with_runtime(&fixture, "refused");
    let (cases, twins) = (
        names(&fixture.join("examples")),
        names(&fixture.join("tests/twins")),
    );
    assert!(!cases.is_empty() && cases.is_subset(&twins), "{cases:?}");

    let (stdout, _) = project.cargo(&["test", "--test", "twins"]);
    for twin in twins.iter().filter(|name| *name != "main") {
        let passed = format!("test {twin} ... ok\n");
        assert!(stdout.contains(&passed), "{twin} is missing:\n{stdout}");
    }

    let said = diagnostics(&project);
    let accepts = std::env::var_os(ACCEPT).is_some();
    for case in &cases {
        let is = said.get(case).map_or("", String::as_str);
        let place = fixture.join("examples").join(case).with_extension("stderr");
        if accepts {
            fs::write(&place, is).expect("written");
        }
        let expected = fs::read_to_string(&place).expect("what is expected");
        assert!(is.starts_with("error"), "{case} compiles");
        assert_eq!(is, expected, "{case}: {ACCEPT}=1 writes the new text\n{is}");
    }
}

/// The sources in a folder, without their endings.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder of the fixture");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let sources = paths.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let names = sources.map(|path| path.with_extension(""));
    names
        .map(|path| path.file_name().expect("a name").to_string_lossy().into())
        .collect()
}

/// What the compiler says of each example.
fn diagnostics(project: &Project) -> BTreeMap<String, String> {
    let build = [
        "build",
        "--examples",
        "--keep-going",
        "--message-format=json",
    ];
    let output = project.run("cargo", &build);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for line in stdout.lines() {
        let message: Value = serde_json::from_str(line).expect("cargo prints JSON");
        let diagnostic = &message["message"];
        let Some(rendered) = diagnostic["rendered"].as_str() else {
            continue;
        };
        // That there were errors, and where more is to be read about them.
        if diagnostic["spans"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let name = message["target"]["name"].as_str().expect("a target");
        let text = said.entry(name.to_owned()).or_default();
        text.push_str(&without_other_places(rendered, project));
    }
    said
}

/// Of places in other packages just the file: where it stands, what its lines say and whether they
/// are shown differs from machine to machine.
fn without_other_places(rendered: &str, project: &Project) -> String {
    let root = format!(
        "{}/",
        project.path("").display().to_string().trim_end_matches('/')
    );
    let mut text = String::new();
    let mut elsewhere = false;
    for line in rendered.trim_end().lines() {
        match line.split_once("--> ") {
            Some((_, place)) if place.starts_with('/') => {
                elsewhere = true;
                text.push_str(&format!("  --> {}\n", file(place)));
                continue;
            }
            Some(_) => elsewhere = false,
            None => elsewhere = elsewhere && is_of_a_file(line),
        }
        if !elsewhere {
            text.push_str(&with_even_margin(&line.replace(&root, "")));
            text.push('\n');
        }
    }
    text
}

/// The file of `file:line:column`, from the folder on that this workspace or the compiler has
/// everywhere.
fn file(place: &str) -> &str {
    let file = place.split(':').next().unwrap_or(place);
    let workspace = format!("{}/", folder::workspace().display());
    match (file.strip_prefix(&workspace), file.find("/library/")) {
        (Some(file), _) => file,
        (None, Some(at)) => &file[at + 1..],
        (None, None) => file,
    }
}

/// Whether a line shows a part of a file: `12 |     let x;`, `   |     ^`, `...`.
fn is_of_a_file(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
    rest.starts_with('|') || rest.starts_with("...")
}

/// The margin is as wide as the longest number of a line, also of a file that isn't shown: here,
/// two digits wide.
fn with_even_margin(line: &str) -> String {
    let rest = line.trim_start();
    let (number, text) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
    let text = text.trim_start();
    match text.chars().next() {
        Some('|') => format!("{number:>2} {text}"),
        Some('=') if number.is_empty() => format!("   {text}"),
        _ if rest.starts_with("--> ") => format!("  {rest}"),
        _ => line.to_owned(),
    }
}
