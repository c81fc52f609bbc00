//! What becomes of old code that lives on: may it go on as it is, or would the program then do
//! something else than its sources say?
//!
//! Knows nothing of what holds it, nor where it was compiled.

use super::paths::{
    closure_of, function_of, is_closure, is_compiler_made, is_detached_body, is_foreign,
    is_instance,
};
use super::{Edits, Premises};
use crate::sites::CompiledSite;
use crate::symbols::{is_of, without_marks};

/// Old code, compared with the new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It is the same, or whoever calls it gets the new one.
    Same,
    /// Nothing of that path is left.
    Gone,
    /// It leads to something that differs.
    Leads,
    /// It differs.
    Differs,
    /// It had a site, and is gone.
    Lost,
    /// It had a site, which is of another type now.
    Resigned,
}

impl State {
    fn told(self) -> &'static str {
        match self {
            Self::Same | Self::Leads | Self::Differs => "has no site",
            Self::Gone | Self::Lost => "is gone",
            Self::Resigned => "has another signature now",
        }
    }
}

/// Why old code can't live on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Culprit {
    state: State,
    /// It is what is held itself.
    held: bool,
    path: String,
}

impl Culprit {
    /// As it is told, of what `holder` leads to by way of `held`. `is_new`: whether only a patch
    /// has brought the code of a path.
    pub(super) fn told(&self, held: &str, holder: &str, is_new: &dyn Fn(&str) -> bool) -> String {
        let state = match self.state {
            State::Differs | State::Leads if is_new(&self.path) => "is new",
            state => state.told(),
        };
        let through = match self.held {
            true => String::new(),
            false => format!(", through `{}`", without_marks(called_by(held))),
        };
        let path = without_marks(&self.path);
        format!("`{path}` {state}, and {holder} may still lead to its old code{through}")
    }
}

/// A closure, where it is the code with which an object or a pointer calls it that is held.
pub fn called_by(held: &str) -> &str {
    let inside = held
        .strip_prefix('<')
        .and_then(|inside| inside.split_once(" as core["));
    match inside {
        Some((closure, rest))
            if closure.ends_with('}') && rest.contains("]::ops::function::Fn") =>
        {
            closure
        }
        _ => held,
    }
}

/// What is known of an edit.
pub(super) struct Judge<'a> {
    pub(super) premises: &'a Premises<'a>,
    pub(super) edits: &'a Edits,
    /// Whether closures may hold an edited function: what they were made with is its former body.
    pub(super) holds_edited: bool,
}

impl Judge<'_> {
    /// The worst of what the code at `held` leads to. None: it may live on as it is.
    pub(super) fn culprit<'p>(
        &self,
        held: &str,
        reach: impl Iterator<Item = (&'p str, State)>,
    ) -> Option<Culprit> {
        let all = reach.filter(|(path, state)| !self.may_stay(held, path, *state));
        all.map(|(path, state)| Culprit {
            state,
            held: path == held,
            path: path.to_owned(),
        })
        .max()
    }

    /// What the sites say of a path that had one.
    pub(super) fn of_site(&self, path: &str) -> Option<State> {
        if self.premises.bound.contains_key(path) {
            return Some(State::Same);
        }
        let then = self.premises.then.get(path)?;
        match self.premises.now.get(path) {
            Some(now) if now.is_resigned(then) => Some(State::Resigned),
            Some(_) => None,
            None => Some(State::Lost),
        }
    }

    fn may_stay(&self, held: &str, path: &str, state: State) -> bool {
        let crates = self.premises.crates;
        let function = function_of(held).filter(|_| is_closure(held, crates));
        let site = function.and_then(|function| self.site(function));
        let is_own = || {
            function.is_some_and(|function| {
                is_closure(path, crates) && path.contains(&format!("{function}::{{closure#"))
            })
        };
        match state {
            State::Same => true,
            State::Differs if site.is_some_and(|site| self.is_untouched(site, path)) => false,
            State::Differs if self.holds_edited && is_own() => false,
            // A closure or a future keeps the body that it was made with.
            State::Differs | State::Leads => {
                is_own() && site.is_some_and(|site| self.is_edited(site))
            }
            // A future is a call in progress.
            State::Resigned | State::Lost => {
                is_own() || site.is_some_and(|site| site.is_async && self.is_edited(site))
            }
            State::Gone if is_detached_body(path) || !is_of(path, crates) => true,
            State::Gone if is_compiler_made(path) || is_foreign(path, crates) => true,
            State::Gone if is_closure(path, crates) && self.holds_edited => false,
            State::Gone if is_closure(path, crates) => {
                let is_removed =
                    |function: &str| self.site(function).is_some() || !is_instance(function);
                self.edits.only_bodies || function_of(path).is_some_and(is_removed)
            }
            // Its text is as it was, and nothing needs it any more.
            State::Gone => self.edits.only_bodies && !self.is_in_body(path),
        }
    }

    /// The site that a function of the program had.
    fn site(&self, function: &str) -> Option<&CompiledSite> {
        let then = self.premises.then;
        self.premises
            .moved(function)
            .or_else(|| then.get(function))
            .or_else(|| then.get(&format!("{function}::{{closure#0}}")))
    }

    fn is_edited(&self, site: &CompiledSite) -> bool {
        self.edits.bodies.contains(&site.name) || !self.premises.bound.contains_key(site.owner())
    }

    /// Whether code is that of a closure of a function's own that is written as it was.
    fn is_untouched(&self, site: &CompiledSite, path: &str) -> bool {
        let untouched = self.edits.untouched.get(&site.name);
        let number = closure_of(called_by(path), site.owner());
        !site.is_async
            && untouched
                .zip(number)
                .is_some_and(|(untouched, number)| untouched.contains(&number))
    }

    /// Whether something is declared in the body of a function.
    fn is_in_body(&self, path: &str) -> bool {
        let mut rest = path;
        while let Some((outer, _)) = rest.rsplit_once("::") {
            if self.site(outer).is_some() {
                return true;
            }
            rest = outer;
        }
        false
    }
}
