//! `#[guarded]`: the methods of an impl hand a panic on to the caller's image.
//!
//! ```text
//! before   fn area(&self) -> f64 { self.w * self.h }
//! after    fn area(&self) -> f64 { ::soft_mock::__private::v1::plugin::guard(move || { self.w * self.h }) }
//! ```

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{ImplItem, ItemImpl, ReturnType};

pub(crate) fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let mut block: ItemImpl = syn::parse2(item)?;
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        if let Some(asyncness) = &method.sig.asyncness {
            let text = "an async method can't be guarded: a panic comes when its future is polled";
            return Err(syn::Error::new_spanned(asyncness, text));
        }
        let body = &method.block;
        let output = match &method.sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        };
        // The type is written at the closure only where that is possible for every return type.
        let typed = !output.to_string().contains("impl ");
        let closure = if typed {
            quote!(move || -> #output #body)
        } else {
            quote!(move || #body)
        };
        method.block =
            syn::parse2(quote!({ ::soft_mock::__private::v1::plugin::guard(#closure) }))?;
    }
    Ok(block.into_token_stream())
}
