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

use super::held::{holder, Holder};
use super::paths::{closure_of, function_of};
use super::side::Side;
use super::Comparison;
use crate::sites::CompiledSite;
use crate::symbols::are_one;
use crate::world::Piece;

/// What has to be known for it.
pub struct LateFacts<'a> {
    /// Whether a piece of the old compilation, or of the new one, is a vtable and nothing else:
    /// what stands there is read for each call, and nobody else has a copy.
    pub is_vtable: [&'a dyn Fn(Piece) -> bool; 2],
    /// Whether the function of a path takes, returns and holds the same in both compilations.
    pub is_same_function: &'a dyn Fn(&str) -> bool,
    /// The symbols by which the program exports the code of a path, if nothing else stands at the
    /// same address.
    pub exported: &'a dyn Fn(&str) -> Vec<String>,
    /// Functions with a site that differ in nothing but what stands inside of their closures.
    /// None: macros may make other closures now, also in functions that weren't edited.
    pub only_closures: Option<&'a HashSet<String>>,
    /// Code of the program that vtables of earlier plugins lead to, and nothing else of theirs.
    pub left: &'a BTreeSet<String>,
}

impl<'a, 'b> Comparison<'a, 'b> {
    /// Whether old code gets a site if it differs: something leads to it, and it can be given one.
    pub(super) fn becomes_late(&self, path: &str) -> bool {
        let Some(facts) = self.premises.late else {
            return false;
        };
        let is_held = || self.holders(path).next().is_some();
        (facts.left.contains(path) || is_held()) && self.may_be_late(path)
    }

    /// What holds the old code of a path, and the pieces that do.
    fn holders<'s>(
        &'s self,
        path: &'s str,
    ) -> impl Iterator<Item = (Piece, Holder)> + use<'s, 'a, 'b> {
        let code = self.old.code(path).into_iter();
        code.flat_map(move |piece| {
            let users = self.old.users(piece).iter();
            users.filter_map(move |(user, relocation)| {
                let holder = holder(self.old, (path, Some(piece)), (*user, relocation))?;
                Some((*user, holder))
            })
        })
    }

    /// Whether it is a closure's, or calls one, that stands in an edited body: that body is new.
    /// The program's main won't be called again, and isn't if nothing else of it is.
    pub(super) fn is_in_edited_body(&self, path: &str) -> bool {
        let body = function_of(path).and_then(|function| self.body(function));
        body.map(|body| body.site)
            .is_some_and(|site| !site.is_main && self.premises.edits.bodies.contains(&site.name))
    }

    /// Whether a piece of the new code is a vtable and nothing else.
    pub(super) fn is_new_vtable(&self, piece: Piece) -> bool {
        let facts = self.premises.late;
        facts.is_some_and(|facts| (facts.is_vtable[1])(piece))
    }

    /// Whether old code that differs can be given a site.
    pub(super) fn may_be_late(&self, path: &str) -> bool {
        self.premises.late.is_some_and(|facts| {
            !self.premises.then.contains_key(path)
                && self.is_one_function(facts, path)
                && self.is_the_same_closure(facts, path)
                && self.only_vtables_lead_to(facts, path)
                && self.new_vtables_lead_to(path)
                && (facts.is_same_function)(path)
        })
    }

    /// Whether all code of a path is that of one function, which is known wherever it is: the
    /// program has it where the old compilation does, and the new one has one to put in its place.
    fn is_one_function(&self, facts: &LateFacts<'_>, path: &str) -> bool {
        let [old, new] = [self.old, self.new].map(|side| symbols(side, path));
        let (Some(old), Some(new)) = (old, new) else {
            return false;
        };
        let Some(in_program) = self.premises.in_program(path) else {
            return false;
        };
        let exported = (facts.exported)(&in_program);
        let exported: BTreeSet<&str> = exported.iter().map(String::as_str).collect();
        let new_pieces = self.new.code(path);
        let is_exported = match in_program == path {
            true => old == exported,
            // Where a body was moved, all symbols of what stands in it are others.
            false => {
                let one = |symbols: &BTreeSet<&str>| are_one(symbols.iter().copied());
                let are_one = one(&old) && one(&exported) && old.len() == exported.len();
                are_one && !self.is_told_by_type(path)
            }
        };
        is_exported
            && !new.is_empty()
            && (self.new.has_one_function(self.old, path) || replaces_default(&old, &new))
            && self.new.print_of(&new_pieces).len() == 1
    }

    /// Whether code asks for the ids of types that are made of closures of the function with this
    /// one: where its body was moved, these are others than the program's.
    fn is_told_by_type(&self, path: &str) -> bool {
        const ID_OF: &str = "::any::TypeId>::of::<";
        let function = function_of(path).unwrap_or(path);
        let mut paths = self.new.world.paths();
        paths.any(|(path, _)| path.contains(ID_OF) && path.contains(function))
    }

    fn only_vtables_lead_to(&self, facts: &LateFacts<'_>, path: &str) -> bool {
        let mut holders = self.holders(path);
        holders.all(|(piece, holder)| holder == Holder::Table && (facts.is_vtable[0])(piece))
    }

    /// Whether the new code is what a vtable holds: of a function with `#[track_caller]` it isn't,
    /// since that takes more than its signature says.
    fn new_vtables_lead_to(&self, path: &str) -> bool {
        self.new.code(path).into_iter().any(|piece| {
            let mut users = self.new.users(piece).iter();
            users.any(|(user, _)| self.is_new_vtable(*user))
        })
    }

    /// Whether all closures that a path is made of are those that had these numbers.
    fn is_the_same_closure(&self, facts: &LateFacts<'_>, path: &str) -> bool {
        const CLOSURE: &str = "::{closure#";
        let mut rest = path;
        while let Some(function) = function_of(rest) {
            let (Some(only_closures), Some(body)) = (facts.only_closures, self.body(function))
            else {
                return false;
            };
            let end = function.as_ptr().addr() - rest.as_ptr().addr() + function.len();
            rest = &rest[end..];
            if body.is_future {
                // What stands in the future of the body; that itself isn't a closure.
                let inside = rest
                    .strip_prefix(CLOSURE)
                    .and_then(|rest| rest.strip_prefix("0}"));
                match inside.filter(|inside| inside.starts_with(CLOSURE)) {
                    Some(inside) => rest = inside,
                    None => return false,
                }
            }
            rest = &rest[CLOSURE.len()..];
            // What stands in an edited closure may be in another order.
            let name = &body.site.name;
            let edited = self.premises.edits.bodies.contains(name);
            let may_be_edited = only_closures.contains(name) && !holds_closure(rest);
            if edited && !may_be_edited {
                return false;
            }
            let body = body.path(function);
            if self.closures_in(self.old, &body) != self.closures_in(self.new, &body) {
                return false;
            }
            while holds_closure(rest) {
                rest = &rest[rest.find(CLOSURE).unwrap_or_default() + CLOSURE.len()..];
            }
        }
        true
    }

    /// The body of the function of this path, in the old code.
    fn body(&self, function: &str) -> Option<Body<'_>> {
        let premises = self.premises;
        let moved = premises.moved(function);
        let site = moved.or_else(|| premises.then.get(function))?;
        Some(Body {
            site,
            is_future: site.is_async,
        })
    }

    /// How many closures a function itself has, as far as there is code of them.
    fn closures_in(&self, side: &Side<'_, '_>, function: &str) -> usize {
        let paths = side.world.paths();
        let own = paths.filter(|(path, _)| closure_of(path, function).is_some());
        own.count()
    }
}

/// What is written in the body of a function.
struct Body<'a> {
    site: &'a CompiledSite,
    /// It stands in the future of an async function.
    is_future: bool,
}

impl Body<'_> {
    /// The path of the code that has it, of the function of this path.
    fn path(&self, function: &str) -> String {
        match self.is_future {
            true => format!("{function}::{{closure#0}}"),
            false => function.to_owned(),
        }
    }
}

/// Whether a type has a method of its own now in place of a trait's: the path is the same.
fn replaces_default(old: &BTreeSet<&str>, new: &BTreeSet<&str>) -> bool {
    let all = |symbols: &BTreeSet<&str>, start: &str| {
        are_one(symbols.iter().copied()) && symbols.iter().all(|symbol| symbol.starts_with(start))
    };
    // What the newer mangling calls a trait's definition, and that of an impl.
    all(old, "_RNvY") && all(new, "_RNvX")
}

/// All names of the code of a path that other objects see. None: there is some without.
fn symbols<'d>(side: &Side<'_, 'd>, path: &str) -> Option<BTreeSet<&'d str>> {
    let of_piece = |piece: Piece| -> Option<Vec<&'d str>> {
        let symbols = side.world.objects[piece.0].symbols.iter();
        let own = symbols.filter(|symbol| !symbol.local && symbol.section == Some(piece.1));
        let own: Vec<&str> = own.map(|symbol| symbol.name).collect();
        (!own.is_empty()).then_some(own)
    };
    let all: Option<Vec<_>> = side.code(path).into_iter().map(of_piece).collect();
    all.map(|all| all.into_iter().flatten().collect())
}

/// Whether another closure stands in the one whose number `rest` begins with: `0}::{closure#1}`.
fn holds_closure(rest: &str) -> bool {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[digits..].starts_with("}::{closure#")
}
