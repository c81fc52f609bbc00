//! The comparison of a mock's types with the function's where lifetimes have names: those of a
//! method's type are parameters of the function, so that it is no pointer for all of them, but one
//! for each.
//!
//! ```text
//! mock!(View::text, |view: &View<'a>| -> &'a str { "mocked" })
//! {
//!     fn tie<'a>(_: Tag<(&'a (),)>) -> Tag<fn(&View<'a>) -> &'a str> { Tag }
//!     fn same<P>(_: Tag<P>, _: P) {}
//!     fn each<R>(by: impl for<'a> FnOnce(Tag<(&'a (),)>) -> R) -> R { by(Tag) }
//!     each(|tag| { let function = View::text; let target = Target::item(&function); same(tie(tag), function); target })
//! }
//! ```
//!
//! Knows nothing of what is installed.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{BoundLifetimes, Expr, Ident, Lifetime, ReturnType, Type};

use crate::lifetimes::NameAll;

/// The type of a pointer to a function, for certain lifetimes.
pub(super) struct Pointer<'a> {
    /// `for<'a, 'b: 'a>` before the closure.
    pub(super) bounds: Option<&'a BoundLifetimes>,
    pub(super) lifetimes: &'a [Lifetime],
    pub(super) types: &'a [Type],
    pub(super) output: &'a ReturnType,
    /// `unsafe` and `extern "C"`.
    pub(super) words: [TokenStream; 2],
}

impl Pointer<'_> {
    /// The expression `target`, which refers to `function`, after the comparison.
    pub(super) fn target(
        &self,
        path: &Expr,
        function: &Ident,
        target: &TokenStream,
    ) -> TokenStream {
        let (mut types, mut output) = (self.types.to_vec(), self.output.clone());
        let mut lifetimes = self.lifetimes.to_vec();
        lifetimes.extend(name_all(&mut types, &mut output, self.lifetimes));
        let declared: TokenStream = match self.bounds {
            Some(bounds) => {
                let (own, made) = (&bounds.lifetimes, &lifetimes[self.lifetimes.len()..]);
                let own = own.iter().map(ToTokens::to_token_stream);
                let all = own.chain(made.iter().map(ToTokens::to_token_stream));
                quote!(#(#all),*)
            }
            None => quote!(#(#lifetimes),*),
        };
        let bounds = self.bounds.iter().flat_map(|bounds| &bounds.lifetimes);
        // The closure knows of bounds by the type of its argument.
        let implied = bounds.filter_map(|param| match param {
            syn::GenericParam::Lifetime(param) => Some((&param.lifetime, &param.bounds)),
            _ => None,
        });
        let implied = implied
            .flat_map(|(longer, shorter)| shorter.iter().map(move |s| quote!(&#s &#longer ())));
        let tag = quote!(::core::marker::PhantomData<(#(&#lifetimes (),)* #(#implied,)*)>);
        let [unsafety, abi] = &self.words;
        quote_spanned! {path.span()=> {
            #[allow(clippy::all)] // Lints are about the code of people.
            fn __soft_mock_tie<#declared>(_: #tag) -> ::core::marker::PhantomData<#unsafety #abi fn(#(#types),*) #output> {
                ::core::marker::PhantomData
            }
            fn __soft_mock_same<__P>(_: ::core::marker::PhantomData<__P>, _: __P) {}
            fn __soft_mock_each<__R>(by: impl for<#(#lifetimes),*> ::core::ops::FnOnce(#tag) -> __R) -> __R {
                by(::core::marker::PhantomData)
            }
            __soft_mock_each(|tag| {
                let #function = #path;
                let __soft_mock_target = #target;
                __soft_mock_same(__soft_mock_tie(tag), #function);
                __soft_mock_target
            })
        }}
    }
}

/// Names what the types leave out, where that can be done as the compiler would; the names.
fn name_all(types: &mut Vec<Type>, output: &mut ReturnType, named: &[Lifetime]) -> Vec<Lifetime> {
    let mut arguments = NameAll::default();
    let mut new_types = types.clone();
    new_types
        .iter_mut()
        .for_each(|ty| arguments.visit_type_mut(ty));
    let mut all = named.iter().chain(&arguments.made);
    let mut result = NameAll {
        only: all.next().cloned().filter(|_| all.next().is_none()),
        ..NameAll::default()
    };
    let mut new_output = output.clone();
    result.visit_return_type_mut(&mut new_output);
    if !result.made.is_empty() {
        return Vec::new();
    }
    (*types, *output) = (new_types, new_output);
    arguments.made
}
