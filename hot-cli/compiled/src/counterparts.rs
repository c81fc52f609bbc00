//! Which variable of the program is the one that a closure declares: a closure that is inserted
//! before it shifts the number in its path.
//!
//! ```text
//! app::next::{closure#0}::IDS   as the program was built
//! app::next::{closure#1}::IDS   now: the same variable
//! ```
//!
//! Told by the function around, name, type, first value, the closure's code, and by their order
//! where as many are left on both sides and the sources show none that came or went. Where these
//! don't tell, nothing is guessed. Others have a path of their own; what is done about one that has
//! another now stands in `moved`. Knows nothing of plugins.

mod moved;
mod variable;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::symbols::without_marks;

pub use moved::{as_counterparts, moved, name, Compiled};
pub(crate) use variable::{accessed, split};
pub use variable::{is_accessor, variables, Variable};

/// What a variable of the new code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counterpart {
    /// The one that has this path in the program, or in an earlier patch.
    Of {
        /// The path.
        path: String,
        /// It begins with the same.
        same: bool,
    },
    /// A new one.
    New,
    /// It can't be told; why.
    Unclear(String),
}

/// What the variables of the new code are, by the paths of what they consist of. `brought`: those
/// of earlier patches. `by_order`: whether what is declared at a path stands in the order in which
/// it stood.
pub fn counterparts(
    old: Vec<Variable>,
    new: Vec<Variable>,
    brought: &[Variable],
    by_order: &dyn Fn(&str) -> bool,
) -> HashMap<String, Counterpart> {
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    for variable in old.into_iter().chain(brought.iter().cloned()) {
        groups
            .entry(variable.key())
            .or_default()
            .then
            .push(variable);
    }
    for variable in new {
        groups.entry(variable.key()).or_default().now.push(variable);
    }
    let mut found = HashMap::new();
    for ((scope, _), group) in groups {
        group.tell(by_order(&scope), &mut found);
    }
    found
}

/// Variables of one name in closures of one function.
#[derive(Default)]
struct Group {
    then: Vec<Variable>,
    now: Vec<Variable>,
}

impl Group {
    fn tell(mut self, by_order: bool, found: &mut HashMap<String, Counterpart>) {
        if self.then.is_empty() || self.now.is_empty() {
            return;
        }
        let by_order = by_order || (self.then.len() == 1 && self.now.len() == 1);
        self.then.sort_by_key(Variable::order);
        self.now.sort_by_key(Variable::order);
        let taken: Vec<String> = self.then.iter().flat_map(Variable::paths).collect();
        let most = if by_order { usize::MAX } else { 1 };
        self.match_by(found, most, |variable| {
            (variable.ty.clone(), variable.content, variable.around)
        });
        if by_order {
            self.match_by(found, most, |variable| {
                (variable.ty.clone(), variable.content)
            });
        }
        // Another first value, if none of them came or went.
        if by_order && self.then.len() == 1 && self.now.len() == 1 {
            self.match_by(found, most, |variable| variable.ty.clone());
        }
        for variable in &self.now {
            let mut then = self.then.iter();
            let is_known = then.any(|other| other.ty == variable.ty);
            // By its symbol, it would be taken for the one that has this path.
            let is_taken = variable.paths().any(|path| taken.contains(&path));
            let is_instead = self.then.len() == 1 && self.now.len() == 1;
            let counterpart = match is_known || is_taken || is_instead {
                true => Counterpart::Unclear(self.unclear(variable)),
                false => Counterpart::New,
            };
            found.extend(variable.paths().map(|path| (path, counterpart.clone())));
        }
    }

    /// Takes those out that are alike in `key`, if there are as many on both sides, and no more
    /// than `most`.
    fn match_by<K: Hash + Eq>(
        &mut self,
        found: &mut HashMap<String, Counterpart>,
        most: usize,
        key: impl Fn(&Variable) -> K,
    ) {
        let count = |all: &[Variable]| {
            let mut counts: HashMap<K, usize> = HashMap::new();
            for variable in all {
                *counts.entry(key(variable)).or_default() += 1;
            }
            counts
        };
        let (then, now) = (count(&self.then), count(&self.now));
        let fits = |variable: &Variable| {
            let key = key(variable);
            let count = then.get(&key);
            count == now.get(&key) && count.is_some_and(|count| *count <= most)
        };
        let (were, rest) = std::mem::take(&mut self.then).into_iter().partition(fits);
        self.then = rest;
        let (are, rest) = std::mem::take(&mut self.now).into_iter().partition(fits);
        self.now = rest;
        let (mut were, are): (Vec<Variable>, Vec<Variable>) = (were, are);
        for is in are {
            let Some(first) = were.iter().position(|was| key(was) == key(&is)) else {
                continue;
            };
            let was = were.remove(first);
            for part in &is.parts {
                let counterpart = match was.parts.contains(part) {
                    true => Counterpart::Of {
                        path: was.path_of(part),
                        same: was.content == is.content,
                    },
                    false => Counterpart::Unclear(unclear(&is)),
                };
                found.insert(is.path_of(part), counterpart);
            }
        }
    }

    fn unclear(&self, variable: &Variable) -> String {
        match &self.then[..] {
            [one] if one.ty != variable.ty => format!(
                "the variable {} is of another type: `{}`, was `{}`",
                told(variable),
                variable.ty,
                one.ty
            ),
            _ => unclear(variable),
        }
    }
}

fn unclear(variable: &Variable) -> String {
    format!(
        "closures come and go, and it can't be told which variable of the program {} is",
        told(variable)
    )
}

/// `N` in a closure of `app::f`.
fn told(variable: &Variable) -> String {
    let scope = without_marks(&variable.scope);
    let function = scope.split("::{").next().unwrap_or(&scope);
    format!("`{}` in a closure of `{function}`", variable.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A static `N` of the type, with the first value, in the closure with this number; its code is
    /// as the last number says.
    fn known(all: &[(u32, &str, u64, u64)]) -> Vec<Variable> {
        let all = all.iter().map(|(number, ty, content, around)| Variable {
            scope: format!("app[1]::f::{{closure#{number}}}"),
            name: "N".to_owned(),
            parts: [String::new()].into(),
            ty: (*ty).to_owned(),
            content: *content,
            around: *around,
        });
        all.collect()
    }

    fn of(path: String) -> Counterpart {
        Counterpart::Of { path, same: true }
    }

    #[derive(Debug, PartialEq)]
    enum Is {
        Of(u32),
        New,
        Unclear,
    }
    use Is::{New, Of, Unclear};

    #[track_caller]
    fn check(old: &[(u32, &str, u64, u64)], new: &[(u32, &str, u64, u64)], expected: &[(u32, Is)]) {
        let found = counterparts(known(old), known(new), &[], &|_| true);
        let number = |path: &str| {
            let digits = path.split(['#', '}']).nth(1);
            digits
                .and_then(|digits| digits.parse().ok())
                .expect("a number")
        };
        let mut found: Vec<(u32, Is)> = found
            .iter()
            .map(|(path, what)| {
                let what = match what {
                    Counterpart::Of { path, .. } => Of(number(path)),
                    Counterpart::New => New,
                    Counterpart::Unclear(_) => Unclear,
                };
                (number(path), what)
            })
            .collect();
        found.sort_by_key(|(number, _)| *number);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_number_that_shifts() {
        check(&[(0, "u8", 7, 1)], &[(1, "u8", 7, 1)], &[(1, Of(0))]);
        // With another first value, and in other code.
        check(&[(0, "u8", 7, 1)], &[(1, "u8", 8, 2)], &[(1, Of(0))]);
        check(&[], &[(1, "u8", 8, 1)], &[]);
        // Another type.
        check(&[(0, "u8", 7, 1)], &[(1, "u16", 7, 1)], &[(1, Unclear)]);
    }

    #[test]
    fn several_of_one_name() {
        let two = [(0, "u8", 7, 1), (1, "u8", 8, 2)];
        check(
            &two,
            &[(1, "u8", 7, 1), (2, "u8", 8, 2)],
            &[(1, Of(0)), (2, Of(1))],
        );
        // They have changed places.
        check(
            &two,
            &[(0, "u8", 8, 2), (1, "u8", 7, 1)],
            &[(0, Of(1)), (1, Of(0))],
        );
        check(&two, &[(0, "u8", 8, 2)], &[(0, Of(1))]);
        check(&two, &[(0, "u8", 9, 3)], &[(0, Unclear)]);
        // By their types.
        let types = [(0, "u16", 7, 1), (1, "u8", 7, 1)];
        check(&[(0, "u8", 7, 1)], &types, &[(0, Unclear), (1, Of(0))]);
        check(&[(2, "u8", 7, 1)], &types, &[(0, New), (1, Of(2))]);
        // By the code around, and by their order.
        let alike = [(0, "u8", 7, 1), (1, "u8", 7, 2)];
        check(
            &alike,
            &[(1, "u8", 7, 1), (2, "u8", 7, 2)],
            &[(1, Of(0)), (2, Of(1))],
        );
        check(
            &alike,
            &[(0, "u8", 7, 2), (1, "u8", 7, 1)],
            &[(0, Of(1)), (1, Of(0))],
        );
        check(
            &alike,
            &[(1, "u8", 7, 3), (2, "u8", 7, 4)],
            &[(1, Of(0)), (2, Of(1))],
        );
        check(&alike, &[(0, "u8", 7, 2)], &[(0, Of(1))]);
        check(&alike, &[(0, "u8", 7, 3)], &[(0, Unclear)]);
    }

    #[test]
    fn one_more() {
        let one = [(0, "u8", 7, 1)];
        check(
            &one,
            &[(0, "u8", 7, 1), (1, "u8", 8, 2)],
            &[(0, Of(0)), (1, New)],
        );
        check(
            &one,
            &[(0, "u8", 7, 1), (1, "u8", 7, 2)],
            &[(0, Of(0)), (1, New)],
        );
        check(
            &one,
            &[(0, "u8", 7, 3), (1, "u8", 7, 2)],
            &[(0, Unclear), (1, Unclear)],
        );
        // A new one of the path that the program's has.
        check(
            &one,
            &[(0, "u8", 8, 2), (1, "u8", 7, 1)],
            &[(0, Unclear), (1, Of(0))],
        );
    }

    #[test]
    fn without_an_order_the_code_around_has_to_tell() {
        let (old, new) = (
            [(0, "u8", 7, 1), (1, "u8", 7, 2)],
            [(0, "u8", 7, 2), (1, "u8", 7, 3)],
        );
        // The closure that is new would get what the one had that is gone.
        check(&old, &new, &[(0, Of(1)), (1, Of(0))]);
        let found = counterparts(known(&old), known(&new), &[], &|_| false);
        let path = |number: u32| format!("app[1]::f::{{closure#{number}}}::N");
        assert_eq!(found[&path(0)], of(path(1)));
        assert!(matches!(found[&path(1)], Counterpart::Unclear(_)));
    }

    #[test]
    fn what_a_patch_brought() {
        let brought = known(&[(1, "u8", 9, 2)]);
        let new = known(&[(1, "u8", 7, 1), (2, "u8", 9, 2)]);
        let found = counterparts(known(&[(0, "u8", 7, 1)]), new, &brought, &|_| true);
        let path = |number: u32| format!("app[1]::f::{{closure#{number}}}::N");
        assert_eq!(found[&path(1)], of(path(0)));
        assert_eq!(found[&path(2)], of(path(1)));
    }

    #[test]
    fn a_thread_local_in_a_closure() {
        let part = |own: u32| format!("::{{constant#0}}::{{closure#{own}}}::VAL");
        let all = |number: u32| {
            let mut all = known(&[(number, "Cell<u8>", 7, 1)]);
            all[0].parts = [part(0), part(1)].into();
            all
        };
        let found = counterparts(all(0), all(1), &[], &|_| true);
        for own in [0, 1] {
            let was = of(all(0)[0].path_of(&part(own)));
            assert_eq!(found[&all(1)[0].path_of(&part(own))], was);
        }
    }
}
