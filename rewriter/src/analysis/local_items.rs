//! What a function's body, or the value of a constant, declares that must exist only once: a second
//! copy of it, in a plugin, would be another variable or another type.
//!
//! ```text
//! fn next() -> u32 { static LAST: AtomicU32 = …; … }      declares a static
//! ```

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprClosure, Item, Macro};

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
    /// keeps its body.
    pub closures: Vec<Fingerprint>,
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
        Self::found(|finder| finder.visit_block(block))
    }

    pub(crate) fn of_value(value: &Expr) -> Self {
        Self::found(|finder| finder.visit_expr(value))
    }

    fn found(find: impl FnOnce(&mut Finder)) -> Self {
        let mut finder = Finder::default();
        find(&mut finder);
        Self {
            what: finder.items.first().map(|item| item.what.clone()),
            fingerprint: fingerprint_of_text(&finder.text),
            context: fingerprint_of_text(&finder.context),
            mentions: Mentions::of(finder.mentions).all,
            functions: fingerprint_of_text(&finder.functions),
            closures: finder.closures,
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
    closures: Vec<Fingerprint>,
}

impl Finder {
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
        self.closures.push(fingerprint(closure.to_token_stream()));
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_async(&mut self, block: &'ast ExprAsync) {
        self.closures.push(fingerprint(block.to_token_stream()));
        visit::visit_expr_async(self, block);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if may_hold_closures(call.tokens.clone()) {
            self.closures.push(fingerprint(call.tokens.clone()));
        }
        if declares_function(call.tokens.clone()) {
            self.function(call.tokens.clone());
        }
        if declares(call.tokens.clone()) {
            let name = call.path.to_token_stream().to_string().replace(' ', "");
            let tokens = call.tokens.clone();
            self.found(format!("what {name}! makes"), tokens.clone(), tokens);
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

/// Whether there are closures or async blocks among tokens of a macro.
fn may_hold_closures(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "async" || ident == "move",
        TokenTree::Punct(sign) => sign.as_char() == '|',
        TokenTree::Group(group) => may_hold_closures(group.stream()),
        TokenTree::Literal(_) => false,
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
            LocalItems::of(&block).closures
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
