//! Old code of the program that something alive may lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::held::{holder, Holder};
use super::judge::{called_by, Judge, State};
use super::paths::{closure_of, function_of, is_detached_body};
use super::side::{reach, Side};
use super::{Comparison, Difference};
use crate::sites::attached;
use crate::symbols::{is_of, is_rust, without_marks};

impl Comparison<'_, '_> {
    /// Refuses if something alive may lead to old code that the program should not run any more: it
    /// differs, leads to what differs (`dirty`), is gone, or can't be replaced because its site
    /// is of another type now.
    pub(super) fn living(
        &self,
        dirty: &BTreeSet<Arc<str>>,
        difference: &mut Difference,
    ) -> Result<(), String> {
        let holds_edited =
            !self.premises.edits.without_site.is_empty() && self.premises.shares_code;
        if holds_edited {
            self.nothing_was_one(difference)?;
        }
        let judge = Judge {
            premises: self.premises,
            edits: self.premises.edits,
            holds_edited,
        };
        let state = |path: &str| self.state(&judge, path, dirty, difference);
        let all = self.old.world.paths();
        let ours =
            all.filter(|(path, _)| !path.contains("::") || is_of(path, self.premises.crates));
        let code = ours.filter(|(_, pieces)| self.old.world.is_code(pieces[0]));
        let stale: BTreeMap<&Arc<str>, State> = code
            .map(|(path, _)| (path, state(path)))
            .filter(|(_, state)| *state != State::Same)
            .collect();
        let mut found = Living::default();
        for (path, own) in &stale {
            let holder = self.held(path, &mut found)?;
            let in_plugins = self
                .premises
                .late
                .is_some_and(|facts| facts.left.contains(&***path));
            if holder.is_none() && !in_plugins {
                continue;
            }
            if matches!(own, State::Differs | State::Leads) && self.may_be_late(path) {
                found.late.insert(Arc::clone(path));
                continue;
            }
            let Some(holder) = holder else {
                continue;
            };
            let reached = reach(self.old, path, self.premises);
            let states = reached.iter().map(|path| (&**path, state(path)));
            if let Some(culprit) = judge.culprit(path, states) {
                return Err(culprit.told(path, &holder.told(), &|_| false));
            }
            // What is held may be a closure, or hold one: an iterator that adapts others.
            let inside = reached.iter().map(|path| &**path);
            for closure in inside.chain([called_by(path)]) {
                let stays = matches!(state(closure), State::Differs | State::Gone);
                if stays && self.is_living_closure(closure) {
                    let function = function_of(closure).unwrap_or(closure);
                    let number = closure.split("::{closure#").nth(1);
                    let number = number.and_then(|number| number.split('}').next()?.parse().ok());
                    let function = attached(function);
                    found
                        .keep_bodies
                        .insert((function, number.unwrap_or_default()));
                }
            }
        }
        difference.preserved_statics.extend(found.preserved_statics);
        difference.keep_bodies.extend(found.keep_bodies);
        difference.late = found.late;
        difference.stale = stale.into_keys().map(Arc::clone).collect();
        Ok(())
    }

    /// Refuses if something holds an edited function without a site now, and nothing did: the
    /// compiler makes one of functions of the same content, so what held this one held another, by
    /// all that can be seen.
    fn nothing_was_one(&self, difference: &Difference) -> Result<(), String> {
        let edited = difference.changed.iter();
        let mut edited = edited.filter(|path| self.premises.edits.name(&without_marks(path)));
        let is_new = |path: &&Arc<str>| is_held(self.new, path) && !is_held(self.old, path);
        edited.find(is_new).map_or(Ok(()), |path| {
            Err(format!(
                "`{}` has no site, and optimised code may have made it one with another function: \
                 a pointer to that may still lead to its old code",
                without_marks(path)
            ))
        })
    }

    fn state(
        &self,
        judge: &Judge<'_>,
        path: &str,
        dirty: &BTreeSet<Arc<str>>,
        difference: &Difference,
    ) -> State {
        if let Some(state) = judge.of_site(path) {
            return state;
        }
        match (dirty.contains(path), self.new.code(path).is_empty()) {
            (true, _) if difference.changed.contains(path) => State::Differs,
            (true, _) => State::Leads,
            (false, true) => State::Gone,
            (false, false) => State::Same,
        }
    }

    /// What holds old code, if anything does.
    fn held(&self, path: &Arc<str>, found: &mut Living) -> Result<Option<Holder>, String> {
        let world = self.old.world;
        for piece in self.old.code(path) {
            if world.symbols_in(piece).iter().any(|name| !is_rust(name)) {
                return Err(format!(
                    "`{}` has no site, and foreign code may call it by its name",
                    without_marks(path)
                ));
            }
            for (user, relocation) in self.old.users(piece) {
                match holder(self.old, (path, Some(piece)), (*user, relocation)) {
                    None => {}
                    // What a static begins with: one that exists has begun.
                    Some(Holder::Static(of)) if path.starts_with(&format!("{of}::")) => {
                        let stays = !self.new.world.pieces(&of).is_empty();
                        let begins = || (without_marks(&of), self.new.print_of_path(&of));
                        found.preserved_statics.extend(stays.then(begins));
                    }
                    Some(holder) => return Ok(Some(holder)),
                }
            }
        }
        Ok(None)
    }

    /// Whether it is a closure's own body, and the new code has fewer that are the same: one that
    /// was inserted before it only shifts its number.
    fn is_living_closure(&self, path: &str) -> bool {
        let outer = path.rsplit_once("::{closure#").map(|(outer, _)| outer);
        let Some(outer) = outer.filter(|outer| closure_of(path, outer).is_some()) else {
            return false;
        };
        if is_detached_body(path) || self.premises.then.contains_key(path) {
            return false;
        }
        let print = self.old.print_of(&self.old.code(path));
        let same = |side: &Side<'_, '_>| {
            let closures = side.world.paths().map(|(path, _)| path);
            let closures = closures.filter(|path| closure_of(path, outer).is_some());
            let same = closures.filter(|path| side.print_of(&side.code(path)) == print);
            same.count()
        };
        same(self.new) < same(self.old)
    }
}

/// Whether something holds the address of the code of a path.
fn is_held(side: &Side<'_, '_>, path: &Arc<str>) -> bool {
    side.code(path).into_iter().any(|piece| {
        let mut users = side.users(piece).iter();
        users.any(|(user, relocation)| {
            holder(side, (path, Some(piece)), (*user, relocation)).is_some()
        })
    })
}

#[derive(Default)]
struct Living {
    preserved_statics: BTreeMap<String, u64>,
    keep_bodies: BTreeSet<(String, usize)>,
    late: BTreeSet<Arc<str>>,
}
