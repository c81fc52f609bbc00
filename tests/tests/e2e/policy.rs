//! What every package of this workspace has to keep to: where dependencies come from, under which
//! licences, and the lints about unsafe code.

use std::fs;
use std::path::Path;

use serde_json::Value;
use soft_mock_tests::{environment, folder};

/// What `deny.toml` asks for, by the words of cargo-deny.
struct Policy(toml::Table);

impl Policy {
    fn read() -> Self {
        let text = fs::read_to_string(folder::workspace().join("deny.toml")).expect("deny.toml");
        Self(text.parse().expect("deny.toml is TOML"))
    }

    fn section(&self, name: &str) -> &toml::Table {
        self.0[name].as_table().expect("a section")
    }

    fn licences(&self) -> Vec<&str> {
        let list = self.section("licenses")["allow"].as_array();
        list.expect("a list")
            .iter()
            .filter_map(toml::Value::as_str)
            .collect()
    }

    fn banned(&self) -> Vec<&str> {
        let list = self.section("bans")["deny"].as_array().expect("a list");
        let names = list
            .iter()
            .map(|entry| entry["crate"].as_str().expect("a name"));
        names.collect()
    }

    /// All of it is known here: a new rule would else be taken for kept.
    fn check_words(&self) {
        let words = |section: &str| {
            let mut words: Vec<&str> = self.section(section).keys().map(String::as_str).collect();
            words.sort_unstable();
            words
        };
        let mut sections: Vec<&str> = self.0.keys().map(String::as_str).collect();
        sections.sort_unstable();
        assert_eq!(
            sections,
            ["advisories", "bans", "graph", "licenses", "sources"]
        );
        assert_eq!(words("licenses"), ["allow"]);
        let bans = [
            "allow-wildcard-paths",
            "deny",
            "multiple-versions",
            "wildcards",
        ];
        assert_eq!(words("bans"), bans);
        assert_eq!(words("sources"), ["unknown-git", "unknown-registry"]);
        for (section, word) in [
            ("bans", "wildcards"),
            ("sources", "unknown-git"),
            ("sources", "unknown-registry"),
        ] {
            assert_eq!(self.section(section)[word].as_str(), Some("deny"), "{word}");
        }
    }
}

fn packages() -> Vec<Value> {
    let output = environment::command("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(folder::workspace())
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Whether an expression of licences can be met with the allowed ones.
fn is_allowed(expression: &str, licences: &[&str]) -> bool {
    let expression = expression.trim();
    for (sign, all) in [(" AND ", true), (" OR ", false), ("/", false)] {
        // Brackets bind first: nothing inside of them is split.
        let mut parts = vec![String::new()];
        let mut depth = 0;
        for (at, letter) in expression.char_indices() {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            parts.last_mut().expect("one").push(letter);
            if depth == 0 && expression[..=at].ends_with(sign) {
                let last = parts.last_mut().expect("one");
                last.truncate(last.len() - sign.len());
                parts.push(String::new());
            }
        }
        if parts.len() > 1 {
            let mut met = parts.iter().map(|part| is_allowed(part, licences));
            return if all {
                met.all(|met| met)
            } else {
                met.any(|met| met)
            };
        }
    }
    match expression
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner, licences),
        None => licences.contains(&expression),
    }
}

/// What the packages ask for, without a `path`: there any version is that of the folder.
fn is_wildcard(dependency: &Value) -> bool {
    dependency["req"] == "*" && dependency["path"].is_null()
}

#[test]
fn licences_bans_and_sources_of_dependencies() {
    let policy = Policy::read();
    policy.check_words();
    let licences = policy.licences();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &licences), expected, "{expression}");
    }
    let banned = policy.banned();
    assert!(banned.contains(&"reqwest"), "{banned:?}");
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &licences), "{name}: {licence:?}");
        assert!(!banned.contains(&name), "{name} is banned");
        let source = package["source"].as_str();
        let is_known = source
            .is_none_or(|source| source.starts_with("registry+") || source.starts_with("sparse+"));
        assert!(is_known, "{name} comes from {source:?}");
        let own = source.is_none();
        let mut dependencies = package["dependencies"].as_array().into_iter().flatten();
        let wildcard = dependencies.find(|dependency| own && is_wildcard(dependency));
        assert!(wildcard.is_none(), "{name}: {wildcard:?}");
    }
}

#[test]
fn published_packages_have_what_a_registry_shows() {
    let packages = packages();
    let own = |package: &&Value| package["source"].is_null();
    let published = |package: &&Value| package["publish"].is_null();
    let names: Vec<&str> = packages
        .iter()
        .filter(own)
        .filter(published)
        .filter_map(|package| package["name"].as_str())
        .collect();
    assert!(names.contains(&"soft-mock-cli"), "{names:?}");
    for package in packages.iter().filter(own).filter(published) {
        let name = package["name"].as_str().expect("a name");
        let folder = Path::new(package["manifest_path"].as_str().expect("a path")).parent();
        let folder = folder.expect("a manifest is in a folder");
        assert!(
            !folder.starts_with(folder::workspace().join("tests")),
            "{name}"
        );
        for text in [
            "description",
            "license",
            "readme",
            "repository",
            "rust_version",
        ] {
            assert!(package[text].is_string(), "{name}: no {text}");
        }
        for list in ["keywords", "categories"] {
            let given = package[list]
                .as_array()
                .is_some_and(|list| !list.is_empty());
            assert!(given, "{name}: no {list}");
        }
        for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder.join(file).is_file(), "{name}: no {file}");
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let named = dependency["name"].as_str().expect("a name");
            let inside = names.contains(&named) || dependency["path"].is_null();
            // What only its tests use is left out of the package if it has no version.
            let left_out = dependency["kind"] == "dev" && dependency["req"] == "*";
            assert!(
                inside || left_out,
                "{name} needs {named}, which isn't published"
            );
        }
    }
}

#[test]
fn unsafe_code_is_under_the_workspaces_lints() {
    let root = fs::read_to_string(folder::workspace().join("Cargo.toml")).expect("a manifest");
    for lint in [
        "undocumented_unsafe_blocks = \"deny\"",
        "unsafe_op_in_unsafe_fn = \"deny\"",
    ] {
        assert!(root.contains(lint), "{lint}");
    }
    for package in packages()
        .iter()
        .filter(|package| package["source"].is_null())
    {
        let manifest = package["manifest_path"].as_str().expect("a path");
        let text = fs::read_to_string(manifest).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest}");
    }
}

#[test]
fn the_architecture_names_paths_that_exist() {
    let page = folder::workspace().join("docs/architecture.md");
    let text = fs::read_to_string(page).expect("docs/architecture.md");
    let (_, table) = text.split_once("## Where to look").expect("the table");
    let spans = table.split('`').skip(1).step_by(2);
    let paths: Vec<&str> = spans.filter(|span| span.contains('/')).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let place = folder::workspace().join(path);
        let is_right = place.exists() && place.is_dir() == path.ends_with('/');
        assert!(is_right, "docs/architecture.md: there is no {path}");
    }
}

/// Documents are read by nobody but people.
#[test]
fn no_merge_is_left_half_done() {
    let git = environment::command("git")
        .args(["grep", "-nE", "^(<{7}|>{7}) "])
        .current_dir(folder::workspace())
        .output()
        .expect("git can be started");
    let found = String::from_utf8_lossy(&git.stdout);
    assert_eq!(git.status.code(), Some(1), "{found}");
}

/// Comments end where rustfmt ends code. Stable rustfmt doesn't wrap them, so nothing else would
/// say so.
#[test]
fn comments_are_wrapped() {
    const WIDTH: usize = 100;
    let output = environment::command("git")
        .args([
            "ls-files",
            "--",
            "*.rs",
            ":!tests/fixtures",
            ":!tests/benchmarks/programs",
        ])
        .current_dir(folder::workspace())
        .output()
        .expect("git can be started");
    let files = String::from_utf8_lossy(&output.stdout);
    assert!(files.lines().count() > 300, "{files}");
    let mut wide = Vec::new();
    for file in files.lines() {
        let text = fs::read_to_string(folder::workspace().join(file)).expect("a source");
        // Diagrams, code and tables in documentation are as wide as they are.
        let mut fenced = false;
        for (line, number) in text.lines().zip(1..) {
            let comment = line.trim_start();
            let table = comment.trim_start_matches(['/', '!', ' ']).starts_with('|');
            if !comment.starts_with("//") {
                fenced = false;
            } else if comment
                .trim_start_matches(['/', '!', ' '])
                .starts_with("```")
            {
                fenced = !fenced;
            } else if !fenced && !table && line.chars().count() > WIDTH {
                wide.push(format!("{file}:{number}"));
            }
        }
    }
    assert!(
        wide.is_empty(),
        "wrap these, as CONTRIBUTING.md says: {wide:#?}"
    );
}
