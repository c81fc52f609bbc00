//! What differs for mocks of async functions: the type that is returned has no name, and callers
//! rely on what it may do. Knows nothing of how the function is found.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{Expr, Type};

use super::{shown, when, Input, Mock};
use crate::lifetimes::{LeaveOut, NameAll, Rename};

impl Mock {
    /// The compiler compares the arguments; and callers of the function rely on its future being
    /// `Send` wherever its own is: only if that isn't, the mock's needn't be.
    pub(super) fn check_async(&self, input: &Input, function: &syn::Ident) -> TokenStream {
        let mut types = self.types.clone();
        types.iter_mut().for_each(|ty| LeaveOut.visit_type_mut(ty));
        let all: Vec<_> = (0..types.len())
            .map(|at| format_ident!("__A{at}"))
            .collect();
        let local = input.local.map(|_| {
            quote! {
                #[allow(unused_imports)]
                use ::soft_mock::__private::v1::mock::{IsLocal as _, IsSend as _};
                ::soft_mock::__private::v1::mock::must_be_local((&probe).__soft_mock_is_send());
            }
        });
        let output = self.output_type();
        let mut output: Type = syn::parse_quote!(#output);
        LeaveOut.visit_type_mut(&mut output);
        quote! {
            {
                fn __soft_mock_future<__F: ::core::ops::Fn(#(#all),*) -> __R, __R: ::core::future::Future<Output = __O>, __O #(, #all)*>(
                    _: &__F,
                    _: ::core::marker::PhantomData<(#(#all,)*)>,
                    _: ::core::marker::PhantomData<__O>,
                ) -> ::soft_mock::__private::v1::mock::Probe<__R> {
                    ::soft_mock::__private::v1::mock::Probe::new()
                }
                let probe = __soft_mock_future(
                    &#function,
                    ::core::marker::PhantomData::<(#(#types,)*)>,
                    ::core::marker::PhantomData::<#output>,
                );
                #local
                let _ = probe;
            }
        }
    }

    /// The code of an async mock returns a future in a box that lives as long as all arguments do:
    /// `'__f`. That each lifetime outlives it follows from the type of an argument that is
    /// added.
    pub(super) fn install_async(
        &self,
        input: &Input,
        identity: &TokenStream,
        form: &TokenStream,
    ) -> syn::Result<TokenStream> {
        let mut named = NameAll::default();
        let mut types = self.types.clone();
        types.iter_mut().for_each(|ty| named.visit_type_mut(ty));
        let mut lifetimes = self.lifetimes.clone();
        lifetimes.extend(named.made.iter().cloned());
        let mut output: Type = syn::parse2(self.output_type())?;
        let mut result = NameAll {
            only: lifetimes.first().cloned().filter(|_| lifetimes.len() == 1),
            ..NameAll::default()
        };
        result.visit_type_mut(&mut output);
        if !result.made.is_empty() {
            return Err(syn::Error::new(output.span(), "name the lifetime of what the function returns, and of the argument it is borrowed from"));
        }
        let send = match input.local {
            Some(_) => quote!(),
            None => quote!(::core::marker::Send+),
        };
        let future = |output: &Type| quote!(::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = #output> + #send '__f>>);
        let result = future(&output);
        let bound = quote! {
            for<'__f #(, #lifetimes)*> ::core::ops::FnOnce(#(#types,)* ::core::marker::PhantomData<(&'__f (), #(&'__f &#lifetimes (),)*)>) -> #result
            + ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync + 'static
        };
        let names = self.names();
        let (when_bound, looks) = (when::bound(&lifetimes, &types), when::looks(&names, &types));
        let arguments = shown(&names);
        let mut rename = Rename;
        let mut own = lifetimes.clone();
        own.iter_mut()
            .for_each(|lifetime| rename.visit_lifetime_mut(lifetime));
        types.iter_mut().for_each(|ty| rename.visit_type_mut(ty));
        rename.visit_type_mut(&mut output);
        let own_result = quote!(::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = #output> + #send '__g>>);
        let unders = names.iter().map(|_| quote!(_));
        Ok(quote! {
            #[track_caller]
            fn __soft_mock_install<__F: #bound, __W: #when_bound + ::core::marker::Send + ::core::marker::Sync + 'static>(
                target: ::core::result::Result<::soft_mock::__private::v1::mock::Target, ::soft_mock::MockError>,
                closure: __F,
                when: __W,
            ) -> ::soft_mock::Mocked {
                fn __soft_mock_code<'__g, #(#own: '__g,)* __F: #bound, __W: #when_bound + 'static>(#(#names: #types),*) -> #own_result {
                    let mut call = ::soft_mock::__private::v1::mock::Call::take();
                    if call.is_recorded() {
                        let fits = (call.closure::<(__F, __W)>().1)(#(#looks),*);
                        call = match ::soft_mock::__private::v1::mock::admit_any(call, fits, #arguments) {
                            ::core::result::Result::Ok(call) => call,
                            ::core::result::Result::Err(next) => {
                                // SAFETY: it is the code of another mock of this function, written
                                // as this one is: with the function's arguments and its output.
                                let next = unsafe { ::core::mem::transmute::<*const (), fn(#(#types),*) -> #own_result>(next) };
                                return next(#(#names),*);
                            }
                        };
                    }
                    let closure = ::core::clone::Clone::clone(&call.closure::<(__F, __W)>().0);
                    closure(#(#names,)* ::core::marker::PhantomData)
                }
                let code = __soft_mock_code::<__F, __W> as fn(#(#unders),*) -> _;
                // SAFETY: the code has the arguments and the output of `#identity`, for whatever
                // lifetimes. Its future is `Send`, or else `check_async` has seen that the
                // function's own isn't.
                unsafe { ::soft_mock::__private::v1::mock::install_async::<#identity, (__F, __W)>(target, #form, code as *const (), (closure, when)) }
            }
        })
    }

    pub(super) fn async_closure(&self, input: &Input) -> TokenStream {
        let body = &input.closure.body;
        let patterns = &self.patterns;
        let capture = &input.closure.capture;
        let body = match &*input.closure.body {
            Expr::Block(block) if block.label.is_none() => quote!(#block),
            _ => quote!({ #body }),
        };
        quote!(#capture |#(#patterns,)* _| ::std::boxed::Box::pin(async move #body))
    }
}
