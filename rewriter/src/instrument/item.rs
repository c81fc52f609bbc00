//! What a function without instances says of itself to mocks: the id of its own type, which the
//! compiler gives to this function and to no other.
//!
//! ```text
//! static ITEM: Item = Item::of(&<View<'_> as fmt::Display>::fmt, &SITE);
//! ```
//!
//! It stands in the function's body, where names mean what they mean in the module around it: what
//! the body itself declares is put into a block of its own. A static can't say `Self`, so the type
//! of the impl block is written out. Instances leave records of another kind: see `instance`.

use proc_macro2::TokenStream;
use quote::quote;
use soft_mock_abi::item::{Item, VERSION};
use soft_mock_abi::section::ITEMS;
use soft_mock_abi::symbol::SITE;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Generics, Lifetime, Signature, Stmt, Type};

use crate::instrument::instance::{self, Surroundings};
use crate::syntax::edition::Edition;
use crate::syntax::known_macros;

/// The record of a function, to stand behind its site. A destructor has none: nothing may name it.
pub(crate) fn record(edition: Edition, signature: &Signature, around: Surroundings<'_>) -> String {
    if instance::is_destructor(signature, around) {
        return String::new();
    }
    let path = path(signature, around).to_string();
    record_of(edition, &path, SITE)
}

/// The record of the function that `path` means, at the site of this name.
pub(crate) fn record_of(edition: Edition, path: &str, site: &str) -> String {
    let section = edition.unsafe_attribute(&format!("link_section = {ITEMS:?}"));
    format!(
        " #[used] {section} static __SOFT_MOCK_ITEM: crate::__soft_mock::Item = crate::__soft_mock::Item::of(&{path}, &{site});"
    )
}

/// The function as an expression in a static of its own body.
fn path(signature: &Signature, around: Surroundings<'_>) -> TokenStream {
    let name = &signature.ident;
    let Some(item_impl) = around.item_impl else {
        return instance::free(name, around.in_body);
    };
    let mut ty = (*item_impl.self_ty).clone();
    LeaveOut(&item_impl.generics).visit_type_mut(&mut ty);
    let Some((_, tr, _)) = &item_impl.trait_ else {
        return quote!(<#ty>::#name);
    };
    let mut tr = tr.clone();
    LeaveOut(&item_impl.generics).visit_path_mut(&mut tr);
    WithoutSelf(&ty).visit_path_mut(&mut tr);
    quote!(<#ty as #tr>::#name)
}

/// `'_` in place of the lifetimes of an impl block, which a static doesn't have.
struct LeaveOut<'a>(&'a Generics);

impl VisitMut for LeaveOut<'_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.0.lifetimes().any(|own| own.lifetime == *lifetime) {
            *lifetime = Lifetime::new("'_", lifetime.apostrophe);
        }
    }
}

/// The type itself in place of `Self`.
struct WithoutSelf<'a>(&'a Type);

impl VisitMut for WithoutSelf<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Path(path) if path.qself.is_none() && path.path.is_ident("Self") => {
                *ty = self.0.clone();
            }
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }
}

/// Whether a body may declare names: they could hide those of its signature.
pub(crate) fn declares(block: &Block) -> bool {
    block.stmts.iter().any(|statement| match statement {
        Stmt::Item(_) => true,
        Stmt::Macro(call) => {
            let name = call.mac.path.segments.last();
            !name.is_some_and(|name| known_macros::takes_expressions(&name.ident.to_string()))
        }
        Stmt::Local(_) | Stmt::Expr(..) => false,
    })
}

/// What the records refer to; stands in the support module.
pub(crate) fn support() -> String {
    format!(
        "    #[repr(C)] pub struct Item {{ {} }}
    impl Item {{ pub const fn of<F: 'static>(_item: &F, site: &'static Site) -> Item {{ Item {{ version: {VERSION}, site: site, item: TypeId::of::<F> }} }} }}
",
        Item::FIELDS
    )
}

#[cfg(test)]
mod tests {
    use syn::ItemImpl;

    use super::*;
    use crate::syntax::names::compact;

    #[test]
    fn functions_as_expressions() {
        let check = |owner: &str, expected: &str| {
            let owner: Option<ItemImpl> = match owner {
                "" => None,
                owner => Some(syn::parse_str(owner).expect("impl")),
            };
            let signature = syn::parse_str("fn r#fn(self)").expect("fn");
            let around = Surroundings {
                item_impl: owner.as_ref(),
                ..Surroundings::default()
            };
            let path = path(&signature, around);
            assert_eq!(compact(path), expected);
        };
        check("", "self::r#fn");
        check("impl View {}", "<View>::r#fn");
        check("impl<'a> View<'a, 'static> {}", "<View<'_, 'static>>::r#fn");
        check(
            "impl<'a> From<&'a Self> for View<'a> {}",
            "<View<'_>as From<&'_ View<'_>>>::r#fn",
        );
        check(
            "impl<'a> Get for dyn for<'b> Fn(&'b u8) + 'a {}",
            "<dyn for<'b>Fn(&'b u8) + '_ as Get>::r#fn",
        );
    }

    #[test]
    fn destructors_have_no_record() {
        let signature = syn::parse_str("fn drop(&mut self)").expect("fn");
        for (owner, expected) in [
            ("Drop", true),
            ("::std::ops::Drop", true),
            ("own::Drop", false),
        ] {
            let owner = syn::parse_str(&format!("impl {owner} for View {{}}")).expect("impl");
            let around = Surroundings {
                item_impl: Some(&owner),
                ..Surroundings::default()
            };
            let record = record(Edition::E2021, &signature, around);
            assert_eq!(record.is_empty(), expected, "{record}");
        }
    }

    #[test]
    fn bodies_that_declare() {
        let check = |block: &str, expected: bool| {
            assert_eq!(
                declares(&syn::parse_str(block).expect("block")),
                expected,
                "{block}"
            );
        };
        check("{ use other::Display; f() }", true);
        check("{ items!(); f() }", true);
        check("{ println!(); let a = own!(); f() }", false);
    }
}
