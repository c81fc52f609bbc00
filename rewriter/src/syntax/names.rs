//! Names of sites: one scheme for calls by name, lists, plugins and messages.
//!
//! ```text
//! fn get            in module store          app::store::get
//! Store::get        in module store          app::store::Store::get
//! Display for Store in module store          <app::store::Store as fmt::Display>::fmt
//! ```
//!
//! Types and traits are written as the source writes them, without white space and lifetimes: the
//! rewriter reads one file at a time and resolves no path.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ItemImpl, Signature};

/// The names of types that the language has.
pub const PRIMITIVE_TYPES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize", "str",
];

/// What a function belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A module.
    Free,
    /// `impl Type`.
    Inherent {
        /// The type as the source writes it, compact.
        ty: String,
    },
    /// `impl Trait for Type`.
    Trait {
        /// The type as the source writes it, compact.
        ty: String,
        /// The trait as the source writes it, compact.
        tr: String,
    },
}

impl Owner {
    /// The owner of the functions of an impl block.
    pub fn of_impl(item: &ItemImpl) -> Self {
        let ty = compact(without_lifetimes(item.self_ty.to_token_stream()));
        match &item.trait_ {
            Some((_, path, _)) => Self::Trait {
                ty,
                tr: compact(without_lifetimes(path.to_token_stream())),
            },
            None => Self::Inherent { ty },
        }
    }

    /// The owner of the default methods of a trait.
    pub(crate) fn of_trait(item: &syn::ItemTrait) -> Self {
        let ty = plain(&item.ident.to_string());
        Self::Inherent { ty }
    }

    /// The name of the type, without its path's generic arguments: `Holder` of `Holder<'a>`.
    pub fn type_name(&self) -> Option<String> {
        match self {
            Self::Free => None,
            Self::Inherent { ty } | Self::Trait { ty, .. } => {
                Some(plain(ty.split('<').next().unwrap_or_default()))
            }
        }
    }

    /// What stands before and after the module path in the name of the site of `function`.
    pub(crate) fn affixes(&self, function: &str) -> (&'static str, String) {
        match self {
            Self::Free => ("", format!("::{function}")),
            Self::Inherent { ty } => ("", format!("::{ty}::{function}")),
            Self::Trait { ty, tr } => ("<", format!("::{ty} as {tr}>::{function}")),
        }
    }
}

/// The name of the site of `function`, in the module `module` (with the crate's name:
/// `app::store`).
pub fn site_name(module: &str, owner: &Owner, function: &str) -> String {
    let (before, after) = owner.affixes(function);
    format!("{before}{module}{after}")
}

/// The signature as text, for people and for the comparison of plugins with sites: qualifiers,
/// parameter types and result, without parameter names.
pub fn signature_text(signature: &Signature) -> String {
    let mut text = String::new();
    for (present, word) in [
        (signature.asyncness.is_some(), "async "),
        (signature.unsafety.is_some(), "unsafe "),
    ] {
        if present {
            text.push_str(word);
        }
    }
    if let Some(abi) = &signature.abi {
        text.push_str(&compact(abi.to_token_stream()));
        text.push(' ');
    }
    text.push_str("fn");
    text.push_str(&compact(signature.generics.to_token_stream()));
    let inputs: Vec<String> = signature.inputs.iter().map(parameter_text).collect();
    text.push_str(&format!("({})", inputs.join(", ")));
    if let syn::ReturnType::Type(_, ty) = &signature.output {
        text.push_str(&format!(" -> {}", compact(ty.to_token_stream())));
    }
    if let Some(clause) = &signature.generics.where_clause {
        text.push_str(&format!(" {}", compact(clause.to_token_stream())));
    }
    text
}

fn parameter_text(argument: &syn::FnArg) -> String {
    match argument {
        syn::FnArg::Typed(typed) => compact(typed.ty.to_token_stream()),
        syn::FnArg::Receiver(receiver) => {
            let mut receiver = receiver.clone();
            receiver.attrs.clear();
            if receiver.reference.is_none() {
                receiver.mutability = None;
            }
            compact(receiver.to_token_stream())
        }
    }
}

/// A raw identifier's name.
pub(crate) fn plain(ident: &str) -> String {
    ident.trim_start_matches("r#").to_owned()
}

/// A name as it must be written in a path: `r#mod` of `mod`.
pub(crate) fn raw(name: &str) -> String {
    match syn::parse_str::<syn::Ident>(name) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("r#{name}"),
    }
}

/// Tokens as text with white space only where two words would otherwise run together, and after
/// commas.
pub(crate) fn compact(tokens: TokenStream) -> String {
    let mut out = String::new();
    push_compact(tokens, &mut out);
    out
}

fn push_compact(tokens: TokenStream, out: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                push_compact(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' => out.push_str(", "),
                ';' => out.push_str("; "),
                '+' => out.push_str(" + "),
                '=' => out.push_str(" = "),
                sign => out.push(sign),
            },
            word => push_word(&word.to_string(), out),
        }
    }
}

fn push_word(word: &str, out: &mut String) {
    let glued = out
        .chars()
        .next_back()
        .is_some_and(|last| last.is_alphanumeric() || last == '_' || last == '"');
    if glued {
        out.push(' ');
    }
    out.push_str(word);
}

/// Removes lifetimes, and the brackets that held nothing else: `Iter<'a, T>` becomes `Iter<T>`,
/// `Ref<'_>` becomes `Ref`.
fn without_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(ref punct) if punct.as_char() == '\'' => {
                tokens.next();
                let comma =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ',');
                if comma {
                    tokens.next();
                }
            }
            TokenTree::Punct(ref punct) if punct.as_char() == '>' && ends_with(&out, '<') => {
                out.pop();
            }
            TokenTree::Group(group) => {
                let mut inner =
                    proc_macro2::Group::new(group.delimiter(), without_lifetimes(group.stream()));
                inner.set_span(group.span());
                out.push(TokenTree::Group(inner));
            }
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

fn ends_with(tokens: &[TokenTree], sign: char) -> bool {
    matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Whether a name is written as those of variables are.
pub(crate) fn is_variable(name: &str) -> bool {
    let first = name.trim_start_matches('_').chars().next();
    first.is_none_or(|first| !first.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_owner(source: &str, expected: &str) {
        let item: ItemImpl = syn::parse_str(source).expect("an impl block");
        assert_eq!(
            site_name("app::store", &Owner::of_impl(&item), "get"),
            expected
        );
    }

    fn check_signature(source: &str, expected: &str) {
        let item: syn::ImplItemFn = syn::parse_str(source).expect("a function");
        assert_eq!(signature_text(&item.sig), expected);
    }

    #[test]
    fn names_carry_the_impl_header() {
        check_owner("impl Store {}", "app::store::Store::get");
        check_owner("impl<'a> Store<'a> {}", "app::store::Store::get");
        check_owner("impl<'a> Store<'a, u8> {}", "app::store::Store<u8>::get");
        check_owner(
            "impl fmt::Display for Store {}",
            "<app::store::Store as fmt::Display>::get",
        );
        check_owner(
            "impl From<Vec<u8>> for &dyn Thing {}",
            "<app::store::&dyn Thing as From<Vec<u8>>>::get",
        );
    }

    #[test]
    fn signatures_have_no_names() {
        check_signature(
            "fn f(&self, (a, b): (u8, &str), mut c: Vec<u8>) -> Option<&str> {}",
            "fn(&self, (u8, &str), Vec<u8>) -> Option<&str>",
        );
        check_signature(
            "async unsafe fn f<'a>(mut self, x: &'a str) where Self: 'a {}",
            "async unsafe fn<'a>(self, &'a str) where Self:'a",
        );
        check_signature("extern \"C\" fn f(x: i32) {}", "extern \"C\" fn(i32)");
    }
}
