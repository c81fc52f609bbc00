//! `#[live]` and `#[symbol]`: the item is listed in the section `soft_mock_live` of its image.
//!
//! ```text
//! before   #[live] fn send(mail: &Mail) -> bool { … }
//! after    fn send(mail: &Mail) -> bool { … }
//!          const _: () = {
//!              fn collect(c: &mut Collector) { let f: fn(&Mail) -> bool = |a| guard(move || send(a)); c.live_function("send", f); }
//!              #[used] #[unsafe(link_section = "soft_mock_live")] static LISTED: Listed = Listed::new(module_path!(), collect);
//!          };
//! ```

use proc_macro2::TokenStream;
use quote::quote;
use soft_mock_abi::section;
use syn::parse::{Parse, ParseStream};
use syn::{FnArg, Ident, Item, LitStr, ReturnType, Token, Type};

use crate::signature;

/// Where the item can be found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the vault.
    Live,
    /// With `Plugin::lookup`.
    Symbol,
}

/// What stands in the attribute's brackets.
#[derive(Default)]
struct Arguments {
    name: Option<String>,
    as_type: Option<Type>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Arguments::default();
        while !input.is_empty() {
            if input.peek(Ident) && input.peek2(Token![=]) {
                let key: Ident = input.parse()?;
                input.parse::<Token![=]>()?;
                if key != "name" {
                    return Err(syn::Error::new(
                        key.span(),
                        "only `name = \"…\"` and a trait are known here",
                    ));
                }
                arguments.name = Some(input.parse::<LitStr>()?.value());
            } else {
                arguments.as_type = Some(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(
    kind: Kind,
    arguments: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let parsed: Item = syn::parse2(item.clone())?;
    let body = match (&parsed, kind) {
        (Item::Fn(function), _) => collect_function(kind, &arguments, function)?,
        (
            Item::Struct(syn::ItemStruct {
                ident, generics, ..
            })
            | Item::Enum(syn::ItemEnum {
                ident, generics, ..
            }),
            Kind::Live,
        ) => {
            if !generics.params.is_empty() {
                return Err(syn::Error::new_spanned(
                    generics,
                    "a generic type can't be made by name",
                ));
            }
            collect_type(&arguments, ident)
        }
        (Item::Static(item), Kind::Symbol) => {
            let (ident, ty) = (&item.ident, &item.ty);
            let name = arguments.name.unwrap_or_else(|| ident.to_string());
            quote!(collector.symbol::<&'static #ty>(#name, &#ident);)
        }
        (other, Kind::Live) => {
            return Err(syn::Error::new_spanned(
                other,
                "`#[live]` goes on a function, a struct or an enum",
            ))
        }
        (other, Kind::Symbol) => {
            return Err(syn::Error::new_spanned(
                other,
                "`#[symbol]` goes on a function or a static",
            ))
        }
    };
    let section = section::LIVE;
    Ok(quote! {
        #item
        const _: () = {
            fn collect(collector: &mut ::soft_mock::__private::v1::plugin::Collector) { #body }
            #[used]
            #[cfg_attr(target_os = "linux", unsafe(link_section = #section))]
            static LISTED: ::soft_mock::__private::v1::plugin::Listed =
                ::soft_mock::__private::v1::plugin::Listed::new(::core::module_path!(), collect);
        };
    })
}

fn collect_function(
    kind: Kind,
    arguments: &Arguments,
    function: &syn::ItemFn,
) -> syn::Result<TokenStream> {
    let names = signature::pointer(&function.sig)?.arguments;
    let ident = &function.sig.ident;
    let name = arguments.name.clone().unwrap_or_else(|| ident.to_string());
    let types = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(&input.ty),
        FnArg::Receiver(_) => None,
    });
    let lifetimes = function.sig.generics.lifetimes();
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let method = match kind {
        Kind::Live => quote!(live_function),
        Kind::Symbol => quote!(symbol),
    };
    Ok(quote! {
        let pointer: for<#(#lifetimes),*> fn(#(#types),*) -> #output =
            |#(#names),*| ::soft_mock::__private::v1::plugin::guard(move || #ident(#(#names),*));
        collector.#method(#name, pointer);
    })
}

fn collect_type(arguments: &Arguments, ident: &Ident) -> TokenStream {
    let name = arguments.name.clone().unwrap_or_else(|| ident.to_string());
    constructor(&name, quote!(#ident), arguments.as_type.as_ref())
}

/// The line that lists a type's constructor. Without a trait it makes a `Value` with the object,
/// which knows where its type comes from, as `dyn Any` does not.
pub(crate) fn constructor(name: &str, ident: TokenStream, as_type: Option<&Type>) -> TokenStream {
    let object = quote!(<#ident as ::core::default::Default>::default());
    let (made, object) = match as_type {
        Some(ty) => (quote!(#ty), object),
        None => {
            let value = quote!(::soft_mock::plugin::Value);
            (value.clone(), quote!(#value::object(#object)))
        }
    };
    quote! {
        let make: fn() -> ::std::boxed::Box<#made> = || ::soft_mock::__private::v1::plugin::guard(
            || -> ::std::boxed::Box<#made> { ::std::boxed::Box::new(#object) },
        );
        collector.live_type::<#made>(#name, make);
    }
}
