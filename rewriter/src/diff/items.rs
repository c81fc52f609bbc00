//! Compares types, constants, statics, traits, impl blocks, module declarations, macro calls.

use super::{pair, FileDiff};
use crate::items::{Aspect, FileItems, Item, ItemKind, Part};

pub(super) fn compare(old: &FileItems, new: &FileItems, found: &mut FileDiff) {
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
        found.rude(item.line, format!("{} removed", item.title()));
    }
    for index in pairs.added {
        let item = &new.items[index];
        found.rude(item.line, format!("{} added", item.title()));
    }
    for (before, after) in pairs.both {
        item(&old.items[before], &new.items[after], found);
    }
}

fn item(old: &Item, new: &Item, found: &mut FileDiff) {
    let title = new.title();
    if old.cfgs != new.cfgs {
        found.rude(new.line, format!("condition of {title} changed"));
    }
    for name in changed_aspects(&old.aspects, &new.aspects) {
        let what = match name {
            "definition" if new.kind != ItemKind::Mod => format!("{title} changed"),
            "generics" if new.kind.has_layout() => {
                format!("generics of {title} changed: its layout changes")
            }
            _ => format!("{name} of {title} changed"),
        };
        found.rude(new.line, what);
    }
    parts(old, new, found);
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
            let layout = match name {
                "visibility" | "attributes" => "",
                _ => ": its layout changes",
            };
            let what = format!("{name} of {} of {title} changed{layout}", part_title(after));
            found.rude(after.line, what);
        }
    }
    let moved = pairs.both.windows(2).any(|two| two[0].0 > two[1].0);
    if moved && found.rude.len() == before {
        let what = format!("order in {title} changed: its layout may change");
        found.rude(new.line, what);
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
