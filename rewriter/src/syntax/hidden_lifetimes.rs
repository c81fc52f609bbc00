//! Lifetimes of which a type shows nothing: `Chars` for `Chars<'_>`.
//!
//! Known by the names of types alone: who relies on it lets the compiler have the last word.

use std::collections::{HashMap, HashSet};

use syn::visit_mut::{self, VisitMut};
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Lifetime, PathArguments, PathSegment, Type,
};

/// How many lifetime parameters types have.
#[derive(Debug, Default)]
pub(crate) struct LifetimeCounts {
    /// None: there are several types of this name.
    own: HashMap<String, Option<usize>>,
}

/// Types of the standard library with one lifetime parameter, whatever module they are of.
const ONE_LIFETIME: [&str; 20] = [
    "Arguments",
    "CharIndices",
    "Chars",
    "Components",
    "Context",
    "Cow",
    "Drain",
    "Entry",
    "Formatter",
    "Iter",
    "IterMut",
    "Keys",
    "MappedMutexGuard",
    "MutexGuard",
    "Ref",
    "RefMut",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "Values",
    "Windows",
];

impl LifetimeCounts {
    /// Adds a type of the crate.
    pub(crate) fn declare(&mut self, name: &str, count: usize) {
        let known = self.own.entry(name.to_owned()).or_insert(Some(count));
        if *known != Some(count) {
            *known = None;
        }
    }

    fn of(&self, name: &str) -> usize {
        match self.own.get(name) {
            Some(count) => count.unwrap_or_default(),
            None => usize::from(ONE_LIFETIME.contains(&name)),
        }
    }

    /// Writes `lifetime` wherever `ty` shows nothing of one.
    pub(crate) fn fill_in(&self, ty: &mut Type, lifetime: &Lifetime) {
        struct Filler<'a>(&'a LifetimeCounts, &'a Lifetime);
        impl VisitMut for Filler<'_> {
            fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
                visit_mut::visit_path_segment_mut(self, segment);
                let count = self.0.of(&segment.ident.to_string());
                if count == 0 || has_lifetimes(segment) {
                    return;
                }
                let lifetimes = (0..count).map(|_| GenericArgument::Lifetime(self.1.clone()));
                let types = match &segment.arguments {
                    PathArguments::AngleBracketed(list) => list.args.iter().cloned().collect(),
                    _ => Vec::new(),
                };
                let all = lifetimes.chain(types);
                let list: AngleBracketedGenericArguments = syn::parse_quote!(<#(#all),*>);
                segment.arguments = PathArguments::AngleBracketed(list);
            }
            // They have rules of their own.
            fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}
            fn visit_parenthesized_generic_arguments_mut(
                &mut self,
                _: &mut syn::ParenthesizedGenericArguments,
            ) {
            }
        }
        Filler(self, lifetime).visit_type_mut(ty);
    }
}

fn has_lifetimes(segment: &PathSegment) -> bool {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) => {
            let mut arguments = list.args.iter();
            arguments.any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
        }
        _ => false,
    }
}

/// Types of the standard library that are often written without their lifetimes.
const BORROWING: [&str; 24] = [
    "Formatter",
    "Context",
    "Ref",
    "RefMut",
    "MutexGuard",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "Iter",
    "IterMut",
    "Chars",
    "CharIndices",
    "Lines",
    "Split",
    "Bytes",
    "Drain",
    "Keys",
    "Values",
    "Cow",
    "Arguments",
    "Components",
    "Entry",
    "Display",
    "Peekable",
    "Windows",
];

/// Whether a type names, without lifetimes, a type that is known to have some.
pub(crate) fn names_hidden_lifetime(ty: &Type, borrowing: &HashSet<String>) -> bool {
    struct Finder<'a>(&'a HashSet<String>, bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder<'_> {
        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            let name = segment.ident.to_string();
            let known = self.0.contains(&name) || BORROWING.contains(&name.as_str());
            self.1 |= known && !has_lifetimes(segment);
            syn::visit::visit_path_segment(self, segment);
        }
    }
    let mut finder = Finder(borrowing, false);
    syn::visit::Visit::visit_type(&mut finder, ty);
    finder.1
}
