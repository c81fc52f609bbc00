//! Compares imports and macros by example.
//!
//! ```text
//! use std::{fmt, io};          ─►   use std::fmt; use std::io;       nothing
//! use crate::old::read;        ─►   use crate::new::read;            indirect, or rude if what lasts mentions `read`
//! macro_rules! m { … => 1 }    ─►   macro_rules! m { … => 2 }        indirect
//! ```

use super::context::ProgramContext;
use super::findings::{FileDiff, Turn, GLOB_HIDES, HIDES, REACHES};
use super::pairs::pair;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{FileItems, MacroRules, Use};
use crate::syntax::normalize::{fingerprint_of_text, Fingerprint};

pub(super) fn compare(
    old: &FileItems,
    new: &FileItems,
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    imports(old, new, around, found);
    macros(old, new, around, found);
}

/// Imports are compared name by name: how they are grouped is formatting.
fn imports(old: &FileItems, new: &FileItems, around: &ProgramContext<'_>, found: &mut FileDiff) {
    let (before, after) = (all_imports(old), all_imports(new));
    let key = |import: &Import<'_>| (import.module.to_vec(), text(import.import));
    let pairs = pair(&before, &after, key, &[]);
    for index in pairs.removed {
        let Import {
            module,
            import,
            place,
        } = before[index];
        let what = format!("use {} removed", import.path_text());
        match lasts(module, import, around) {
            true => found.rude(import.line, format!("{what}: {}", reason(import))),
            false => {
                let gone = Turn::Removed(place);
                found.turned(import.line, what, content(module, import), gone);
            }
        }
    }
    for index in pairs.added {
        let Import {
            module,
            import,
            place,
        } = after[index];
        let what = format!("use {} added", import.path_text());
        let hides = match import.bound() {
            Some(name) => around.before.hides(around.unit, module, name),
            None => !around.before.glob_is_harmless(around.unit, module),
        };
        match hides {
            true => found.rude(import.line, format!("{what}: {}", reason(import))),
            false => {
                let come = Turn::Added(place);
                found.turned(import.line, what, content(module, import), come);
            }
        }
    }
}

/// An import and its module.
#[derive(Clone, Copy)]
struct Import<'a> {
    module: &'a [String],
    import: &'a Use,
    place: Declaration,
}

/// Whether types and signatures mention what is imported no more, before and after.
fn lasts(module: &[String], import: &Use, around: &ProgramContext<'_>) -> bool {
    let Some(name) = import.bound() else {
        return !around.before.glob_is_harmless(around.unit, module);
    };
    let is_own = import.visibility.is_empty();
    [around.before, &**around.after].iter().all(|program| {
        program.mentioned_below(around.unit, module, name) || !is_own && program.reaches(name)
    })
}

fn reason(import: &Use) -> &'static str {
    match import.bound() {
        Some(_) => HIDES,
        None => GLOB_HIDES,
    }
}

fn all_imports(items: &FileItems) -> Vec<Import<'_>> {
    let modules = items.modules.iter().enumerate();
    let imports = modules.flat_map(|(module, declared)| {
        let uses = declared.uses.iter().enumerate();
        uses.map(move |(import, used)| Import {
            module: &declared.path,
            import: used,
            place: Declaration::Import { module, import },
        })
    });
    imports.collect()
}

fn content(module: &[String], import: &Use) -> Fingerprint {
    fingerprint_of_text(&format!("{module:?} {}", text(import)))
}

fn text(import: &Use) -> String {
    format!(
        "{:?} {:?} {} {}",
        import.cfgs,
        import.attributes,
        import.visibility,
        import.path_text()
    )
}

fn macros(old: &FileItems, new: &FileItems, around: &ProgramContext<'_>, found: &mut FileDiff) {
    let (before, after) = (all_macros(old), all_macros(new));
    let pairs = pair(
        &before,
        &after,
        |m| (m.0.to_vec(), m.1.name.clone()),
        &[&|a, b| a.1.content == b.1.content, &|a, b| {
            a.1.cfgs == b.1.cfgs
        }],
    );
    for &index in &pairs.removed {
        macro_changed(&before[index], "removed", around, found);
    }
    for &index in &pairs.added {
        macro_changed(&after[index], "added", around, found);
    }
    for &(b, a) in &pairs.both {
        let (b, a) = (&before[b], &after[a]);
        if b.1.content != a.1.content || b.1.cfgs != a.1.cfgs {
            macro_changed(a, "changed", around, found);
        }
    }
}

/// A macro changed, and with it what its calls make.
fn macro_changed(
    (module, item): &(&[String], &MacroRules),
    how: &str,
    around: &ProgramContext<'_>,
    found: &mut FileDiff,
) {
    let what = format!("macro {}! {how}", item.name);
    match why_no_other_macro(&item.name, around) {
        Some(why) => found.rude(item.line, format!("{what}: {why}")),
        None => {
            let place = fingerprint_of_text(&format!("{module:?} {:?}", item.cfgs));
            found.indirect(item.line, what, Fingerprint::joined([place, item.content]));
        }
    }
}

/// Why a name can't mean another macro.
pub(super) fn why_no_other_macro(name: &str, around: &ProgramContext<'_>) -> Option<String> {
    let programs = [around.before, &**around.after];
    // What it makes where it stands in place of items in both programs.
    let called = around.before.makes_items(name);
    let declares = || {
        let mut programs = programs.iter();
        programs.any(|program| !program.makes([], [name]).only_own_code())
    };
    if around.before.reaches(name) {
        return Some(REACHES.to_owned());
    }
    (called && declares()).then(|| "calls of it make items, and which can't be told".to_owned())
}

fn all_macros(items: &FileItems) -> Vec<(&[String], &MacroRules)> {
    let mut all = Vec::new();
    for module in &items.modules {
        all.extend(module.macros.iter().map(|m| (module.path.as_slice(), m)));
    }
    all
}
