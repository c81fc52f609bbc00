//! Old code that something alive may lead to, of the program and of what patches left in it.

use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::paths::{function_of, is_closure, is_detached_body};
use super::side::{is_accessor, reach, Side};
use super::{Comparison, Difference, Premises};
use crate::symbols::is_of;
use crate::symbols::{is_rust, without_marks};
use crate::world::{Piece, Use};

impl Comparison<'_, '_> {
    /// Refuses if something alive may lead to the old code of `path`.
    pub(super) fn may_be_alive(
        &self,
        path: &Rc<str>,
        difference: &mut Difference,
    ) -> Result<(), String> {
        let world = self.old.world;
        for piece in self.old.code(path) {
            if world.symbols_in(piece).iter().any(|name| !is_rust(name)) {
                return Err(format!(
                    "`{}` has no site, and foreign code may call it by its name",
                    without_marks(path)
                ));
            }
            for (user, relocation) in self.old.users(piece) {
                let usage = world.usage(*user, relocation);
                if usage == Use::Call
                    || self.old.is_jump_table(*user, relocation, piece)
                    || self.is_harmless(path, piece, usage)
                {
                    continue;
                }
                let holder = world.path_of(*user).filter(|_| usage == Use::Data);
                if let Some(holder) = &holder {
                    if path.starts_with(&format!("{holder}::")) {
                        difference.preserved_statics.insert(without_marks(holder));
                        continue;
                    }
                }
                if self.is_own_body(path, difference) {
                    continue;
                }
                let through = match (holder, usage) {
                    (Some(holder), _) => format!("the static `{}`", without_marks(&holder)),
                    (None, Use::Data) => "a vtable or a table of functions".to_owned(),
                    (None, _) => {
                        let user = world
                            .path_of(*user)
                            .map_or_else(String::new, |user| without_marks(&user));
                        format!("a pointer to it, taken in `{user}`")
                    }
                };
                return Err(format!(
                    "`{}` has no site, and {through} may still lead to its old code",
                    without_marks(path)
                ));
            }
        }
        Ok(())
    }

    /// Addresses that nothing keeps.
    fn is_harmless(&self, path: &str, piece: Piece, usage: Use) -> bool {
        // The arguments of a `format_args!` live as long as the call that they are made for.
        let formats =
            path.contains(" as core[") && path.contains("]::fmt::") && path.ends_with("::fmt");
        // The future of a body that was moved: in the program it is part of the function's own, and a
        // call in progress.
        if is_detached_body(path) {
            return true;
        }
        let catches = path.starts_with("std[") && path.contains("]::panicking::");
        (usage == Use::Address && (formats || catches)) || self.is_accessor(path, piece)
    }

    /// Whether it is the function through which a thread-local is reached: the constant that names it
    /// is part of the code that uses it.
    fn is_accessor(&self, path: &str, piece: Piece) -> bool {
        is_accessor(self.old.world, path, piece)
    }

    /// Whether nothing is new in what `path` calls but bodies of closures of the same function, and what the
    /// compiler makes for their types. The future of another function is no part of it.
    fn is_own_body(&self, path: &Rc<str>, difference: &Difference) -> bool {
        let Some(function) = function_of(path) else {
            return false;
        };
        let own = format!("{function}::{{closure#");
        self.premises.only_bodies
            && is_closure(path, self.premises.crates)
            && reach(self.new, path, self.premises)
                .iter()
                .filter(|path| difference.changed.contains(*path))
                .all(|path| is_closure(path, self.premises.crates) && path.contains(&own))
    }
}

/// What a plugin leaves behind in the program: code of its own that an object may lead to when the
/// plugin's functions have been replaced again. Each with what it must still be then.
pub fn left_alive(
    side: &Side<'_, '_>,
    premises: &Premises<'_>,
    taken: &dyn Fn(Piece) -> bool,
) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let paths = side.world.paths();
    for (path, pieces) in paths.filter(|(path, _)| is_of(path, premises.crates)) {
        let held = |piece: &Piece| {
            let mut users = side.users(*piece).iter();
            taken(*piece)
                && side.world.is_code(*piece)
                && !is_accessor(side.world, path, *piece)
                && !is_detached_body(path)
                && users.any(|(user, relocation)| {
                    taken(*user)
                        && side.world.usage(*user, relocation) != Use::Call
                        && !side.is_jump_table(*user, relocation, *piece)
                })
        };
        if pieces.iter().any(held) && !premises.bound.contains_key(&**path) {
            found.insert(path.to_string(), meaning(side, path, premises));
        }
    }
    found
}

/// Identifies what a piece of code does: it, and what it calls. Of closures' own bodies, only what
/// they call.
fn meaning(side: &Side<'_, '_>, path: &str, premises: &Premises<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let of_closure = is_closure(path, premises.crates);
    for reached in reach(side, path, premises) {
        if of_closure && is_closure(&reached, premises.crates) {
            continue;
        }
        reached.hash(&mut hasher);
        side.print_of(&side.code(&reached)).hash(&mut hasher);
    }
    hasher.finish()
}

/// Refuses if code that an earlier patch left alive differs now.
pub fn still_the_same(
    side: &Side<'_, '_>,
    premises: &Premises<'_>,
    left: &BTreeMap<String, u64>,
) -> Result<(), String> {
    for (path, then) in left {
        if !side.code(path).is_empty() && meaning(side, path, premises) != *then {
            return Err(format!(
                "`{}` came with an earlier patch and has no site: an object may still lead to its old code",
                without_marks(path)
            ));
        }
    }
    Ok(())
}
