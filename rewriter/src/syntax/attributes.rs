//! What attributes say by their names: tests, conditions, a crate without the standard library.
//!
//! Knows nothing of macros: an attribute is taken for what its name says.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{AttrStyle, Attribute, Block, Meta, Token};

/// The attribute whose functions are handed their caller's place.
pub(crate) const TRACK_CALLER: &str = "track_caller";

/// Whether an attribute's path ends in `name`, also when written `#[unsafe(name)]`.
pub fn has_attribute(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| {
        let path = attr.path();
        let last = path.segments.last().is_some_and(|s| s.ident == name);
        let in_unsafe = path.is_ident("unsafe")
            && attr
                .parse_args::<syn::Meta>()
                .is_ok_and(|meta| meta.path().is_ident(name));
        last || in_unsafe
    })
}

/// Where a function's body can begin with something else: after the opening brace, and after inner
/// attributes, which must come first.
pub(crate) fn body_start(attrs: &[Attribute], block: &Block) -> usize {
    let last = attrs
        .iter()
        .filter(|attr| matches!(attr.style, AttrStyle::Inner(_)))
        .max_by_key(|attr| attr.span().byte_range().end);
    match last {
        None => block.brace_token.span.open().byte_range().end,
        // What follows `//! text` on its line would be part of it.
        Some(attr) if attr.path().is_ident("doc") => match block.stmts.first() {
            Some(statement) => statement.span().byte_range().start,
            None => block.brace_token.span.close().byte_range().start,
        },
        Some(attr) => attr.span().byte_range().end,
    }
}

/// Whether an item is compiled for tests only: `#[cfg(test)]`, `#[cfg(all(test, …))]`.
pub fn is_test_only(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let text = attr.meta.to_token_stream().to_string().replace(' ', "");
        text == "cfg(test)" || text.starts_with("cfg(all(test,")
    })
}

/// Whether a crate declares itself free of the standard library, in whatever configuration.
pub(crate) fn is_no_std(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let text = attr.meta.to_token_stream().to_string().replace(' ', "");
        attr.path().is_ident("no_std")
            || (text.starts_with("cfg_attr(") && text.contains("no_std"))
            || attr.path().is_ident("no_core")
    })
}

/// The conditions among the attributes of an item, as text before another item that must be there
/// exactly if it is.
///
/// ```text
/// #[cfg(unix)] #[inline] #[cfg_attr(x, cfg(y), cold)]      #[cfg(unix)] #[cfg_attr(x, cfg(y))]
/// ```
///
/// The macros of `rustversion` are conditions as well.
pub(crate) fn conditions(attrs: &[Attribute]) -> String {
    let conditions = attrs.iter().filter_map(|attr| condition(&attr.meta));
    conditions
        .map(|condition| format!("#[{condition}] "))
        .collect()
}

fn condition(meta: &Meta) -> Option<TokenStream> {
    let path = meta.path();
    if path.is_ident("cfg_attr") {
        let list = meta.require_list().ok()?;
        let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        let parts = parts.ok()?;
        let when = parts.first()?;
        let mut inner = parts.iter().skip(1).filter_map(condition).peekable();
        inner.peek()?;
        return Some(quote!(cfg_attr(#when, #(#inner),*)));
    }
    let first = path.segments.first()?;
    (path.is_ident("cfg") || first.ident == "rustversion").then(|| meta.to_token_stream())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(attributes: &str, expected: &str) {
        let item: syn::ItemFn =
            syn::parse_str(&format!("{attributes} fn f() {{}}")).expect("a function");
        let expected: TokenStream = expected.parse().expect("tokens");
        let found: TokenStream = conditions(&item.attrs).parse().expect("attributes");
        assert_eq!(found.to_string(), expected.to_string());
    }

    #[test]
    fn conditions_without_other_attributes() {
        check("#[inline] #[doc = \"x\"]", "");
        check(
            "#[cfg(unix)] #[cold] #[cfg(not(x))]",
            "#[cfg(unix)] #[cfg(not(x))]",
        );
        check(
            "#[cfg_attr(a, inline, cfg(b), cold)]",
            "#[cfg_attr(a, cfg(b))]",
        );
        check(
            "#[cfg_attr(a, cfg_attr(b, cfg(c), cold))]",
            "#[cfg_attr(a, cfg_attr(b, cfg(c)))]",
        );
        check(
            "#[cfg_attr(a, inline)] #[cfg_attr(b, cfg_attr(c, cold))]",
            "",
        );
        check(
            "#[cfg_attr(all(a, b = \"c\"), cfg(d))]",
            "#[cfg_attr(all(a, b = \"c\"), cfg(d))]",
        );
        check(
            "#[rustversion::since(1.70)] #[tokio::main]",
            "#[rustversion::since(1.70)]",
        );
    }
}
