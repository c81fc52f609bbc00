//! What changed between two states of a file, by meaning: comments, formatting, documentation and
//! the order of items (but for macros by example) are no change.
//!
//! ```text
//! fn get(&self) -> u8 { self.a }   ─►   fn get(&self) -> u8 { self.a + 1 }     changed: Store::get
//! struct Store { a: u8 }           ─►   struct Store { a: u8, b: u8 }          rude: field added to struct Store: …
//! const MAX: u8 = 1;               ─►   const MAX: u8 = 2;                     spreads: value of const MAX changed
//! ```
//!
//! Three kinds of change: *changed* is the body of a function with a site, and nothing else needs to
//! be compiled for it; a change that *spreads* is one of code, and becomes part of the program with
//! the functions that use it; a *rude* one can't, since values, vtables, statics or calls of code
//! that was compiled before would not fit (see [`Lasting`]). What can't be told is rude.
//!
//! Knows nothing of how a patch is made.

mod functions;
mod items;
mod modules;

use crate::eligibility::Kind;
use crate::items::FileItems;
use crate::lasting::Lasting;
use crate::normal::Fingerprint;
use crate::weight::{weight_of_text, Weight};

/// What changed in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDiff {
    /// Functions with a site whose body changed.
    pub changed: Vec<ChangedFunction>,
    /// Changes of code that aren't the body of a function with a site, by line.
    pub spreads: Vec<Spread>,
    /// What can't be patched, by line.
    pub rude: Vec<Rude>,
}

/// A function whose body changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFunction {
    /// Its index in the old file's functions.
    pub old: usize,
    /// Its index in the new file's functions.
    pub new: usize,
    /// How it is replaced.
    pub kind: Kind,
}

/// A change whose users become new with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spread {
    /// The line: in the new file, or in the old one for what is gone.
    pub line: usize,
    /// What changed, in people's words.
    pub what: String,
    /// What it is now: another one when the same thing changes again.
    pub now: Fingerprint,
    /// The static whose initial value it is: the one that exists keeps the value that it has.
    pub kept: Option<String>,
}

/// A change that can't be patched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rude {
    /// The line: in the new file, or in the old one for what is gone.
    pub line: usize,
    /// What changed, in people's words.
    pub what: String,
}

/// What has to be known of the program around a file.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The number of the file's crate.
    pub unit: usize,
    /// The program as it runs.
    pub before: &'a Lasting,
    /// The program as its files are now. Made when it is first needed.
    pub after: &'a dyn std::ops::Deref<Target = Lasting>,
}

impl FileDiff {
    /// Whether nothing changed that means anything.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.spreads.is_empty() && self.rude.is_empty()
    }

    fn rude(&mut self, line: usize, what: impl Into<String>) {
        let what = what.into();
        self.rude.push(Rude { line, what });
    }

    fn spreads(&mut self, line: usize, what: impl Into<String>, now: Fingerprint) {
        self.spreads.push(Spread {
            line,
            what: what.into(),
            now,
            kept: None,
        });
    }
}

/// Compares two states of a file of the program `around`.
pub fn diff(old: &FileItems, new: &FileItems, around: &Around<'_>) -> FileDiff {
    let mut found = FileDiff::default();
    if lasting_attributes(old).ne(lasting_attributes(new)) {
        found.rude(1, "attributes of the file changed");
    }
    items::compare(old, new, around, &mut found);
    modules::compare(old, new, around, &mut found);
    functions::compare(old, new, around, &mut found);
    found.spreads.sort();
    found.spreads.dedup();
    found.rude.sort();
    found.rude.dedup();
    found
}

fn lasting_attributes(items: &FileItems) -> impl Iterator<Item = &String> {
    let attributes = items.attributes.iter();
    attributes.filter(|text| weight_of_text(text) != Weight::Nothing)
}

/// Pairs up what has the same key on both sides: first where the conditions are equal too, then in
/// order. Duplicates are usually twins under opposite conditions.
fn pair<'a, T, K: Eq + std::hash::Hash>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&'a T) -> K,
    same: &[Alike<'_, T>],
) -> Pairs {
    let mut groups: std::collections::HashMap<K, (Vec<usize>, Vec<usize>)> =
        std::collections::HashMap::new();
    for (index, item) in old.iter().enumerate() {
        groups.entry(key(item)).or_default().0.push(index);
    }
    for (index, item) in new.iter().enumerate() {
        groups.entry(key(item)).or_default().1.push(index);
    }
    let mut pairs = Pairs::default();
    for (mut before, mut after) in groups.into_values() {
        for same in same {
            before.retain(|&b| {
                let twin = after.iter().position(|&a| same(&old[b], &new[a]));
                if let Some(twin) = twin {
                    pairs.both.push((b, after.remove(twin)));
                }
                twin.is_none()
            });
        }
        let common = before.len().min(after.len());
        pairs.both.extend(
            before
                .iter()
                .copied()
                .zip(after.iter().copied())
                .take(common),
        );
        pairs.removed.extend(before.drain(..).skip(common));
        pairs.added.extend(after.drain(..).skip(common));
    }
    pairs.both.sort_by_key(|&(_, new)| new);
    pairs
}

/// A reason to pair two items that have the same key.
type Alike<'a, T> = &'a dyn Fn(&T, &T) -> bool;

/// Indices of what two lists have in common, and of what only one of them has.
#[derive(Debug, Default)]
struct Pairs {
    both: Vec<(usize, usize)>,
    removed: Vec<usize>,
    added: Vec<usize>,
}

#[cfg(test)]
mod tests;
