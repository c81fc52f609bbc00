//! The body of a function, moved beside it.
//!
//! ```text
//! async fn get(&self, (a, b): P) -> u8 { body }
//!
//! async fn get(&self, __soft_mock_1: P) -> u8 { …; Self::__soft_mock_code_get(self, __soft_mock_1).await }
//! fn __soft_mock_code_get(&self, __soft_mock_1: P) -> Pin<Box<dyn Future<Output = u8> + …>> { …Self::__soft_mock_body_get(self, __soft_mock_1)… }
//! async fn __soft_mock_body_get(&self, (a, b): P) -> u8 { body }
//! ```
//!
//! Of a function that isn't async, `__soft_mock_code_get` holds the body. `get` gets its prologue as ever. Its future has the same layout whatever the body is, and keeps a
//! value of the body's future type that takes no room: it is `Send` exactly if the body's future is.

use proc_macro2::{Ident, Span};
use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::{FnArg, Pat, ReturnType, Signature};

use super::{Candidate, Preparer, DETACHED_BODY, DETACHED_CODE};
use crate::edits::blank;
use crate::names::Owner;
use crate::prologue::plain;

impl Preparer<'_> {
    /// Moves the body.
    pub(super) fn detach(&mut self, candidate: &Candidate<'_>, owner: &Owner, is_async: bool) {
        let name = plain(&candidate.signature.ident.to_string());
        let [body, code] = [DETACHED_BODY, DETACHED_CODE].map(|start| format!("{start}{name}"));
        for new in [&body, &code] {
            let site = self.site_name(owner, new);
            self.without.push(site);
        }
        self.name_parameters(candidate.signature);
        let detached = Detached {
            signature: candidate.signature,
            in_impl: candidate.item_impl.is_some(),
            body: Ident::new(&body, Span::call_site()),
            code: Ident::new(&code, Span::call_site()),
        };
        let text = match is_async {
            true => detached.text(),
            false => detached.sync_text(),
        };
        let brace = candidate.block.brace_token.span.open().byte_range().end;
        self.edits.insert(brace, text);
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

struct Detached<'a> {
    signature: &'a Signature,
    in_impl: bool,
    body: Ident,
    code: Ident,
}

impl Detached<'_> {
    /// What is inserted behind the opening brace of the function.
    fn text(&self) -> String {
        let call = self.call(&self.body);
        let boxed = self.call(&self.code);
        let code = self.code_signature().to_token_stream();
        let mut body = self.signature.clone();
        body.ident = self.body.clone();
        let start = quote!(
            let mut __soft_mock_auto = ::core::marker::PhantomData;
            if false {
                fn __soft_mock_of<F>(_: &F) -> ::core::marker::PhantomData<F> { ::core::marker::PhantomData }
                __soft_mock_auto = __soft_mock_of(&#call);
                loop {}
            }
            let __soft_mock_result = #boxed.await;
            ::core::mem::drop(__soft_mock_auto);
            __soft_mock_result
        );
        let boxing = quote!({
            let __soft_mock_future: ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = _> + '_>> =
                ::std::boxed::Box::pin(#call);
            unsafe { ::std::mem::transmute(__soft_mock_future) }
        });
        let text = format!(
            "{start} }} #[inline(never)] {code} {boxing} {body} {{",
            body = body.to_token_stream()
        );
        text.replace('\n', " ")
    }

    /// The same for a function that isn't async.
    fn sync_text(&self) -> String {
        let call = self.call(&self.code);
        let mut code = self.signature.clone();
        code.ident = self.code.clone();
        let code = code.to_token_stream();
        format!("{call} }} #[inline(never)] {code} {{").replace('\n', " ")
    }

    fn call(&self, name: &Ident) -> proc_macro2::TokenStream {
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
