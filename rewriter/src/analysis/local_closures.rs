//! Closures and async blocks in a body, and where they may be among tokens.
//!
//! Knows nothing of what else a body declares.

use std::ops::Range;

use proc_macro2::{Group, TokenStream, TokenTree};

use crate::syntax::normalize::Fingerprint;

/// A closure or an async block in a body, or a macro call that may hold some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalClosure {
    /// All of it.
    pub content: Fingerprint,
    /// The line that it begins in.
    pub line: usize,
    /// If there are others inside of it: all of it but what stands inside of those.
    pub(super) around: Option<Fingerprint>,
}

/// The tokens that don't stand in one of the ranges.
pub(super) fn outside(tokens: TokenStream, ranges: &[Range<usize>]) -> TokenStream {
    let stays = |token: &TokenTree| {
        let place = token.span().byte_range();
        !ranges
            .iter()
            .any(|range| range.start <= place.start && place.end <= range.end)
    };
    let staying = tokens.into_iter().filter(stays);
    let staying = staying.map(|token| match token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), outside(group.stream(), ranges));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        other => other,
    });
    staying.collect()
}

/// Whether there are closures or async blocks among tokens of a macro.
pub(super) fn may_hold_closures(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "async" || ident == "move",
        TokenTree::Punct(sign) => sign.as_char() == '|',
        TokenTree::Group(group) => may_hold_closures(group.stream()),
        TokenTree::Literal(_) => false,
    })
}
