//! Finds the traits of which a file mentions objects.
//!
//! By tokens: some of what follows `dyn`, rather a name too many than one too few.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use super::declared::Dynamic;
use crate::syntax::names::plain;

/// How many tokens after `dyn` may belong to its bounds.
const REACH: usize = 40;

impl Dynamic {
    pub(super) fn of(tokens: TokenStream) -> Self {
        let mut names = BTreeSet::new();
        let mut unknown = false;
        find(tokens, &mut names, &mut unknown);
        Self {
            names: names.into_iter().map(String::into_boxed_str).collect(),
            unknown,
        }
    }
}

fn find(tokens: TokenStream, names: &mut BTreeSet<String>, unknown: &mut bool) {
    let list: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in list.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "dyn" => {
                bounds(list.iter().skip(at + 1).take(REACH), names, unknown);
            }
            TokenTree::Group(group) => find(group.stream(), names, unknown),
            _ => {}
        }
    }
}

fn bounds<'a>(
    tokens: impl Iterator<Item = &'a TokenTree>,
    names: &mut BTreeSet<String>,
    unknown: &mut bool,
) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                names.insert(plain(&word.to_string()));
            }
            // A macro's `dyn $name`.
            TokenTree::Punct(sign) if sign.as_char() == '$' => *unknown = true,
            TokenTree::Punct(sign) if sign.as_char() == ';' => return,
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                bounds(inner.iter().take(REACH), names, unknown);
            }
        }
    }
}
