//! Which doc comments a macro may read: those on and inside of items that have derives other than
//! std's, or an attribute that isn't the compiler's. To all others nobody listens.
//!
//! ```text
//! /// A user.
//! #[derive(Debug)] struct User { … }            nobody
//! #[derive(Parser)] struct Cli {                adds impls
//!     /// Where to write.
//!     out: String,                              the same
//! }
//! #[command] /// Says hello. fn hello() { … }   any macro
//! ```
//!
//! By name, and on the safe side. Knows nothing of what follows from a change.

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, File, ImplItem, Item, Meta, Token, TraitItem};

use crate::analysis::known_attributes::{is_of_the_compiler, is_read_by_derives};
use crate::syntax::documentation::DocReader;
use crate::syntax::known_macros;

/// Tools whose attributes are no macros.
const TOOLS: [&str; 4] = ["clippy", "diagnostic", "miri", "rustfmt"];

/// Macros that leave doc comments where they are.
const LEAVE_DOCS: [&str; 5] = ["async_trait", "instrument", "main", "pin_project", "test"];

/// Marks the doc comments of a file that have a reader.
pub(crate) fn mark(file: &mut File) {
    Marker { reader: None }.visit_file_mut(file);
}

struct Marker {
    /// Who reads doc comments where the visitor is.
    reader: Option<DocReader>,
}

impl Marker {
    fn inside(&mut self, attrs: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let around = self.reader;
        self.reader = around.max(reader(attrs));
        visit(self);
        self.reader = around;
    }
}

impl VisitMut for Marker {
    fn visit_item_mut(&mut self, item: &mut Item) {
        let attrs = attrs_of(item).to_vec();
        self.inside(&attrs, |marker| visit_mut::visit_item_mut(marker, item));
    }

    fn visit_impl_item_mut(&mut self, item: &mut ImplItem) {
        let attrs = match item {
            ImplItem::Const(item) => item.attrs.clone(),
            ImplItem::Fn(item) => item.attrs.clone(),
            ImplItem::Type(item) => item.attrs.clone(),
            ImplItem::Macro(item) => item.attrs.clone(),
            _ => Vec::new(),
        };
        self.inside(&attrs, |marker| {
            visit_mut::visit_impl_item_mut(marker, item)
        });
    }

    fn visit_trait_item_mut(&mut self, item: &mut TraitItem) {
        let attrs = match item {
            TraitItem::Const(item) => item.attrs.clone(),
            TraitItem::Fn(item) => item.attrs.clone(),
            TraitItem::Type(item) => item.attrs.clone(),
            TraitItem::Macro(item) => item.attrs.clone(),
            _ => Vec::new(),
        };
        self.inside(&attrs, |marker| {
            visit_mut::visit_trait_item_mut(marker, item)
        });
    }

    fn visit_attribute_mut(&mut self, attr: &mut Attribute) {
        if let Some(reader) = self.reader {
            reader.mark(attr);
        }
    }
}

/// Who reads doc comments on and inside of an item with these attributes.
fn reader(attrs: &[Attribute]) -> Option<DocReader> {
    let mut metas = Vec::new();
    for attr in attrs {
        flatten(attr.meta.clone(), &mut metas);
    }
    let (derives, others): (Vec<_>, Vec<_>) = metas
        .iter()
        .partition(|meta| meta.path().is_ident("derive"));
    let derived = derives.into_iter().filter_map(reader_in_derives).max();
    let others = others.into_iter().filter(|meta| may_be_macro(meta));
    let mut macros = others.filter(|meta| derived.is_none() || !is_helper(meta));
    macros.next().map(|_| DocReader::Macro).max(derived)
}

/// An attribute, or those that it is under a condition.
fn flatten(meta: Meta, found: &mut Vec<Meta>) {
    let conditional = meta.path().is_ident("cfg_attr");
    match list(&meta).filter(|_| conditional) {
        Some(parts) => {
            for part in parts.into_iter().skip(1) {
                flatten(part, found);
            }
        }
        None => found.push(meta),
    }
}

fn list(meta: &Meta) -> Option<Punctuated<Meta, Token![,]>> {
    let list = meta.require_list().ok()?;
    list.parse_args_with(Punctuated::parse_terminated).ok()
}

fn reader_in_derives(derive: &Meta) -> Option<DocReader> {
    let Some(derives) = list(derive) else {
        return Some(DocReader::Macro);
    };
    let reader = |derive: &Meta| {
        let name = derive.path().segments.last()?.ident.to_string();
        if known_macros::is_derive_of_std(&name) {
            return None;
        }
        match known_macros::only_adds_impls(&name) {
            true => Some(DocReader::Derive),
            false => Some(DocReader::Macro),
        }
    };
    derives.iter().filter_map(reader).max()
}

/// Whether an attribute that isn't `derive` may be a macro that reads doc comments.
fn may_be_macro(meta: &Meta) -> bool {
    let path = meta.path();
    let name = |segment: Option<&syn::PathSegment>| segment.map(|s| s.ident.to_string());
    let first = name(path.segments.first()).unwrap_or_default();
    let last = name(path.segments.last()).unwrap_or_default();
    let of_the_compiler = path.get_ident().is_some() && is_of_the_compiler(&last);
    !of_the_compiler && !TOOLS.contains(&first.as_str()) && !LEAVE_DOCS.contains(&last.as_str())
}

fn is_helper(meta: &Meta) -> bool {
    let name = meta.path().get_ident().map(ToString::to_string);
    name.is_some_and(|name| is_read_by_derives(&name))
}

/// The attributes of an item.
pub(crate) fn attrs_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::ExternCrate(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::ForeignMod(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::TraitAlias(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut file = syn::parse_file(text).expect("a file");
        mark(&mut file);
        let expected = syn::parse_file(expected).expect("a file");
        let text = |file: syn::File| file.into_token_stream().to_string();
        assert_eq!(text(file), text(expected));
    }

    #[test]
    fn doc_comments_that_nobody_reads() {
        for text in [
            "//! A\n/// B\nfn f() { /** C */ struct S; }",
            "/// A\n#[derive(Debug, std::clone::Clone)] struct S { /// B\n a: u8 }",
            "/// A\n#[inline] #[clippy::x] #[test] #[cfg_attr(x, derive(Debug), repr(C))] fn f() {}",
            "/// A\n#[tokio::main] async fn main() {}",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn doc_comments_that_macros_read() {
        for (text, name) in [
            (
                "#[derive(Parser, Debug)] #[command(x)] struct S { /// A\n a: u8 }",
                "__derive_doc",
            ),
            (
                "/// A\n#[cfg_attr(x, derive(Serialize), serde(y))] struct S;",
                "__derive_doc",
            ),
            (
                "/// A\n#[derive(Own)] enum E { /// A\n V { /// A\n a: u8 } }",
                "__macro_doc",
            ),
            (
                "/// A\n#[command] fn f(/// A\n a: u8) { /** A */ g() }",
                "__macro_doc",
            ),
            ("#[own::inline] impl S { /// A\n fn f() {} }", "__macro_doc"),
            ("impl S { /// A\n #[own] fn f() {} }", "__macro_doc"),
            ("trait T { #[own] /// A\n fn f(); }", "__macro_doc"),
            (
                "#[own] mod m { //! A\n /// A\n #[derive(Debug)] struct S; }",
                "__macro_doc",
            ),
        ] {
            let inner = format!("#![{name} = \" A\"]\n");
            let outer = format!("#[{name} = \" A\"]\n");
            let marked = text.replace("//! A\n", &inner).replace("/// A\n", &outer);
            check(
                text,
                &marked.replace("/** A */", &format!("#[{name} = \" A \"]")),
            );
        }
    }

    #[test]
    fn of_two_items_only_one_is_read() {
        check(
            "/// A\n#[own] struct S; /// B\nstruct T;",
            "#[__macro_doc = \" A\"] #[own] struct S; /// B\nstruct T;",
        );
    }
}
