//! Impls that a patch brought and that are wholly gone: their code may live on in old objects. A
//! program that is built now has no such object, so no new code could take its place.
//!
//! What the sources say and what was compiled must agree. Code that isn't compiled alone proves
//! nothing: nobody may use an impl that is generic. Knows nothing of what holds the code.

use std::collections::{BTreeSet, HashSet};

use super::paths::{is_instance, split_type};
use super::Premises;
use crate::symbols::is_of;
use crate::world::World;

/// What was known of code when it was brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// Types that the sources declared by their names.
    declared: BTreeSet<String>,
    /// Code that other objects could see. Of an impl without parameters the compiler makes that
    /// whether it is used or not.
    global: BTreeSet<String>,
}

impl Brought {
    /// Takes note of code of the compilation at hand.
    pub(super) fn note(&mut self, path: &str, world: &World<'_>, premises: &Premises<'_>) {
        let Some(header) = Header::of(path) else {
            return;
        };
        let types = own_names(header.ty, premises.crates);
        let declared = types.filter(|name| (premises.declares)(name));
        self.declared.extend(declared.map(str::to_owned));
        let mut pieces = world.pieces(path).iter();
        let is_global = pieces.any(|piece| {
            let mut symbols = world.objects[piece.0].symbols.iter();
            symbols.any(|symbol| symbol.section == Some(piece.1) && !symbol.local)
        });
        if is_global {
            self.global.insert(path.to_owned());
        }
    }

    /// Whether the impl that `path` was of is no more. `new`: what is compiled now.
    pub(super) fn is_withdrawn(
        &self,
        path: &str,
        new: &World<'_>,
        premises: &Premises<'_>,
    ) -> bool {
        let Some(header) = Header::of(path) else {
            return false;
        };
        // What such a file holds isn't read.
        if (premises.names)("include") || header.is_in(new) {
            return false;
        }
        let is_gone = |name: &str| self.declared.contains(name) && !(premises.names)(name);
        if own_names(header.ty, premises.crates).any(is_gone) {
            return true;
        }
        // The type is still there, and the trait isn't ours: only an impl for this very type could
        // be, and the compiler would have made its code. Through a reference, it is that or what
        // foreign crates wrote for all types, which no edit changes.
        let ty = header.ty.trim_start_matches('&');
        let ty = ty.strip_prefix("mut ").unwrap_or(ty);
        self.global.contains(path)
            && is_of(ty, premises.crates)
            && !is_of(header.tr, premises.crates)
            && [ty, header.tr].into_iter().all(is_plain)
            && !header.rest.contains(['<', '{'])
            // `#[inline(always)]` is compiled where it is used.
            && !(premises.names)("always")
    }
}

/// Whether it is the path of a type or trait without parameters: `app[c3a08f]::m::S`.
fn is_plain(path: &str) -> bool {
    let rest = path
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    rest.is_some_and(|(_, rest)| rest.chars().all(is_word))
}

/// Whether a function without parameters is no more, by its name: nothing is called so.
pub(super) fn is_removed(path: &str, premises: &Premises<'_>) -> bool {
    let name = path.rsplit("::").next().unwrap_or(path);
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name && !is_instance(path) && !(premises.names)("include") && !(premises.names)(name)
}

/// `<Type as Trait>::rest`.
struct Header<'p> {
    ty: &'p str,
    tr: &'p str,
    rest: &'p str,
    /// All before the rest.
    start: &'p str,
}

impl<'p> Header<'p> {
    fn of(path: &'p str) -> Option<Self> {
        let (ty, after) = split_type(path.strip_prefix('<')?);
        let (tr, after) = split_type(after.strip_prefix(" as ")?);
        let rest = after.strip_prefix(">::")?;
        let start = &path[..path.len() - rest.len()];
        Some(Self {
            ty,
            tr,
            rest,
            start,
        })
    }

    /// Whether anything of the impl is there.
    fn is_in(&self, world: &World<'_>) -> bool {
        let mut paths = world.paths();
        paths.any(|(path, _)| path.starts_with(self.start))
    }
}

/// The names of the program's types in a type.
fn own_names<'p>(ty: &'p str, crates: &'p HashSet<String>) -> impl Iterator<Item = &'p str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    ty.match_indices('[').filter_map(move |(at, _)| {
        let name = ty[..at].rsplit(|c: char| !is_word(c)).next()?;
        let rest = &ty[at + ty[at..].find(']')? + 1..];
        let end = rest.find(|c: char| !is_word(c) && c != ':');
        let (path, after) = rest.split_at(end.unwrap_or(rest.len()));
        let last = path.trim_end_matches(':').rsplit("::").next()?;
        let is_type = !last.is_empty() && !after.starts_with('{');
        (is_type && crates.contains(name)).then_some(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_types() {
        let crates = HashSet::from(["app".to_owned()]);
        let check = |path: &str, names: &[&str]| {
            let header = Header::of(path).expect("an impl");
            let found: Vec<&str> = own_names(header.ty, &crates).collect();
            assert_eq!(found, names, "{path}");
        };
        check("<app[1]::m::Sq as app[1]::Shape>::area", &["Sq"]);
        check("<&app[1]::Tk as core[2]::fmt::Debug>::fmt", &["Tk"]);
        check(
            "<app[1]::W<app[1]::m::Tk, [u8; 3]> as core[2]::convert::From<app[1]::U>>::from",
            &["W", "Tk"],
        );
        check("<app[1]::f::{closure#0} as core[2]::T>::g", &[]);
        assert!(Header::of("<app[1]::Sq>::area").is_none());
        assert!(Header::of("app[1]::area").is_none());
    }
}
