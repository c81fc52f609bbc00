//! What a change of an attribute can mean for a program that runs: nothing, other code, or another
//! layout, name or calling convention.
//!
//! ```text
//! #[allow(dead_code)]     nothing
//! #[inline]               code
//! #[repr(C)], #[unknown]  layout
//! ```
//!
//! Knows nothing of items and of how changes are reported.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{Attribute, Path};

use crate::syntax::documentation::DocReader;
use crate::syntax::known_macros;

/// How much an attribute weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AttributeEffect {
    /// Lints and the like: the program is the same with and without it.
    Nothing,
    /// It changes code, but neither how values lie in memory nor how functions are called.
    Code,
    /// Anything else, and whatever isn't known.
    Layout,
}

/// Lints, hints for people and tools.
const NOTHING: [&str; 12] = [
    "allow",
    "warn",
    "deny",
    "forbid",
    "expect",
    "must_use",
    "deprecated",
    "rustfmt",
    "clippy",
    "diagnostic",
    "doc",
    "automatically_derived",
];

/// Hints to the compiler, and what derives below read: all of it ends in code of impls.
const CODE: [&str; 10] = [
    "inline", "cold", "default", "serde", "error", "source", "from", "clap", "command", "arg",
];

/// The weight of an attribute by its first name: `serde`, `clippy`.
pub(crate) fn effect_of_name(name: &str) -> AttributeEffect {
    match name {
        _ if NOTHING.contains(&name) => AttributeEffect::Nothing,
        _ if CODE.contains(&name) => AttributeEffect::Code,
        _ => AttributeEffect::Layout,
    }
}

/// The weight of an attribute in its normalised text: `inline ( always )`.
pub(crate) fn effect_of_text(text: &str) -> AttributeEffect {
    effect_of_name(text.split(' ').next().unwrap_or_default())
}

/// The attributes of an item, apart from conditions, by what they weigh.
#[derive(Default)]
pub(crate) struct AttributesByEffect {
    pub(crate) layout: TokenStream,
    pub(crate) code: TokenStream,
    /// Doc comments that derives read: what they make of them is code.
    pub(crate) derive_docs: TokenStream,
    /// Doc comments that another macro may read.
    pub(crate) macro_docs: TokenStream,
}

impl AttributesByEffect {
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let mut weighed = Self::default();
        for attr in attrs.iter().filter(|attr| !attr.path().is_ident("cfg")) {
            weighed.add(attr);
        }
        weighed
    }

    fn add(&mut self, attr: &Attribute) {
        if attr.path().is_ident("derive") {
            return self.derives(attr);
        }
        match DocReader::of(attr) {
            Some(DocReader::Derive) => return self.derive_docs.extend(attr.to_token_stream()),
            Some(DocReader::Macro) => return self.macro_docs.extend(attr.to_token_stream()),
            None => {}
        }
        let first = attr.path().segments.first();
        let weight = first.map_or(AttributeEffect::Layout, |s| {
            effect_of_name(&s.ident.to_string())
        });
        match weight {
            AttributeEffect::Nothing => {}
            AttributeEffect::Code => self.code.extend(attr.to_token_stream()),
            AttributeEffect::Layout => self.layout.extend(attr.to_token_stream()),
        }
    }

    fn derives(&mut self, attr: &Attribute) {
        let mut known: Vec<Path> = Vec::new();
        let mut unknown: Vec<Path> = Vec::new();
        let read = attr.parse_nested_meta(|meta| {
            let last = meta.path.segments.last().map(|s| s.ident.to_string());
            match last.is_some_and(|name| known_macros::only_adds_impls(&name)) {
                true => known.push(meta.path.clone()),
                false => unknown.push(meta.path.clone()),
            }
            Ok(())
        });
        if read.is_err() {
            return self.layout.extend(attr.to_token_stream());
        }
        self.code.extend(quote!(#(derive #known)*));
        self.layout.extend(quote!(#(derive #unknown)*));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attributes: &str, layout: &str, code: &str) {
        let item: syn::ItemStruct =
            syn::parse_str(&format!("{attributes} struct S;")).expect("a struct");
        let weighed = AttributesByEffect::of(&item.attrs);
        let found = (weighed.layout.to_string(), weighed.code.to_string());
        assert_eq!(found, (layout.to_owned(), code.to_owned()), "{attributes}");
    }

    #[test]
    fn by_what_they_weigh() {
        check("#[allow(x)] #[clippy::y] #[must_use]", "", "");
        check("#[derive(Debug, Clone)]", "", "derive Debug derive Clone");
        check("#[derive(Debug, Own)]", "derive Own", "derive Debug");
        check("#[repr(C)]", "# [repr (C)]", "");
        check("#[serde(rename = \"a\")]", "", "# [serde (rename = \"a\")]");
        check(
            "#[cfg_attr(a, derive(Debug))]",
            "# [cfg_attr (a , derive (Debug))]",
            "",
        );
    }
}
