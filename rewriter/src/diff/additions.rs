//! Which of a program's edits are additions that nothing but changed bodies can mention: what else
//! stands in the crate means what it meant before, so they need no more compiled than the bodies.
//!
//! ```text
//! + fn twice(n: u32) -> u32 { n * 2 }
//!   fn show(n: u32) { print(n) }       ─►  print(twice(n))      an addition: `twice` stands nowhere else
//!   fn other(twice: u32) { … }                                  not if this is there: it may mean another thing now
//! ```
//!
//! By names, on the safe side: a name that stands anywhere else in reach of the addition (also in a
//! macro, in a string that may name it, or as a method of a trait that is imported) is taken for a
//! mention. What has no name by which it could be told is no addition. Knows nothing of how a patch
//! is made.

mod collect;
mod foreign_macros;
mod imports;
mod known_names;
mod mentioned;

pub(in crate::diff) use imports::may_be_trait;
pub(in crate::diff) use known_names::is_item;

use std::collections::BTreeSet;

use crate::analysis::declaration::Declaration;
use crate::analysis::items::{DeclaredFunction, FileItems};
use crate::diff::findings::IndirectEdit;
use crate::syntax::mentions::Names;
use crate::syntax::normalize::Fingerprint;

/// A file of a program, as it is now.
pub struct Source<'a> {
    /// The number of its crate.
    pub unit: usize,
    /// What it declared when it was compiled, if it was there.
    pub old: Option<&'a FileItems>,
    /// What it declares.
    pub items: &'a FileItems,
    /// Its text.
    pub text: &'a str,
    /// Its functions with a site whose bodies changed.
    pub bodies: Vec<usize>,
    /// Its edits that aren't such bodies.
    pub edits: Vec<&'a IndirectEdit>,
}

/// Something that is new in a file, and of which only changed bodies of its crate know.
#[derive(Debug, Clone)]
pub struct Addition {
    /// The position of its file.
    pub file: usize,
    /// The number of its crate.
    pub unit: usize,
    /// What it is: in the new file, unless it was removed.
    pub declaration: Declaration,
    /// An import that is there no more.
    pub removed: bool,
    /// The names by which code gets to it.
    pub names: Vec<String>,
    /// What it mentions.
    mentions: Names,
    /// Stands for its text.
    content: Fingerprint,
    /// It brings methods to all functions in and below this module, mentioned or not.
    brings_methods_to: Option<Vec<String>>,
}

/// All edits of a program but bodies, if all of them are additions.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// They, in the order of files.
    pub all: Vec<Addition>,
}

impl Addition {
    /// The names that it mentions.
    pub fn mentions(&self) -> &Names {
        &self.mentions
    }
}

impl Additions {
    /// Finds out whether all edits are additions. If not: what stands in the way.
    pub fn of(files: &[Source<'_>]) -> Result<Self, String> {
        let mut collected = collect::collect(files)?;
        imports::collect(files, &mut collected)?;
        mentioned::check(files, &collected)?;
        foreign_macros::check(files, &collected)?;
        let all = collected.into_iter().map(|found| found.addition);
        Ok(Self { all: all.collect() })
    }

    /// Which of them the body of a function of the crate `unit` gets to.
    pub fn reached(&self, unit: usize, function: &DeclaredFunction) -> BTreeSet<usize> {
        let own = |addition: &Addition| addition.unit == unit;
        let mut found = BTreeSet::new();
        for (position, addition) in self.all.iter().enumerate() {
            let below = addition.brings_methods_to.as_ref();
            if own(addition) && below.is_some_and(|module| function.module.starts_with(module)) {
                found.insert(position);
            }
        }
        self.mentioned_by(unit, &function.mentions.all, found)
    }

    /// With `found`, those of a crate to which these names lead.
    fn mentioned_by(
        &self,
        unit: usize,
        names: &Names,
        mut found: BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let own = |addition: &Addition| addition.unit == unit;
        let mut waiting = vec![names];
        while let Some(words) = waiting.pop() {
            for (position, addition) in self.all.iter().enumerate() {
                let mentioned = |name: &String| crate::syntax::mentions::contains(words, name);
                if own(addition) && addition.names.iter().any(mentioned) && found.insert(position) {
                    waiting.push(&addition.mentions);
                }
            }
        }
        found
    }

    /// Stands for all additions that the body of a function gets to.
    pub fn reached_content(&self, unit: usize, function: &DeclaredFunction) -> Fingerprint {
        self.content(&self.reached(unit, function))
    }

    /// Stands for all that an addition is, and for all additions that it gets to.
    pub fn whole_content(&self, addition: &Addition) -> Fingerprint {
        let reached = self.mentioned_by(addition.unit, &addition.mentions, BTreeSet::new());
        Fingerprint::joined([addition.content, self.content(&reached)])
    }

    fn content(&self, reached: &BTreeSet<usize>) -> Fingerprint {
        if reached.is_empty() {
            return Fingerprint::default();
        }
        let mut contents: Vec<Fingerprint> =
            reached.iter().map(|at| self.all[*at].content).collect();
        contents.sort_unstable();
        Fingerprint::joined(contents)
    }
}

#[cfg(test)]
mod tests;
