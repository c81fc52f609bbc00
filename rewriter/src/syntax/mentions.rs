//! Which names a piece of code mentions, and in what position.
//!
//! By tokens alone: nothing is resolved, and a name too many costs only precision. Knows nothing of
//! items.

use std::collections::{BTreeSet, HashSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::syntax::documentation::is_doc;
use crate::syntax::names::plain;
use crate::syntax::normalize::sign_at;

/// Sorted names without duplicates.
pub type Names = Box<[Box<str>]>;

/// The names that a piece of code mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// All identifiers, those in format strings included.
    pub all: Names,
    /// Names used as fields: after a dot, or in a struct's braces. `0` is a tuple's first.
    pub fields: Names,
    /// Names called after a dot.
    pub methods: Names,
    /// Names after `::`.
    pub members: Names,
    /// The same with what stands before: `Type::new`, `?::new` after anything but a name.
    pub qualified: Names,
    /// Names of macros that are called.
    pub macros: Names,
}

impl Mentions {
    /// Collects the names in `tokens`.
    pub fn of(tokens: TokenStream) -> Self {
        let mut collector = Collector::default();
        collector.group(tokens, Braces::None);
        Self {
            all: names(collector.all),
            fields: names(collector.fields),
            methods: names(collector.methods),
            members: names(collector.members),
            qualified: names(collector.qualified),
            macros: names(collector.macros),
        }
    }
}

/// Whether sorted names hold `name`.
pub fn contains(names: &Names, name: &str) -> bool {
    names.binary_search_by(|known| (**known).cmp(name)).is_ok()
}

/// All identifiers in a stream of tokens, those in format strings included.
pub fn identifiers(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => identifiers(group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.contains('{') {
                    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                    found.extend(words.filter(|w| !w.is_empty()).map(str::to_owned));
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

fn names(set: BTreeSet<String>) -> Names {
    set.into_iter().map(String::into_boxed_str).collect()
}

#[derive(Default)]
struct Collector {
    all: BTreeSet<String>,
    fields: BTreeSet<String>,
    methods: BTreeSet<String>,
    members: BTreeSet<String>,
    qualified: BTreeSet<String>,
    macros: BTreeSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Braces {
    None,
    /// A block, or a struct's fields after something that doesn't look like a type.
    Any,
    /// After a name that looks like a type.
    Struct,
}

impl Collector {
    fn group(&mut self, tokens: TokenStream, braces: Braces) {
        let list: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in list.iter().enumerate() {
            match token {
                TokenTree::Ident(ident) => self.word(plain(&ident.to_string()), &list, at, braces),
                TokenTree::Literal(literal) => self.literal(&literal.to_string(), &list, at),
                TokenTree::Group(group) if is_documentation(&list, at, group) => {}
                TokenTree::Group(group) => {
                    let inner = match group.delimiter() {
                        Delimiter::Brace if after_type(&list, at) => Braces::Struct,
                        Delimiter::Brace => Braces::Any,
                        _ => Braces::None,
                    };
                    self.group(group.stream(), inner);
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn word(&mut self, word: String, list: &[TokenTree], at: usize, braces: Braces) {
        if is_lifetime(list, at) {
            return;
        }
        let called = match list.get(at + 1) {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            _ => is_path_sign(list, at + 1) && sign_at(list, at + 3) == Some('<'),
        };
        let is_macro = sign_at(list, at + 1) == Some('!')
            && matches!(list.get(at + 2), Some(TokenTree::Group(_)));
        if after_dot(list, at) {
            let kind = if called {
                &mut self.methods
            } else {
                &mut self.fields
            };
            kind.insert(word.clone());
        } else if at >= 2 && is_path_sign(list, at - 2) {
            self.members.insert(word.clone());
            let before = match at.checked_sub(3).and_then(|before| list.get(before)) {
                Some(TokenTree::Ident(ident)) => plain(&ident.to_string()),
                _ => "?".to_owned(),
            };
            self.qualified.insert(format!("{before}::{word}"));
        } else if is_field_in_braces(list, at, braces) {
            self.fields.insert(word.clone());
        }
        if is_macro {
            self.macros.insert(word.clone());
        }
        self.all.insert(word);
    }

    fn literal(&mut self, text: &str, list: &[TokenTree], at: usize) {
        if after_dot(list, at) {
            self.fields.extend(text.split('.').map(str::to_owned));
        } else if text.contains('{') {
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            self.all
                .extend(words.filter(|w| !w.is_empty()).map(str::to_owned));
        }
    }
}

/// `[doc = "…"]` behind a `#`: what a doc comment is to the parser.
fn is_documentation(list: &[TokenTree], at: usize, group: &Group) -> bool {
    let sign = at > 0 && matches!(sign_at(list, at - 1), Some('#' | '!'));
    let mut inner = group.stream().into_iter();
    let is_doc = matches!(inner.next(), Some(TokenTree::Ident(ident)) if is_doc(&ident));
    sign && is_doc && matches!(inner.nth(1), Some(TokenTree::Literal(_)))
}

fn is_lifetime(list: &[TokenTree], at: usize) -> bool {
    at > 0 && sign_at(list, at - 1) == Some('\'')
}

/// After one dot, not after the two of a range.
fn after_dot(list: &[TokenTree], at: usize) -> bool {
    at > 0 && sign_at(list, at - 1) == Some('.') && (at < 2 || sign_at(list, at - 2) != Some('.'))
}

pub(crate) fn is_path_sign(list: &[TokenTree], at: usize) -> bool {
    sign_at(list, at) == Some(':') && sign_at(list, at + 1) == Some(':')
}

fn after_type(list: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| list.get(before)) {
        Some(TokenTree::Ident(ident)) => plain(&ident.to_string())
            .chars()
            .next()
            .is_some_and(char::is_uppercase),
        Some(TokenTree::Punct(punct)) => {
            punct.as_char() == '>' && (at < 2 || !matches!(sign_at(list, at - 2), Some('=' | '-')))
        }
        _ => false,
    }
}

/// `S { name: …}`, and `S { name }` after what looks like a type.
fn is_field_in_braces(list: &[TokenTree], at: usize, braces: Braces) -> bool {
    if braces == Braces::None {
        return false;
    }
    let binding =
        |token: &TokenTree| matches!(token, TokenTree::Ident(i) if i == "ref" || i == "mut");
    let mut before = at;
    while before > 0 && binding(&list[before - 1]) {
        before -= 1;
    }
    let first = before == 0
        || sign_at(list, before - 1) == Some(',')
        || matches!(&list[before - 1], TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket);
    let named = sign_at(list, at + 1) == Some(':') && !is_path_sign(list, at + 1);
    let short = at + 1 == list.len() || sign_at(list, at + 1) == Some(',');
    first && (named || (short && braces == Braces::Struct))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_names() {
        let text = "/// {use y}\na.b.c(1).d::<u8>(); e::f(x.0.1); g!(h); S { i, ref j, k: l }; m..n; 'o: loop {} \"{p}\"";
        let words = Mentions::of(text.parse().expect("tokens"));
        let joined = |names: &Names| names.join(" ");
        assert_eq!(joined(&words.fields), "0 1 b i j k");
        assert_eq!(joined(&words.methods), "c d");
        assert_eq!(joined(&words.members), "f");
        assert_eq!(joined(&words.macros), "g");
        assert_eq!(
            joined(&words.all),
            "S a b c d e f g h i j k l loop m n p ref u8 x"
        );
    }
}
