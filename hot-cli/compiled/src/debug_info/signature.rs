//! What a function takes and returns, and what the closures and futures hold that it is given.
//!
//! Names keep their numbers: the same number in two compilations has to be the same closure. What a
//! closure's own code works on isn't among its parameters: see `functions`.
//!
//! Code that works on a future isn't described at all. A future that waits has come to a place in
//! its body, and holds what that body has put there: of the same types, another body may mean
//! another thing by it, such as which of two values a reference is of.

use std::collections::BTreeSet;

use super::entries::Entries;
use super::names::{is_environment, Names};

pub(super) struct Signature {
    /// The types of the result and of the parameters, by their names.
    pub(super) types: Vec<String>,
    /// What it is given that a closure or a future holds, to be described.
    pub(super) environments: BTreeSet<(String, usize)>,
}

/// Whether a type is made of what a future, or something else that waits, holds.
fn mentions_future(name: &str) -> bool {
    let mut environments = name.match_indices("_env#");
    environments.any(|(at, _)| !name[..at].ends_with("{closure"))
}

/// Of the function at `at`. None: what it is given isn't known, or is a future.
pub(super) fn signature(
    entries: &Entries<'_>,
    names: &mut Names<'_, '_>,
    at: usize,
) -> Option<Signature> {
    let parameters = entries.children(at);
    let parameters =
        parameters.filter(|child| entries.all[*child].tag == gimli::DW_TAG_formal_parameter);
    let mut waiting: Vec<usize> = Vec::new();
    let mut types = Vec::new();
    for entry in [at].into_iter().chain(parameters) {
        let ty = entries.ty(entry);
        types.push(names.of(ty));
        waiting.extend(ty);
    }
    let own = entries.all[at].name.unwrap_or_default();
    let is_body = own.starts_with('{') && !own.starts_with("{closure#");
    if is_body || types.iter().any(|name| mentions_future(name)) {
        return None;
    }
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    while let Some(ty) = waiting.pop() {
        let name = names.of(Some(ty));
        if !is_environment(&name) || !seen.insert(ty) {
            continue;
        }
        if entries.all[ty].is_declaration {
            return None;
        }
        // What a pointer leads to, members, and those of variants.
        waiting.extend(entries.ty(ty));
        let inside = ty + 1..entries.all[ty].end;
        let members = inside.filter(|at| entries.all[*at].tag == gimli::DW_TAG_member);
        waiting.extend(members.filter_map(|member| entries.ty(member)));
        if entries.all[ty].size.is_some() {
            found.insert((name, ty));
        }
    }
    Some(Signature {
        types,
        environments: found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_in_types() {
        for name in [
            "*mut app::f::{async_block_env#0}",
            "core::pin::Pin<&mut app::f::{closure#0}::{async_block_env#1}>",
            "alloc::boxed::Box<(app::f::{closure_env#0}, app::g::{async_fn_env#0})>",
        ] {
            assert!(mentions_future(name), "{name}");
        }
        assert!(!mentions_future("&app::f::{closure_env#0}"));
        assert!(!mentions_future("*mut u8"));
    }
}
