//! What is new beside changed functions, in a plugin of those.
//!
//! A later plugin brings it again: that is the same code twice, but it would be another type. So no
//! value of a new type may outlive the functions that made it.

use std::collections::BTreeMap;
use std::sync::Arc;

use soft_mock_compiled::compare::Left;
use soft_mock_rewriter::analysis::{Declaration, FileItems};
use soft_mock_rewriter::syntax::Fingerprint;

use crate::program::left_behind::LeftBehind;
use crate::program::plan::{PlannedAddition, Wanted};

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
pub(super) fn behind(left: LeftBehind, additions: &[PlannedAddition]) -> LeftBehind {
    let kept = additions.iter().filter_map(|addition| {
        let mut names = addition.names.iter();
        let name = names.find(|name| left.left.leads_to(name))?;
        Some((addition.content, name.clone()))
    });
    let kept: BTreeMap<Fingerprint, String> = kept.collect();
    let gone = |name: &String| format!("something may still lead to `{name}`, which is gone");
    LeftBehind {
        no_way_back: left.no_way_back.or_else(|| kept.values().next().map(gone)),
        additions: kept,
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
