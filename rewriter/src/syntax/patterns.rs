//! Patterns that are also written as expressions.
//!
//! ```text
//! State(state)        State(state)
//! (a, mut b)          (a, b)
//! Some { .. } &x _    none
//! ```
//!
//! Knows nothing of types: whether the expression makes the value again is for the compiler to say.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FieldPat, Member, Pat};

/// The expression that makes the value again which the pattern has taken apart.
pub(crate) fn value(pattern: &Pat) -> Option<TokenStream> {
    match pattern {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
            let name = &ident.ident;
            Some(quote!(#name))
        }
        Pat::Tuple(tuple) => {
            let parts = all(tuple.elems.iter())?;
            Some(quote!((#(#parts,)*)))
        }
        Pat::TupleStruct(tuple) if tuple.qself.is_none() => {
            let (path, parts) = (&tuple.path, all(tuple.elems.iter())?);
            Some(quote!(#path(#(#parts),*)))
        }
        Pat::Struct(item) if item.qself.is_none() && item.rest.is_none() => {
            let path = &item.path;
            let fields = item.fields.iter().map(field);
            let fields = fields.collect::<Option<Vec<_>>>()?;
            Some(quote!(#path { #(#fields),* }))
        }
        Pat::Paren(inner) => value(&inner.pat),
        _ => None,
    }
}

fn all<'a>(patterns: impl Iterator<Item = &'a Pat>) -> Option<Vec<TokenStream>> {
    patterns.map(value).collect()
}

fn field(field: &FieldPat) -> Option<TokenStream> {
    let plain = field.attrs.is_empty() && matches!(field.member, Member::Named(_));
    let (member, inner) = (&field.member, value(&field.pat)?);
    plain.then(|| quote!(#member: #inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_expressions() {
        let check = |pattern: &str, expected: Option<&str>| {
            let signature = syn::parse_str::<syn::Signature>(&format!("fn f({pattern}: T)"));
            let signature = signature.expect("a signature");
            let Some(syn::FnArg::Typed(typed)) = signature.inputs.first() else {
                panic!("{pattern}");
            };
            let found = value(&typed.pat).map(|found| found.to_string().replace(' ', ""));
            assert_eq!(found.as_deref(), expected, "{pattern}");
        };
        check("State(state)", Some("State(state)"));
        check("Path((a, mut b))", Some("Path((a,b,))"));
        check("(a,)", Some("(a,)"));
        check("m::P { x, y: (a, b) }", Some("m::P{x:x,y:(a,b,)}"));
        for other in [
            "_",
            "&x",
            "P(_)",
            "P(a, ..)",
            "P { x, .. }",
            "P(ref x)",
            "(x @ P(y))",
            "[a, b]",
        ] {
            check(other, None);
        }
    }
}
