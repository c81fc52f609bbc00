//! Compares imports and macros by example.

use super::{pair, FileDiff};
use crate::items::{FileItems, MacroRules, Module, Use};

pub(super) fn compare(old: &FileItems, new: &FileItems, found: &mut FileDiff) {
    imports(old, new, found);
    macros(old, new, found);
}

/// Imports are compared name by name: how they are grouped is formatting.
fn imports(old: &FileItems, new: &FileItems, found: &mut FileDiff) {
    let (before, after) = (all_imports(old), all_imports(new));
    let key = |import: &(&[String], &Use)| (import.0.to_vec(), text(import.1));
    let pairs = pair(&before, &after, key, &[]);
    for index in pairs.removed {
        let import = before[index].1;
        found.rude(import.line, format!("use {} removed", import.path_text()));
    }
    for index in pairs.added {
        let import = after[index].1;
        found.rude(import.line, format!("use {} added", import.path_text()));
    }
}

fn all_imports(items: &FileItems) -> Vec<(&[String], &Use)> {
    let of_module = |module: &'_ Module| module.uses.len();
    let mut all = Vec::with_capacity(items.modules.iter().map(of_module).sum());
    for module in &items.modules {
        all.extend(
            module
                .uses
                .iter()
                .map(|import| (module.path.as_slice(), import)),
        );
    }
    all
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

fn macros(old: &FileItems, new: &FileItems, found: &mut FileDiff) {
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
        let item = before[index].1;
        found.rude(item.line, format!("macro {}! removed", item.name));
    }
    for &index in &pairs.added {
        let item = after[index].1;
        found.rude(item.line, format!("macro {}! added", item.name));
    }
    for &(b, a) in &pairs.both {
        let (b, a) = (before[b].1, after[a].1);
        if b.content != a.content || b.cfgs != a.cfgs {
            found.rude(a.line, format!("macro {}! changed", a.name));
        }
    }
    let moved = pairs.both.windows(2).find(|two| two[0].0 > two[1].0);
    if let Some(two) = moved {
        found.rude(after[two[0].1].1.line, "order of macros changed");
    }
}

fn all_macros(items: &FileItems) -> Vec<(&[String], &MacroRules)> {
    let mut all = Vec::new();
    for module in &items.modules {
        all.extend(module.macros.iter().map(|m| (module.path.as_slice(), m)));
    }
    all
}
