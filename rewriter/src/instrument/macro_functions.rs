//! Functions in what a `macro_rules!` of the crate expands to.
//!
//! ```text
//! macro_rules! constant { ($name:ident, $value:expr) => { pub fn $name() -> u32 { $value } } }
//! macro_rules! constant { ($name:ident, $value:expr) => { pub fn $name() -> u32 { { static … &self::$name …; … } $value } } }
//! ```
//!
//! Only for tests, where a site needs no name that is known before the macro is expanded. For the
//! parser `$name` is a word of its own, which is turned back afterwards; what doesn't parse so,
//! with repetitions in a signature, is left alone. So are macros that other crates use: those may
//! forbid what a prologue needs.

use std::path::Path;

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, TokenStream, TokenTree};
use quote::{format_ident, quote, ToTokens};
use syn::parse::Parser;
use syn::{Attribute, FnArg, ItemImpl, ItemMacro, Pat, Signature};

use crate::analysis::eligibility::{classify_for_tests, is_generic, Kind, Place};
use crate::analysis::function_info::FunctionInfo;
use crate::instrument::instance::Surroundings;
use crate::instrument::prologue::{self, Dialect, PrologueTarget};
use crate::syntax::attributes::has_attribute;
use crate::syntax::names::{plain, signature_text, site_name, Owner};
use crate::syntax::tree::line_of;

/// What `$name` is for the parser.
const VARIABLE: &str = "__soft_mock_variable_";

/// A function in a macro, as the parser takes it.
pub(crate) struct MacroFunction {
    attrs: Vec<Attribute>,
    signature: Signature,
    owner: Owner,
    item_impl: Option<ItemImpl>,
    kind: Kind,
    body: Group,
}

/// The functions that a macro makes and that can have a site.
pub(crate) fn functions(item: &ItemMacro) -> Vec<MacroFunction> {
    let mut found = Vec::new();
    let is_definition = item.ident.is_some() && item.mac.path.is_ident("macro_rules");
    if !is_definition || has_attribute(&item.attrs, "macro_export") {
        return found;
    }
    // matcher => transcriber; …
    let tokens: Vec<TokenTree> = item.mac.tokens.clone().into_iter().collect();
    for (position, token) in tokens.iter().enumerate() {
        let arrow = position >= 2
            && is_sign(&tokens[position - 2], '=')
            && is_sign(&tokens[position - 1], '>');
        if let (true, TokenTree::Group(transcriber)) = (arrow, token) {
            look(transcriber.stream(), None, &mut found);
        }
    }
    found
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// Looks through items, of a module or of an impl block.
fn look(tokens: TokenStream, item_impl: Option<&ItemImpl>, found: &mut Vec<MacroFunction>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut start = 0; // Of an item.
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) if at > start && is_sign(&tokens[at - 1], '$') => {
                // A repetition; its separator and sign follow.
                look(group.stream(), item_impl, found);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                item(&tokens[start..at], group, item_impl, found);
                start = at + 1;
            }
            token if is_sign(token, ';') => start = at + 1,
            _ => {}
        }
        at += 1;
    }
}

/// An item: what stands before its braces, and what in them.
fn item(
    head: &[TokenTree],
    body: &Group,
    item_impl: Option<&ItemImpl>,
    found: &mut Vec<MacroFunction>,
) {
    let head: TokenStream = with_words(&head.iter().cloned().collect::<TokenStream>());
    let Ok((attrs, rest)) = (|input: syn::parse::ParseStream<'_>| {
        // `$(#[$attribute])*` and `$vis` stand before what is read.
        let mut attrs = Vec::new();
        while !starts_item(input) {
            if input.peek(syn::Token![#]) {
                attrs.extend(input.call(Attribute::parse_outer)?);
            } else {
                input.parse::<TokenTree>()?;
            }
        }
        Ok((attrs, input.parse::<TokenStream>()?))
    })
    .parse2(head) else {
        return;
    };
    if let Ok(block) = syn::parse2::<ItemImpl>(quote!(#rest {})) {
        if !is_generic(&block.generics)
            && block.trait_.as_ref().is_none_or(|(not, ..)| not.is_none())
        {
            look(body.stream(), Some(&block), found);
        }
    } else if syn::parse2::<syn::ItemMod>(quote!(#rest {})).is_ok() {
        look(body.stream(), None, found);
    } else if let Ok(signature) = syn::parse2::<Signature>(rest) {
        let place = Place {
            in_trait_impl: item_impl.is_some_and(|item| item.trait_.is_some()),
            ..Place::default()
        };
        let kind = classify_for_tests(&attrs, &signature, place);
        let plain = signature.inputs.iter().all(is_plain);
        if let (Ok((kind, false)), true) = (kind, plain) {
            found.push(MacroFunction {
                attrs,
                signature,
                owner: item_impl.map_or(Owner::Free, Owner::of_impl),
                item_impl: item_impl.cloned(),
                kind,
                body: body.clone(),
            });
        }
    }
}

/// Whether what follows is the first word of a function, an impl block or a module.
fn starts_item(input: syn::parse::ParseStream<'_>) -> bool {
    input.is_empty()
        || input.peek(syn::Token![fn])
        || input.peek(syn::Token![impl])
        || input.peek(syn::Token![mod])
        || input.peek(syn::Token![unsafe])
        || input.peek(syn::Token![async])
        || input.peek(syn::Token![const])
        || input.peek(syn::Token![extern])
}

/// A parameter that a call can be handed on with.
fn is_plain(argument: &FnArg) -> bool {
    match argument {
        FnArg::Receiver(_) => true,
        FnArg::Typed(typed) => {
            matches!(&*typed.pat, Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none())
        }
    }
}

impl MacroFunction {
    /// Its prologue, with the place for it, and what is listed of the function. None, if it is left
    /// out: then there is no `dialect` for it.
    /// Its name, unless the macro is given it.
    pub(crate) fn name(&self) -> Option<String> {
        let name = self.signature.ident.to_string();
        (!name.starts_with(VARIABLE)).then(|| plain(&name))
    }

    pub(crate) fn prologue<'d>(
        &self,
        module: &str,
        path: &Path,
        dialect: &dyn Fn(&str) -> Option<Dialect<'d>>,
    ) -> Option<(usize, String, FunctionInfo)> {
        let function = self.signature.ident.to_string();
        let name = site_name(module, &self.owner, &function).replace(VARIABLE, "$");
        let dialect = dialect(&name)?;
        let block = syn::parse_quote!({});
        let target = PrologueTarget {
            attrs: &self.attrs,
            signature: &self.signature,
            block: &block,
            owner: &self.owner,
            module: None,
            around: Surroundings {
                item_impl: self.item_impl.as_ref(),
                ..Surroundings::default()
            },
            instances: false,
            kind: self.kind,
            counted: false,
            main: false,
            expanded: true,
        };
        // Its parameters are plain.
        let (_, _, text) = prologue::text(&target, &dialect);
        let tokens: TokenStream = text.parse().ok()?;
        let text = with_variables(tokens, dialect.edition.core_path()).to_string();
        let open = self.body.span_open();
        let text = format!(" {} ", text.replace('\n', " "));
        let info = FunctionInfo {
            name,
            signature: signature_text(&self.signature).replace(VARIABLE, "$"),
            path: path.to_owned(),
            line: line_of(self.signature.ident.span()),
            first_line: line_of(open),
            brace_line: line_of(open),
            kind: Ok(self.kind),
        };
        Some((open.byte_range().end, text, info))
    }
}

/// Words in place of `$name`.
fn with_words(tokens: &TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (&token, tokens.peek()) {
            (sign, Some(TokenTree::Ident(name))) if is_sign(sign, '$') => {
                let word = Ident::new(&format!("{VARIABLE}{name}"), name.span());
                tokens.next();
                out.extend([TokenTree::Ident(word)]);
            }
            (TokenTree::Group(group), _) => {
                let mut inner = Group::new(group.delimiter(), with_words(&group.stream()));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            _ => out.extend([token]),
        }
    }
    out
}

/// `$name` in place of words; in texts as well.
fn with_variables(tokens: TokenStream, core: &str) -> TokenStream {
    let variable = |name: &str| {
        let name = format_ident!("{name}");
        let sign = Punct::new('$', Spacing::Alone);
        quote!(#sign #name)
    };
    let mut out = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => match ident.to_string().strip_prefix(VARIABLE) {
                Some(name) => out.extend(variable(name)),
                None => out.extend([TokenTree::Ident(ident)]),
            },
            TokenTree::Group(group) => {
                let inner = with_variables(group.stream(), core);
                out.extend([TokenTree::Group(Group::new(group.delimiter(), inner))]);
            }
            TokenTree::Literal(literal) => {
                match syn::parse2::<syn::LitStr>(literal.to_token_stream()) {
                    Ok(text) if text.value().contains(VARIABLE) => {
                        let core: TokenStream = core.parse().unwrap_or_default();
                        let text = text.value();
                        let mut parts = text.split(VARIABLE);
                        let first = Literal::string(parts.next().unwrap_or_default());
                        let mut all = quote!(#first);
                        for part in parts {
                            let end =
                                part.find(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
                            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
                            let (name, rest) = (variable(name), Literal::string(rest));
                            all.extend(quote!(, #core::stringify!(#name), #rest));
                        }
                        out.extend(quote!(#core::concat!(#all)));
                    }
                    _ => out.extend([TokenTree::Literal(literal)]),
                }
            }
            other => out.extend([other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        let item: ItemMacro = syn::parse_str(source).expect("a macro");
        let name = |function: &MacroFunction| {
            let name = function.signature.ident.to_string();
            site_name("app", &function.owner, &name).replace(VARIABLE, "$")
        };
        functions(&item).iter().map(name).collect()
    }

    #[test]
    fn functions_in_macros() {
        for (source, expected) in [
            ("($n:ident) => { $(#[$m])* pub fn $n() -> u32 { 1 } pub(crate) async fn b(a: $t) {} }", &["app::$n", "app::b"][..]),
            ("($t:ty) => { impl self::a::Get for $t { fn get(&self) {} } }", &["<app::$t as self::a::Get>::get"]),
            ("() => { $(mod $m { fn a() {} })* struct S; }", &["app::a"]),
            ("() => { trait T { fn a() {} } other! { fn b() {} } fn c($($a: u8),*) {} fn d<T>() {} fn e((a, b): C) {} const fn f() {} }", &[]),
        ] {
            assert_eq!(names(&format!("macro_rules! m {{ {source} }}")), expected, "{source}");
        }
        assert!(names("#[macro_export] macro_rules! m { () => { fn a() {} } }").is_empty());
    }

    #[test]
    fn words_become_variables_again() {
        let tokens: TokenStream = quote!(fn $name(a: $t) -> "x");
        let words = with_words(&tokens);
        assert!(!words.to_string().contains('$'));
        let back = with_variables(words, "::core").to_string();
        assert_eq!(back.replace(' ', ""), tokens.to_string().replace(' ', ""));
        let text: TokenStream = format!("\"<{VARIABLE}t as X>::{VARIABLE}f\"")
            .parse()
            .expect("a text");
        assert_eq!(
            with_variables(text, "::core").to_string().replace(' ', ""),
            "::core::concat!(\"<\",::core::stringify!($t),\"asX>::\",::core::stringify!($f),\"\")"
        );
    }
}
