//! Finds what of a program's edits is new as a whole: functions, methods, constants, types, traits
//! and their impl blocks.
//!
//! Knows nothing of who mentions them.

use std::ops::Range;

use quote::ToTokens;
use syn::Visibility;

use super::{Addition, Source};
use crate::analysis::attribute_effect::{effect_of_text, AttributeEffect};
use crate::analysis::declaration::Declaration;
use crate::analysis::hidden::scope;
use crate::analysis::items::{DeclaredFunction, ImplHeader, Item, ItemKind};
use crate::diff::findings::Turn;
use crate::syntax::mentions::Mentions;
use crate::syntax::names::{plain, Owner};
use crate::syntax::normalize::fingerprint;

/// A name that may mean an addition.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) called: Called,
    /// The module in and below which it can; none: everywhere.
    pub(super) scope: Option<Vec<String>>,
}

/// How a name is used where it means an addition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// As an item: anywhere but after a dot.
    Item,
    /// As a member of a type: after a dot or `::`.
    Member,
    /// In any way.
    Anyhow,
}

/// An addition, and what is needed to see who mentions it.
pub(super) struct Found {
    pub(super) addition: Addition,
    pub(super) names: Vec<Name>,
    /// Its bytes in its file; of an import none.
    pub(super) range: Range<usize>,
}

/// Collects all but imports.
pub(super) fn collect(files: &[Source<'_>]) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    for (position, file) in files.iter().enumerate() {
        if file.edits.is_empty() {
            continue;
        }
        let in_file = InFile {
            files,
            position,
            file,
        };
        in_file.collect(&mut found)?;
    }
    Ok(found)
}

struct InFile<'a> {
    files: &'a [Source<'a>],
    position: usize,
    file: &'a Source<'a>,
}

impl InFile<'_> {
    fn collect(&self, found: &mut Vec<Found>) -> Result<(), String> {
        let first = found.len();
        let (mut functions, mut items) = (Vec::new(), Vec::new());
        for edit in &self.file.edits {
            match edit.turn {
                Some(Turn::Added(Declaration::Function(at))) => functions.push(at),
                Some(Turn::Added(Declaration::Item(at))) => items.push(at),
                Some(
                    Turn::Added(Declaration::Import { .. })
                    | Turn::Removed(Declaration::Import { .. }),
                ) => {}
                _ => return Err(edit.what.clone()),
            }
        }
        let declared = &self.file.items;
        let new_types: Vec<&Item> = items.iter().map(|at| &declared.items[*at]).collect();
        for (at, header) in declared.impls.iter().enumerate() {
            let names = new_names(header, &new_types);
            if !names.is_empty() {
                found.push(self.impl_block(at, header, names)?);
            }
        }
        for at in items {
            let item = &declared.items[at];
            if !covered(&found[first..], &item.place.range) {
                found.push(self.item(at, item)?);
            }
        }
        for at in functions {
            let function = &declared.functions[at];
            let range = function.place.signature.start..function.place.body.end;
            if let Some(what) = &function.local_items.what {
                return Err(format!("{} declares {what}", function.title()));
            }
            if !covered(&found[first..], &range) {
                found.push(self.function(at, function, range)?);
            }
        }
        Ok(())
    }

    fn function(
        &self,
        at: usize,
        function: &DeclaredFunction,
        range: Range<usize>,
    ) -> Result<Found, String> {
        let title = function.title();
        if function.attributes.iter().any(|text| !is_plain(text)) {
            return Err(format!("{title} has an attribute that may do anything"));
        }
        let called = match &function.owner {
            Owner::Free => Called::Item,
            Owner::Trait { .. } => return Err(format!("{title} is part of what others know")),
            Owner::Inherent { .. } => {
                let header = self.file.items.header_of(function);
                let plain = header.is_some_and(|h| !h.generic && h.attributes.is_empty());
                if !plain || function.signature.starts_with("const ") {
                    return Err(format!("{title} can't stand outside of its impl block"));
                }
                Called::Member
            }
        };
        let name = Name {
            text: function.name.clone(),
            called,
            scope: reach(&function.visibility, &function.module),
        };
        self.found(Declaration::Function(at), vec![name], range)
    }

    fn item(&self, at: usize, item: &Item) -> Result<Found, String> {
        let title = item.title();
        let simple = match item.kind {
            ItemKind::Const | ItemKind::Type => item.name != "_" && !item.name.contains([':', ' ']),
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait => true,
            _ => false,
        };
        if !simple || item.has_layout_attributes || item.place.range.is_empty() {
            return Err(format!("{title} added"));
        }
        if let Some(what) = &item.local_items.what {
            return Err(format!("{title} declares {what}"));
        }
        let text = self.text(&item.place.range)?;
        let syntax: syn::Item =
            syn::parse_str(text).map_err(|error| format!("{title}: {error}"))?;
        let (vis, members) =
            visibility_and_members(&syntax).ok_or_else(|| format!("{title} added"))?;
        let scope = reach(&vis.to_token_stream().to_string(), &item.module);
        let own = (item.name.clone(), Called::Item);
        // They can be called wherever the trait is in scope.
        let members = members.into_iter().map(|name| (name, Called::Member));
        let names = [own].into_iter().chain(members).map(|(text, called)| Name {
            text,
            called,
            scope: scope.clone(),
        });
        self.found(
            Declaration::Item(at),
            names.collect(),
            item.place.range.clone(),
        )
    }

    /// `names`: of what is new and has the block.
    fn impl_block(
        &self,
        at: usize,
        header: &ImplHeader,
        names: Vec<String>,
    ) -> Result<Found, String> {
        if let Some(attribute) = header.attributes.iter().find(|text| !is_plain(text)) {
            return Err(format!("an impl block has the attribute {attribute}"));
        }
        let range = header.place.range.clone();
        let mut found = self.found(Declaration::Impl(at), Vec::new(), range)?;
        found.addition.names = names;
        Ok(found)
    }

    fn found(
        &self,
        declaration: Declaration,
        names: Vec<Name>,
        range: Range<usize>,
    ) -> Result<Found, String> {
        let text = self.text(&range)?;
        let tokens: proc_macro2::TokenStream = text
            .parse()
            .map_err(|error| format!("an addition can't be read: {error}"))?;
        let mentions = Mentions::of(tokens.clone());
        if let Some(name) = mentions.macros.iter().find(|name| self.is_own_macro(name)) {
            return Err(format!(
                "an addition calls {name}!, which the crate defines"
            ));
        }
        Ok(Found {
            addition: Addition {
                file: self.position,
                unit: self.file.unit,
                declaration,
                removed: false,
                names: names.iter().map(|name| name.text.clone()).collect(),
                mentions: mentions.all,
                content: fingerprint(tokens),
                brings_methods_to: None,
            },
            names,
            range,
        })
    }

    fn text(&self, range: &Range<usize>) -> Result<&str, String> {
        let text = self.file.text.get(range.clone());
        text.ok_or_else(|| "an addition isn't where it was read".to_owned())
    }

    /// Whether a macro may be one that the crate defines.
    fn is_own_macro(&self, name: &str) -> bool {
        let own = self.files.iter().filter(|file| file.unit == self.file.unit);
        let mut rules = own
            .flat_map(|file| &file.items.modules)
            .flat_map(|module| &module.macros);
        rules.any(|rules| {
            rules.name == name || crate::syntax::mentions::contains(&rules.words.all, "macro_rules")
        })
    }
}

/// The module in and below which something is visible; none: maybe everywhere.
pub(super) fn reach(visibility: &str, module: &[String]) -> Option<Vec<String>> {
    match syn::parse_str(visibility) {
        // Other paths than those to the crate's root and to the module around are rare.
        Ok(Visibility::Restricted(vis)) if vis.in_token.is_some() => None,
        Ok(vis) => scope(&vis, module),
        Err(_) => None,
    }
}

/// The type and the trait of an impl block, as far as they are new beside it.
fn new_names(header: &ImplHeader, new: &[&Item]) -> Vec<String> {
    let is_new = |text: &str, is_kind: &dyn Fn(ItemKind) -> bool| {
        let name = plain(first_name(text));
        let mut new = new.iter();
        let same = |item: &&&Item| item.module == header.module && item.name == name;
        new.any(|item| is_kind(item.kind) && same(&item))
            .then_some(name)
    };
    let (ty, tr) = match &header.owner {
        Owner::Trait { ty, tr } => (Some(ty), Some(tr)),
        Owner::Inherent { ty } => (Some(ty), None),
        Owner::Free => (None, None),
    };
    let ty = ty.and_then(|ty| is_new(ty, &ItemKind::has_layout));
    let tr = tr.and_then(|tr| is_new(tr, &|kind| kind == ItemKind::Trait));
    ty.into_iter().chain(tr).collect()
}

/// `Holder` of `Holder<'a>`; of a path or a reference something that is no name.
fn first_name(text: &str) -> &str {
    match text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '#')) {
        Some(end) if text[end..].starts_with('<') => &text[..end],
        None => text,
        Some(_) => "",
    }
}

fn covered(found: &[Found], range: &Range<usize>) -> bool {
    let covers = |other: &Range<usize>| other.start <= range.start && range.end <= other.end;
    found.iter().any(|found| covers(&found.range))
}

/// Whether an attribute of a function is one that macros don't see and that changes no meaning.
fn is_plain(text: &str) -> bool {
    let name = text.split(' ').next().unwrap_or_default();
    effect_of_text(text) == AttributeEffect::Nothing || ["inline", "cold"].contains(&name)
}

fn visibility_and_members(item: &syn::Item) -> Option<(&Visibility, Vec<String>)> {
    Some(match item {
        syn::Item::Const(item) => (&item.vis, Vec::new()),
        syn::Item::Type(item) => (&item.vis, Vec::new()),
        syn::Item::Struct(item) => (&item.vis, Vec::new()),
        syn::Item::Enum(item) => (&item.vis, Vec::new()),
        syn::Item::Union(item) => (&item.vis, Vec::new()),
        syn::Item::Trait(item) => {
            let members = item.items.iter().filter_map(|member| match member {
                syn::TraitItem::Fn(member) => Some(member.sig.ident.to_string()),
                syn::TraitItem::Const(member) => Some(member.ident.to_string()),
                syn::TraitItem::Type(member) => Some(member.ident.to_string()),
                _ => None,
            });
            (&item.vis, members.collect())
        }
        _ => return None,
    })
}
