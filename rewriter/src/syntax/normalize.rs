//! Tokens in a form in which formatting, comments and documentation are gone, so that two states of
//! a file can be compared by meaning.
//!
//! ```text
//! f(\n    a, // first\n    b,\n)     f ( a , b )
//! ```
//!
//! Commas that rustfmt adds and removes count as formatting, but only where they can't mean
//! anything: never inside a macro that isn't known. To such a macro doc comments are tokens like
//! any other, and it may tell `a+b` from `a + b`. Knows nothing of items.

use std::hash::{DefaultHasher, Hash, Hasher};

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

use crate::syntax::known_macros;

/// 128 bits that stand for a normalised text. Only comparable within one process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64, u64);

impl Fingerprint {
    /// Of what a file holds.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        fingerprint_of(&bytes)
    }

    /// One for many, in their order.
    pub fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<String> = parts.into_iter().map(|part| format!("{part:?}")).collect();
        fingerprint_of_text(&parts.join(" "))
    }
}

/// The fingerprint of tokens.
pub(crate) fn fingerprint(tokens: TokenStream) -> Fingerprint {
    fingerprint_of_text(&normalize(tokens))
}

/// The fingerprint of a text.
pub(crate) fn fingerprint_of_text(text: &str) -> Fingerprint {
    fingerprint_of(text)
}

fn fingerprint_of(content: &(impl Hash + ?Sized)) -> Fingerprint {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        content.hash(&mut hasher);
        hasher.finish()
    };
    Fingerprint(half(0), half(1))
}

/// The normalised text: the same for two streams exactly if they mean the same to the compiler.
pub(crate) fn normalize(tokens: TokenStream) -> String {
    let mut out = String::new();
    push(tokens, Context::default(), &mut out);
    out.truncate(out.trim_end().len());
    out
}

/// What is known of the group whose tokens are written.
#[derive(Default, Clone, Copy)]
struct Context {
    /// Inside a macro call of which nothing is known: every comma counts, every doc comment, and
    /// whether tokens touch.
    literal: bool,
    /// A comma at the end of the group means nothing.
    droppable: bool,
}

fn push(tokens: TokenStream, context: Context, out: &mut String) {
    let list: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = list.get(at) {
        let doc = if context.literal {
            0
        } else {
            doc_attribute(&list[at..])
        };
        if doc > 0 {
            at += doc;
            continue;
        }
        let touches = at > 0 && touch(last_span(&list[at - 1]), first_span(token));
        // Signs of one operator are written without a space.
        if context.literal && touches && out.ends_with(' ') {
            out.push_str(TOUCHING);
        }
        match token {
            TokenTree::Group(group) => push_group(group, &list[..at], context, out),
            TokenTree::Punct(punct) if punct.as_char() == ',' && !context.literal => {
                if !means_nothing(&list, at, context) {
                    out.push_str(", ");
                }
            }
            TokenTree::Punct(punct) => {
                out.push(punct.as_char());
                let lifetime = punct.as_char() == '\'';
                let glued = lifetime
                    || punct.spacing() == Spacing::Joint
                        && sign_at(&list, at + 1)
                            .is_some_and(|next| is_operator(punct.as_char(), next));
                if !glued {
                    out.push(' ');
                }
            }
            word => {
                out.push_str(&word.to_string());
                out.push(' ');
            }
        }
        at += 1;
    }
}

fn push_group(group: &Group, before: &[TokenTree], context: Context, out: &mut String) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("( ", ") "),
        Delimiter::Brace => ("{ ", "} "),
        Delimiter::Bracket => ("[ ", "] "),
        Delimiter::None => ("", ""),
    };
    let inner = Context {
        literal: context.literal || is_unknown_macro(before),
        droppable: group.delimiter() != Delimiter::Parenthesis
            || is_called(before)
            || commas(group) > 1,
    };
    out.push_str(open);
    push(group.stream(), inner, out);
    if context.literal && touches_inside(group) {
        out.push_str(TOUCHING);
    }
    out.push_str(close);
}

/// Between tokens without space between them. It is a comment, as the text may become source.
const TOUCHING: &str = "/**/ ";

fn touch(first: Span, second: Span) -> bool {
    first.end() == second.start()
}

fn first_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_open(),
        other => other.span(),
    }
}

fn last_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    }
}

/// `{a}` rather than `{ a }`.
fn touches_inside(group: &Group) -> bool {
    let first = group.stream().into_iter().next();
    first.is_some_and(|first| touch(group.span_open(), first_span(&first)))
}

/// How many tokens a documentation attribute takes at the start of `list`; 0 if there is none.
fn doc_attribute(list: &[TokenTree]) -> usize {
    if sign_at(list, 0) != Some('#') {
        return 0;
    }
    let group = if sign_at(list, 1) == Some('!') { 2 } else { 1 };
    let is_doc = matches!(list.get(group), Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Bracket
            && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(ident)) if ident == "doc"));
    if is_doc {
        group + 1
    } else {
        0
    }
}

/// Whether the comma at `at` ends a list, a list of type arguments, or a match arm with a block.
fn means_nothing(list: &[TokenTree], at: usize, context: Context) -> bool {
    let ends_group = at + 1 == list.len() && context.droppable && at > 0;
    let ends_arguments = sign_at(list, at + 1) == Some('>');
    let ends_arm = at >= 3
        && matches!(&list[at - 1], TokenTree::Group(g) if g.delimiter() == Delimiter::Brace)
        && sign_at(list, at - 2) == Some('>')
        && sign_at(list, at - 3) == Some('=');
    ends_group || ends_arguments || ends_arm
}

/// Whether a parenthesis after `before` holds arguments rather than a tuple.
fn is_called(before: &[TokenTree]) -> bool {
    const KEYWORDS: [&str; 24] = [
        "as", "box", "break", "const", "dyn", "else", "for", "if", "impl", "in", "let", "loop",
        "match", "move", "mut", "ref", "return", "static", "unsafe", "where", "while", "yield",
        "do", "await",
    ];
    match before.last() {
        Some(TokenTree::Ident(ident)) => !KEYWORDS.contains(&ident.to_string().as_str()),
        _ => false,
    }
}

fn is_unknown_macro(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(name), TokenTree::Punct(sign)] => {
            sign.as_char() == '!' && !is_known_macro(&name.to_string())
        }
        [.., TokenTree::Ident(rules), TokenTree::Punct(sign), TokenTree::Ident(_)] => {
            sign.as_char() == '!' && rules == "macro_rules"
        }
        _ => false,
    }
}

/// A macro whose arguments are expressions, of the standard library or for logs and errors, or one
/// that makes statics of what is written.
fn is_known_macro(name: &str) -> bool {
    const FURTHER: [&str; 10] = [
        "matches",
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "bail",
        "anyhow",
        "thread_local",
        "lazy_static",
    ];
    known_macros::takes_expressions(name) || FURTHER.contains(&name)
}

fn commas(group: &Group) -> usize {
    group
        .stream()
        .into_iter()
        .filter(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ','))
        .count()
}

pub(crate) fn sign_at(list: &[TokenTree], at: usize) -> Option<char> {
    match list.get(at) {
        Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
        _ => None,
    }
}

fn is_operator(first: char, second: char) -> bool {
    let pair: String = [first, second].iter().collect();
    const PAIRS: [&str; 23] = [
        "&&", "||", "<<", ">>", "==", "!=", "<=", ">=", "->", "=>", "::", "..", "+=", "-=", "*=",
        "/=", "%=", "^=", "&=", "|=", "<-", ".=", "#!",
    ];
    PAIRS.contains(&pair.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(first: &str, second: &str, expected: bool) {
        let read = |text: &str| normalize(text.parse().expect("tokens"));
        assert_eq!(read(first) == read(second), expected, "{first} / {second}");
    }

    #[test]
    fn formatting_means_nothing() {
        same("f(a,\n b,) // x", "f ( a , b )", true);
        same("f(a,)", "f(a)", true);
        same("x=-1", "x = -1", true);
        same("/// doc\nfn f() {}", "fn f() { }", true);
        same(
            "match x { A => {}, B => 1, }",
            "match x { A => {} B => 1 }",
            true,
        );
        same("S { a, }", "S { a }", true);
        same("Map<A, B,>", "Map<A, B>", true);
        same("println!(\"{}\", a,)", "println!(\"{}\", a)", true);
        same("if !x { /** doc */ f(a,) }", "if !x { f(a) }", true);
    }

    #[test]
    fn a_macro_sees_doc_comments_and_spaces() {
        same("m! { /// a\n x }", "m! { /// b\n x }", false);
        same("m! { (/// a\n x) }", "m! { (x) }", false);
        same("m! { // a\n x }", "m! {\n\n  x // b\n}", true);
        let rules =
            |text: &str| format!("/// A\nmacro_rules! m {{ () => {{ {text} fn f() {{}} }} }}");
        same(&rules("/// a\n"), &rules("/// b\n"), false);
        same(
            &rules("/// a\n"),
            &rules("/// a\n").replace("/// A", "/// B"),
            true,
        );
        let local = "thread_local! { /// a\n static A: u8 = 1; }";
        same(local, &local.replace("/// a", "/// b"), true);
        same("m!(a+b)", "m!(a + b)", false);
        same("m!(f {a})", "m!(f { a })", false);
        same("m!(a  + b)", "x; m!( a\n+ b )", false);
        same("m!(a  + b)", "m!( a\n+ b )", true);
        same("println!(a+b)", "println!(a + b)", true);
    }

    #[test]
    fn meaning_counts() {
        same("(a,)", "(a)", false);
        same("return (a,)", "return (a)", false);
        same("a & &b", "a && b", false);
        same("own!(a, b,)", "own!(a, b)", false);
        same("\"a b\"", "\"a  b\"", false);
        same("'a'", "a", false);
        same("x..=y", "x..y", false);
    }
}
