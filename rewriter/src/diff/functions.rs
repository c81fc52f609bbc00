//! Compares functions: the changes for which nothing else needs to be compiled are found here.
//!
//! ```text
//! fn get() -> u8 { 1 }   ─►   fn get() -> u8 { 2 }         changed
//! fn get() -> u8 { 1 }   ─►   fn get(by: u8) -> u8 { by }  indirect: its signature, so its callers as well
//! const fn size()…{ 1 }  ─►   const fn size()…{ 2 }        indirect, or rude if a type's layout mentions it
//! ```

use super::context::ProgramContext;
use super::findings::{ChangedFunction, FileDiff, Turn, HIDES, REACHES};
use super::macro_order::MacroOrder;
use super::pairs::pair;
use crate::analysis::attribute_effect::{effect_of_text, AttributeEffect};
use crate::analysis::declaration::Declaration;
use crate::analysis::eligibility::Ineligible;
use crate::analysis::items::{DeclaredFunction, FileItems, Item, ItemKind};
use crate::analysis::layout_names::trait_name;
use crate::analysis::local_items::{LocalItem, LocalItems};
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
        &old.functions,
        &new.functions,
        |f| (&f.module, &f.owner, &f.in_trait, &f.name),
        &[
            &|a, b| a.cfgs == b.cfgs && a.body == b.body && a.signature == b.signature,
            &|a, b| a.cfgs == b.cfgs && a.signature == b.signature,
            &|a, b| a.cfgs == b.cfgs,
        ],
    );
    for index in pairs.removed {
        let gone = Turn::Removed(Declaration::Function(index));
        come_or_gone(&old.functions[index], gone, (old, new), around, found);
    }
    for index in pairs.added {
        let come = Turn::Added(Declaration::Function(index));
        come_or_gone(&new.functions[index], come, (old, new), around, found);
    }
    for (old_index, new_index) in pairs.both {
        let (before, after) = (&old.functions[old_index], &new.functions[new_index]);
        if is_test(before) && is_test(after) {
            continue;
        }
        macros_meant(before, after, order, around, found);
        let known = found.rude.len() + found.indirect.len();
        let place = Declaration::Function(new_index);
        outside_of_body((old, before), (new, after, place), around, found);
        if before.body == after.body || found.rude.len() + found.indirect.len() > known {
            continue;
        }
        let title = after.title();
        match effect(before, after, around) {
            Effect::Patched => found
                .changed
                .extend(after.kind.ok().map(|kind| ChangedFunction {
                    old: old_index,
                    new: new_index,
                    kind,
                })),
            Effect::Indirect => {
                let what = format!("body of {title} changed");
                found.code_changed(after.line, what, content(new, after), place);
            }
            Effect::RudeEdit(reason) => {
                found.rude(after.line, format!("body of {title} changed: {reason}"));
            }
        }
    }
}

/// By the order of both, a function may mean other macros than before.
fn macros_meant(
    before: &DeclaredFunction,
    after: &DeclaredFunction,
    order: &MacroOrder<'_>,
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    let Some(crossed) = order.of_function(before, after) else {
        return;
    };
    let is_const = after.kind == Err(Ineligible::Const);
    let mut names = crossed.names.iter();
    let why_not = match after.kind {
        Err(reason) if !reason.is_reached_by_callers() => Some(reason.to_string()),
        _ if is_const && around.before.reaches(&after.name) => Some(REACHES.to_owned()),
        _ => names
            .any(|name| contains(&after.types, name))
            .then(|| "its signature mentions it".to_owned()),
    };
    match why_not {
        Some(why) => found.rude(after.line, format!("{}: {why}", crossed.what)),
        None => found.indirect(after.line, crossed.what, crossed.now),
    }
}

/// All that a function is, but where it stands in its module.
fn content(items: &FileItems, function: &DeclaredFunction) -> Fingerprint {
    let text = format!(
        "{:?} {:?} {:?} {} {} {:?} {:?} {:?}",
        function.module,
        function.owner,
        function.in_trait,
        function.signature,
        function.visibility,
        function.attributes,
        function.cfgs,
        items.header_of(function).map(|header| &header.text),
    );
    let read = [function.docs, function.parameter_attributes];
    Fingerprint::joined(
        [fingerprint_of_text(&text), function.body]
            .into_iter()
            .chain(read),
    )
}

fn is_test(function: &DeclaredFunction) -> bool {
    function.kind == Err(Ineligible::Test)
}

/// A function that only one side has.
fn come_or_gone(
    function: &DeclaredFunction,
    turn: Turn,
    (old, new): (&FileItems, &FileItems),
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    // A method of a trait is part of the trait, which is compared by itself.
    if is_test(function) || function.in_trait.is_some() {
        return;
    }
    let word = match turn {
        Turn::Added(_) => "added",
        Turn::Removed(_) => "removed",
        Turn::Changed(_) | Turn::FieldVisibility => "changed",
    };
    let what = format!("{} {word}", function.title());
    let block = impl_of(function, new).filter(|_| matches!(turn, Turn::Removed(_)));
    let line = block.map_or(function.line, |block| block.line);
    match why_not_whole(function, turn, (old, new), around) {
        Some(reason) => found.rude(line, format!("{what}: {reason}")),
        None => {
            let items = if matches!(turn, Turn::Added(_)) {
                new
            } else {
                old
            };
            found.turned(line, what, content(items, function), turn);
        }
    }
}

/// The impl block of these items in which a function would stand.
fn impl_of<'i>(function: &DeclaredFunction, items: &'i FileItems) -> Option<&'i Item> {
    let mut blocks = items
        .items
        .iter()
        .filter(|item| item.kind == ItemKind::Impl);
    blocks.find(|block| {
        block.module == function.module && block.owner.as_ref() == Some(&function.owner)
    })
}

fn why_not_whole(
    function: &DeclaredFunction,
    turn: Turn,
    (old, new): (&FileItems, &FileItems),
    around: &ProgramContext<'_>,
) -> Option<String> {
    let name = &function.name;
    let added = matches!(turn, Turn::Added(_));
    if is_known_outside(function) {
        return Some("other languages call it by its name".to_owned());
    }
    if is_main(function) {
        return Some("the program starts with it".to_owned());
    }
    match &function.owner {
        Owner::Trait { ty, tr } => {
            let tr_name = trait_name(tr);
            if ["Drop", "Deref", "DerefMut"].contains(&tr_name) {
                // Said of the impl block.
                return None;
            }
            let same_impl = |items: &FileItems| impl_of(function, items).is_some();
            // One that is added takes the place of the trait's, which is code of its own: whether
            // objects lead to that is seen there.
            (!added && same_impl(old) && same_impl(new) && around.before.may_be_dynamic(tr_name))
                .then(|| format!("objects of {tr} made from {ty} keep their methods"))
        }
        Owner::Free if added => around
            .before
            .hides(around.unit, &function.module, name)
            .then(|| HIDES.to_owned()),
        _ if added => (function.kind == Err(Ineligible::Const) && around.before.reaches(name))
            .then(|| REACHES.to_owned()),
        _ => (function.kind == Err(Ineligible::Const)
            && around.before.reaches(name)
            && around.after.reaches(name))
        .then(|| REACHES.to_owned()),
    }
}

fn outside_of_body(
    (old, before): (&FileItems, &DeclaredFunction),
    (new, after, place): (&FileItems, &DeclaredFunction, Declaration),
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    let title = after.title();
    let (now, changed) = (content(new, after), Turn::Changed(place));
    if before.signature != after.signature {
        let what = format!("signature of {title} changed");
        match why_no_other_signature(before, after, around) {
            Some(reason) => found.rude(after.line, format!("{what}: {reason}")),
            None => found.turned(after.line, what, now, changed),
        }
    }
    if before.attributes != after.attributes {
        let all = || before.attributes.iter().chain(&after.attributes);
        let different = all()
            .filter(|text| before.attributes.contains(text) != after.attributes.contains(text));
        match different.map(|text| effect_of_text(text)).max() {
            None | Some(AttributeEffect::Nothing) => {}
            Some(AttributeEffect::Code) => {
                let what = format!("attributes of {title} changed");
                found.turned(after.line, what, now, changed);
            }
            Some(AttributeEffect::Layout) => {
                let what = format!("attributes of {title} changed: {UNKNOWN_ATTRIBUTE}");
                found.rude(after.line, what);
            }
        }
    }
    if before.docs != after.docs {
        let what = format!("doc comment of {title} changed: {READ_BY_MACRO}");
        found.rude(after.line, what);
    }
    if before.parameter_attributes != after.parameter_attributes {
        let what = format!("attributes of a parameter of {title} changed: {UNKNOWN_ATTRIBUTE}");
        found.rude(after.line, what);
    }
    if before.cfgs != after.cfgs {
        found.rude(after.line, format!("condition of {title} changed"));
    }
    // Of a trait's own methods it is the trait's.
    if before.visibility != after.visibility {
        let what = format!("visibility of {title} changed");
        found.turned(after.line, what, now, changed);
    }
    let (old, new) = (old.header_of(before), new.header_of(after));
    if old.map(|header| &header.text) != new.map(|header| &header.text) {
        let what = format!("impl header of {title} changed");
        let both_generic = old.is_some_and(|h| h.generic) && new.is_some_and(|h| h.generic);
        match both_generic && !matches!(after.owner, Owner::Trait { .. }) {
            true => found.turned(after.line, what, now, changed),
            false => found.rude(after.line, what),
        }
    }
}

pub(super) const UNKNOWN_ATTRIBUTE: &str = "they may change more than code";
pub(super) const READ_BY_MACRO: &str = "a macro may make anything of it";

fn why_no_other_signature(
    before: &DeclaredFunction,
    after: &DeclaredFunction,
    around: &ProgramContext<'_>,
) -> Option<String> {
    if is_main(before) {
        return Some("the program starts with it".to_owned());
    }
    if is_known_outside(before) || is_known_outside(after) {
        return Some("other languages may call it".to_owned());
    }
    if let Owner::Trait { tr, .. } = &after.owner {
        if around.before.may_be_dynamic(trait_name(tr)) {
            return Some(format!("objects of {tr} may call it in the old way"));
        }
    }
    let is_const = before.kind == Err(Ineligible::Const) || after.kind == Err(Ineligible::Const);
    (is_const && around.before.reaches(&after.name)).then(|| REACHES.to_owned())
}

/// Whether code that isn't Rust may have its address.
fn is_known_outside(function: &DeclaredFunction) -> bool {
    let by_name = |text: &String| text.contains("no_mangle") || text.contains("export_name");
    function.signature.contains("extern \"") || function.attributes.iter().any(by_name)
}

fn is_main(function: &DeclaredFunction) -> bool {
    function.name == "main" && function.module.is_empty() && function.owner == Owner::Free
}

enum Effect {
    Patched,
    Indirect,
    RudeEdit(String),
}

/// What a changed body comes to.
fn effect(
    before: &DeclaredFunction,
    after: &DeclaredFunction,
    around: &ProgramContext<'_>,
) -> Effect {
    let lasting = around.before;
    match after.kind {
        Err(reason) if !reason.is_reached_by_callers() => {
            return Effect::RudeEdit(reason.to_string());
        }
        Err(Ineligible::Const) if lasting.reaches(&after.name) => {
            return Effect::RudeEdit(REACHES.to_owned());
        }
        _ => {}
    }
    if before.local_items.fingerprint == after.local_items.fingerprint
        && (after.local_items.items.is_empty()
            || before.local_items.context == after.local_items.context)
    {
        return match after.kind {
            Ok(_) => Effect::Patched,
            Err(_) => Effect::Indirect,
        };
    }
    match local_change(&before.local_items, &after.local_items) {
        Some(reason) => Effect::RudeEdit(reason),
        None => Effect::Indirect,
    }
}

/// Why what a body declares can't change so.
pub(super) fn local_change(before: &LocalItems, after: &LocalItems) -> Option<String> {
    if !before.items.is_empty() && before.context != after.context {
        let what = &before.items[0].what;
        return Some(format!(
            "a constant, alias or import beside {what} inside of it changed"
        ));
    }
    let twice = |items: &[LocalItem], item: &LocalItem| {
        items.iter().filter(|other| other.what == item.what).count() > 1
    };
    for old in &before.items {
        let new = after.items.iter().find(|new| new.what == old.what);
        let differs = new.is_some_and(|new| new.content != old.content)
            || twice(&before.items, old)
            || twice(&after.items, old)
            || new.is_none() && is_special(old);
        if differs {
            return Some(format!("{} inside of it changed", old.what));
        }
    }
    let mut added = after.items.iter();
    added
        .find(|new| is_special(new) && !before.items.contains(new))
        .map(|new| format!("{} inside of it is new", new.what))
}

/// Whether a declaration means more than itself.
fn is_special(item: &LocalItem) -> bool {
    let lasting = ["static ", "struct ", "enum ", "union ", "impl "];
    let known = lasting.iter().any(|word| item.what.starts_with(word));
    let glue = ["impl Drop ", "impl Deref"];
    !known || glue.iter().any(|start| item.what.starts_with(start)) || item.what.contains("::Drop ")
}
