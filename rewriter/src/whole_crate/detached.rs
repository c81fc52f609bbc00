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
//! Not of a method under `#[async_trait]`: that returns a boxed future as it is.
//!
//! Where the result is `impl Trait`, `__soft_mock_code_get` returns a future of `()`: the output
//! has no name. Of a function that isn't async, `__soft_mock_code_get` holds the body. `get` gets
//! its prologue as ever. Its future has the same layout whatever the body is, and keeps a
//! value of the body's future type that takes no room: it is `Send` exactly if the body's future
//! is.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, ToTokens};
use soft_mock_abi::symbol::{
    DETACHED_BODY, DETACHED_CHECK, DETACHED_CODE, DETACHED_OUTPUT, DETACHED_TYPE,
};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Block, FnArg, ItemImpl, Meta, Pat, ReturnType, Signature, Token};

use crate::analysis::eligibility::contains_impl;
use crate::analysis::known_attributes::is_plain;
use crate::analysis::late_type::{compares, says};
use crate::syntax::attributes::conditions;
use crate::syntax::edits::{blank, Edits};
use crate::syntax::names::plain;
use crate::syntax::patterns;

/// The macro that turns `async fn` in impls of traits into functions that return boxed futures.
const ASYNC_TRAIT: &str = "async_trait";

/// A function whose body is moved, where it stands.
pub(super) struct Candidate<'a> {
    pub(super) attrs: &'a [Attribute],
    pub(super) signature: &'a Signature,
    pub(super) block: &'a Block,
    pub(super) item_impl: Option<&'a ItemImpl>,
}

impl Candidate<'_> {
    /// Whether it stands in an impl whose macro makes an async method one that returns a boxed
    /// future, so that whoever awaits it doesn't hold its body, and leaves others as they are.
    pub(super) fn stays_in_place(&self) -> bool {
        let attrs = self.item_impl.map_or(&[][..], |item| &item.attrs);
        let (boxing, others): (Vec<_>, Vec<_>) = attrs.iter().partition(|attr| is_boxing(attr));
        !boxing.is_empty() && others.into_iter().chain(self.attrs).all(is_plain_one)
    }
}

fn is_plain_one(attr: &Attribute) -> bool {
    is_plain(std::slice::from_ref(attr))
}

/// `#[async_trait]`, also where that is one under a condition.
fn is_boxing(attr: &Attribute) -> bool {
    let is_it = |path: &syn::Path| path.segments.last().is_some_and(|s| s.ident == ASYNC_TRAIT);
    if !attr.path().is_ident("cfg_attr") {
        return is_it(attr.path());
    }
    let nested = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    nested.is_ok_and(|nested| {
        let mut attributes = nested.iter().skip(1);
        nested.len() > 1 && attributes.all(|meta| is_it(meta.path()))
    })
}

/// Moves the body. Returns the names of the functions that this adds beside it. `late_type`: the
/// type of the site that it has with all plugins which bring it.
pub(super) fn detach(
    text: &str,
    candidate: &Candidate<'_>,
    is_async: bool,
    late_type: Option<TokenStream>,
    edits: &mut Edits,
) -> Vec<String> {
    let name = plain(&candidate.signature.ident.to_string());
    let names = [DETACHED_BODY, DETACHED_CODE, DETACHED_CHECK, DETACHED_TYPE];
    let [body, code, check, says_type] = names.map(|start| format!("{start}{name}"));
    // What a macro is told of them is what it sees of them.
    let keeps_patterns = !is_plain(candidate.attrs);
    name_parameters(text, candidate.signature, keeps_patterns, edits);
    let signature = without_foreign_attributes(candidate.signature);
    let detached = Detached {
        conditions: conditions(candidate.attrs),
        keeps_patterns,
        signature: &signature,
        in_impl: candidate.item_impl.is_some(),
        is_brought: late_type.is_some(),
        body: Ident::new(&body, Span::call_site()),
        code: Ident::new(&code, Span::call_site()),
    };
    let (head, last) = match is_async {
        true => detached.text(),
        false => detached.sync_text(),
    };
    let conditions = &detached.conditions;
    let mut added = vec![body, code];
    let of_type = late_type.map_or(String::new(), |ty| {
        let compares = compares(&check, "::core", &ty);
        let says = says(&says_type, "::core", &ty);
        added.extend([check, says_type]);
        format!("{conditions}#[inline(never)] {compares} {conditions}#[inline(never)] {says} ")
    });
    let inserted = format!("{head} }} {of_type}{last} {{").replace('\n', " ");
    let brace = candidate.block.brace_token.span.open().byte_range().end;
    edits.insert_before_code(brace, inserted);
    added
}

/// Without what only the macro of a function understands (`#[case] a: u8`).
fn without_foreign_attributes(signature: &Signature) -> Signature {
    let mut signature = signature.clone();
    for argument in &mut signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => receiver.attrs.retain(is_plain_one),
            FnArg::Typed(typed) => typed.attrs.retain(is_plain_one),
        }
    }
    signature
}

fn name_parameters(text: &str, signature: &Signature, keeps_patterns: bool, edits: &mut Edits) {
    for (position, argument) in signature.inputs.iter().enumerate() {
        if let FnArg::Typed(typed) = argument {
            let stays = keeps_patterns && patterns::value(&typed.pat).is_some();
            if !stays && plain_parameter(&typed.pat).is_none() {
                let range = typed.pat.span().byte_range();
                let ends: String = blank(&text[range.clone()])
                    .chars()
                    .filter(|c| *c == '\n')
                    .collect();
                edits.replace(range, format!("{}{ends}", parameter(position)));
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
    /// Those of the function: what is added is there exactly if it is.
    conditions: String,
    /// Patterns stay parameters of the function where they can be put together again.
    keeps_patterns: bool,
    signature: &'a Signature,
    in_impl: bool,
    /// Who has a pointer to it relies on what its future was when that was made.
    is_brought: bool,
    body: Ident,
    code: Ident,
}

impl Detached<'_> {
    /// What is inserted behind the opening brace of the function: its body, and the functions
    /// beside it up to the brace of the last.
    fn text(&self) -> (String, String) {
        let boxed = self.call(&self.code, self.keeps_patterns);
        let of_body = self.call(&self.body, self.keeps_patterns);
        let call = self.call(&self.body, false);
        let code = self.code_signature().to_token_stream();
        let mut body = self.signature.clone();
        body.ident = self.body.clone();
        let future = match self.is_opaque() {
            true => quote!(__soft_mock_as(&__soft_mock_auto, #boxed)),
            false => boxed,
        };
        let opaque = self.is_opaque().then(opaque_as);
        let start = quote!(
            let mut __soft_mock_auto = ::core::marker::PhantomData;
            if false {
                fn __soft_mock_of<F>(_: &F) -> ::core::marker::PhantomData<F> { ::core::marker::PhantomData }
                __soft_mock_auto = __soft_mock_of(&#of_body);
                loop {}
            }
            #opaque
            let __soft_mock_result = #future.await;
            ::core::mem::drop(__soft_mock_auto);
            __soft_mock_result
        );
        let send = self.is_brought.then(|| quote!(+ ::core::marker::Send));
        let boxing = match self.is_opaque() {
            true => opaque_boxing(&call),
            false => quote!({
                let __soft_mock_future: ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = _> #send + '_>> =
                    ::std::boxed::Box::pin(#call);
                unsafe { ::std::mem::transmute(__soft_mock_future) }
            }),
        };
        let last = format!(
            "{conditions}#[inline(never)] {code} {boxing} {conditions}{body}",
            conditions = self.conditions,
            body = body.to_token_stream()
        );
        (start.to_string(), last)
    }

    /// The same for a function that isn't async.
    fn sync_text(&self) -> (String, String) {
        let call = self.call(&self.code, self.keeps_patterns);
        let mut code = self.signature.clone();
        code.ident = self.code.clone();
        let code = code.to_token_stream();
        let conditions = &self.conditions;
        (
            call.to_string(),
            format!("{conditions}#[inline(never)] {code}"),
        )
    }

    /// A call with the parameters. `again`: patterns that stay are put together again.
    fn call(&self, name: &Ident, again: bool) -> TokenStream {
        let arguments = self
            .signature
            .inputs
            .iter()
            .enumerate()
            .map(|(position, argument)| match argument {
                FnArg::Receiver(_) => quote!(self),
                FnArg::Typed(typed) => match plain_parameter(&typed.pat) {
                    Some(name) => quote!(#name),
                    None => patterns::value(&typed.pat)
                        .filter(|_| again)
                        .unwrap_or_else(|| parameter(position).to_token_stream()),
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
            ReturnType::Type(_, ty) if !self.is_opaque() => ty.to_token_stream(),
            _ => quote!(()),
        };
        let future = boxed_future(&output);
        signature.output = syn::parse_quote!(-> #future);
        signature
    }

    /// Whether the result can't be named. The code then claims to return a future of `()`.
    fn is_opaque(&self) -> bool {
        matches!(&self.signature.output, ReturnType::Type(_, ty) if contains_impl(ty))
    }
}

/// What a replacement returns for a function with such an output.
fn boxed_future(output: &TokenStream) -> TokenStream {
    quote!(
        ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = #output>
            + ::std::marker::Send + ::std::marker::Sync
            + ::std::panic::UnwindSafe + ::std::panic::RefUnwindSafe + 'static>>
    )
}

/// A function that gives a future of `()` its own output back: that of the body's future.
fn opaque_as() -> TokenStream {
    let from = boxed_future(&quote!(()));
    let to = boxed_future(&quote!(<F as ::std::future::Future>::Output));
    quote!(
        fn __soft_mock_as<F: ::std::future::Future>(_: &::core::marker::PhantomData<F>, future: #from) -> #to {
            unsafe { ::std::mem::transmute(future) }
        }
    )
}

/// Boxes the future of the body, and leaves behind what its output is. The name of that type makes
/// instances different, so that the compiler doesn't take one for another.
fn opaque_boxing(call: &TokenStream) -> TokenStream {
    let output = Ident::new(DETACHED_OUTPUT, Span::call_site());
    let erased = boxed_future(&quote!(()));
    quote!({
        #[inline(never)]
        fn #output<T>(
            future: ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = T> + '_>>,
        ) -> #erased {
            ::std::hint::black_box(::std::any::type_name::<T>());
            unsafe { ::std::mem::transmute(future) }
        }
        #output(::std::boxed::Box::pin(#call))
    })
}
