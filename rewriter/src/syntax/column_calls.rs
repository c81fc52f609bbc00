//! Calls of `column!()` in code, and what can stand in their places.
//!
//! Not those in arguments of macros that may show them as text, or make something else of them.
//! Knows nothing of why they are replaced.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::known_macros::{is_check, takes_expressions};

const NAME: &str = "column";

/// The number that a call stands for, as long as the call is.
pub(crate) fn in_place_of(call: &str, column: usize) -> String {
    let width = call.chars().count();
    format!("{:width$}", format!("{column}u32"))
}

/// Whether there may be calls: most files have none, and tokens aren't made of those.
pub(crate) fn may_have_calls(text: &str) -> bool {
    text.contains(NAME)
}

/// Whether the name may mean another macro here.
pub(crate) fn is_redefined(text: &str) -> bool {
    let mut imports = text.split("use ").skip(1);
    let names = |import: &str| {
        import
            .split(';')
            .next()
            .is_some_and(|path| path.contains(NAME))
    };
    text.contains("macro_rules! column") || text.contains(NAME) && imports.any(names)
}

/// Where calls stand in the text from which these tokens come.
pub(crate) fn calls(tokens: TokenStream) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    collect(tokens, &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Range<usize>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        let call = match (&tokens[at], tokens.get(at + 1), tokens.get(at + 2)) {
            (TokenTree::Ident(name), Some(TokenTree::Punct(sign)), Some(next))
                if sign.as_char() == '!' =>
            {
                Some((name.to_string(), next))
            }
            _ => None,
        };
        match (call, &tokens[at]) {
            (Some((name, TokenTree::Group(group))), _) => {
                if name == NAME && group.stream().is_empty() {
                    let first = tokens[start_of_path(&tokens, at)].span();
                    found.push(first.byte_range().start..group.span().byte_range().end);
                } else if takes_expressions(&name) && !is_check(&name) && name != "dbg" {
                    collect(group.stream(), found);
                }
                at += 3;
            }
            // `macro_rules! name { … }`
            (Some((name, _)), _) if name == "macro_rules" => at += 4,
            (None, TokenTree::Group(group)) => {
                // Attributes are others' text.
                let before = at.checked_sub(1).map(|before| &tokens[before]);
                let is_sign = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if matches!(sign.as_char(), '#' | '!'));
                let is_attribute =
                    group.delimiter() == Delimiter::Bracket && before.is_some_and(is_sign);
                if !is_attribute {
                    collect(group.stream(), found);
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// The first token of the path that ends here: `std::column` begins with `std`.
fn start_of_path(tokens: &[TokenTree], name: usize) -> usize {
    let is_colon =
        |at: usize| matches!(&tokens[at], TokenTree::Punct(sign) if sign.as_char() == ':');
    let mut first = name;
    while first >= 2 && is_colon(first - 1) && is_colon(first - 2) {
        first -= 2;
        match first.checked_sub(1).map(|before| &tokens[before]) {
            Some(TokenTree::Ident(_)) => first -= 1,
            _ => break,
        }
    }
    first
}
