//! What attributes say by their names: tests, conditions, a crate without the standard library.
//!
//! Knows nothing of macros: an attribute is taken for what its name says.

use quote::ToTokens;
use syn::Attribute;

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
