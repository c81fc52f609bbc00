//! What patches have left in a program: code of theirs that objects, pointers and closures may lead
//! to after they were replaced or undone. One ledger for all ways in which a patch is made.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use soft_mock_compiled::compare::{Edits, Left};
use soft_mock_rewriter::analysis::LocalItems;
use soft_mock_rewriter::syntax::Fingerprint;

use super::plan::{Edit, PlannedFunction, SiteKey, Wanted};

/// What a plugin has left.
#[derive(Debug, Clone)]
pub(crate) struct LeftBehind {
    pub(crate) left: Left,
    /// What was edited when it was made.
    pub(crate) edited: Edited,
    /// Additions to which something in it leads that may be kept.
    pub(crate) additions: Vec<KeptAddition>,
    /// Why the program would not be the original one if all functions got their original bodies
    /// again.
    pub(crate) no_way_back: Option<String>,
    /// The functions of which it may hold closures, with what stood in their bodies.
    pub(crate) closures_of: BTreeMap<SiteKey, LocalItems>,
    /// All that it came with was undone since.
    pub(crate) undone: bool,
}

/// An addition to which something leads that may be kept.
#[derive(Debug, Clone)]
pub(crate) struct KeptAddition {
    /// Stands for all that it is, and for the additions that it gets to.
    pub(crate) content: Fingerprint,
    pub(crate) name: String,
    /// A function with a site, and its signature: what leads to it gets whatever is patched there.
    pub(crate) site: Option<(SiteKey, String)>,
}

impl KeptAddition {
    /// Whether its site leads to what the files say, with this patch or before. `as_it_came`:
    /// they still say all that they said when it came.
    fn is_patched(&self, wanted: &Wanted, as_it_came: bool) -> bool {
        let Some((site, signature)) = &self.site else {
            return false;
        };
        let is_it = |function: &PlannedFunction| {
            function.name == site.1 && function.brought.as_ref() == Some(signature)
        };
        let unit = wanted.plan.get(&site.0);
        let mut patched = unit.into_iter().flat_map(|unit| &unit.patch);
        let now = wanted.bodies.get(site).filter(|function| is_it(function));
        let mut active = wanted.active.iter();
        let mut is_active = |now: Option<&PlannedFunction>| {
            active.any(|(key, function)| {
                let is_same = now.is_none_or(|now| function.content() == now.content());
                key == site && is_it(function) && is_same
            })
        };
        patched.any(is_it) || (now.is_some() || as_it_came) && is_active(now)
    }
}

/// What differs from the program as it was built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edited {
    bodies: BTreeMap<SiteKey, Fingerprint>,
    /// What reaches others: where, what, and what it is now.
    indirect: BTreeSet<(PathBuf, String, Fingerprint)>,
}

impl Edited {
    /// In a patch.
    pub(crate) fn of(wanted: &Wanted) -> Self {
        let bodies = wanted.bodies.iter();
        let indirect = wanted.indirect.iter().chain(&wanted.additions);
        Self {
            bodies: bodies
                .map(|(site, function)| (site.clone(), function.body))
                .collect(),
            indirect: indirect
                .map(|edit| (edit.file.clone(), edit.what.clone(), edit.now))
                .collect(),
        }
    }

    fn is_part_of(&self, other: &Self) -> bool {
        let mut bodies = self.bodies.iter();
        self.indirect.is_subset(&other.indirect)
            && bodies.all(|(site, body)| other.bodies.get(site) == Some(body))
    }

    /// The names of the functions whose bodies are others.
    fn other_bodies<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        let all = self.bodies.keys().chain(other.bodies.keys());
        all.filter(|site| self.bodies.get(*site) != other.bodies.get(*site))
            .map(|(_, name)| name.as_str())
    }
}

impl LeftBehind {
    /// What a plugin of this patch leaves.
    pub(crate) fn new(left: Left, wanted: &Wanted) -> Self {
        Self {
            left,
            edited: Edited::of(wanted),
            additions: Vec::new(),
            no_way_back: None,
            closures_of: BTreeMap::new(),
            undone: false,
        }
    }

    /// Why it keeps functions from getting their original bodies again, beside what is edited
    /// `now`.
    pub(crate) fn no_way_back(&self, now: &Edited) -> Option<&str> {
        let stays = self.undone || self.edited.is_part_of(now);
        self.no_way_back.as_deref().filter(|_| !stays)
    }

    /// Takes note of what is edited in the program now.
    pub(crate) fn record(&mut self, now: &Edited) {
        self.undone |= self.is_undone_by(now);
    }

    /// Whether nothing that it came with would be edited any more.
    fn is_undone_by(&self, now: &Edited) -> bool {
        let mut own = self.edited.bodies.keys();
        now.indirect.is_empty() && own.all(|site| !now.bodies.contains_key(site))
    }

    /// An addition to which something leads that may be kept, and that is another one now or gone,
    /// and isn't found by way of a site.
    pub(crate) fn other_addition<'a>(&'a self, wanted: &'a Wanted) -> Option<&'a str> {
        if self.left.is_of_whole_crates() {
            return self.carried_again(wanted);
        }
        let now = || wanted.plan.values().flat_map(|unit| &unit.additions);
        let is_there = |content| now().any(|addition| addition.content == content);
        let is_named = |name| now().any(|addition| addition.names.contains(name));
        let as_it_came = self.edited.indirect.is_subset(&Edited::of(wanted).indirect);
        let mut kept = self.additions.iter();
        let other = kept.find(|kept| {
            !is_there(kept.content)
                && (!self.undone || is_named(&kept.name))
                && !kept.is_patched(wanted, as_it_came)
        });
        other.map(|kept| kept.name.as_str())
    }

    /// What came with whole crates, may be kept, and is carried once more, if any addition beside
    /// it changed since: that one itself, if it may be kept.
    fn carried_again<'a>(&self, wanted: &'a Wanted) -> Option<&'a str> {
        let came = &self.edited.indirect;
        let is_as_it_came =
            |edit: &&Edit| came.contains(&(edit.file.clone(), edit.what.clone(), edit.now));
        let changed = || wanted.additions.iter().filter(|edit| !is_as_it_came(edit));
        changed().next()?;
        let has = |what: &str, name: &str| {
            let is_part = |c: char| !c.is_alphanumeric() && c != '_';
            what.split(is_part).any(|word| word == name)
        };
        let units = wanted.plan.iter();
        let additions = units.flat_map(|(position, unit)| {
            let additions = unit.additions.iter();
            additions.map(|addition| (*position, addition))
        });
        let names = additions.flat_map(|(position, addition)| {
            let function = addition.function.as_ref();
            let is_site = function.is_some_and(|function| is_at_site(position, function, wanted));
            let names = addition.names.iter();
            names.map(move |name| (name, is_site))
        });
        let kept = names.filter(|(name, is_site)| {
            let leads = match is_site {
                true => self.left.leads_past_site(name),
                false => self.left.leads_to(name),
            };
            leads && came.iter().any(|(_, what, _)| has(what, name))
        });
        let is_changed = |(name, _): &(&String, bool)| changed().any(|edit| has(&edit.what, name));
        kept.min_by_key(|kept| !is_changed(kept))
            .map(|(name, _)| name.as_str())
    }

    /// What was edited between this patch and another one.
    pub(crate) fn edits_until(&self, wanted: &Wanted) -> Edits {
        let now = Edited::of(wanted);
        let bodies = self.edited.other_bodies(&now);
        Edits {
            only_bodies: self.edited.indirect == now.indirect,
            bodies: bodies.map(str::to_owned).collect(),
            undone: self.undone || self.is_undone_by(&now),
            ..Edits::default()
        }
    }

    /// Why what it left can't live on in the program as it was with these edits. Without any that
    /// reach others, that is the original one; else what was compiled then isn't at hand, and it
    /// has to be the same.
    pub(crate) fn outlives(&self, then: &Edited, crates: &HashSet<String>) -> Option<String> {
        if self.edited == *then {
            return None;
        }
        if then.indirect.is_empty() {
            let gone = |kept: &KeptAddition| {
                let name = &kept.name;
                format!("something may still lead to `{name}`, which is gone")
            };
            let gone = || self.additions.first().filter(|_| !self.undone).map(gone);
            return self.no_way_back(then).map(str::to_owned).or_else(gone);
        }
        let first = match self.edited.indirect == then.indirect {
            true => {
                let others = self.edited.other_bodies(then);
                let names = others.map(|name| name.rsplit("::").next().unwrap_or(name));
                self.left.first_inside(crates, &names.collect())
            }
            false => self.left.first(crates),
        };
        first.map(|path| {
            format!("what was made meanwhile may still lead to `{path}` as it is in the patch")
        })
    }
}

/// Whether a new function would be patched at the site that what leads to it asks.
fn is_at_site(position: usize, function: &PlannedFunction, wanted: &Wanted) -> bool {
    let mut active = wanted.active.iter();
    function.brought.is_some()
        && active.any(|((unit, name), active)| {
            *unit == position && *name == function.name && active.brought == function.brought
        })
}

/// What was edited since the program was built.
pub(crate) fn edits(wanted: &Wanted) -> Edits {
    let names = |(_, function): (&SiteKey, &PlannedFunction)| function.name.clone();
    Edits {
        only_bodies: wanted.only_bodies(),
        bodies: wanted.bodies.iter().map(names).collect(),
        ..Edits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_undone_since() {
        let site = |name: &str| (0, name.to_owned());
        let edited = |bodies: &[&str], indirect: &[&str]| Edited {
            bodies: bodies
                .iter()
                .map(|name| (site(name), Fingerprint::default()))
                .collect(),
            indirect: indirect
                .iter()
                .map(|what| (PathBuf::new(), (*what).to_owned(), Fingerprint::default()))
                .collect(),
        };
        let mut left = LeftBehind {
            left: Left::default(),
            edited: edited(&["f"], &["struct S added"]),
            additions: Vec::new(),
            no_way_back: Some("S is gone".to_owned()),
            closures_of: BTreeMap::new(),
            undone: false,
        };
        // It is in effect still, beside others.
        let more = edited(&["f", "g"], &["struct S added", "const C added"]);
        assert_eq!(left.no_way_back(&more), None);
        left.record(&more);
        for part in [edited(&["f"], &[]), edited(&[], &["struct S added"])] {
            left.record(&part);
            assert_eq!(left.no_way_back(&part), Some("S is gone"));
        }
        left.record(&edited(&["g"], &[]));
        assert_eq!(left.no_way_back(&edited(&["f"], &[])), None);
    }
}
