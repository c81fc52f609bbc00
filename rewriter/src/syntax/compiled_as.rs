//! What a crate is compiled as: by itself, where what is there for tests isn't, or as a harness of
//! its tests.
//!
//! ```text
//! #[cfg(test)] mod tests { … }                   in a harness: #[cfg(all())] mod tests { … }
//! #[cfg(all(test, unix))] fn helper() { … }      #[cfg(all(all(), unix))] fn helper() { … }
//! ```
//!
//! The text stays what it is: the syntax alone says that the condition holds.

use syn::visit_mut::{self, VisitMut};
use syn::{parse_quote, Attribute, File, Meta};

use crate::syntax::attributes::is_test_only;

/// What a crate is compiled as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompiledAs {
    /// By itself.
    #[default]
    Crate,
    /// A harness of its tests.
    Harness,
}

impl CompiledAs {
    /// Has the syntax of a file say of what is there for tests whether it is.
    pub(crate) fn mark(self, file: &mut File) {
        if self == Self::Harness {
            Held.visit_file_mut(file);
        }
    }
}

/// `all()`, which holds, in the place of `test`.
struct Held;

impl VisitMut for Held {
    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if is_test_only(std::slice::from_ref(attribute)) {
            if let Meta::List(condition) = &mut attribute.meta {
                condition.tokens = hold(std::mem::take(&mut condition.tokens));
            }
        }
        visit_mut::visit_attribute_mut(self, attribute);
    }
}

/// The same condition without its first `test`, which stands alone or in the first `all`.
fn hold(condition: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    use proc_macro2::{Group, TokenTree};
    let mut tokens = condition.into_iter();
    let first = match tokens.next() {
        Some(TokenTree::Ident(name)) if name == "test" => parse_quote!(all()),
        Some(TokenTree::Ident(name)) => {
            let inner = match tokens.next() {
                Some(TokenTree::Group(group)) => {
                    let mut held = Group::new(group.delimiter(), hold(group.stream()));
                    held.set_span(group.span());
                    Some(TokenTree::Group(held))
                }
                other => other,
            };
            std::iter::once(TokenTree::Ident(name))
                .chain(inner)
                .collect()
        }
        other => other.into_iter().collect::<proc_macro2::TokenStream>(),
    };
    first.into_iter().chain(tokens).collect()
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn what_is_there_for_tests_is_there_in_a_harness() {
        let check = |compiled_as: CompiledAs, text: &str, expected: &str| {
            let mut file = syn::parse_file(text).expect("a file");
            compiled_as.mark(&mut file);
            let text = file.to_token_stream().to_string();
            assert_eq!(text.replace(' ', ""), expected.replace(' ', ""));
            assert_eq!(
                is_test_only(&match &file.items[0] {
                    syn::Item::Fn(item) => item.attrs.clone(),
                    _ => Vec::new(),
                }),
                compiled_as == CompiledAs::Crate && text.contains("test")
            );
        };
        check(
            CompiledAs::Harness,
            "#[cfg(test)] fn f() {}",
            "#[cfg(all())] fn f() {}",
        );
        check(
            CompiledAs::Harness,
            "#[cfg(all(test, unix))] fn f() {}",
            "#[cfg(all(all(), unix))] fn f() {}",
        );
        check(
            CompiledAs::Harness,
            "#[cfg(not(test))] fn f() {}",
            "#[cfg(not(test))] fn f() {}",
        );
        check(
            CompiledAs::Crate,
            "#[cfg(test)] fn f() {}",
            "#[cfg(test)] fn f() {}",
        );
    }
}
