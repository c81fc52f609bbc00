//! What is left out of a rewritten crate since the compiler refuses it: known from its diagnostics,
//! or from the last build of the same crate, so that it isn't compiled twice each time.
//!
//! Knows nothing of how a crate is compiled.

use std::path::Path;

use soft_mock_rewriter::instrument::Rewritten;
use soft_mock_rewriter::syntax::CrateTree;

use super::diagnostics;
use crate::os::files::below;
use crate::rustc::unit::Unit;

/// Adds the refused functions to those that are left out: first their type ids, then their sites;
/// and the refused closures.
/// Says whether anything was added.
pub(super) fn leave_out(unit: &mut Unit, refusals: &[String], rewritten: &Rewritten) -> bool {
    let refused = diagnostics::refused(refusals, &rewritten.functions, &unit.cwd);
    let closures = diagnostics::refused_lines(refusals, &rewritten.carrying, &unit.cwd);
    let known = unit.uncarried.len();
    unit.uncarried.extend(closures);
    let mut changed = unit.uncarried.len() > known;
    for function in refused {
        let mut functions = rewritten.functions.iter();
        if let Some(info) = functions.find(|info| info.name == function) {
            unit.refused.insert(function.clone(), info.path.clone());
        }
        changed |= match unit.untyped.insert(function.clone()) {
            true => true,
            false => unit.without.insert(function),
        };
    }
    changed
}

/// Leaves out what was refused when the crate was built last, where its file is as it was: what it
/// depends on beside may be another, but to be left out needlessly is no harm but that.
pub(super) fn take_over(unit: &mut Unit, tree: &CrateTree, folder: &Path) {
    let Ok(last) = Unit::read(folder) else {
        return;
    };
    let same = last.built_by == unit.built_by
        && last.version == unit.version
        && last.args == unit.args
        && last.skip == unit.skip
        && last.mocks == unit.mocks
        && last.only_named == unit.only_named;
    if !same || last.unmodified.is_some() {
        return;
    }
    let sources = folder.join("sources");
    let is_as_it_was = |path: &Path| {
        let file = tree.files.iter().find(|file| file.path == path);
        let then = std::fs::read(below(&sources, path));
        matches!((file, then), (Some(file), Ok(then)) if file.text.as_bytes() == then)
    };
    for (name, path) in last.refused {
        if is_as_it_was(&path) {
            unit.untyped.insert(name.clone());
            if last.without.contains(&name) {
                unit.without.insert(name.clone());
            }
            unit.refused.insert(name, path);
        }
    }
    let closures = last.uncarried.into_iter();
    unit.uncarried
        .extend(closures.filter(|(path, _)| is_as_it_was(path)));
}
