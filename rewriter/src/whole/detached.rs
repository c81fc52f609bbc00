//! The body of a changed async function, moved beside it.
//!
//! ```text
//! async fn get(&self, (a, b): P) -> u8 { body }
//!
//! async fn get(&self, __soft_mock_1: P) -> u8 { Self::qaa(self, __soft_mock_1).await }
//! fn __soft_mock_code_0(&self, __soft_mock_1: P) -> Pin<Box<dyn Future<Output = u8> + …>> { …Self::qaa(self, __soft_mock_1)… }
//! async fn qaa(&self, (a, b): P) -> u8 { body }
//! ```
//!
//! `get` gets its prologue as ever, so whoever awaits it goes through its site. `qaa` is as long as
//! `get`: what the body declares has the symbols that it has in the program, but for these letters.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::{AttrStyle, FnArg, Pat, ReturnType, Signature, Type};

use super::{refuse, Candidate, Preparer, WholeRefusal};
use crate::edits::blank;
use crate::names::Owner;
use crate::prologue::plain;

impl Preparer<'_> {
    /// Moves the body. Returns the name that it has now, and the function's.
    pub(super) fn detach(
        &mut self,
        candidate: &Candidate<'_>,
        position: usize,
    ) -> Result<(String, String), WholeRefusal> {
        let wanted = &self.functions[position];
        let name = plain(&candidate.signature.ident.to_string());
        if candidate
            .attrs
            .iter()
            .any(|attr| matches!(attr.style, AttrStyle::Inner(_)))
        {
            return refuse(&wanted.name, "its body starts with an attribute");
        }
        if is_never(&candidate.signature.output) {
            return refuse(&wanted.name, "it is async and never returns");
        }
        let Some(beside) = free_name(&name, self.words) else {
            return refuse(&wanted.name, "no name of that length is free");
        };
        let not_send = wanted.not_send;
        let owner = candidate.item_impl.map_or(Owner::Free, Owner::of_impl);
        let code = format!("__soft_mock_code_{position}");
        for new in [&beside, &code] {
            let site = self.site_name(&owner, new);
            self.without.push(site);
        }
        self.name_parameters(candidate.signature);
        let text = Detached {
            signature: candidate.signature,
            in_impl: candidate.item_impl.is_some(),
            beside: Ident::new(&beside, Span::call_site()),
            code: Ident::new(&code, Span::call_site()),
            attributes: self.attributes(position),
            not_send,
        }
        .text();
        let brace = candidate.block.brace_token.span.open().byte_range().end;
        self.edits.insert(brace, text);
        Ok((beside, name))
    }

    fn name_parameters(&mut self, signature: &Signature) {
        for (position, argument) in signature.inputs.iter().enumerate() {
            if let FnArg::Typed(typed) = argument {
                if plain_parameter(&typed.pat).is_none() {
                    let range = typed.pat.span().byte_range();
                    let ends: String = blank(&self.text[range.clone()])
                        .chars()
                        .filter(|c| *c == '\n')
                        .collect();
                    self.edits
                        .replace(range, format!("{}{ends}", parameter(position)));
                }
            }
        }
    }
}

fn plain_parameter(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => Some(&ident.ident),
        _ => None,
    }
}

fn parameter(position: usize) -> Ident {
    Ident::new(&format!("__soft_mock_{position}"), Span::call_site())
}

fn is_never(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)))
}

/// An identifier that occurs nowhere and is as long as `name`.
fn free_name(name: &str, taken: &mut HashSet<String>) -> Option<String> {
    const LETTERS: &[u8] = b"qzxjkvwybcdfghlmnprst";
    if !name.is_ascii() {
        return None;
    }
    // Symbols of names with a leading underscore are written in another way.
    let fixed = if name.starts_with('_') { 1 } else { 0 };
    for number in 0..20_000_usize {
        let mut candidate = name.as_bytes()[..fixed].to_vec();
        let mut rest = number;
        while candidate.len() < name.len() {
            candidate.push(LETTERS[rest % LETTERS.len()]);
            rest /= LETTERS.len();
        }
        let candidate = String::from_utf8(candidate).ok()?;
        let valid = syn::parse_str::<Ident>(&candidate).is_ok();
        if rest == 0 && valid && taken.insert(candidate.clone()) {
            return Some(candidate);
        }
    }
    None
}

struct Detached<'a> {
    signature: &'a Signature,
    in_impl: bool,
    beside: Ident,
    code: Ident,
    attributes: String,
    not_send: bool,
}

impl Detached<'_> {
    /// What is inserted behind the opening brace of the function.
    fn text(&self) -> String {
        let call = self.call();
        let code = self.code_signature().to_token_stream();
        let mut beside = self.signature.clone();
        beside.ident = self.beside.clone();
        let send = match self.not_send {
            true => quote!(),
            false => quote!(::std::marker::Send),
        };
        let body = quote!({
            fn __soft_mock_check<T: #send>(future: T) -> T { future }
            let __soft_mock_future: ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = _> + '_>> =
                ::std::boxed::Box::pin(__soft_mock_check(#call));
            unsafe { ::std::mem::transmute(__soft_mock_future) }
        });
        let beside = beside.to_token_stream();
        let attributes = &self.attributes;
        let text = format!("{call}.await }} {attributes} {code} {body} {beside} {{");
        text.replace('\n', " ")
    }

    fn call(&self) -> proc_macro2::TokenStream {
        let arguments = self
            .signature
            .inputs
            .iter()
            .enumerate()
            .map(|(position, argument)| match argument {
                FnArg::Receiver(_) => quote!(self),
                FnArg::Typed(typed) => match plain_parameter(&typed.pat) {
                    Some(name) => quote!(#name),
                    None => parameter(position).to_token_stream(),
                },
            });
        let owner = self.in_impl.then(|| quote!(Self::));
        let name = &self.beside;
        let call = quote!(#owner #name(#(#arguments),*));
        match self.signature.unsafety {
            Some(_) => quote!(unsafe { #call }),
            None => call,
        }
    }

    /// A function of the type that the prologue calls.
    fn code_signature(&self) -> Signature {
        let mut signature = self.signature.clone();
        signature.asyncness = None;
        signature.ident = self.code.clone();
        for (position, argument) in signature.inputs.iter_mut().enumerate() {
            if let FnArg::Typed(typed) = argument {
                let name = plain_parameter(&typed.pat)
                    .cloned()
                    .unwrap_or_else(|| parameter(position));
                *typed.pat = syn::parse_quote!(#name);
            }
        }
        let output = match &self.signature.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        };
        signature.output = syn::parse_quote!(
            -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = #output>
                + ::std::marker::Send + ::std::marker::Sync
                + ::std::panic::UnwindSafe + ::std::panic::RefUnwindSafe + 'static>>
        );
        signature
    }
}
