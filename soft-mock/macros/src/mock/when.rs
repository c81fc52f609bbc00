//! `when`: which calls a mock takes, by their arguments.
//!
//! ```text
//! mock!(rate_for, when |sku, n| sku == "hat" && *n > 1, |sku: &str, n: u32| -> f64 { 0.5 })
//! for<'a> Fn(&'a str, &'a u32) -> bool         what is behind references, and references to values
//! ```
//!
//! Knows nothing of how mocks are chosen.

use proc_macro2::{Span, TokenStream};
use quote::{quote, ToTokens};
use syn::parse::ParseStream;
use syn::{ExprClosure, Ident, Lifetime, Token, Type};

use super::Input;

/// `when` and a closure, before the mock's own.
pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Option<ExprClosure>> {
    let ahead = input.fork();
    let word: Option<Ident> = ahead.parse().ok();
    let follows = ahead.peek(Token![|]) || ahead.peek(Token![||]) || ahead.peek(Token![move]);
    if word.is_none_or(|word| word != "when") || !follows {
        return Ok(None);
    }
    input.parse::<Ident>()?;
    let closure = input.parse()?;
    input.parse::<Token![,]>()?;
    Ok(Some(closure))
}

/// It has to take what the mock takes.
pub(super) fn check(when: Option<&ExprClosure>, closure: &ExprClosure) -> syn::Result<()> {
    match when {
        Some(when) if when.inputs.len() != closure.inputs.len() => Err(syn::Error::new_spanned(
            when,
            format!(
                "`when` looks at all arguments, of which the mock has {}: `when |a, _| …`",
                closure.inputs.len()
            ),
        )),
        _ => Ok(()),
    }
}

/// As it is written, for messages.
pub(super) fn text(input: &Input) -> TokenStream {
    match &input.when {
        Some(when) => {
            let body = &when.body;
            quote!(::core::option::Option::Some(::core::stringify!(#body)))
        }
        None => quote!(::core::option::Option::None),
    }
}

/// The closure, or one that takes everything.
pub(super) fn closure(input: &Input) -> TokenStream {
    match &input.when {
        Some(when) => when.to_token_stream(),
        None => {
            let all = input.closure.inputs.iter().map(|_| quote!(_));
            quote!(|#(#all),*| true)
        }
    }
}

/// The bound of the closure, for arguments of these types.
pub(super) fn bound(lifetimes: &[Lifetime], types: &[Type]) -> TokenStream {
    let own = Lifetime::new("'__w", Span::call_site());
    let types = types.iter().map(inner);
    quote!(for<#own #(, #lifetimes)*> ::core::ops::Fn(#(&#own #types),*) -> bool)
}

/// The closure's arguments, for a call with these.
pub(super) fn looks(names: &[Ident], types: &[Type]) -> Vec<TokenStream> {
    let look = |(name, ty): (&Ident, &Type)| match unwrapped(ty) {
        Type::Reference(_) => quote!(&*#name),
        _ => quote!(&#name),
    };
    names.iter().zip(types).map(look).collect()
}

/// What is behind a reference, if it is one.
fn inner(ty: &Type) -> TokenStream {
    match unwrapped(ty) {
        Type::Reference(reference) => {
            let inner = &reference.elem;
            // `&dyn A + B` can't be written.
            match &**inner {
                Type::TraitObject(_) => quote!((#inner)),
                _ => quote!(#inner),
            }
        }
        _ => quote!(#ty),
    }
}

pub(super) fn unwrapped(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => unwrapped(&paren.elem),
        Type::Group(group) => unwrapped(&group.elem),
        other => other,
    }
}
