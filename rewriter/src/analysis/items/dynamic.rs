//! Finds the traits of which a file mentions objects.
//!
//! ```text
//! Box<dyn Shape + Send>      Shape, Send
//! Box<Shape>, &'a Shape      Shape: an object without `dyn`, as editions before 2021 have it, or a type of that name
//! ```
//!
//! By tokens: some of what follows `dyn`, and what stands where a type stands; rather a name too
//! many than one too few. Knows nothing of editions, and of which names are traits.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use super::declared::Dynamic;
use crate::syntax::mentions::is_path_sign;
use crate::syntax::names::plain;
use crate::syntax::normalize::sign_at;

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
    let mut import = false;
    for (at, token) in list.iter().enumerate() {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == ';' => import = false,
            // What is imported is not used yet; `use<…>` is a bound.
            TokenTree::Ident(word) if word == "use" => import = sign_at(&list, at + 1) != Some('<'),
            _ if import => {}
            TokenTree::Ident(word) if word == "dyn" => {
                bounds(list.iter().skip(at + 1).take(REACH), names, unknown);
            }
            TokenTree::Ident(_) if is_type(&list, at) => {
                names.extend(last_of_path(&list, at));
            }
            // Attributes name derives.
            TokenTree::Group(_) if at > 0 && sign_at(&list, at - 1) == Some('#') => {}
            TokenTree::Group(group) => find(group.stream(), names, unknown),
            _ => {}
        }
    }
}

/// Whether a path begins here that stands where only types and values do, and no bound: a trait
/// there is an object.
fn is_type(list: &[TokenTree], at: usize) -> bool {
    let leading = at >= 2 && is_path_sign(list, at - 2);
    let start = if leading { at - 2 } else { at };
    let Some(before) = start.checked_sub(1) else {
        return true;
    };
    match &list[before] {
        TokenTree::Punct(sign) => match sign.as_char() {
            // `->`, and what closes `impl<…>` before the trait of an impl block.
            '>' => before > 0 && sign_at(list, before - 1) == Some('-'),
            sign => matches!(sign, '<' | '&' | ',' | '=' | '*'),
        },
        TokenTree::Ident(word) => {
            let lifetime = before > 0 && sign_at(list, before - 1) == Some('\'');
            lifetime || word == "mut" || word == "const" || word == "for"
        }
        _ => false,
    }
}

/// `Shape` of `crate::shapes::Shape`.
fn last_of_path(list: &[TokenTree], start: usize) -> Option<String> {
    let mut last = start;
    while is_path_sign(list, last + 1) && matches!(list.get(last + 3), Some(TokenTree::Ident(_))) {
        last += 3;
    }
    match &list[last] {
        TokenTree::Ident(name) => Some(plain(&name.to_string())),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = Dynamic::of(text.parse().expect("tokens"));
        let missing = |name: &&&str| found.names.iter().all(|known| **known != ***name);
        let missing: Vec<&&str> = expected.iter().filter(missing).collect();
        assert!(missing.is_empty(), "{missing:?} of {:?}", found.names);
        let shape = expected.contains(&"Shape");
        assert_eq!(found.names.iter().any(|name| &**name == "Shape"), shape);
    }

    #[test]
    fn objects_with_and_without_the_word() {
        check("static V: Box<dyn Shape + Send> = 1;", &["Shape", "Send"]);
        check("static V: Mutex<Vec<Box<Shape + Send>>> = 1;", &["Shape"]);
        check("fn f(a: &Shape) {}", &["Shape"]);
        check("fn f<'a>(a: &'a mut ::shapes::Shape) {}", &["Shape"]);
        check("fn f() -> *const r#Shape { g() }", &["Shape"]);
        check("type T = (Shape);", &["Shape"]);
        check("type T = crate::Shape;", &["Shape"]);
        check(
            "use a::b; fn f() -> impl C + use<'_> {} type A = Shape;",
            &["Shape"],
        );
        check("impl Other for Shape {}", &["Shape"]);
        check("make!(Shape); make! { u8, Shape }", &["Shape"]);
    }

    #[test]
    fn bounds_are_no_objects() {
        check(
            "fn f<T: Shape>(a: impl Shape) where T: Send + Shape {}",
            &[],
        );
        check(
            "use a::{b, Shape}; trait Shape: Sized {} impl Shape for T {}",
            &[],
        );
        check("impl<T> Shape for T {}", &[]);
        check("#[derive(Debug, Shape)] struct S;", &[]);
        check(
            "fn f() { <T as Shape>::new(); a = Shape::new(&Shape::of(b)); }",
            &[],
        );
    }
}
