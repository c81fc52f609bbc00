//! What lives under a name of its own: statics, thread-locals, and closures that are kept by their
//! types.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::describe::{Described, Static, Type};
use super::super::names::{shown, without_numbers};
use super::super::pool::Text;
use super::{Comparison, Difference, Rank};
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
        self.moved_statics(found);
    }

    /// Statics inside of closures have paths with numbers: where these differ, and there are
    /// several of one name and type, which is which can't be told.
    fn moved_statics(&self, found: &mut Vec<Difference>) {
        let mut groups: HashMap<String, [ByPath<'_>; 2]> = HashMap::new();
        let mut add = |described: &'a Described, sides: &[usize]| {
            for item in &described.statics {
                let path = self.pool.get(item.path);
                let Some(at) = path.find("{closure#") else {
                    continue;
                };
                let inside = &path[at..];
                let mut words = inside.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                if !words.any(|word| word != "closure" && (self.is_word)(word)) {
                    continue;
                }
                let group = groups.entry(without_numbers(path)).or_default();
                for side in sides {
                    group[*side].insert(path, (item.ty, item.shape));
                }
            }
        };
        let [old, new] = &self.own;
        for (side, sides) in [(old, &[0][..]), (new, &[1]), (&self.shared, &[0, 1])] {
            side.iter().for_each(|described| add(described, sides));
        }
        for (path, [old, new]) in groups {
            let is_one = old.len() == 1 && old.values().eq(new.values());
            if old.is_empty() || new.is_empty() || is_one || old.keys().eq(new.keys()) {
                continue;
            }
            let (kind, path) = variable(&path);
            found.push(Difference {
                rank: Rank::Static,
                what: format!(
                    "{kind} {path} stands in a closure, and there are other closures now: which is which can't be told"
                ),
            });
        }
    }
}

/// Variables, each with its type and form.
type ByPath<'a> = BTreeMap<&'a str, (Text, Text)>;

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
