//! What a function's body, or the value of a constant, declares that must exist only once: a second
//! copy of it, in a plugin, would be another variable or another type.
//!
//! ```text
//! fn next() -> u32 { static LAST: AtomicU32 = …; … }      declares a static
//! ```

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprClosure, Item, Macro};

use super::local_closures::{may_hold_closures, outside, LocalClosure};
use crate::syntax::known_macros::takes_expressions;
use crate::syntax::mentions::{Mentions, Names};
use crate::syntax::names::compact;
use crate::syntax::normalize::{fingerprint, fingerprint_of_text, normalize, sign_at, Fingerprint};

/// What a body declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalItems {
    /// The first of the declarations, in words: `static LAST`.
    pub what: Option<String>,
    /// All of them, each with what it is called.
    pub items: Vec<LocalItem>,
    /// All of them in full.
    pub fingerprint: Fingerprint,
    /// Constants, aliases, imports and macros beside them, on which they may depend.
    pub context: Fingerprint,
    /// The names in their types.
    pub mentions: Names,
    /// Functions that are declared in it, and what macros may make them of: a pointer to one may
    /// be kept.
    pub functions: Fingerprint,
    /// The closures and async blocks in it, and the macro calls that may hold some: one that lives
    /// was made by the code that stood there.
    pub closures: Vec<LocalClosure>,
    /// All of the body but what stands inside of closures and async blocks.
    pub(crate) around: Fingerprint,
    /// The closures have the numbers of their places here: none is inside of another, and no macro
    /// makes more.
    pub(crate) numbered: bool,
}

/// A declaration in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalItem {
    /// `static LAST`.
    pub what: String,
    /// Its definition; of a static without the initial value.
    pub content: Fingerprint,
}

impl LocalItems {
    pub(crate) fn of(block: &Block) -> Self {
        Self::found(block.to_token_stream(), |finder| finder.visit_block(block))
    }

    pub(crate) fn of_value(value: &Expr) -> Self {
        Self::found(value.to_token_stream(), |finder| finder.visit_expr(value))
    }

    fn found(all: TokenStream, find: impl FnOnce(&mut Finder)) -> Self {
        let mut finder = Finder::default();
        find(&mut finder);
        let around = fingerprint(outside(all, &finder.insides));
        let mut closures = finder.closures.iter();
        let numbered = !finder.hides_closures && closures.all(|closure| closure.around.is_none());
        Self {
            what: finder.items.first().map(|item| item.what.clone()),
            fingerprint: fingerprint_of_text(&finder.text),
            context: fingerprint_of_text(&finder.context),
            mentions: Mentions::of(finder.mentions).all,
            functions: fingerprint_of_text(&finder.functions),
            closures: finder.closures,
            around,
            numbered,
            items: finder.items,
        }
    }
}

#[derive(Default)]
struct Finder {
    items: Vec<LocalItem>,
    text: String,
    context: String,
    mentions: TokenStream,
    functions: String,
    closures: Vec<LocalClosure>,
    /// Where the bodies of closures and async blocks stand.
    insides: Vec<Range<usize>>,
    /// A macro may make closures that can't be seen.
    hides_closures: bool,
}

impl Finder {
    /// A closure; `inside` looks for others in it.
    fn closure(&mut self, all: TokenStream, inside: impl FnOnce(&mut Self)) {
        let start = all.clone().into_iter().next();
        let (own, others) = (self.closures.len(), self.insides.len());
        self.closures.push(LocalClosure {
            content: fingerprint(all.clone()),
            line: start.map_or(0, |token| token.span().start().line),
            around: None,
        });
        inside(self);
        if let others @ [_, ..] = &self.insides[others..] {
            self.closures[own].around = Some(fingerprint(outside(all, others)));
        }
    }

    /// `lasting` is what values that are alive depend on.
    fn found(&mut self, what: String, all: TokenStream, lasting: TokenStream) {
        self.text.push_str(&normalize(all));
        self.text.push('\n');
        self.mentions.extend(lasting.clone());
        let content = fingerprint_of_text(&normalize(lasting));
        self.items.push(LocalItem { what, content });
    }

    fn function(&mut self, tokens: TokenStream) {
        self.functions.push_str(&normalize(tokens));
        self.functions.push('\n');
    }

    fn beside(&mut self, item: &Item) {
        self.context.push_str(&normalize(item.to_token_stream()));
        self.context.push('\n');
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        let mut lasting = item.to_token_stream();
        let what = match item {
            Item::Static(item) => {
                let (attrs, mutable, ty) = (&item.attrs, &item.mutability, &item.ty);
                lasting = quote!(#(#attrs)* #mutable #ty);
                format!("static {}", item.ident)
            }
            Item::Struct(item) => format!("struct {}", item.ident),
            Item::Enum(item) => format!("enum {}", item.ident),
            Item::Union(item) => format!("union {}", item.ident),
            Item::Trait(item) => format!("trait {}", item.ident),
            Item::Impl(item) => {
                let (ty, tr) = (&item.self_ty, item.trait_.as_ref().map(|(_, tr, _)| tr));
                lasting = quote!(#tr for #ty);
                let what = format!("impl {}", compact(lasting.clone()));
                self.found(what, item.to_token_stream(), lasting);
                return visit::visit_item_impl(self, item);
            }
            Item::Mod(item) => format!("mod {}", item.ident),
            Item::ForeignMod(_) => "an extern block".to_owned(),
            Item::Macro(item) if item.ident.is_none() => {
                format!("what {}! makes", item.mac.path.to_token_stream())
            }
            Item::Const(_) | Item::Type(_) | Item::Use(_) | Item::Macro(_) | Item::Fn(_) => {
                if let Item::Fn(item) = item {
                    self.function(item.to_token_stream());
                }
                // A function matters if it is const; then it must not look like one that isn't.
                if !matches!(item, Item::Fn(item) if item.sig.constness.is_none()) {
                    self.beside(item);
                }
                return visit::visit_item(self, item);
            }
            _ => return visit::visit_item(self, item),
        };
        self.found(what, item.to_token_stream(), lasting);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.closure(closure.to_token_stream(), |finder| {
            visit::visit_expr_closure(finder, closure);
        });
        self.insides.push(closure.body.span().byte_range());
    }

    fn visit_expr_async(&mut self, block: &'ast ExprAsync) {
        self.closure(block.to_token_stream(), |finder| {
            visit::visit_expr_async(finder, block);
        });
        self.insides.push(block.block.span().byte_range());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last();
        let name = name.map(|segment| segment.ident.to_string());
        self.hides_closures |= !name.is_some_and(|name| takes_expressions(&name));
        if may_hold_closures(call.tokens.clone()) {
            self.closure(call.to_token_stream(), |_| {});
            self.hides_closures = true;
        }
        if declares_function(call.tokens.clone()) {
            self.function(call.to_token_stream());
        }
        if declares(call.tokens.clone()) {
            let name = call.path.to_token_stream().to_string().replace(' ', "");
            let tokens = call.tokens.clone();
            self.found(
                format!("what {name}! makes"),
                call.to_token_stream(),
                tokens,
            );
        }
    }
}

/// Whether tokens of a macro look as if they declared something that must exist only once.
pub(crate) fn declares(tokens: TokenStream) -> bool {
    const WORDS: [&str; 8] = [
        "static",
        "struct",
        "enum",
        "union",
        "trait",
        "impl",
        "thread_local",
        "lazy_static",
    ];
    let list: Vec<TokenTree> = tokens.into_iter().collect();
    list.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(ident) => {
            let lifetime = at > 0 && sign_at(&list, at - 1) == Some('\'');
            !lifetime && WORDS.contains(&ident.to_string().as_str())
        }
        TokenTree::Group(group) => declares(group.stream()),
        _ => false,
    })
}

/// Whether tokens of a macro look as if they declared a function: `fn` and a name.
pub(crate) fn declares_function(tokens: TokenStream) -> bool {
    let list: Vec<TokenTree> = tokens.into_iter().collect();
    let is_fn = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if *ident == "fn");
    // In a definition the name may be a variable: `fn $name`.
    let is_name = |token: &TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(sign) => sign.as_char() == '$',
        _ => false,
    };
    list.windows(2)
        .any(|pair| is_fn(&pair[0]) && is_name(&pair[1]))
        || list.iter().any(
            |token| matches!(token, TokenTree::Group(group) if declares_function(group.stream())),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Option<&str>) {
        let block = syn::parse_str(body).expect("a block");
        assert_eq!(LocalItems::of(&block).what.as_deref(), expected, "{body}");
    }

    #[test]
    fn what_may_exist_only_once() {
        check("{ static A: u8 = 1; }", Some("static A"));
        check("{ if x { struct B; } }", Some("struct B"));
        check("{ fn inner() { static C: u8 = 1; } }", Some("static C"));
        check(
            "{ thread_local! { static D: u8 = 1; } }",
            Some("what thread_local! makes"),
        );
        check("{ impl X {} }", Some("impl for X"));
    }

    #[test]
    fn functions_in_a_body() {
        let functions = |body: &str| {
            let block = syn::parse_str(body).expect("a block");
            LocalItems::of(&block).functions
        };
        let none = functions("{ 1 }");
        assert_eq!(functions("{ let f: fn(u8) = g; |x| x + 1 }"), none);
        for body in [
            "{ fn a() { 1 } }",
            "{ if x { fn a() { 1 } } }",
            "{ || { fn a() { 1 } } }",
            "{ m!(fn a() { 1 }) }",
        ] {
            assert_ne!(functions(body), none, "{body}");
            assert_eq!(
                functions(body),
                functions(&body.replace("{ 1 }", "{ /* one */ 1 }")),
                "{body}"
            );
            assert_ne!(
                functions(body),
                functions(&body.replace('1', "2")),
                "{body}"
            );
        }
    }

    #[test]
    fn closures_in_a_body() {
        let closures = |body: &str| {
            let block = syn::parse_str(body).expect("a block");
            let closures = LocalItems::of(&block).closures.into_iter();
            closures.map(|closure| closure.content).collect::<Vec<_>>()
        };
        let all = closures("{ f(|x| x + 1); g(async { 1 }); m!(a, || 2); m!(3) }");
        assert_eq!(all.len(), 3);
        assert_eq!(
            closures("{ h(); f(|x| /* one */ x + 1); g(async { 1 }); m!(a, || 2) }"),
            all
        );
        assert_ne!(
            closures("{ f(|x| x + 2); g(async { 1 }); m!(a, || 2) }"),
            all
        );
    }

    #[test]
    fn what_may_be_copied() {
        check(
            "{ const A: u8 = 1; use b::c; fn d() {} macro_rules! e { () => {} } }",
            None,
        );
        check(
            "{ println!(\"static\"); let x: &'static str = m!(&'static str); }",
            None,
        );
    }
}
