//! What of the sources may run after an answer, and what must.
//!
//! Knows nothing of what the program prints.

use crate::edit::{Step, What};
use crate::grammar::Nature;
use crate::model::Model;
use crate::program::Standing;
use crate::said::Said;

impl Model<'_> {
    /// What a fragment may run after an answer: each knob as it was or as it is now, but for those
    /// that can't be patched, and for those that must be: of a patch beside which nothing waits,
    /// all; else what was edited in this step and isn't said to wait. Of saves in a row, one in
    /// between may have been patched, and what takes that back be said to wait.
    pub(crate) fn may_run(&self, fragment: usize, step: &Step, said: &Said<'_>) -> Vec<Standing> {
        let (old, new) = (&self.running[fragment], &self.source[fragment]);
        let is_named = said.is_cut || self.is_told(&said.named, fragment);
        let may_be_between = said.refused && step.is_several() && is_named;
        if !said.done || (old == new && !may_be_between) {
            return vec![old.clone()];
        }
        let turns = |knob: usize| {
            let own = step.changes().filter(|change| change.fragment == fragment);
            own.filter_map(move |change| match change.what {
                What::Knob(at, choice) if at == knob => Some(choice),
                _ => None,
            })
        };
        let mut refuses_any = false;
        let knobs = self.program.fragments[fragment].kind.knobs;
        let mut all = vec![Standing {
            knobs: old.knobs.clone(),
            ..new.clone()
        }];
        for (at, knob) in knobs.iter().enumerate() {
            if knob.nature == Nature::Rude {
                continue;
            }
            if may_be_between {
                let between = turns(at).flat_map(|choice| turned(&all, at, choice));
                let between: Vec<_> = between.collect();
                all.extend(between);
            }
            if old.knobs[at] == new.knobs[at] {
                continue;
            }
            let turned = turned(&all, at, new.knobs[at]);
            let all_counts = said.waits.is_empty() && !self.rolled_back[fragment];
            let is_refused = said
                .named
                .iter()
                .any(|place| self.differs_at(place, fragment, at));
            refuses_any |= is_refused;
            match !said.refused && !is_refused && (all_counts || turns(at).next().is_some()) {
                true => all = turned,
                false => all.extend(turned),
            }
        }
        // Where nothing shows a difference, what has all of it runs, unless it may be among what
        // waits: of several reasons one is told.
        let is_edited = step.changes().any(|change| change.fragment == fragment);
        refuses_any |= self.is_told(&said.named, fragment);
        if !refuses_any && (is_edited || said.waits.is_empty()) {
            all.reverse();
        }
        all
    }
}

/// The same with one knob turned to this choice.
pub(crate) fn turned(all: &[Standing], knob: usize, choice: u8) -> Vec<Standing> {
    let mut all = all.to_vec();
    all.iter_mut()
        .for_each(|standing| standing.knobs[knob] = choice);
    all
}
