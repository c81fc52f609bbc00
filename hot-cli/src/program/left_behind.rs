//! What patches have left in a program: code of theirs that objects, pointers and closures may lead
//! to after they were replaced or undone. One ledger for all ways in which a patch is made.

use std::collections::{BTreeMap, HashSet};

use soft_mock_compiled::compare::{Edits, Left};
use soft_mock_rewriter::analysis::LocalItems;
use soft_mock_rewriter::syntax::Fingerprint;

use super::plan::{PlannedFunction, SiteKey, Wanted};

/// What a plugin has left.
#[derive(Debug, Clone)]
pub(crate) struct LeftBehind {
    pub(crate) left: Left,
    /// The bodies that were edited when it was made.
    pub(crate) bodies: BTreeMap<SiteKey, Fingerprint>,
    /// Why the program would not be the original one if all functions got their original bodies
    /// again.
    pub(crate) no_way_back: Option<String>,
    /// The functions of which it may hold closures, with what stood in their bodies.
    pub(crate) closures_of: BTreeMap<SiteKey, LocalItems>,
}

impl LeftBehind {
    /// What a plugin of this patch leaves.
    pub(crate) fn new(left: Left, wanted: &Wanted) -> Self {
        let bodies = wanted.bodies.iter();
        Self {
            left,
            bodies: bodies
                .map(|(site, function)| (site.clone(), function.body))
                .collect(),
            no_way_back: None,
            closures_of: BTreeMap::new(),
        }
    }

    /// What was edited between this patch and another one.
    pub(crate) fn edits_until(&self, wanted: &Wanted) -> Edits {
        let now = &wanted.bodies;
        let differs = |site: &&SiteKey| {
            self.bodies.get(*site) != now.get(*site).map(|function| &function.body)
        };
        let bodies: HashSet<String> = self
            .bodies
            .keys()
            .chain(now.keys())
            .filter(differs)
            .map(|(_, name)| name.clone())
            .collect();
        Edits {
            only_bodies: wanted.indirect.is_empty(),
            bodies,
            undone: false,
        }
    }
}

/// What was edited since the program was built.
pub(crate) fn edits(wanted: &Wanted) -> Edits {
    let names = |(_, function): (&SiteKey, &PlannedFunction)| function.name.clone();
    Edits {
        only_bodies: wanted.indirect.is_empty(),
        bodies: wanted.bodies.iter().map(names).collect(),
        undone: false,
    }
}
