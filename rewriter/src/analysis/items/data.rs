//! Items that have a name, a visibility and no body: types, constants, statics, aliases.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{Attribute, Fields, Generics, Item as Syntax, Visibility};

use super::aspects::{aspect, part_attributes};
use super::modules::name_of;
use super::types::{ItemKind, Part};
use crate::syntax::documentation::DocReader;
use crate::syntax::mentions::{Mentions, Names};

/// What items without a body have in common.
pub(super) struct Data<'a> {
    pub(super) kind: ItemKind,
    pub(super) name: &'a syn::Ident,
    pub(super) vis: &'a Visibility,
    pub(super) attrs: &'a [Attribute],
    pub(super) generics: Option<&'a Generics>,
    pub(super) aspects: Vec<(&'static str, TokenStream)>,
}

impl<'a> Data<'a> {
    pub(super) fn of(item: &'a Syntax) -> Option<Self> {
        macro_rules! data {
            ($kind:ident, $item:ident, $generics:expr, $aspects:expr) => {
                Self {
                    kind: ItemKind::$kind,
                    name: &$item.ident,
                    vis: &$item.vis,
                    attrs: &$item.attrs,
                    generics: $generics,
                    aspects: $aspects,
                }
            };
        }
        Some(match item {
            Syntax::Struct(item) => {
                let shape = match item.fields {
                    Fields::Named(_) => quote!({}),
                    Fields::Unnamed(_) => quote!(()),
                    Fields::Unit => quote!(;),
                };
                data!(Struct, item, Some(&item.generics), vec![("kind", shape)])
            }
            Syntax::Enum(item) => data!(Enum, item, Some(&item.generics), Vec::new()),
            Syntax::Union(item) => data!(Union, item, Some(&item.generics), Vec::new()),
            Syntax::Type(item) => {
                let ty = item.ty.to_token_stream();
                data!(Type, item, Some(&item.generics), vec![("type", ty)])
            }
            Syntax::TraitAlias(item) => {
                let bounds = item.bounds.to_token_stream();
                data!(
                    TraitAlias,
                    item,
                    Some(&item.generics),
                    vec![("bounds", bounds)]
                )
            }
            Syntax::Const(item) => {
                let (ty, value) = (item.ty.to_token_stream(), item.expr.to_token_stream());
                data!(Const, item, None, vec![("type", ty), ("value", value)])
            }
            Syntax::Static(item) => {
                let (mutable, ty) = (&item.mutability, &item.ty);
                let value = item.expr.to_token_stream();
                data!(
                    Static,
                    item,
                    None,
                    vec![("type", quote!(#mutable #ty)), ("initial value", value)]
                )
            }
            _ => return None,
        })
    }
}

/// The names on which living values depend, if the item lasts at all.
pub(super) fn mentions(item: &Syntax) -> Names {
    let tokens = match item {
        Syntax::Static(item) => item.ty.to_token_stream(),
        other => other.to_token_stream(),
    };
    Mentions::of(tokens).all
}

/// The value of a constant or static.
pub(super) fn value(item: &Syntax) -> Option<&syn::Expr> {
    match item {
        Syntax::Const(item) => Some(&item.expr),
        Syntax::Static(item) => Some(&item.expr),
        _ => None,
    }
}

pub(super) fn variant(variant: &syn::Variant) -> Part {
    let value = variant.discriminant.as_ref().map(|(_, value)| value);
    let (mut fields, mut attrs) = (variant.fields.clone(), variant.attrs.clone());
    for field in &mut fields {
        let own = std::mem::take(&mut field.attrs).into_iter();
        let (docs, others) = own.partition(|attr| DocReader::of(attr).is_some());
        field.attrs = others;
        attrs.extend::<Vec<_>>(docs);
    }
    Part {
        kind: "variant",
        name: name_of(&variant.ident),
        line: variant.ident.span().start().line,
        aspects: vec![
            aspect("content", fields.to_token_stream()),
            aspect("value", quote!(#value)),
        ]
        .into_iter()
        .chain(part_attributes(&attrs))
        .collect(),
    }
}
