//! The attribute macros that programs use: a crate of its own, which is never edited.
//!
//! Knows nothing of programs.

/// The path that a kind's text uses begins with it.
pub(crate) const USE: &str = "#[around::";

/// The name of the crate.
pub(crate) const NAME: &str = "around";

pub(crate) const MANIFEST: &str =
    "[package]\nname = \"around\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
                                   [lib]\nproc-macro = true\n";

/// `before` puts a statement before the body, `behind` one with a closure, and `inside` puts the
/// body into a closure.
pub(crate) const SOURCE: &str = r#"use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

fn with(function: TokenStream, start: &str, wraps: bool) -> TokenStream {
    let of_body = |token| match token {
        TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
            let mut text: TokenStream = start.parse().expect("Rust");
            match wraps {
                true => {
                    let mut closure: TokenStream = "move ||".parse().expect("Rust");
                    closure.extend([TokenTree::Group(body)]);
                    let called: TokenStream = "()".parse().expect("Rust");
                    text.extend([TokenTree::Group(Group::new(Delimiter::Parenthesis, closure))]);
                    text.extend(called);
                }
                false => text.extend(body.stream()),
            }
            TokenTree::Group(Group::new(Delimiter::Brace, text))
        }
        token => token,
    };
    function.into_iter().map(of_body).collect()
}

#[proc_macro_attribute]
pub fn before(_: TokenStream, function: TokenStream) -> TokenStream { with(function, "let _entered = 1;", false) }

#[proc_macro_attribute]
pub fn behind(_: TokenStream, function: TokenStream) -> TokenStream { with(function, "let enter = |n: u8| n; enter(1);", false) }

#[proc_macro_attribute]
pub fn inside(_: TokenStream, function: TokenStream) -> TokenStream { with(function, "", true) }
"#;
