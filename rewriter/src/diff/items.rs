//! Compares types, constants, statics, traits, impl blocks, module declarations, macro calls.
//!
//! ```text
//! const MAX: u8 = 1;       ─►   const MAX: u8 = 2;                  indirect
//! static N: u8 = 1;        ─►   static N: u16 = 1;                  rude: of another type
//! struct S { a: u8 }       ─►   #[derive(Debug)] struct S { a: u8 } indirect: an impl
//! ```

use super::context::ProgramContext;
use super::findings::{FileDiff, Turn, HIDES, REACHES};
use super::functions::{local_change, READ_BY_MACRO, UNKNOWN_ATTRIBUTE};
use super::macro_order::MacroOrder;
use super::modules::why_no_other_macro;
use super::pairs::pair;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{Aspect, FileItems, Item, ItemKind, Part};
use crate::analysis::layout_names::{last_name, trait_name, LayoutNames};
use crate::analysis::local_items::LocalItems;
use crate::syntax::mentions::contains;
use crate::syntax::names::Owner;
use crate::syntax::normalize::{fingerprint_of_text, Fingerprint};

pub(super) fn compare(
    (old, new): (&FileItems, &FileItems),
    around: &ProgramContext<'_>,
    order: &MacroOrder<'_>,
    found: &mut FileDiff,
) {
    let pairs = pair(
        &old.items,
        &new.items,
        |item| (item.kind, &item.name, &item.module),
        &[
            &|a, b| a.cfgs == b.cfgs && a.aspects == b.aspects,
            &|a, b| a.cfgs == b.cfgs,
        ],
    );
    for index in pairs.removed {
        let item = &old.items[index];
        let what = format!("{} removed", item.title());
        match why_not_removed(item, around) {
            Some(why) => found.rude(item.line, format!("{what}: {why}")),
            None => {
                let gone = Turn::Removed(Declaration::Item(index));
                found.turned(item.line, what, content(item), gone);
            }
        }
    }
    for index in pairs.added {
        let item = &new.items[index];
        let what = format!("{} added", item.title());
        match why_not_added(item, around) {
            Some(why) => found.rude(item.line, format!("{what}: {why}")),
            None => {
                let come = Turn::Added(Declaration::Item(index));
                found.turned(item.line, what, content(item), come);
            }
        }
    }
    for (before, after) in pairs.both {
        macros_meant(&old.items[before], &new.items[after], order, around, found);
        compare_one(
            &old.items[before],
            (after, &new.items[after]),
            around,
            found,
        );
    }
}

fn say((index, item): (usize, &Item), what: String, why_not: Option<String>, found: &mut FileDiff) {
    match why_not {
        Some(why) => found.rude(item.line, format!("{what}: {why}")),
        None => {
            let changed = Turn::Changed(Declaration::Item(index));
            found.turned(item.line, what, content(item), changed);
        }
    }
}

/// All that an item is, but where it stands in its module.
fn content(item: &Item) -> Fingerprint {
    let parts = item.parts.iter().flat_map(|part| {
        let name = fingerprint_of_text(&format!("{} {}", part.kind, part.name));
        [name]
            .into_iter()
            .chain(part.aspects.iter().map(|aspect| aspect.content))
    });
    let text = format!(
        "{:?} {} {:?} {:?}",
        item.kind, item.name, item.module, item.cfgs
    );
    let aspects = item.aspects.iter().map(|aspect| aspect.content);
    let own = [fingerprint_of_text(&text)].into_iter();
    Fingerprint::joined(own.chain(aspects).chain(parts))
}

/// Why an item can't go.
fn why_not_removed(item: &Item, around: &ProgramContext<'_>) -> Option<String> {
    let name = last_name(&item.name);
    let still = || around.before.reaches(name) && around.after.reaches(name);
    match item.kind {
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait => {
            let still = still() && around.after.reaches_from_elsewhere(name);
            still.then(|| "types or signatures still mention its name".to_owned())
        }
        ItemKind::Type if item.name.contains(" as ") => {
            let tr = item.name.split(" as ").nth(1).unwrap_or_default();
            let tr = trait_name(tr.split(">::").next().unwrap_or_default());
            around
                .after
                .has_other_impls(tr, around.before)
                .then(|| REACHES.to_owned())
        }
        ItemKind::Const if item.name == "_" => {
            local_change(&item.local_items, &without(&item.local_items))
        }
        ItemKind::Const | ItemKind::Type | ItemKind::TraitAlias => {
            still().then(|| REACHES.to_owned())
        }
        ItemKind::Impl => glue(item, around),
        ItemKind::Static | ItemKind::Mod => outside(item),
        ItemKind::MacroCall => macro_call(item, around.before, Whole::ComesOrGoes),
        ItemKind::ForeignMod | ItemKind::ExternCrate | ItemKind::Other => {
            Some("what follows from it can't be told".to_owned())
        }
    }
}

/// Why a new item can't be part of a patch.
fn why_not_added(item: &Item, around: &ProgramContext<'_>) -> Option<String> {
    let name = last_name(&item.name);
    match item.kind {
        ItemKind::Impl => glue(item, around),
        ItemKind::MacroCall => macro_call(item, around.after, Whole::ComesOrGoes),
        ItemKind::ForeignMod | ItemKind::ExternCrate | ItemKind::Other | ItemKind::TraitAlias => {
            Some("what follows from it can't be told".to_owned())
        }
        ItemKind::Const if item.name == "_" => {
            local_change(&without(&item.local_items), &item.local_items)
        }
        // Of a type or trait: it competes with others of its name wherever that is looked up.
        // An impl block that has it is new as well, or the trait has changed.
        ItemKind::Type if item.name.contains(" as ") => None,
        ItemKind::Const | ItemKind::Type if item.name != name => {
            around.before.reaches(name).then(|| REACHES.to_owned())
        }
        _ => around
            .before
            .hides(around.unit, &item.module, name)
            .then(|| HIDES.to_owned())
            .or_else(|| outside(item)),
    }
}

/// The same without what is declared.
fn without(declared: &LocalItems) -> LocalItems {
    LocalItems {
        context: declared.context,
        ..LocalItems::default()
    }
}

/// Statics that other languages know.
fn outside(item: &Item) -> Option<String> {
    item.has_layout_attributes
        .then(|| UNKNOWN_ATTRIBUTE.to_owned())
        .filter(|_| item.kind == ItemKind::Static)
}

/// Impl blocks that decide how values of an existing type end, or how its fields are seen.
fn glue(item: &Item, around: &ProgramContext<'_>) -> Option<String> {
    let Some(Owner::Trait { ty, tr }) = &item.owner else {
        return Some(UNKNOWN_ATTRIBUTE.to_owned());
    };
    let name = trait_name(tr);
    let known = |ty: &str| {
        let words = ty.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.into_iter().any(|word| around.before.has_type(word))
    };
    match name {
        "Drop" if known(ty) => Some(format!("values of {ty} that exist end in another way")),
        "Deref" | "DerefMut" if known(ty) => {
            Some(format!("it decides how the fields of {ty} are seen"))
        }
        "GlobalAlloc" => Some("memory that exists belongs to the former one".to_owned()),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    ComesOrGoes,
    Changes,
}

/// Why a call of a macro in place of items can't come, go or change.
fn macro_call(item: &Item, program: &LayoutNames, whole: Whole) -> Option<String> {
    let words = || item.mentions.iter().map(|word| &**word);
    let macros = || item.macros.iter().map(|name| &**name);
    let makes = program.makes(words(), macros());
    let fits = match whole {
        Whole::ComesOrGoes => makes.only_code(),
        Whole::Changes => makes.only_own_code(),
    };
    (!fits).then(|| "what it makes can't be told".to_owned())
}

/// By the order of both, an item may mean other macros than before.
fn macros_meant(
    old: &Item,
    new: &Item,
    order: &MacroOrder<'_>,
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    let Some(crossed) = order.of_item(old, new) else {
        return;
    };
    let mut names = crossed.names.iter();
    let why_not = match new.kind {
        ItemKind::Const if new.name == "_" => None,
        ItemKind::Const | ItemKind::Type => {
            let reaches = around.before.reaches(last_name(&new.name));
            reaches.then(|| REACHES.to_owned())
        }
        // Of its type it knows names, of its value none.
        ItemKind::Static => names
            .any(|name| contains(&new.mentions, name))
            .then(|| "the one that exists is of the former type".to_owned()),
        ItemKind::Mod => names.find_map(|name| why_no_other_macro(name, around)),
        ItemKind::MacroCall => macro_call(old, around.before, Whole::Changes)
            .or_else(|| macro_call(new, around.after, Whole::Changes)),
        _ => Some("it decides about types".to_owned()),
    };
    match why_not {
        Some(why) => found.rude(new.line, format!("{}: {why}", crossed.what)),
        None => found.indirect(new.line, crossed.what, crossed.now),
    }
}

fn compare_one(
    old: &Item,
    (index, new): (usize, &Item),
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    let title = new.title();
    if old.cfgs != new.cfgs {
        found.rude(new.line, format!("condition of {title} changed"));
    }
    for name in changed_aspects(&old.aspects, &new.aspects) {
        let what = match name {
            "definition" if new.kind != ItemKind::Mod => format!("{title} changed"),
            _ => format!("{} of {title} changed", told(name)),
        };
        if let (ItemKind::Static, "initial value") = (new.kind, name) {
            if let Some(why) = local_change(&old.local_items, &new.local_items) {
                found.rude(new.line, format!("{what}: {why}"));
            }
            found.code_changed(new.line, what, content(new), Declaration::Item(index));
            if let Some(edit) = found.indirect.last_mut() {
                edit.kept = Some(new.name.clone());
            }
            continue;
        }
        let why_not = why_no_other_aspect(name, (old, new), around);
        if let (ItemKind::Const, "value", None) = (new.kind, name, &why_not) {
            found.code_changed(new.line, what, content(new), Declaration::Item(index));
            continue;
        }
        say((index, new), what, why_not, found);
    }
    parts(old, new, found);
}

/// Why something can't change about an item.
fn why_no_other_aspect(
    name: &str,
    (old, new): (&Item, &Item),
    around: &ProgramContext<'_>,
) -> Option<String> {
    let last = last_name(&new.name);
    match (new.kind, name) {
        (_, Aspect::CODE_ATTRIBUTES | Aspect::DERIVE_DOCS) => None,
        (_, Aspect::MACRO_DOCS) => Some(READ_BY_MACRO.to_owned()),
        (_, "attributes") => Some(UNKNOWN_ATTRIBUTE.to_owned()),
        (ItemKind::ForeignMod | ItemKind::ExternCrate | ItemKind::Other, _) => {
            Some("what follows from it can't be told".to_owned())
        }
        (_, "visibility") => None,
        (ItemKind::Struct | ItemKind::Enum | ItemKind::Union, _) => {
            Some("its layout changes".to_owned())
        }
        (ItemKind::Trait, "methods") => around
            .before
            .may_be_dynamic(&new.name)
            .then(|| format!("objects of {} may keep their old vtable", new.name)),
        (ItemKind::Trait | ItemKind::TraitAlias, _) => Some("it decides about types".to_owned()),
        // The type of an iterator's items reaches adapters that don't mention it.
        (ItemKind::Type, _) if new.name.contains(" as ") => Some(REACHES.to_owned()),
        (ItemKind::Type | ItemKind::Const, _) => {
            let reaches = new.name != "_" && around.before.reaches(last);
            let reaches = reaches.then(|| REACHES.to_owned());
            reaches.or_else(|| local_change(&old.local_items, &new.local_items))
        }
        (ItemKind::Static, _) => Some("the one that exists is of the former type".to_owned()),
        (ItemKind::Mod, _) => None,
        (ItemKind::MacroCall, _) => macro_call(old, around.before, Whole::Changes)
            .or_else(|| macro_call(new, around.after, Whole::Changes)),
        (ItemKind::Impl, _) => Some(UNKNOWN_ATTRIBUTE.to_owned()),
    }
}

fn parts(old: &Item, new: &Item, found: &mut FileDiff) {
    let title = new.title();
    let (pairs, before) = (
        pair(&old.parts, &new.parts, |part| &part.name, &[]),
        found.rude.len(),
    );
    for &index in &pairs.removed {
        let part = &old.parts[index];
        let what = format!(
            "{} removed from {title}: its layout changes (`{}`)",
            part.kind, part.name
        );
        found.rude(new.line, what);
    }
    for &index in &pairs.added {
        let part = &new.parts[index];
        let what = format!(
            "{} added to {title}: its layout changes (`{}`)",
            part.kind, part.name
        );
        found.rude(part.line, what);
    }
    for &(before, after) in &pairs.both {
        let (before, after) = (&old.parts[before], &new.parts[after]);
        for name in changed_aspects(&before.aspects, &after.aspects) {
            let what = format!("{} of {} of {title} changed", told(name), part_title(after));
            match name {
                Aspect::CODE_ATTRIBUTES | Aspect::DERIVE_DOCS => {
                    found.indirect(after.line, what, content(new))
                }
                // Whether that is part of the type's identity is to be seen in the whole crate.
                "visibility" => found.turned(after.line, what, content(new), Turn::FieldVisibility),
                Aspect::MACRO_DOCS => found.rude(after.line, format!("{what}: {READ_BY_MACRO}")),
                "attributes" => found.rude(after.line, format!("{what}: {UNKNOWN_ATTRIBUTE}")),
                _ => found.rude(after.line, format!("{what}: its layout changes")),
            }
        }
    }
    let moved = pairs.both.windows(2).any(|two| two[0].0 > two[1].0);
    if moved && found.rude.len() == before {
        let what = format!("order in {title} changed: its layout may change");
        found.rude(new.line, what);
    }
}

/// What an aspect is called where people read of it.
fn told(aspect: &'static str) -> &'static str {
    match aspect {
        Aspect::CODE_ATTRIBUTES => "attributes",
        other => other,
    }
}

fn part_title(part: &Part) -> String {
    format!("{} `{}`", part.kind, part.name)
}

fn changed_aspects(old: &[Aspect], new: &[Aspect]) -> Vec<&'static str> {
    let differs = |aspect: &&Aspect| {
        old.iter()
            .find(|other| other.name == aspect.name)
            .is_none_or(|other| other.content != aspect.content)
    };
    new.iter()
        .filter(differs)
        .map(|aspect| aspect.name)
        .collect()
}
