//! What two compilations say about types of one name.
//!
//! ```text
//! in one of them only                nothing lives that both could touch
//! in both, and the same              nothing to say
//! several of one name, and no match  which is which can't be told: a difference
//! the same, in another order         likewise
//! in both, and not the same          a difference
//! ```
//!
//! Types that a derive declares for a call of its own, or that stand in closures and futures (as
//! those of `select!`), are of interest only if something can keep them.
//!
//! What closures and futures hold is compared only where something can ask for it by its type,
//! through `Any`: an edit of a body changes it, and else only the code that was made with it ever
//! looks into it. Knows nothing of what can be done about a difference.

mod dropped;
mod exchanged;
mod lines;
mod variables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;

use super::describe::{Described, Type, SEPARATOR};
use super::names::{self, is_declared_in, shown};
use super::pool::{Pool, Text};
use super::vtable::UNKNOWN;

/// A type, static or vtable that is another one now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The most telling ones come first.
    rank: Rank,
    /// What it is, and how it differs.
    pub what: String,
}

/// What a difference is about, the causes before what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Members or variants of a type of the program.
    Members,
    Static,
    Drop,
    Vtable,
    /// A type of another crate, made of the program's.
    Foreign,
    /// Only the size or a place.
    Size,
}

/// One side of a comparison, by what it is looked up with.
type Both<K, V> = BTreeMap<K, [BTreeSet<V>; 2]>;

pub(super) struct Comparison<'a> {
    pub(super) pool: &'a Pool,
    pub(super) crates: &'a HashSet<String>,
    /// What only the old, and only the new compilation has: all else is the same in both.
    pub(super) own: [Vec<&'a Described>; 2],
    pub(super) shared: Vec<&'a Described>,
}

impl<'a> Comparison<'a> {
    pub(super) fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        for (key, sides) in self.types(|described| &described.types) {
            found.extend(self.ty(key, &sides));
        }
        for (key, sides) in self.types(|described| &described.vtables) {
            found.extend(self.vtable(key, &sides));
        }
        self.exchanged(&mut found);
        self.environments(&mut found);
        self.statics(&mut found);
        self.dropped(&mut found);
        found.sort();
        found.dedup();
        found
    }

    /// What each side has under the keys of what is not the same in both.
    fn gather<T: 'a, K: Copy + Ord + Hash, V: Ord>(
        &self,
        list: impl Fn(&'a Described) -> &'a [T],
        key: impl Fn(&T) -> K,
        value: impl Fn(&T) -> V,
    ) -> Both<K, V> {
        let mut found: Both<K, V> = BTreeMap::new();
        for (side, own) in self.own.iter().enumerate() {
            for item in own.iter().flat_map(|described| list(described)) {
                found.entry(key(item)).or_default()[side].insert(value(item));
            }
        }
        for item in self.shared.iter().flat_map(|described| list(described)) {
            if let Some(sides) = found.get_mut(&key(item)) {
                sides[0].insert(value(item));
                sides[1].insert(value(item));
            }
        }
        found.retain(|_, [old, new]| !old.is_empty() && !new.is_empty() && old != new);
        found
    }

    /// Types by their keys, each as its name and shape.
    fn types(&self, list: impl Fn(&'a Described) -> &'a Vec<Type>) -> Both<Text, (Text, Text)> {
        let list = |described: &'a Described| list(described).as_slice();
        self.gather(list, |ty| ty.key, |ty| (ty.name, ty.shape))
    }

    fn ty(&self, key: Text, [old, new]: &[BTreeSet<(Text, Text)>; 2]) -> Option<Difference> {
        let name = self.pool.get(key);
        let is_own = is_declared_in(name, self.crates);
        // Types that a derive puts into a constant without a name have no path of their own, and a
        // foreign crate may be there in two versions.
        let one_by_one = !is_own || name.contains("::_::");
        let (old, new) = (shapes(old, one_by_one), shapes(new, one_by_one));
        if is_within(&old, &new) || is_within(&new, &old) {
            return None;
        }
        if names::is_of_one_call(name) && !self.is_kept(name) {
            return None;
        }
        let before = only_in(&old, &new);
        let now = only_in(&new, &old);
        let (Some(before), Some(now)) = (before, now) else {
            return Some(several(name));
        };
        let (rank, what) = self.changed_line(before, now);
        let kind = self.pool.get(now).split(SEPARATOR).next().unwrap_or("type");
        let rank = match (rank, is_own) {
            (Rank::Members, false) => Rank::Foreign,
            (rank, _) => rank,
        };
        if let (Some(object), true) = (trait_object(name), what.starts_with("field vtable: ")) {
            return Some(Difference {
                rank: Rank::Vtable,
                what: format!("`{}` has another number of methods", shown(object)),
            });
        }
        Some(Difference {
            rank,
            what: format!("{kind} {}: {what}", shown(name)),
        })
    }

    /// Whether values of a type can outlive the call that made them: objects and statics may hold
    /// them.
    fn is_kept(&self, name: &str) -> bool {
        let mut all = self.own.iter().flatten().chain(&self.shared);
        all.any(|described| {
            let objects = described.vtables.iter().map(|vtable| vtable.key);
            let statics = described.statics.iter().map(|item| item.ty);
            let mut holders = objects.chain(statics);
            holders.any(|holder| self.pool.get(holder).contains(name))
        })
    }

    fn vtable(&self, key: Text, [old, new]: &[BTreeSet<(Text, Text)>; 2]) -> Option<Difference> {
        let (old, new) = (shapes(old, true), shapes(new, true));
        if is_within(&old, &new) || is_within(&new, &old) {
            return None;
        }
        let (before, now) = (only_in(&old, &new)?, only_in(&new, &old)?);
        let (before, now) = (self.lines(before), self.lines(now));
        let repeats = [&before, &now].iter().any(|lines| {
            let mut seen = HashSet::new();
            let mut methods = lines.iter().filter(|(name, _)| name.starts_with("method "));
            methods.any(|(_, method)| *method != UNKNOWN && !seen.insert(*method))
        });
        let name = self.pool.get(key);
        let name = shown(name.trim_end_matches("::{vtable}"));
        let differs = |(before, now): &(&(&str, &str), &(&str, &str))| {
            // Functions with the same code may have become one.
            let is_unknown = repeats || before.1 == UNKNOWN || now.1 == UNKNOWN;
            before != now && !(is_unknown && before.0.starts_with("method "))
        };
        let mut lines = before.iter().zip(&now);
        let what = match lines.find(differs) {
            _ if before.len() != now.len() => "another number of methods".to_owned(),
            None => return None,
            Some(((place, was), (_, is))) => format!("{place}: `{is}`, was `{was}`"),
        };
        Some(Difference {
            rank: Rank::Vtable,
            what: format!("vtable of {name}: {what}"),
        })
    }
}

fn several(name: &str) -> Difference {
    Difference {
        rank: Rank::Members,
        what: format!(
            "there are several types `{}`, and which is which can't be told",
            shown(name)
        ),
    }
}

/// The shapes of the types of one name: of each that can be told apart, all that it has.
fn shapes(types: &BTreeSet<(Text, Text)>, one_by_one: bool) -> Vec<BTreeSet<Text>> {
    if one_by_one {
        let all: BTreeSet<Text> = types.iter().map(|(_, shape)| *shape).collect();
        return all
            .into_iter()
            .map(|shape| BTreeSet::from([shape]))
            .collect();
    }
    let mut found: BTreeMap<Text, BTreeSet<Text>> = BTreeMap::new();
    for (name, shape) in types {
        found.entry(*name).or_default().insert(*shape);
    }
    let mut found: Vec<BTreeSet<Text>> = found.into_values().collect();
    found.sort();
    found
}

/// Whether each of `few` is in `many`, as often.
fn is_within(few: &[BTreeSet<Text>], many: &[BTreeSet<Text>]) -> bool {
    let mut left: Vec<&BTreeSet<Text>> = many.iter().collect();
    few.iter().all(|shape| {
        let at = left.iter().position(|other| *other == shape);
        at.map(|at| left.swap_remove(at)).is_some()
    })
}

/// A shape that one side has and the other has not.
fn only_in(side: &[BTreeSet<Text>], other: &[BTreeSet<Text>]) -> Option<Text> {
    let other: BTreeSet<Text> = other.iter().flatten().copied().collect();
    side.iter()
        .flatten()
        .find(|shape| !other.contains(shape))
        .copied()
}

/// The trait object that a reference or pointer of this name leads to.
fn trait_object(name: &str) -> Option<&str> {
    let at = name.find("dyn ")?;
    let end = name[at..]
        .find([',', ')', '>'])
        .map_or(name.len(), |end| at + end);
    Some(&name[at..end])
}
