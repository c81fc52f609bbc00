//! `#[plugin]`: the crate's declaration, and what makes its library a plugin.
//!
//! ```text
//! before   #[plugin] impl Plugin for Hello { … }
//! after    impl Plugin for Hello { … }
//!          #[doc(hidden)] pub fn __soft_mock_plugin() -> Declaration { … }          for static linking, and for:
//!          #[cfg(soft_mock_managed)] the entry symbol, the manifest's section, the allocator of the host
//! ```
//!
//! `soft_mock_managed` is set by `hot build` for this crate alone, so that the crate stays an
//! ordinary library for everybody else, and several plugins can be linked into one program.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote;
use soft_mock_abi::manifest::{FORMAT, MANAGED};
use soft_mock_abi::{build, section, symbol};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, ItemImpl, LitStr, Token};

use crate::live::constructor;
use crate::record::{quoted, rustc};
use crate::scan::{crate_items, Found, What};
use crate::signature;

/// What stands in the attribute's brackets.
#[derive(Default)]
struct Arguments {
    name: Option<String>,
    note: Option<String>,
    live_prefix: Option<String>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Arguments::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let value = Some(input.parse::<LitStr>()?.value());
            match key.to_string().as_str() {
                "name" => arguments.name = value,
                "note" => arguments.note = value,
                "live_prefix" => arguments.live_prefix = value,
                _ => {
                    return Err(syn::Error::new(
                        key.span(),
                        "known here: name, note, live_prefix",
                    ))
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let block: ItemImpl = syn::parse2(item)?;
    let is_plugin = block
        .trait_
        .as_ref()
        .and_then(|(_, path, _)| path.segments.last())
        .is_some_and(|last| last.ident == "Plugin");
    if !is_plugin {
        return Err(syn::Error::new(
            Span::call_site(),
            "`#[plugin]` goes on `impl Plugin for …`",
        ));
    }
    let ty = &block.self_ty;
    let facts = Facts::new(&arguments)?;
    let Facts {
        name,
        version,
        note,
        ..
    } = &facts;
    let prefix = arguments
        .live_prefix
        .or_else(|| std::env::var(build::LIVE_PREFIX).ok())
        .unwrap_or_else(|| "live_".to_owned());
    let live = crate_items(&prefix)?
        .iter()
        .map(collect_live)
        .collect::<syn::Result<Vec<_>>>()?;
    let managed = managed(&facts);
    let declaration = ident(symbol::PLUGIN_DECLARATION);
    let (own_note, own_prefix) = (build::NOTE, build::LIVE_PREFIX);
    Ok(quote! {
        #block

        #[doc(hidden)]
        #[allow(missing_docs)]
        pub fn #declaration() -> ::soft_mock::plugin::Declaration {
            const _: () = ::soft_mock::__private::v1::plugin::assert_in_crate_root(::core::module_path!());
            // Read by the macro; named here so that a change compiles the crate again.
            const _: (Option<&str>, Option<&str>) =
                (::core::option_env!(#own_note), ::core::option_env!(#own_prefix));
            fn collect(collector: &mut ::soft_mock::__private::v1::plugin::Collector) {
                #(#live)*
                let _ = collector;
            }
            ::soft_mock::plugin::Declaration::new::<#ty>(#name, #version, #note, ::core::module_path!(), collect)
        }

        #managed
    })
}

/// What the declaration and the manifest say of the plugin.
struct Facts {
    name: String,
    version: String,
    note: String,
    crate_name: String,
}

impl Facts {
    fn new(arguments: &Arguments) -> syn::Result<Facts> {
        let from_cargo = |key: &str| {
            std::env::var(key)
                .map_err(|_| syn::Error::new(Span::call_site(), format!("cargo has not set {key}")))
        };
        let name = match &arguments.name {
            Some(name) => name.clone(),
            None => from_cargo("CARGO_PKG_NAME")?,
        };
        let note = arguments
            .note
            .clone()
            .or_else(|| std::env::var(build::NOTE).ok());
        Ok(Facts {
            name,
            version: from_cargo("CARGO_PKG_VERSION")?,
            note: note.unwrap_or_default(),
            crate_name: std::env::var("CARGO_CRATE_NAME").unwrap_or_default(),
        })
    }

    fn manifest(&self) -> String {
        format!(
            "{{\"format\":{FORMAT},\"kind\":\"{MANAGED}\",\"rustc\":{},\"crate\":{},\"plugin\":{},\"version\":{},\"note\":{}}}",
            quoted(rustc()),
            quoted(&self.crate_name),
            quoted(&self.name),
            quoted(&self.version),
            quoted(&self.note),
        )
    }
}

fn ident(name: &str) -> syn::Ident {
    syn::Ident::new(name, Span::call_site())
}

/// What only the plugin's own library has.
fn managed(facts: &Facts) -> TokenStream {
    let manifest = facts.manifest();
    let length = manifest.len();
    let bytes = Literal::byte_string(manifest.as_bytes());
    let (section, managed) = (section::MANIFEST, ident(build::MANAGED));
    let (entry, declaration) = (
        ident(symbol::PLUGIN_ENTRY),
        ident(symbol::PLUGIN_DECLARATION),
    );
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(#managed)]
            #[global_allocator]
            static ALLOCATOR: ::soft_mock::__private::v1::plugin::HostAllocator =
                ::soft_mock::__private::v1::plugin::HostAllocator;

            #[cfg(#managed)]
            #[used]
            #[unsafe(link_section = #section)]
            static MANIFEST: [u8; #length] = *#bytes;

            /// # Safety
            /// As `soft_mock::__private::v1::plugin::enter` demands.
            #[cfg(#managed)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn #entry(
                host: *const ::soft_mock::__private::v1::plugin::HostTable,
                out: *mut ::core::option::Option<::soft_mock::plugin::Declaration>,
            ) -> u32 {
                // SAFETY: the caller keeps the contract of this function, which is the same.
                unsafe { ::soft_mock::__private::v1::plugin::enter(host, out, #declaration) }
            }
        };
    }
}

fn collect_live(found: &Found) -> syn::Result<TokenStream> {
    let Found {
        cfgs,
        modules,
        name,
        ..
    } = found;
    let path = quote!(crate::#(#modules::)*#name);
    let text = name.to_string();
    let line = match &found.what {
        What::Type => constructor(&text, path, None),
        What::Function(signature) => {
            let pointer = signature::pointer(signature)?;
            let (skeleton, names) = (pointer.skeleton, pointer.arguments);
            quote! {
                let pointer: #skeleton =
                    |#(#names),*| ::soft_mock::__private::v1::plugin::guard(move || #path(#(#names),*));
                collector.live_function(#text, pointer);
            }
        }
    };
    Ok(quote!(#(#cfgs)* { #line }))
}
