//! What the statics of a `lazy_static! { … }` are made of.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Token, Type, Visibility};

/// The expressions, if the macro is written as that of the crate `lazy_static` is.
pub(super) fn values(tokens: &TokenStream) -> Vec<Expr> {
    parse.parse2(tokens.clone()).unwrap_or_default()
}

fn parse(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Token![static]>()?;
        input.parse::<Token![ref]>()?;
        input.parse::<Ident>()?;
        input.parse::<Token![:]>()?;
        input.parse::<Type>()?;
        input.parse::<Token![=]>()?;
        found.push(input.parse()?);
        input.parse::<Token![;]>()?;
    }
    Ok(found)
}
