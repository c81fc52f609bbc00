//! Lifetimes that a type leaves out: `&str`, `Ref<'_, T>`.
//!
//! Those of function types, `fn(&str)` and `Fn(&str)`, have rules of their own and are left alone.

use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Type};

/// Gives every lifetime that `ty` leaves out the name that `name` yields.
pub(crate) fn name_elided(ty: &mut Type, name: impl FnMut() -> Lifetime) {
    NameElided(name).visit_type_mut(ty);
}

/// [`name_elided`] for a path: that of a trait.
pub(crate) fn name_elided_in(path: &mut syn::Path, name: impl FnMut() -> Lifetime) {
    NameElided(name).visit_path_mut(path);
}

struct NameElided<N>(N);

impl<N: FnMut() -> Lifetime> VisitMut for NameElided<N> {
    fn visit_type_reference_mut(&mut self, ty: &mut syn::TypeReference) {
        if ty.lifetime.is_none() {
            ty.lifetime = Some((self.0)());
        }
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = (self.0)();
        }
    }

    fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}

    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }
}

/// Whether a type leaves a lifetime out.
pub(crate) fn has_elided(ty: &Type) -> bool {
    struct Finder(bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder {
        fn visit_type_reference(&mut self, ty: &'ast syn::TypeReference) {
            self.0 |= ty.lifetime.is_none();
            syn::visit::visit_type_reference(self, ty);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident == "_";
        }
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(
            &mut self,
            _: &'ast syn::ParenthesizedGenericArguments,
        ) {
        }
    }
    let mut finder = Finder(false);
    syn::visit::Visit::visit_type(&mut finder, ty);
    finder.0
}
