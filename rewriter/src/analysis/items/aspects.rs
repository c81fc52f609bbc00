//! What can differ about an item, each under a name and with a fingerprint: its attributes, its
//! definition, the parts of a trait's header.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{Attribute, FnArg, PatType, Receiver, Signature, TraitItem};

use super::types::Aspect;
use crate::analysis::attribute_effect::AttributesByEffect;
use crate::syntax::documentation::{is_doc, DocReader};
use crate::syntax::normalize::{fingerprint, normalize, Fingerprint};

pub(super) fn aspect(name: &'static str, tokens: TokenStream) -> Aspect {
    Aspect {
        name,
        content: fingerprint(tokens),
    }
}

/// The attributes of an item; its conditions belong to its identity.
pub(super) fn weighed(attrs: &[Attribute]) -> Vec<Aspect> {
    let weighed = AttributesByEffect::of(attrs);
    vec![
        aspect("attributes", weighed.layout),
        aspect(Aspect::CODE_ATTRIBUTES, weighed.code),
        aspect(Aspect::DERIVE_DOCS, weighed.derive_docs),
        aspect(Aspect::MACRO_DOCS, weighed.macro_docs),
    ]
}

pub(super) fn has_layout_attributes(attrs: &[Attribute]) -> bool {
    !AttributesByEffect::of(attrs).layout.is_empty()
}

/// The attributes of a field or a variant, whose conditions decide about layout.
pub(super) fn part_attributes(attrs: &[Attribute]) -> Vec<Aspect> {
    let conditions = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let conditions = aspect("condition", quote!(#(#conditions)*));
    weighed(attrs).into_iter().chain([conditions]).collect()
}

/// The tokens of an item that begins with so many outer attributes.
pub(super) fn without_attributes(item: &impl ToTokens, attributes: usize) -> TokenStream {
    // `#` and its brackets each.
    item.to_token_stream()
        .into_iter()
        .skip(2 * attributes)
        .collect()
}

/// What can change about a trait as a whole.
pub(super) fn trait_aspects(item: &syn::ItemTrait) -> Vec<Aspect> {
    let (generics, clause) = (&item.generics, &item.generics.where_clause);
    let (unsafety, auto, above) = (&item.unsafety, &item.auto_token, &item.supertraits);
    let mut methods = TokenStream::new();
    let mut types = TokenStream::new();
    for inner in &item.items {
        match inner {
            TraitItem::Fn(inner) => {
                let (signature, layout) = (&inner.sig, AttributesByEffect::of(&inner.attrs).layout);
                let conditions = inner.attrs.iter().filter(|a| a.path().is_ident("cfg"));
                let default = inner.default.as_ref().map(|_| quote!({}));
                methods.extend(quote!(#(#conditions)* #layout #signature #default;));
            }
            TraitItem::Const(_) => {}
            other => types.extend(other.to_token_stream()),
        }
    }
    vec![
        aspect("visibility", item.vis.to_token_stream()),
        aspect("header", quote!(#unsafety #auto #generics #clause : #above)),
        aspect("types", types),
        aspect("methods", methods),
    ]
}

/// Attributes other than cfg and documentation, normalised, without brackets.
pub(super) fn attributes(attrs: &[Attribute]) -> Vec<String> {
    attrs
        .iter()
        .filter(|attr| !attr.path().get_ident().is_some_and(is_doc))
        .filter(|attr| !attr.path().is_ident("cfg"))
        .map(|attr| normalize(attr.meta.to_token_stream()))
        .collect()
}

/// The doc comments on a function and its parameters that a macro may read, and the attributes of
/// the parameters.
pub(super) fn read_by_macros(attrs: &[Attribute], signature: &Signature) -> [Fingerprint; 2] {
    let mut docs = AttributesByEffect::of(attrs).macro_docs;
    let mut attributes = TokenStream::new();
    for (at, argument) in signature.inputs.iter().enumerate() {
        let (FnArg::Typed(PatType { attrs, .. }) | FnArg::Receiver(Receiver { attrs, .. })) =
            argument;
        let own = AttributesByEffect::of(attrs);
        let (layout, code, read) = (own.layout, own.code, own.macro_docs);
        let conditions = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
        let all = quote!(#layout #code #(#conditions)*);
        if !all.is_empty() {
            attributes.extend(quote!(#at #all));
        }
        if !read.is_empty() {
            docs.extend(quote!(#at #read));
        }
    }
    [docs, attributes].map(fingerprint)
}

/// The attributes of a trait, and the doc comments of what stands in it that macros may read.
pub(super) fn trait_attributes(item: &syn::ItemTrait) -> Vec<Attribute> {
    let inner = item.items.iter().flat_map(|inner| match inner {
        TraitItem::Fn(inner) => inner.attrs.as_slice(),
        TraitItem::Const(inner) => &inner.attrs,
        TraitItem::Type(inner) => &inner.attrs,
        _ => &[],
    });
    let docs = inner.filter(|attr| DocReader::of(attr).is_some());
    item.attrs.iter().chain(docs).cloned().collect()
}

/// The conditions among the attributes, after those of the surroundings.
pub(super) fn cfgs(around: &[String], attrs: &[Attribute]) -> Vec<String> {
    let own = attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .map(|attr| normalize(attr.meta.to_token_stream()));
    around.iter().cloned().chain(own).collect()
}
