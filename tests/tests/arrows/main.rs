//! Imports among the top modules of each crate run one way, and every file of product code says
//! what it is for.
//!
//! Read from the sources: [`modules`] walks a crate's modules, [`arrows`] says which module names
//! which other one, and where, [`cycles`] finds a way back, [`order`] what runs upwards. Another
//! crate is one more line in [`CRATES`].

mod arrows;
mod cycles;
mod modules;
mod order;
mod tests;

use std::path::Path;

/// A crate that is delivered.
struct Crate {
    folder: &'static str,
    /// Its top modules from top to bottom, where an order is laid down: `a > b c > d`. Each may
    /// know those further to the right; those without `>` between them don't know each other.
    order: &'static str,
}

const fn acyclic(folder: &'static str) -> Crate {
    Crate { folder, order: "" }
}

/// All crates that are delivered.
const CRATES: [Crate; 9] = [
    acyclic("soft-mock"),
    acyclic("soft-mock/abi"),
    acyclic("soft-mock/agent"),
    acyclic("soft-mock/macros"),
    acyclic("soft-mock/runtime"),
    Crate {
        folder: "rewriter",
        order: "instrument diff patch_source whole_crate > analysis > syntax",
    },
    Crate {
        folder: "hot-cli",
        order: "cli > shell > test > session > offline > inspect > init > plugins > remote > patch > dry_build > program > include > wrapper > rustc \
                > cargo > child > control > handover > watch > browser > ui > protocol > os > config > exit",
    },
    Crate {
        folder: "hot-cli/compiled",
        order: "std_calls > manifest_object > extract > select > meaning > compare > debug_info > counterparts > sites > fingerprint > brought > world > flow > code \
                > locations > visibility > crate_id > objects > library > symbols",
    },
    acyclic("hot-cli/embed"),
];

/// What is wrong with a crate, one line each.
fn problems(krate: &Path, order: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for root in modules::roots(krate) {
        let files = modules::product_files(&root);
        let undocumented = files.iter().filter(|file| !file.is_introduced());
        problems.extend(
            undocumented.map(|file| format!("{} doesn't open with `//!`", file.path.display())),
        );
        let arrows = arrows::between_top_modules(&files);
        problems.extend(cycles::first(&arrows).map(|cycle| cycles::described(&cycle)));
        problems.extend(order::broken(&arrows, order));
    }
    problems
}

#[test]
fn imports_run_one_way_and_files_say_what_they_are_for() {
    let workspace = soft_mock_tests::folder::workspace();
    let found: Vec<String> = CRATES
        .iter()
        .flat_map(|krate| problems(&workspace.join(krate.folder), krate.order))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
