//! Reads the statics in a `thread_local!` or `lazy_static!`, whose types matter like those of
//! others.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Ident, Macro, Token, Type, Visibility};

/// A static that a macro makes.
pub(super) struct MadeStatic {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) name: Ident,
    pub(super) ty: Type,
    /// `const` before its value: then it is stored in another form.
    pub(super) constant: Option<Token![const]>,
    pub(super) value: TokenStream,
}

struct MadeStatics(Vec<MadeStatic>);

/// The statics that a call makes, if it is one of the two.
pub(super) fn of_call(call: &Macro) -> Option<Vec<MadeStatic>> {
    let name = call.path.segments.last()?.ident.to_string();
    let known = ["thread_local", "lazy_static"].contains(&name.as_str());
    let parsed = known.then(|| call.parse_body::<MadeStatics>().ok())??;
    Some(parsed.0)
}

impl Parse for MadeStatics {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut found = Vec::new();
        while !input.is_empty() {
            found.push(input.parse()?);
            if !input.is_empty() {
                input.parse::<Token![;]>()?;
            }
        }
        Ok(Self(found))
    }
}

impl Parse for MadeStatic {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        input.parse::<Token![static]>()?;
        input.parse::<Option<Token![ref]>>()?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let constant = input.parse()?;
        let value = input.parse::<Expr>()?.into_token_stream();
        Ok(Self {
            attrs,
            vis,
            name,
            ty,
            constant,
            value,
        })
    }
}
