//! Old code without a site that can be given one afterwards: whatever leads to it does so through a
//! vtable, where its address can be put in another one's place, and its new code may be called in
//! its stead.
//!
//! ```text
//! vtable ─► old code            vtable ─► the late site ─► old or new code
//! ```
//!
//! Knows nothing of how a slot is written.

use std::collections::{BTreeSet, HashSet};

use soft_mock_abi::symbol::DETACHED_BODY;

use super::held::{holder, Holder};
use super::paths::function_of;
use super::side::Side;
use super::Comparison;
use crate::world::Piece;

/// What has to be known for it.
pub struct LateFacts<'a> {
    /// Whether a piece of the old compilation is a vtable and nothing else: what stands there is
    /// read for each call, and nobody else has a copy.
    pub is_vtable: &'a dyn Fn(Piece) -> bool,
    /// Whether the function of a path takes, returns and holds the same in both compilations.
    pub is_same_function: &'a dyn Fn(&str) -> bool,
    /// Whether the program exports the code of a path.
    pub is_exported: &'a dyn Fn(&str) -> bool,
    /// Functions with a site that differ in nothing but what stands inside of their closures.
    /// None: macros may make other closures now, also in functions that weren't edited.
    pub only_closures: Option<&'a HashSet<String>>,
    /// Code of the program that vtables of earlier plugins lead to, and nothing else of theirs.
    pub left: &'a BTreeSet<String>,
}

impl Comparison<'_, '_> {
    /// Whether old code that differs can be given a site.
    pub(super) fn may_be_late(&self, path: &str) -> bool {
        self.premises.late.is_some_and(|facts| {
            let has_symbol = |piece: &Piece| {
                let symbols = self.new.world.objects[piece.0].symbols.iter();
                let mut global = symbols.filter(|symbol| !symbol.local);
                global.any(|symbol| symbol.section == Some(piece.1))
            };
            self.new.code(path).first().is_some_and(has_symbol)
                && (facts.is_exported)(path)
                && self.is_the_same_closure(facts, path)
                && self.only_vtables_lead_to(facts, path)
                && (facts.is_same_function)(path)
        })
    }

    fn only_vtables_lead_to(&self, facts: &LateFacts<'_>, path: &str) -> bool {
        self.old.code(path).into_iter().all(|piece| {
            let mut users = self.old.users(piece).iter();
            users.all(|(user, relocation)| {
                match holder(self.old, (path, Some(piece)), (*user, relocation)) {
                    None => true,
                    Some(Holder::Table) => (facts.is_vtable)(*user),
                    Some(_) => false,
                }
            })
        })
    }

    /// Whether all closures and futures that a path is made of are those that had these numbers.
    /// What an async function returns isn't: its body has been moved for the comparison.
    fn is_the_same_closure(&self, facts: &LateFacts<'_>, path: &str) -> bool {
        let mut rest = path;
        while let Some(function) = function_of(rest) {
            let Some(only_closures) = facts.only_closures else {
                return false;
            };
            let Some(site) = self.premises.then.get(function) else {
                return false;
            };
            let end = function.as_ptr().addr() - rest.as_ptr().addr() + function.len();
            rest = &rest[end + "::{closure#".len()..];
            // What stands in an edited closure may be in another order.
            let edited = self.premises.edits.bodies.contains(&site.name);
            let may_be_edited = only_closures.contains(&site.name) && !holds_closure(rest);
            if site.is_async || function.contains(DETACHED_BODY) || (edited && !may_be_edited) {
                return false;
            }
            if self.closures_in(self.old, function) != self.closures_in(self.new, function) {
                return false;
            }
            while holds_closure(rest) {
                rest = &rest[rest.find("::{closure#").unwrap_or_default() + "::{closure#".len()..];
            }
        }
        true
    }

    /// How many closures a function itself has, as far as there is code of them.
    fn closures_in(&self, side: &Side<'_, '_>, function: &str) -> usize {
        let start = format!("{function}::{{closure#");
        let paths = side.world.paths();
        let own = paths.filter(|(path, _)| {
            let number = path.strip_prefix(&start);
            number.is_some_and(|number| number.find('}') == Some(number.len() - 1))
        });
        own.count()
    }
}

/// Whether another closure stands in the one whose number `rest` begins with: `0}::{closure#1}`.
fn holds_closure(rest: &str) -> bool {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[digits..].starts_with("}::{closure#")
}
