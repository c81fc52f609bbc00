//! Several variables of one path: a macro declares one, and is used twice in a body.
//!
//! ```text
//! app::f::N   app::f::N    as the program was built, in the order of the source
//! app::f::N                now: the first or the second of them?
//! ```
//!
//! Told by type and first value, and by their order where as many of them are alike on both sides
//! and the sources show none that came or went. Where these don't tell, nothing is guessed: their
//! symbols hold but a number. Knows nothing of the variables that plugins brought.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Selector;
use crate::compare::Side;
use crate::counterparts::accessed;
use crate::objects::Symbol;

/// What stands for the type and the first value of each variable of a path, in the order of the
/// source; for functions through which thread-locals are reached, for their code as well. `ty`: the
/// type of the variable of a symbol.
pub fn marks(side: &Side<'_, '_>, ty: &dyn Fn(&str) -> Option<String>, path: &str) -> Vec<u64> {
    let all = side.world.symbols_of(path).into_iter();
    let mark = |(name, piece)| {
        let variable = accessed(side.world, path, piece).unwrap_or(name);
        let mut hasher = DefaultHasher::new();
        (side.print_without_order(piece), ty(variable)).hash(&mut hasher);
        hasher.finish()
    };
    all.map(mark).collect()
}

/// Whose variable one is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// There are not several of its path.
    Alone,
    /// The program's, by this symbol.
    Program(String),
    /// There are several of its path, and it can't be told.
    Unclear,
}

impl Selector<'_, '_> {
    /// Whose the variable of `symbol` is, or the function through which it is reached. `was`: its
    /// path in the program. `variable`: what follows that in the path of the variable itself.
    pub(super) fn whose(
        &self,
        symbol: &Symbol<'_>,
        path: &str,
        was: Option<&Arc<str>>,
        variable: &str,
    ) -> Whose {
        let (world, program) = (self.on.world, self.on.program);
        let was = was.map_or("", |was| &**was);
        let of = |path: &str| program.symbols_of(&self.in_program(Some(path)).unwrap_or_default());
        let are_several = world.symbols_of(&format!("{path}{variable}")).len() > 1
            || of(&format!("{was}{variable}")).len() > 1;
        if !are_several {
            return Whose::Alone;
        }
        let candidates = of(was);
        let [then, now] = [(0, was), (1, path)].map(|(side, path)| self.on.marks[side](path));
        let mut names = world.symbols_of(path).into_iter();
        let at = names.position(|(name, _)| name == symbol.name);
        // As the program is, it must have been compiled once more.
        let at = at.filter(|_| candidates.len() == then.len());
        let by_order = self.on.premises.edits.keep_order(path);
        match at.and_then(|at| counterpart(&then, &now, at, by_order)) {
            Some(found) => Whose::Program(candidates[found].to_owned()),
            None => Whose::Unclear,
        }
    }
}

/// Which of `then` is the one at `at` in `now`. `by_order`: those that are alike stand as they
/// stood.
fn counterpart(then: &[u64], now: &[u64], at: usize, by_order: bool) -> Option<usize> {
    let mark = now[at];
    let alike = |all: &[u64]| all.iter().filter(|other| **other == mark).count();
    if alike(then) != alike(now) || (alike(now) > 1 && !by_order) {
        return None;
    }
    let before = alike(&now[..at]);
    let mut found = (0..then.len()).filter(|then_at| then[*then_at] == mark);
    found.nth(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(then: &[u64], now: &[u64], expected: &[Option<usize>]) {
        let found: Vec<_> = (0..now.len())
            .map(|at| counterpart(then, now, at, true))
            .collect();
        assert_eq!(found, expected, "{then:?} {now:?}");
    }

    #[test]
    fn without_an_order_only_those_are_told_that_are_like_no_other() {
        let told = [7, 1, 7].iter().enumerate();
        let told = told.map(|(at, _)| counterpart(&[1, 7, 7], &[7, 1, 7], at, false));
        assert_eq!(told.collect::<Vec<_>>(), [None, Some(0), None]);
    }

    #[test]
    fn alike_ones_are_told_by_their_order_if_none_came_or_went() {
        check(&[7, 7], &[7, 7], &[Some(0), Some(1)]);
        check(&[7, 7], &[7], &[None]);
        check(&[7], &[7, 7], &[None, None]);
        check(&[], &[7, 7], &[None, None]);
    }

    #[test]
    fn others_are_told_by_what_they_begin_with() {
        check(&[1, 2], &[2, 1], &[Some(1), Some(0)]);
        check(&[1, 2], &[2], &[Some(1)]);
        check(&[1, 7, 7], &[7, 1, 7], &[Some(1), Some(0), Some(2)]);
        check(&[1], &[2, 1], &[None, Some(0)]);
        check(&[1, 2], &[3, 2], &[None, Some(1)]);
    }
}
