//! What lives under a name of its own: statics, thread-locals, and closures that are kept by their
//! types.

use std::collections::{BTreeSet, HashSet};

use super::super::describe::{Described, Static, Type};
use super::super::names::{shown, without_numbers};
use super::super::pool::Text;
use super::{Comparison, Difference, Rank};
use crate::counterparts;
use crate::symbols;

impl<'a> Comparison<'a> {
    /// Closures and futures that are kept by their types.
    pub(super) fn environments(&self, found: &mut Vec<Difference>) {
        let list = |described: &'a Described| described.environments.as_slice();
        let changed = self.gather(list, |ty: &Type| ty.name, |ty| ty.shape);
        if changed.is_empty() {
            return;
        }
        let all = self.own.iter().flatten().chain(&self.shared);
        let kept: HashSet<&str> = all
            .flat_map(|described| &described.kept_by_type)
            .map(|name| self.pool.get(*name))
            .collect();
        for (name, [old, new]) in changed {
            let name = self.pool.get(name);
            if !kept.iter().any(|kept| kept.contains(name)) {
                continue;
            }
            let first = |from: &BTreeSet<Text>, other: &BTreeSet<Text>| {
                from.difference(other).next().or(from.first()).copied()
            };
            if let (Some(then), Some(now)) = (first(&old, &new), first(&new, &old)) {
                let what = self.changed_line(then, now).1;
                found.push(Difference {
                    rank: Rank::Members,
                    what: format!("what {} holds: {what}", shown(&without_numbers(name))),
                });
            }
        }
    }

    pub(super) fn statics(&self, found: &mut Vec<Difference>) {
        let list = |described: &'a Described| described.statics.as_slice();
        for (path, [old, new]) in self.gather(
            list,
            |item: &Static| item.path,
            |item| (item.ty, item.shape),
        ) {
            // A closure has but a number: which variable is which is told otherwise.
            if counterparts::split(self.pool.get(path)).is_some() {
                continue;
            }
            let (kind, path) = variable(self.pool.get(path));
            let first = |from: &BTreeSet<(Text, Text)>, other: &BTreeSet<(Text, Text)>| {
                from.difference(other).next().or(from.first()).copied()
            };
            let (Some((was, then)), Some((is, now))) = (first(&old, &new), first(&new, &old))
            else {
                continue;
            };
            let (old, new) = (self.pool.get(was), self.pool.get(is));
            let (old, new) = match value_of(old) == value_of(new) {
                true => (old, new),
                false => (value_of(old), value_of(new)),
            };
            let what = match was == is {
                false => format!("{kind} {path}: {}, was {}", shown(new), shown(old)),
                true => format!("{kind} {path}: {}", self.changed_line(then, now).1),
            };
            found.push(Difference {
                rank: Rank::Static,
                what,
            });
        }
    }
}

/// What std's macro calls the variable behind a thread-local.
const THREAD_LOCALS: [&str; 2] = ["__RUST_STD_INTERNAL_VAL", "VAL"];

/// A variable as it is shown: what it is, and its path.
fn variable(path: &str) -> (&'static str, String) {
    let path = symbols::without_marks(path);
    let hidden = path
        .rsplit_once("::")
        .filter(|(_, last)| THREAD_LOCALS.contains(last));
    // `app::NAME::{constant#0}::{closure#0}`
    let name = hidden.map(|(path, _)| path.rsplitn(3, "::{").last().unwrap_or(path));
    match name {
        Some(name) => ("thread-local", name.to_owned()),
        None => ("static", path),
    }
}

/// The type of what a thread-local holds.
fn value_of(ty: &str) -> &str {
    let inside = ty.strip_prefix("std::sys::thread_local::");
    let Some((_, inside)) = inside.and_then(|inside| inside.split_once("::Storage<")) else {
        return ty;
    };
    let inside = inside.strip_suffix('>').unwrap_or(inside);
    let state = [", ()", ", !"]
        .iter()
        .find_map(|state| inside.strip_suffix(state));
    state.unwrap_or(inside)
}
