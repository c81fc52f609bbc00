//! What a function's body declares that must exist only once: a second copy of it, in a plugin,
//! would be another variable or another type.
//!
//! ```text
//! fn next() -> u32 { static LAST: AtomicU32 = …; … }      declares a static
//! ```

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, Item, Macro};

use crate::normal::{fingerprint_of_text, normal, sign_at, Fingerprint};

/// What a body declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalItems {
    /// The first of the declarations, in words: `static LAST`.
    pub what: Option<String>,
    /// All of them.
    pub fingerprint: Fingerprint,
}

impl LocalItems {
    pub(crate) fn of(block: &Block) -> Self {
        let mut finder = Finder::default();
        finder.visit_block(block);
        Self {
            what: finder.what,
            fingerprint: fingerprint_of_text(&finder.text),
        }
    }
}

#[derive(Default)]
struct Finder {
    what: Option<String>,
    text: String,
}

impl Finder {
    fn found(&mut self, what: String, tokens: TokenStream) {
        self.what.get_or_insert(what);
        self.text.push_str(&normal(tokens));
        self.text.push('\n');
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        let what = match item {
            Item::Static(item) => format!("static {}", item.ident),
            Item::Struct(item) => format!("struct {}", item.ident),
            Item::Enum(item) => format!("enum {}", item.ident),
            Item::Union(item) => format!("union {}", item.ident),
            Item::Trait(item) => format!("trait {}", item.ident),
            Item::Impl(_) => "an impl block".to_owned(),
            Item::Mod(item) => format!("mod {}", item.ident),
            Item::ForeignMod(_) => "an extern block".to_owned(),
            Item::Macro(item) if item.ident.is_none() => {
                format!("what {}! makes", item.mac.path.to_token_stream())
            }
            _ => return visit::visit_item(self, item),
        };
        self.found(what, item.to_token_stream());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if declares(call.tokens.clone()) {
            let name = call.path.to_token_stream().to_string().replace(' ', "");
            self.found(format!("what {name}! makes"), call.tokens.clone());
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
        check("{ impl X {} }", Some("an impl block"));
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
