//! Imports among the top modules of each crate run one way, and every file of product code says what it is for.
//!
//! Read from the sources: [`modules`] walks a crate's modules, [`arrows`] says which module names which other one, and
//! where, [`cycles`] finds a way back. Another crate is one more line in [`CRATES`].

mod arrows;
mod cycles;
mod modules;
mod tests;

use std::path::Path;

/// The folders of all crates that are delivered.
const CRATES: [&str; 9] = [
    "soft-mock",
    "soft-mock/abi",
    "soft-mock/agent",
    "soft-mock/macros",
    "soft-mock/runtime",
    "rewriter",
    "hot-cli",
    "hot-cli/compiled",
    "hot-cli/embed",
];

/// What is wrong with a crate, one line each.
fn problems(krate: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    for root in modules::roots(krate) {
        let files = modules::product_files(&root);
        let undocumented = files.iter().filter(|file| !file.is_introduced());
        problems.extend(
            undocumented.map(|file| format!("{} doesn't open with `//!`", file.path.display())),
        );
        let arrows = arrows::between_top_modules(&files);
        problems.extend(cycles::first(&arrows).map(|cycle| cycles::described(&cycle)));
    }
    problems
}

#[test]
fn imports_run_one_way_and_files_say_what_they_are_for() {
    let workspace = soft_mock_tests::folder::workspace();
    let found: Vec<String> = CRATES
        .iter()
        .flat_map(|krate| problems(&workspace.join(krate)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
