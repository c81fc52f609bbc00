//! Mocks whose closure leaves types out: the function says them.
//!
//! ```text
//! mock!(rate_for, |sku, n| 0.5)             fn rate_for(sku: &str, n: u32) -> f64
//! ```
//!
//! A type that is inferred has no lifetimes that are bound with the function's call. So what is
//! inferred is the *shape* of each argument: `&T`, `&mut T`, or `T`. Which it is, method resolution
//! finds out, as it tries the traits in that order (`Probe` behind three, two, one reference). What
//! has other lifetimes in it is written out by whoever mocks; the runtime compares the result with
//! the function's type, as it does for types that are written.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Pat, ReturnType, Type};

use super::{form, when, Input, Target, Turns};

/// Whether the function is to say types of this mock.
pub(super) fn is_meant(input: &Input) -> bool {
    let closure = &input.closure;
    let plain = closure.asyncness.is_none() && input.unsafety.is_none() && input.abi.is_none();
    let left_out = |argument: &Pat| match argument {
        Pat::Type(typed) => matches!(when::unwrapped(&typed.ty), Type::Infer(_)),
        _ => true,
    };
    let nothing_said = closure.inputs.is_empty() && matches!(closure.output, ReturnType::Default);
    plain
        && matches!(input.target, Target::Path(_))
        && (nothing_said || closure.inputs.iter().any(left_out))
}

pub(super) fn write(input: &Input, everywhere: bool) -> syn::Result<TokenStream> {
    let Target::Path(path) = &input.target else {
        unreachable!("`is_meant` asked for a path");
    };
    let count = input.closure.inputs.len();
    let numbered = |name: &str| -> Vec<Ident> {
        (0..count)
            .map(|at| format_ident!("__soft_mock_{name}{at}"))
            .collect()
    };
    let probes = probes(path, count);
    let install = install(input, everywhere, count);
    let (closure, before, when) = (&input.closure, &input.before, when::closure(input));
    let [names, found] = ["", "found_"].map(numbered);
    let methods = (0..count).map(method);
    let span = Span::mixed_site().located_at(closure.or1_token.span());
    Ok(quote_spanned! {span=> {
        #probes
        #[allow(dead_code)] // It is asked for its type only.
        struct __SoftMockShapes<__T>(__T);
        #install
        let (__soft_mock_target, __soft_mock_shapes) = {
            let function = #path;
            let target = ::soft_mock::__private::v1::mock::Target::item(&function);
            let probe = &&&__SoftMockProbe(&function);
            #(let #found = probe.#methods();)*
            (target, __SoftMockShapes((#(#found,)* __soft_mock_result(&function))))
        };
        #(#before)*
        __soft_mock_shapes.install(
            __soft_mock_target,
            #closure,
            |#(#names),*| {
                #[allow(unused_imports)]
                use ::soft_mock::__private::v1::mock::{AsDebug as _, AsUnknown as _};
                ::std::vec![#((&::soft_mock::__private::v1::mock::Shown(#names)).__soft_mock_shown()),*]
            },
            #when,
        )
    }})
}

/// Its name is what the compiler's message is about where there is no such method.
fn method(position: usize) -> Ident {
    format_ident!("write_the_type_of_argument_{}", position + 1)
}

/// Three traits for each argument, tried in turn.
fn probes(path: &Expr, count: usize) -> TokenStream {
    let all =
        |from: usize| -> Vec<Ident> { (from..count).map(|at| format_ident!("__A{at}")).collect() };
    let types = all(0);
    let mut text = quote_spanned! {path.span()=>
        #[allow(dead_code)] // As below.
        struct __SoftMockProbe<'f, __F>(&'f __F);
        fn __soft_mock_result<__F: ::core::ops::Fn(#(#types),*) -> __R, __R #(, #types)*>(_: &__F) -> ::core::marker::PhantomData<__R> {
            ::core::marker::PhantomData
        }
    };
    for at in 0..count {
        let method = method(at);
        let (own, others) = (
            &types[at],
            types.iter().enumerate().filter(|(other, _)| *other != at),
        );
        let others: Vec<&Ident> = others.map(|(_, ty)| ty).collect();
        let (before, after) = (&types[..at], &types[at + 1..]);
        for (shape, unsized_, argument, probe) in [
            (
                "Shared",
                quote!(: ?::core::marker::Sized),
                quote!(&'a #own),
                quote!(&&__SoftMockProbe<'f, __F>),
            ),
            (
                "Exclusive",
                quote!(: ?::core::marker::Sized),
                quote!(&'a mut #own),
                quote!(&__SoftMockProbe<'f, __F>),
            ),
            (
                "Owned",
                quote!(),
                quote!(#own),
                quote!(__SoftMockProbe<'f, __F>),
            ),
        ] {
            let (name, shape) = (
                format_ident!("__SoftMock{shape}{at}"),
                Ident::new(shape, Span::call_site()),
            );
            text.extend(quote! {
                #[allow(clippy::all)]
                trait #name<#own #unsized_, #(#others,)* __R> {
                    fn #method(&self) -> ::core::marker::PhantomData<::soft_mock::__private::v1::mock::#shape<#own>> {
                        ::core::marker::PhantomData
                    }
                }
                impl<'f, __F, #own #unsized_, #(#others,)* __R> #name<#own, #(#others,)* __R> for #probe
                where __F: for<'a> ::core::ops::Fn(#(#before,)* #argument #(, #after)*) -> __R {}
            });
        }
    }
    text
}

/// `install` of the shapes: there the types of the closure's arguments are known when the compiler
/// comes to it.
fn install(input: &Input, everywhere: bool, count: usize) -> TokenStream {
    let form = form(input, everywhere);
    let numbered =
        |name: &str| -> Vec<Ident> { (0..count).map(|at| format_ident!("__{name}{at}")).collect() };
    let [shapes, names] = ["S", "soft_mock_"].map(numbered);
    let lifetimes: Vec<_> = (0..count)
        .map(|at| syn::Lifetime::new(&format!("'__l{at}"), Span::call_site()))
        .collect();
    let own: Vec<_> = (0..count)
        .map(|at| syn::Lifetime::new(&format!("'__o{at}"), Span::call_site()))
        .collect();
    let of = |lifetimes: &[syn::Lifetime]| -> Vec<TokenStream> {
        let pairs = shapes.iter().zip(lifetimes);
        pairs
            .map(|(shape, lifetime)| quote!(#shape::Of<#lifetime>))
            .collect()
    };
    let (types, own_types) = (of(&lifetimes), of(&own));
    let generics = quote!(#(#shapes: ::soft_mock::__private::v1::mock::Shape,)* __R: 'static);
    let turns = Turns::of(input);
    let (kind, bounds, held, hold) = (&turns.kind, &turns.more, &turns.held, turns.hold());
    let run = turns.run(&quote!(call.closure::<(#held, __D, __W)>().0), &names);
    let bound = quote!(for<#(#lifetimes),*> #kind(#(#types),*) -> __R);
    let shown = quote!(for<#(#lifetimes,)* '__r> ::core::ops::Fn(#(&'__r #types),*) -> ::std::vec::Vec<::std::string::String>);
    let when = quote!(for<'__r> ::core::ops::Fn(#(&'__r #shapes::Inner),*) -> bool);
    let identity = quote!(for<#(#lifetimes),*> fn(#(#types),*) -> __R);
    let more = quote!(+ ::core::marker::Send + ::core::marker::Sync + 'static);
    quote! {
        #[allow(clippy::all)]
        impl<#generics> __SoftMockShapes<(#(::core::marker::PhantomData<#shapes>,)* ::core::marker::PhantomData<__R>)> {
            #[track_caller]
            fn install<__F: #bound #bounds, __D: #shown #more, __W: #when #more>(
                self,
                target: ::core::result::Result<::soft_mock::__private::v1::mock::Target, ::soft_mock::MockError>,
                closure: __F,
                shown: __D,
                when: __W,
            ) -> ::soft_mock::Mocked {
                fn __soft_mock_code<#(#own,)* #generics, __F: #bound + 'static, __D: #shown + 'static, __W: #when + 'static>(#(#names: #own_types),*) -> __R {
                    let mut call = ::soft_mock::__private::v1::mock::Call::take();
                    if call.is_recorded() {
                        let (_, shown, when) = call.closure::<(#held, __D, __W)>();
                        let fits = when(#(#shapes::look(&#names)),*);
                        let arguments = shown(#(&#names),*);
                        call = match ::soft_mock::__private::v1::mock::admit::<#identity>(call, fits, || arguments) {
                            ::core::result::Result::Ok(call) => call,
                            ::core::result::Result::Err(next) => return next(#(#names),*),
                        };
                    }
                    #run
                }
                ::soft_mock::__private::v1::mock::install::<#identity, (#held, __D, __W)>(
                    target, #form, __soft_mock_code::<#(#shapes,)* __R, __F, __D, __W>, (#hold, shown, when),
                )
            }
        }
    }
}
