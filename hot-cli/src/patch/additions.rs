//! What is new beside changed functions, in a plugin of those.
//!
//! A later plugin brings it again: that is the same code twice, but it would be another type. So no
//! value of a new type may outlive the functions that made it. A function of which types can be
//! compared has one site in the program for all plugins that bring it.

use std::sync::Arc;

use soft_mock_compiled::compare::Left;
use soft_mock_rewriter::analysis::{Declaration, FileItems};

use crate::program::left_behind::{KeptAddition, LeftBehind};
use crate::program::plan::{PlannedAddition, PlannedFunction, Wanted};

/// The additions by the positions of their files.
pub(super) fn positions<'a>(
    additions: &'a [PlannedAddition],
    items: &'a [Arc<FileItems>],
) -> impl Iterator<Item = (usize, Declaration)> + 'a {
    additions.iter().filter_map(|addition| {
        let file = items.iter().position(|file| file.path == addition.file)?;
        Some((file, addition.declaration))
    })
}

/// What an earlier patch has left, and that may still lead to an addition as it came then.
pub(super) fn in_the_way(wanted: &Wanted) -> Option<String> {
    let mut left = wanted.left.iter();
    if let Some(name) = left.find_map(|left| left.other_addition(wanted)) {
        return Some(format!("something may still lead to `{name}` as it was"));
    }
    let mut units = wanted.plan.values();
    units.find_map(|unit| {
        let mut left = wanted.left.iter();
        left.find_map(|left| living(&left.left, &unit.additions))
    })
}

/// Why a plugin may leave values of new types in the program.
pub(super) fn living(left: &Left, additions: &[PlannedAddition]) -> Option<String> {
    let types = additions
        .iter()
        .filter(|addition| !matches!(addition.declaration, Declaration::Function(_)));
    let mut names = types.flat_map(|addition| &addition.names);
    let name = names.find(|name| left.leads_to(name))?;
    Some(format!("values of `{name}`, which is new, may live on"))
}

/// An entry of the ledger, with the additions to which something leads that may be kept.
/// `functions`: those that the plugin patches.
pub(super) fn behind(
    left: LeftBehind,
    position: usize,
    additions: &[PlannedAddition],
    functions: &[PlannedFunction],
) -> LeftBehind {
    let site = |addition: &PlannedAddition| {
        let function = addition.function.as_ref()?;
        let patched = functions
            .iter()
            .any(|patched| patched.name == function.name);
        let signature = function.brought.clone().filter(|_| patched)?;
        Some(((position, function.name.clone()), signature))
    };
    let kept = additions.iter().filter_map(|addition| {
        let mut names = addition.names.iter();
        let name = names.find(|name| left.left.leads_to(name))?;
        Some(KeptAddition {
            content: addition.content,
            name: name.clone(),
            site: site(addition),
        })
    });
    LeftBehind {
        additions: kept.collect(),
        ..left
    }
}

/// How many there are, for people.
pub(super) fn told(additions: &[PlannedAddition]) -> String {
    let named = additions
        .iter()
        .filter(|addition| !addition.names.is_empty());
    match additions.iter().flat_map(|a| &a.names).next() {
        None => String::new(),
        Some(first) if named.clone().count() == 1 => format!(", with `{first}`, which is new"),
        Some(first) => format!(
            ", with `{first}` and {} more that are new",
            named.count() - 1
        ),
    }
}
