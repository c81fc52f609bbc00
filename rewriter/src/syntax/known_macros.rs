//! Macros and derives that many crates use, by what is known of them. Knows names only: a crate's
//! own macro of such a name is taken for the known one.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Token};

/// Macros of the standard library that check something, and else do nothing.
const CHECKS: [&str; 6] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
];

/// Further macros of the standard library whose arguments are expressions.
const EXPRESSIONS: [&str; 14] = [
    "dbg",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Further macros of the standard library that need no import.
const FURTHER: [&str; 17] = [
    "cfg",
    "column",
    "compile_error",
    "concat",
    "env",
    "file",
    "include",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "matches",
    "module_path",
    "option_env",
    "stringify",
    "thread_local",
    "try",
];

/// The derives of the standard library.
const DERIVES_OF_STD: [&str; 9] = [
    "Debug",
    "Clone",
    "Copy",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
    "Default",
];

/// Further derives that add impls and nothing else, none of which is `Drop` or `Deref`.
const DERIVES: [&str; 7] = [
    "Serialize",
    "Deserialize",
    "Error",
    "Parser",
    "Args",
    "Subcommand",
    "ValueEnum",
];

/// A macro of the standard library that checks something, and else does nothing.
pub(crate) fn is_check(name: &str) -> bool {
    CHECKS.contains(&name)
}

/// A macro of the standard library whose arguments are expressions, as its result is.
pub(crate) fn takes_expressions(name: &str) -> bool {
    is_check(name) || EXPRESSIONS.contains(&name)
}

/// What a macro of the standard library is called with, if that is expressions.
pub(crate) fn arguments(call: &Macro) -> Option<Punctuated<Expr, Token![,]>> {
    let name = call.path.segments.last()?.ident.to_string();
    let known = takes_expressions(&name).then(|| call.tokens.clone());
    known.and_then(expressions)
}

/// Expressions with commas between them.
pub(crate) fn expressions(tokens: TokenStream) -> Option<Punctuated<Expr, Token![,]>> {
    Punctuated::parse_terminated.parse2(tokens).ok()
}

/// A macro of the standard library that needs no import.
pub(crate) fn is_of_std(name: &str) -> bool {
    takes_expressions(name) || FURTHER.contains(&name)
}

/// A derive of the standard library: it adds impls, and reads no doc comments.
pub(crate) fn is_derive_of_std(derive: &str) -> bool {
    DERIVES_OF_STD.contains(&derive)
}

/// A derive that adds impls and nothing else, none of which is `Drop` or `Deref`.
pub(crate) fn only_adds_impls(derive: &str) -> bool {
    is_derive_of_std(derive) || DERIVES.contains(&derive)
}
