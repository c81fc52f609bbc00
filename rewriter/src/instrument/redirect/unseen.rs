//! Calls of functions of std that aren't redirected: a mock would not be seen there, so that the
//! program carries word of them and refuses it.
//!
//! ```text
//! select! { _ = tick(Instant::now()) => … }      it isn't known what an unknown macro makes of its tokens
//! ```

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use soft_mock_abi::site::flag::UNSEEN;
use syn::Macro;

use super::std_functions::FUNCTIONS;
use super::Visitor;
use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;

/// Why calls in a macro aren't redirected.
const IN_A_MACRO: &str = "calls inside of a macro can't be redirected: move it out of there";

/// A call that isn't redirected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unseen {
    /// The function.
    pub(crate) name: &'static str,
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

impl Visitor<'_> {
    /// Lists the calls among the tokens of a macro.
    pub(super) fn look_into(&mut self, call: &Macro) {
        let reason = self.instead.unwrap_or(IN_A_MACRO);
        self.look(call.tokens.clone(), reason);
    }

    fn look(&mut self, tokens: TokenStream, reason: &'static str) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let end = match token {
                TokenTree::Ident(_) => path_end(&tokens, at),
                TokenTree::Group(group) => {
                    self.look(group.stream(), reason);
                    at + 1
                }
                _ => at + 1,
            };
            if matches!(token, TokenTree::Ident(_)) && is_used(&tokens, at, end) {
                self.note(&tokens[at..end], reason);
            }
            at = end;
        }
    }

    fn note(&mut self, path: &[TokenTree], reason: &'static str) {
        let line = path.first().map_or(0, |first| first.span().start().line);
        let Ok(path) = syn::parse2::<syn::Path>(path.iter().cloned().collect()) else {
            return;
        };
        let meanings = self.scopes.meanings(&path);
        let function = FUNCTIONS
            .iter()
            .find(|function| meanings.iter().any(|name| name == function.path));
        if let Some(function) = function {
            let name = function.path;
            self.unseen.push(Unseen { name, line, reason });
        }
    }
}

/// Where the path ends that begins here: `a::b::c`.
fn path_end(tokens: &[TokenTree], start: usize) -> usize {
    let colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
    let mut end = start + 1;
    while colon(end) && colon(end + 1) && matches!(tokens.get(end + 2), Some(TokenTree::Ident(_))) {
        end += 3;
    }
    end
}

/// A single name is a function only where it is called, and not as a method.
fn is_used(tokens: &[TokenTree], start: usize, end: usize) -> bool {
    let called = matches!(tokens.get(end), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    let method = start.checked_sub(1).is_some_and(
        |before| matches!(&tokens[before], TokenTree::Punct(sign) if sign.as_char() == '.'),
    );
    end - start > 1 || (called && !method)
}

/// Word of such calls, for the support module.
pub(crate) fn support(edition: Edition, unseen: &[(String, Unseen)]) -> String {
    let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
    let word = |(position, (file, call)): (usize, &(String, Unseen))| {
        format!(
            "#[used] {section} static U{position}: Site = Site::new({UNSEEN}, {:?}, {file:?}, {}, {:?}, Option::None);\n",
            call.name, call.line, call.reason,
        )
    };
    unseen.iter().enumerate().map(word).collect()
}
