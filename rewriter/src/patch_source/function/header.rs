//! The trait that carries a method into the plugin, and its impl block.
//!
//! ```text
//! impl<'a> Source for Reader<'a> where …        pub trait __SoftMock3<'a>: Source { … }
//!                                               impl<'a> __SoftMock3<'a> for Reader<'a> where … { … }
//! ```
//!
//! The bound is there only if the function names one of the impl block's own types: through it
//! `Self::Item` keeps its meaning.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, ToTokens};
use soft_mock_abi::symbol::CARRIER;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, Ident, ItemImpl, Lifetime, PathArguments, Signature, Type};

use crate::syntax::edition::Edition;
use crate::syntax::elided::name_elided_in;

/// An impl block, as a model for the one in the plugin.
pub(in crate::patch_source) struct Header {
    item: ItemImpl,
    name: Ident,
    /// The trait's path with every lifetime named, and the names that were added.
    bound: Option<(syn::Path, Vec<Lifetime>)>,
}

impl Header {
    /// `named`: the function mentions an associated type of the impl block.
    pub(in crate::patch_source) fn new(item: ItemImpl, named: bool, index: usize) -> Self {
        let path = item.trait_.as_ref().map(|(_, path, _)| path.clone());
        let bound = path.filter(|_| named).map(|mut path| {
            let mut names: Vec<Lifetime> = Vec::new();
            name_elided_in(&mut path, || {
                let name = format!("'__soft_mock_bound_{}", names.len());
                let lifetime = Lifetime::new(&name, Span::call_site());
                names.push(lifetime.clone());
                lifetime
            });
            (path, names)
        });
        Self {
            item,
            name: format_ident!("{}", Self::name_of(index)),
            bound,
        }
    }

    /// The name of the trait of the function at this position.
    pub(in crate::patch_source) fn name_of(index: usize) -> String {
        format!("{CARRIER}{index}")
    }

    pub(in crate::patch_source) fn item(&self) -> &ItemImpl {
        &self.item
    }

    /// The name of the trait.
    pub(in crate::patch_source) fn name(&self) -> &Ident {
        &self.name
    }

    /// The trait with its declarations.
    pub(in crate::patch_source) fn trait_item(&self, declarations: &TokenStream) -> TokenStream {
        let (name, params) = (&self.name, self.parameters());
        let bound = self.bound.as_ref().map(|(path, _)| quote!(: #path));
        quote!(pub trait #name #params #bound { #declarations })
    }

    /// The impl block up to its opening brace.
    pub(in crate::patch_source) fn impl_start(&self) -> TokenStream {
        let (name, params, ty) = (&self.name, self.parameters(), &self.item.self_ty);
        let clause = &self.item.generics.where_clause;
        let names = self.item.generics.lifetimes().map(|l| &l.lifetime);
        let added = self.bound.iter().flat_map(|(_, added)| added);
        quote!(impl #params #name <#(#names,)* #(#added),*> for #ty #clause)
    }

    fn parameters(&self) -> TokenStream {
        let own = self.item.generics.params.iter();
        let added = self.bound.iter().flat_map(|(_, added)| added);
        quote!(<#(#own,)* #(#added),*>)
    }

    /// A signature as the trait declares it.
    pub(in crate::patch_source) fn declare(&self, mut signature: Signature) -> Signature {
        let mut sized = false;
        for argument in &mut signature.inputs {
            match argument {
                FnArg::Receiver(receiver) => {
                    receiver.attrs.clear();
                    if receiver.reference.is_none() {
                        receiver.mutability = None;
                        sized = true;
                    }
                }
                FnArg::Typed(typed) => {
                    typed.attrs.clear();
                    *typed.pat = syn::parse_quote!(_);
                }
            }
        }
        SelfInLengths(&self.item.self_ty).visit_signature_mut(&mut signature);
        if sized || mentions_self(&signature) {
            let clause = signature.generics.make_where_clause();
            clause.predicates.push(syn::parse_quote!(Self: Sized));
        }
        signature
    }

    /// The path of the trait, to be imported: in its own impl block a trait is in scope without.
    pub(in crate::patch_source) fn import(&self, edition: Edition) -> Option<TokenStream> {
        let (_, path, _) = self.item.trait_.as_ref()?;
        if path.segments.len() < 2 || edition == Edition::E2015 {
            return None;
        }
        let mut path = path.clone();
        for segment in &mut path.segments {
            segment.arguments = PathArguments::None;
        }
        Some(path.to_token_stream())
    }

    /// The function `name` of the host.
    pub(in crate::patch_source) fn original(&self, name: &Ident) -> TokenStream {
        match &self.item.trait_ {
            Some((_, path, _)) => quote!(<Self as #path>::#name),
            None => quote!(Self::#name),
        }
    }
}

/// Whether a signature names `Self` beyond its receiver.
fn mentions_self(signature: &Signature) -> bool {
    let inputs = signature
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(typed.ty.to_token_stream()),
            FnArg::Receiver(receiver) if receiver.colon_token.is_some() => {
                Some(receiver.ty.to_token_stream())
            }
            FnArg::Receiver(_) => None,
        });
    let mut words = std::collections::HashSet::new();
    for tokens in inputs.chain([signature.output.to_token_stream()]) {
        crate::syntax::mentions::identifiers(tokens, &mut words);
    }
    words.contains("Self")
}

/// In a trait, `[u8; Self::LEN]` depends on a parameter, which an array's length can't.
struct SelfInLengths<'a>(&'a Type);

impl VisitMut for SelfInLengths<'_> {
    fn visit_expr_path_mut(&mut self, path: &mut syn::ExprPath) {
        let first = path.path.segments.first();
        if path.qself.is_some() || first.is_none_or(|first| first.ident != "Self") {
            return visit_mut::visit_expr_path_mut(self, path);
        }
        let (ty, rest) = (self.0, path.path.segments.iter().skip(1));
        *path = syn::parse_quote!(<#ty> #(::#rest)*);
    }
}
