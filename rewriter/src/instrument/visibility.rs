//! Making private things `pub`, where that changes nothing.
//!
//! ```text
//! program  struct Store { count: u64 }        struct Store { pub count: u64 }
//! twin     fn render(n: u64) -> String {…}    pub fn render(n: u64) -> String {…}
//! ```
//!
//! *Fields* are widened in the program and in the twin alike, since a field's visibility is part of
//! its type's `TypeId`; only on types behind which nothing can lie (no `Deref`, no unknown macro).
//! *Everything else* is widened in the twin alone, against which plugins are compiled: but never a
//! name that is also mentioned where it isn't visible, for there it may come to mean something
//! else. What is not widened is listed: a function that mentions such a name needs another way.

use std::collections::{HashMap, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{ImplItem, Item, UseTree, Visibility};

use crate::analysis::hidden::{scope, Hidden};
use crate::analysis::known_attributes::is_plain_but_for_derives;
use crate::syntax::attributes::is_test_only;
use crate::syntax::edits::Edits;
use crate::syntax::mentions::identifiers;
use crate::syntax::tree::CrateTree;

/// Makes one visibility `pub`.
pub(crate) fn widen(vis: &Visibility, first_token: usize, edits: &mut Edits) {
    match vis {
        Visibility::Public(_) => {}
        Visibility::Inherited => edits.insert(first_token, "pub "),
        Visibility::Restricted(restricted) => {
            edits.replace(restricted.span().byte_range(), "pub");
        }
    }
}

/// Which names are mentioned where: what decides which private items the twin may widen.
#[derive(Debug, Default)]
pub(crate) struct MentionPlaces {
    /// Identifiers after `.` or `::`, by module.
    members: HashMap<String, HashSet<Vec<String>>>,
    /// All identifiers, by module.
    words: HashMap<String, HashSet<Vec<String>>>,
    /// Last segments of glob imports.
    globs: HashSet<String>,
}

/// Methods that macros of the standard library and common derives call on any value.
const ALWAYS_MENTIONED: [&str; 12] = [
    "clone",
    "fmt",
    "eq",
    "ne",
    "cmp",
    "partial_cmp",
    "hash",
    "default",
    "deref",
    "drop",
    "into",
    "from",
];

impl MentionPlaces {
    pub(crate) fn of(tree: &CrateTree) -> Self {
        let mut mentions = Self::default();
        for file in &tree.files {
            mentions.items(&file.ast.items, &file.module);
        }
        mentions
    }

    fn items(&mut self, items: &[Item], module: &[String]) {
        for item in items {
            match item {
                Item::Mod(inner) if is_test_only(&inner.attrs) => {}
                Item::Mod(inner) => {
                    if let Some((_, items)) = &inner.content {
                        let mut path = module.to_vec();
                        path.push(inner.ident.to_string());
                        self.items(items, &path);
                    }
                }
                Item::Use(item) => {
                    self.tree(&item.tree, None);
                    self.tokens(item.to_token_stream(), module);
                }
                other => self.tokens(other.to_token_stream(), module),
            }
        }
    }

    fn tree(&mut self, tree: &UseTree, last: Option<String>) {
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, Some(path.ident.to_string())),
            UseTree::Group(group) => {
                for inner in &group.items {
                    self.tree(inner, last.clone());
                }
            }
            UseTree::Glob(_) => {
                self.globs.extend(last);
            }
            UseTree::Name(_) | UseTree::Rename(_) => {}
        }
    }

    fn tokens(&mut self, tokens: TokenStream, module: &[String]) {
        let mut words = HashSet::new();
        identifiers(tokens.clone(), &mut words);
        for word in words {
            let places = self.words.entry(word).or_default();
            places.insert(module.to_vec());
        }
        self.member_tokens(tokens, module);
    }

    fn member_tokens(&mut self, tokens: TokenStream, module: &[String]) {
        let mut after_sign = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if after_sign {
                        let places = self.members.entry(ident.to_string()).or_default();
                        places.insert(module.to_vec());
                    }
                    after_sign = false;
                }
                TokenTree::Punct(punct) => after_sign = matches!(punct.as_char(), '.' | ':'),
                TokenTree::Group(group) => {
                    self.member_tokens(group.stream(), module);
                    after_sign = false;
                }
                TokenTree::Literal(_) => after_sign = false,
            }
        }
    }

    /// Whether a method or associated constant that is visible in `scope` is mentioned outside of
    /// it.
    pub(crate) fn member_outside(&self, name: &str, scope: &[String]) -> bool {
        ALWAYS_MENTIONED.contains(&name) || outside(self.members.get(name), scope)
    }

    /// Whether an item of the module `module` may be picked up by a glob import and is mentioned
    /// outside of its scope.
    pub(crate) fn item_outside(&self, name: &str, module: &[String], scope: &[String]) -> bool {
        let imported = module
            .last()
            .is_some_and(|last| self.globs.contains(last.as_str()));
        imported && outside(self.words.get(name), scope)
    }
}

fn outside(places: Option<&HashSet<Vec<String>>>, scope: &[String]) -> bool {
    places.is_some_and(|places| places.iter().any(|place| !place.starts_with(scope)))
}

/// Widens an item of the twin; what it can't widen goes into `hidden`.
pub(crate) struct Twin<'a> {
    pub(crate) mentions: &'a MentionPlaces,
    pub(crate) module: &'a [String],
    pub(crate) hidden: &'a mut Vec<Hidden>,
}

impl Twin<'_> {
    /// Widens one item of a module (not what is inside of it).
    pub(crate) fn item(&mut self, item: &Item, edits: &mut Edits) {
        let Some((vis, name, attrs, first)) = header(item) else {
            return;
        };
        let Some(scope) = scope(vis, self.module) else {
            return;
        };
        let free = is_plain_but_for_derives(attrs) || matches!(item, Item::Fn(_) | Item::Mod(_));
        let crate_wide = scope.is_empty();
        if free && (crate_wide || !self.mentions.item_outside(&name, self.module, &scope)) {
            widen(vis, first, edits);
        } else {
            self.hide(name, scope);
        }
    }

    /// Widens one item of an inherent impl block.
    pub(crate) fn impl_item(&mut self, item: &ImplItem, edits: &mut Edits) {
        let (vis, name, first) = match item {
            ImplItem::Fn(f) => (&f.vis, &f.sig.ident, signature_start(&f.sig)),
            ImplItem::Const(c) => (&c.vis, &c.ident, c.const_token.span.byte_range().start),
            _ => return,
        };
        let Some(scope) = scope(vis, self.module) else {
            return;
        };
        let name = name.to_string();
        if scope.is_empty() || !self.mentions.member_outside(&name, &scope) {
            widen(vis, first, edits);
        } else {
            self.hide(name, scope);
        }
    }

    fn hide(&mut self, name: String, scope: Vec<String>) {
        self.hidden.push(Hidden {
            name,
            field: false,
            scope,
        });
    }
}

/// Where the first token of a signature stands.
pub(crate) fn signature_start(signature: &syn::Signature) -> usize {
    signature.span().byte_range().start
}

type Header<'a> = (&'a Visibility, String, &'a [syn::Attribute], usize);

/// Visibility, name, attributes and the place of the first token after the visibility.
fn header(item: &Item) -> Option<Header<'_>> {
    let at = |span: proc_macro2::Span| span.byte_range().start;
    let before = |unsafety: &Option<syn::Token![unsafe]>, span| {
        unsafety.as_ref().map_or(at(span), |token| at(token.span))
    };
    Some(match item {
        Item::Fn(i) => (
            &i.vis,
            i.sig.ident.to_string(),
            &i.attrs,
            signature_start(&i.sig),
        ),
        Item::Struct(i) => (
            &i.vis,
            i.ident.to_string(),
            &i.attrs,
            at(i.struct_token.span),
        ),
        Item::Enum(i) => (&i.vis, i.ident.to_string(), &i.attrs, at(i.enum_token.span)),
        Item::Union(i) => (
            &i.vis,
            i.ident.to_string(),
            &i.attrs,
            at(i.union_token.span),
        ),
        Item::Static(i) => (
            &i.vis,
            i.ident.to_string(),
            &i.attrs,
            at(i.static_token.span),
        ),
        Item::Const(i) if i.ident != "_" => (
            &i.vis,
            i.ident.to_string(),
            &i.attrs,
            at(i.const_token.span),
        ),
        Item::Type(i) => (&i.vis, i.ident.to_string(), &i.attrs, at(i.type_token.span)),
        Item::Trait(i) => {
            let first = match &i.auto_token {
                Some(token) => before(&i.unsafety, token.span),
                None => before(&i.unsafety, i.trait_token.span),
            };
            (&i.vis, i.ident.to_string(), &i.attrs, first)
        }
        Item::Mod(i) => (
            &i.vis,
            i.ident.to_string(),
            &i.attrs,
            before(&i.unsafety, i.mod_token.span),
        ),
        _ => return None,
    })
}
