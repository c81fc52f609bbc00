//! The type of a site that a function gets which the program wasn't built with, and the functions
//! in a plugin that compare and say it. Knows nothing of where these stand.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use syn::{ItemImpl, Signature};

use crate::syntax::signature::{output_type, pointer_type, Spelling};

/// The type of a site. That of an async function is one of what it takes and comes to.
pub(crate) fn late_type(
    signature: &Signature,
    item: Option<&ItemImpl>,
    borrowing: &HashSet<String>,
) -> Option<TokenStream> {
    let mut signature = signature.clone();
    if signature.asyncness.take().is_some() {
        let output = output_type(&signature);
        signature.output = syn::parse_quote!(-> ::core::future::Ready<#output>);
    }
    pointer_type(&signature, item, Spelling::Whole(borrowing))
}

/// A function that compares the type of a site with this one.
pub(crate) fn compares(name: &str, core: &str, ty: &TokenStream) -> String {
    format!(
        "extern \"C\" fn {name}(site: *const ()) -> u8 {{ if site.is_null() {{ return 0; }} \
         let site: fn() -> {core}::any::TypeId = unsafe {{ {core}::mem::transmute(site) }}; \
         (site() == {core}::any::TypeId::of::<{ty}>()) as u8 }}"
    )
}

/// A function that says it.
pub(crate) fn says(name: &str, core: &str, ty: &TokenStream) -> String {
    format!("fn {name}() -> {core}::any::TypeId {{ {core}::any::TypeId::of::<{ty}>() }}")
}
