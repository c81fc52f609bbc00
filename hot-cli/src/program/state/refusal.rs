//! Edits that can't be patched, and what can be had beside them.

use super::compare::{by_content, by_reason, Found};
use super::*;
use crate::program::plan::Change;

impl ProgramState {
    /// These edits can't be patched, and that is known. What was saved together with them waits
    /// with them; what is edited later needn't.
    pub(crate) fn record_refusal(&mut self, edits: &[Rude]) {
        let Ok(found) = self.find() else {
            return;
        };
        let bodies = found.bodies.iter();
        self.refusal = Some(Refusal {
            edits: edits.iter().map(by_reason).collect(),
            indirect: found.indirect.iter().map(by_content).collect(),
            bodies: bodies.map(|(site, f)| (site.clone(), f.body)).collect(),
        });
    }

    /// What can be had without these edits, for which no patch could be built.
    pub(crate) fn without(&self, edits: &[Rude]) -> Option<Box<Wanted>> {
        let mut found = self.find().ok()?;
        found.rude.extend(edits.iter().cloned());
        self.beside(found)
    }

    /// Bodies that were edited after all that can't be patched was recorded. They are compiled
    /// against the program as it was built, or on top of whole crates; a new edit that reaches
    /// others would need the whole crate, which has the refused ones in it.
    pub(super) fn beside(&self, mut found: Found) -> Option<Box<Wanted>> {
        let refusal = self.refusal.as_ref()?;
        let is_known = |edit: &Rude| refusal.edits.contains(&by_reason(edit));
        let waits_too = |edit: &Edit| refusal.indirect.contains(&by_content(edit));
        if !found.rude.iter().all(is_known) || !found.indirect.iter().all(waits_too) {
            return None;
        }
        let not_alone = self.is_other_alone(found.bodies.keys().cloned());
        if self.program.is_plugin || found.moved.is_any() || not_alone {
            return None;
        }
        found.additions.clear();
        for unit in found.plan.values_mut() {
            unit.additions.clear();
        }
        let waits = |(site, function): &(&SiteKey, &PlannedFunction)| {
            refusal.bodies.get(*site) == Some(&function.body)
        };
        let waiting = found.bodies.iter().filter(waits);
        let waiting: BTreeSet<SiteKey> = waiting.map(|(site, _)| site.clone()).collect();
        found.bodies.retain(|site, _| !waiting.contains(site));
        found.reread.retain(|site| found.bodies.contains_key(site));
        if found.reread.is_empty() {
            found.included.clear();
        }
        if !self.whole_crate {
            found.indirect.clear();
        } else if !self.roll_on_beside(&mut found, &waiting) {
            return None;
        }
        let without = found.rude.iter().cloned().collect();
        match self.wanted(found, &waiting) {
            Change::Patch(wanted) => Some(Box::new(Wanted { without, ..*wanted })),
            _ => None,
        }
    }
}
