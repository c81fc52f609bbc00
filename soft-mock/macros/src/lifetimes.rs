//! The lifetimes of a mock's types: which there are, and other names for them.
//!
//! The rewriter looks for lifetimes that are left out as well (`syntax/elided.rs`). It isn't asked:
//! this crate needs it for `#[mockable]` alone, and who mocks without would have to compile it.

use proc_macro2::Span;
use quote::format_ident;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Token};

/// Leaves the names of lifetimes out.
pub(crate) struct LeaveOut;

impl VisitMut for LeaveOut {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            lifetime.ident = format_ident!("_");
        }
    }

    fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}
}

/// Gives every lifetime another name.
pub(crate) struct Rename;

impl VisitMut for Rename {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" && lifetime.ident != "_" {
            lifetime.ident = format_ident!("__own_{}", lifetime.ident);
        }
    }
}

/// Names the lifetimes that are left out.
#[derive(Default)]
pub(crate) struct NameAll {
    pub(crate) made: Vec<Lifetime>,
    /// The name for all of them.
    pub(crate) only: Option<Lifetime>,
}

impl NameAll {
    fn name(&mut self) -> Lifetime {
        if let Some(only) = &self.only {
            return only.clone();
        }
        let made = Lifetime::new(&format!("'__elided_{}", self.made.len()), Span::call_site());
        self.made.push(made.clone());
        made
    }
}

impl VisitMut for NameAll {
    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.name());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.name();
        }
    }

    // Those of function pointers and `Fn(…)` are bound there.
    fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}

    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }
}

pub(crate) fn declared(list: &Punctuated<syn::GenericParam, Token![,]>) -> Vec<Lifetime> {
    let lifetime = |param: &syn::GenericParam| match param {
        syn::GenericParam::Lifetime(param) => Some(param.lifetime.clone()),
        _ => None,
    };
    list.iter().filter_map(lifetime).collect()
}

/// Lifetimes that the types name, and what they leave to inference.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) lifetimes: Vec<Lifetime>,
    bound: Vec<Lifetime>,
    pub(crate) inferred: Option<Span>,
}

impl<'ast> Visit<'ast> for Written {
    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        let known = lifetime.ident == "static" || lifetime.ident == "_";
        if !known && !self.lifetimes.contains(lifetime) && !self.bound.contains(lifetime) {
            self.lifetimes.push(lifetime.clone());
        }
    }

    fn visit_bound_lifetimes(&mut self, bound: &'ast syn::BoundLifetimes) {
        self.bound.extend(declared(&bound.lifetimes));
    }

    fn visit_type_infer(&mut self, inferred: &'ast syn::TypeInfer) {
        self.inferred = Some(inferred.span());
        visit::visit_type_infer(self, inferred);
    }
}

/// Whether a type has a lifetime without a name, `'_`.
pub(crate) fn has_unnamed(ty: &syn::Type) -> bool {
    struct Finder(bool);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident == "_";
        }
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
    }
    let mut finder = Finder(false);
    finder.visit_type(ty);
    finder.0
}
