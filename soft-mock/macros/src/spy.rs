//! `spy!`: the original runs, and what comes back is looked at.
//!
//! ```text
//! spy!(store::len, |store: &Store| -> usize => |length| assert!(*length > 0))
//! mock!(store::len, move |store: &Store| -> usize {
//!     let result = call_original(store::len, || store::len(store));
//!     { let look = |length: &usize| …; look(&result) }
//!     result
//! })
//! spy!(fetch, async |url: &str| -> String)     the same with `call_original_async(…).await`
//! ```

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::VisitMut;
use syn::{Abi, Expr, ExprClosure, Ident, Pat, ReturnType, Stmt, Token, Type};

use crate::lifetimes::LeaveOut;
use crate::mock::{closure, expand, local, target, Target};

pub(crate) fn expand_spy(input: TokenStream) -> syn::Result<TokenStream> {
    let spy: Spy = syn::parse2(input)?;
    let names: Vec<_> = (0..spy.types.len())
        .map(|at| format_ident!("__soft_mock_{at}"))
        .collect();
    let Spy {
        local,
        asyncness,
        unsafety,
        abi,
        path,
        types,
        output,
        look,
        ..
    } = &spy;
    let result = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => {
            // Inside of the closure its lifetimes have no names.
            let mut ty = ty.clone();
            LeaveOut.visit_type_mut(&mut ty);
            quote!(#ty)
        }
    };
    let call = match unsafety {
        Some(_) => quote!(unsafe { #path(#(#names),*) }),
        None => quote!(#path(#(#names),*)),
    };
    let function = match unsafety {
        // It doesn't implement `Fn`.
        Some(_) => quote!(#path),
        None => instance(path, types),
    };
    let original = match asyncness {
        Some(_) => {
            quote!(::soft_mock::__private::v1::mock::original_async(#function, || #call).await)
        }
        None => quote!(::soft_mock::__private::v1::mock::original(&#function, || #call)),
    };
    let look = look.as_ref().map(|look| {
        let (pattern, body) = (&look.inputs[0], &look.body);
        quote!({ let #pattern = &__soft_mock_result; #body };)
    });
    let before = &spy.before;
    let mock: TokenStream = quote! {
        #local #unsafety #abi #path, { #(#before)* #asyncness move |#(#names: #types),*| #output {
            let __soft_mock_result: #result = #original;
            #look
            __soft_mock_result
        } }
    };
    let mock = expand(mock, false)?;
    Ok(mock)
}

/// The function itself, as that instance which takes arguments of these types.
fn instance(path: &Expr, types: &[Type]) -> TokenStream {
    let mut types = types.to_vec();
    types.iter_mut().for_each(|ty| LeaveOut.visit_type_mut(ty));
    let all: Vec<_> = (0..types.len())
        .map(|at| format_ident!("__A{at}"))
        .collect();
    quote!({
        fn __soft_mock_instance<__F: ::core::ops::Fn(#(#all),*) -> __R, __R #(, #all)*>(
            function: __F,
            _: ::core::marker::PhantomData<(#(#all,)*)>,
        ) -> __F {
            function
        }
        __soft_mock_instance(#path, ::core::marker::PhantomData::<(#(#types,)*)>)
    })
}

struct Spy {
    /// `local`: the future of an async function needn't be `Send`.
    local: Option<Ident>,
    asyncness: Option<Token![async]>,
    unsafety: Option<Token![unsafe]>,
    abi: Option<Abi>,
    path: Expr,
    types: Vec<Type>,
    output: ReturnType,
    before: Vec<Stmt>,
    look: Option<ExprClosure>,
}

impl Parse for Spy {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const FORM: &str =
            "write it as `spy!(path::to::function, |argument: Type| -> Result => |result| { … })`";
        let local = local(input)?.map(|span| Ident::new("local", span));
        let unsafety = input.parse()?;
        let abi = input.parse()?;
        let path = match target(input)? {
            Target::Path(path) => *path,
            Target::Name(name) => {
                return Err(syn::Error::new(
                    name.span(),
                    "a spy calls the function, so it has to be given by its path",
                ))
            }
        };
        input.parse::<Token![,]>()?;
        let asyncness = input.parse()?;
        input.parse::<Option<Token![move]>>()?;
        let mut types = Vec::new();
        if !input.peek(Token![||]) {
            input.parse::<Token![|]>()?;
            while !input.peek(Token![|]) {
                Pat::parse_single(input)?;
                input
                    .parse::<Token![:]>()
                    .map_err(|error| syn::Error::new(error.span(), FORM))?;
                types.push(input.parse()?);
                if !input.peek(Token![|]) {
                    input.parse::<Token![,]>()?;
                }
            }
            input.parse::<Token![|]>()?;
        } else {
            input.parse::<Token![||]>()?;
        }
        let output = input.parse()?;
        let (before, look) = match input.parse::<Option<Token![=>]>>()? {
            Some(_) => {
                let (before, look) = closure(input.parse()?)?;
                if look.inputs.len() != 1 {
                    return Err(syn::Error::new_spanned(
                        &look,
                        "a spy looks at one thing, a reference to the result: `|result| { … }`",
                    ));
                }
                (before, Some(look))
            }
            None => (Vec::new(), None),
        };
        input.parse::<Option<Token![,]>>()?;
        match input.is_empty() {
            true => Ok(Self {
                local,
                asyncness,
                unsafety,
                abi,
                path,
                types,
                output,
                before,
                look,
            }),
            false => Err(input.error(FORM)),
        }
    }
}
