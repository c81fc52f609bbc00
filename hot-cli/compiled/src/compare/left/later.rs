//! What became of code that a plugin has left, in what is compiled now.
//!
//! Knows nothing of what holds it.

use std::collections::{HashMap, HashSet};

use super::super::judge::{Judge, State};
use super::super::paths::{is_closure, is_detached_body, is_instance, marks_of};
use super::super::side::Side;
use super::{print, Left, FUTURE};
use crate::symbols::without_marks;

/// What was left, and what is compiled now.
pub(super) struct Later<'a, 'd> {
    pub(super) left: &'a Left,
    pub(super) old: &'a Side<'a, 'd>,
    pub(super) new: &'a Side<'a, 'd>,
    pub(super) judge: Judge<'a>,
    pub(super) own: HashSet<String>,
}

impl Later<'_, '_> {
    pub(super) fn state(&self, path: &str) -> State {
        if let Some(state) = self.judge.of_site(path) {
            return state;
        }
        let does_as_site_says = self.left.shared.contains(path);
        if does_as_site_says && self.is_brought(path) {
            return State::Same;
        }
        if self.is_own(path) {
            return self.own_state(path);
        }
        let is_code = |side: &Side<'_, '_>| !side.code(path).is_empty();
        let is_data = |side: &Side<'_, '_>| !is_code(side) && !side.world.pieces(path).is_empty();
        if is_data(self.old) || is_data(self.new) {
            return State::Same;
        }
        if !is_code(self.new) {
            // What isn't generic is nothing else either where all was undone.
            let is_undone = || self.judge.edits.undone && !is_code(self.old) && !is_instance(path);
            return match self.is_withdrawn(path) || is_undone() {
                true => State::Same,
                false => State::Gone,
            };
        }
        let then = match self.left.as_built {
            true if is_code(self.old) => Some(print(self.old, path)),
            true if self.judge.edits.only_bodies => return State::Same,
            _ => self.left.prints.get(path).copied(),
        };
        match then == Some(print(self.new, path)) {
            true => State::Same,
            false => State::Differs,
        }
    }

    /// Whether a function's site, or that in the future which it returns, gets the new code.
    fn is_brought(&self, path: &str) -> bool {
        let brought = self.judge.premises.brought;
        brought.contains_key(path) || brought.contains_key(&format!("{path}{FUTURE}"))
    }

    pub(super) fn is_withdrawn(&self, path: &str) -> bool {
        let (left, premises) = (self.left, self.judge.premises);
        left.brought.is_withdrawn(path, self.new.world, premises)
    }

    pub(super) fn is_own(&self, path: &str) -> bool {
        !self.own.is_empty()
            && marks_of(path, self.judge.premises.crates)
                .iter()
                .any(|mark| self.own.contains(mark))
    }

    /// Of code that the plugin declares itself: an addition, or what stands in a body that it was
    /// compiled from. A closure keeps its body; what it leads to is looked at by itself. A function
    /// is known by its name and what is around it: the plugin may have it elsewhere.
    fn own_state(&self, path: &str) -> State {
        let crates = self.judge.premises.crates;
        if is_closure(path, crates) || is_detached_body(path) {
            return State::Same;
        }
        let shares = self.left.shared.contains(path);
        let path = self.left.path_in_crate(path);
        let mut parts = path.rsplitn(3, "::");
        let (Some(name), Some(around)) = (parts.next(), parts.next()) else {
            return State::Same;
        };
        let name = format!("::{name}");
        let end = format!("{around}{name}");
        let is_it = |other: &str| {
            let other = without_marks(other);
            let before = other.strip_suffix(&*end);
            before
                .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let found = |side: &Side<'_, '_>| -> HashMap<String, u64> {
            let all = side.world.paths().map(|(other, _)| other);
            let all = all.filter(|other| other.ends_with(&name) && is_it(other));
            all.filter(|other| !side.code(other).is_empty())
                .map(|other| (other.to_string(), print(side, other)))
                .collect()
        };
        match (found(self.old), found(self.new)) {
            // The plugin brought it, and nothing of it is left in the sources.
            (old, new) if old.is_empty() && new.is_empty() && !self.judge.edits.undone => {
                State::Gone
            }
            (old, new) if old == new => State::Same,
            (old, new)
                if shares && old.is_empty() && new.keys().all(|path| self.is_brought(path)) =>
            {
                State::Same
            }
            _ => State::Differs,
        }
    }
}
