//! What every package of this workspace has to keep to: where dependencies come from, under which licences, and
//! the lints about unsafe code.

use std::fs;

use serde_json::Value;
use soft_mock_tests::{environment, folder};

/// As in `deny.toml`.
const LICENCES: [&str; 9] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

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
fn is_allowed(expression: &str) -> bool {
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
            let mut met = parts.iter().map(|part| is_allowed(part));
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
        Some(inner) => is_allowed(inner),
        None => LICENCES.contains(&expression),
    }
}

#[test]
fn licences_and_sources_of_dependencies() {
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression), expected, "{expression}");
    }
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence), "{name}: {licence:?}");
        let source = package["source"].as_str();
        let is_known = source
            .is_none_or(|source| source.starts_with("registry+") || source.starts_with("sparse+"));
        assert!(is_known, "{name} comes from {source:?}");
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
