//! Attributes and derives that leave an item what it is: anything else may be a macro that makes
//! something else of it.
//!
//! ```text
//! #[derive(Debug)] #[repr(C)] struct S { … }      stays what is written
//! #[sealed] struct S { … }                        may become anything
//! ```
//!
//! By name, and on the safe side. Knows nothing of a crate's own macros.

use syn::Attribute;

use crate::syntax::known_macros;

/// Derives of which that is known, beside those that only add impls.
const FURTHER_DERIVES: [&str; 8] = [
    "Zeroize",
    "Pod",
    "Zeroable",
    "Arbitrary",
    "Diagnostic",
    "Display",
    "From",
    "FromStr",
];

/// A derive that neither looks at the visibility of a field nor adds a `Deref` impl.
fn is_known_derive(name: &str) -> bool {
    known_macros::only_adds_impls(name) || FURTHER_DERIVES.contains(&name)
}

/// Attributes of the compiler that don't turn an item into another one.
const KNOWN_ATTRIBUTES: [&str; 26] = [
    "doc",
    "derive",
    "cfg",
    "cfg_attr",
    "allow",
    "warn",
    "deny",
    "forbid",
    "expect",
    "repr",
    "must_use",
    "deprecated",
    "non_exhaustive",
    "inline",
    "cold",
    "track_caller",
    "rustfmt",
    "clippy",
    "diagnostic",
    "no_mangle",
    "export_name",
    "link_section",
    "used",
    "unsafe",
    "target_feature",
    "automatically_derived",
];

/// Attributes that derives read: without a derive they may be macros.
const HELPERS: [&str; 13] = [
    "serde",
    "clap",
    "command",
    "arg",
    "group",
    "value",
    "error",
    "from",
    "source",
    "backtrace",
    "default",
    "pin",
    "zeroize",
];

/// Macros that leave an item what it is.
const MACROS: [&str; 1] = ["pin_project"];

fn is_known_attribute(name: &str) -> bool {
    [&KNOWN_ATTRIBUTES[..], &HELPERS, &MACROS]
        .concat()
        .contains(&name)
}

/// Further attributes of the compiler.
const OF_THE_COMPILER: [&str; 18] = [
    "bench",
    "feature",
    "global_allocator",
    "ignore",
    "link",
    "link_name",
    "macro_export",
    "macro_use",
    "naked",
    "no_implicit_prelude",
    "no_link",
    "no_std",
    "panic_handler",
    "path",
    "recursion_limit",
    "should_panic",
    "test",
    "type_length_limit",
];

/// Whether this is an attribute of the compiler, or of one of its tools.
pub(crate) fn is_of_the_compiler(name: &str) -> bool {
    KNOWN_ATTRIBUTES.contains(&name) || OF_THE_COMPILER.contains(&name)
}

/// Whether this is an attribute that derives read.
pub(crate) fn is_read_by_derives(name: &str) -> bool {
    HELPERS.contains(&name)
}

/// Whether an attribute of this name makes no code, by itself: it is the compiler's, or read by
/// derives.
pub(crate) fn makes_no_code(name: &str) -> bool {
    let known = is_of_the_compiler(name) || HELPERS.contains(&name);
    known && !["derive", "cfg_attr"].contains(&name)
}

/// Whether an item has only attributes that are known to leave it as it is.
pub(crate) fn is_plain(attrs: &[Attribute]) -> bool {
    attrs.iter().all(|attr| {
        let first = attr.path().segments.first().map(|s| s.ident.to_string());
        let last = attr.path().segments.last().map(|s| s.ident.to_string());
        let known = [first, last]
            .into_iter()
            .flatten()
            .any(|name| is_known_attribute(&name));
        known && !conditional_derive_is_unknown(attr) && derives_are_known(attr)
    })
}

/// Whether an item may be widened in a twin: derives add impls beside it, whatever they are, and
/// attributes after an unknown derive are its helpers; any other unknown attribute may be a macro
/// that makes something else of the item.
pub(crate) fn is_plain_but_for_derives(attrs: &[Attribute]) -> bool {
    let mut helpers = false;
    attrs.iter().all(|attr| {
        let derive = attr.path().is_ident("derive");
        helpers |= derive && !derives_are_known(attr);
        derive || helpers || is_plain(std::slice::from_ref(attr))
    })
}

fn derives_are_known(attr: &Attribute) -> bool {
    if !attr.path().is_ident("derive") {
        return true;
    }
    let mut known = true;
    let parsed = attr.parse_nested_meta(|meta| {
        known &= meta
            .path
            .segments
            .last()
            .is_some_and(|s| is_known_derive(&s.ident.to_string()));
        Ok(())
    });
    known && parsed.is_ok()
}

/// `#[cfg_attr(…, derive(…))]` with a derive that isn't known, or any attribute that isn't.
fn conditional_derive_is_unknown(attr: &Attribute) -> bool {
    if !attr.path().is_ident("cfg_attr") {
        return false;
    }
    let Ok(list) = attr.meta.require_list() else {
        return true;
    };
    let nested = list.parse_args_with(
        syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
    );
    let Ok(nested) = nested else { return true };
    nested.into_iter().skip(1).any(|meta| {
        let attr: Attribute = syn::parse_quote!(#[#meta]);
        !is_plain(&[attr])
    })
}
