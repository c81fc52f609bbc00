//! Writes the files of a plugin: the mirrored module tree, and the user's files with all but the
//! changed functions blanked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use super::addition::{self, Added, Carriers};
use super::crate_modules::{CrateModules, Group};
use super::function::Emitted;
use super::layout::Layout;
use super::reach::{Kept, Reached};
use super::request::{PatchSourceError, PatchedCrate, HOST, PLUGIN_ROOT};
use super::target::Target;
use crate::analysis::items::FileItems;
use crate::syntax::columns::{Columns, Shift};
use crate::syntax::names::raw;

/// Attributes of the user's root file that the plugin's root has too.
const CARRIED: [&str; 6] = [
    "feature",
    "recursion_limit",
    "type_length_limit",
    "no_std",
    "no_implicit_prelude",
    "no_core",
];

/// Where only a function whose future is not `Send` has an answer.
const NOT_SEND: &str = "pub trait __SoftMockNotSend<A> { fn check(&self) {} } impl<T: ?Sized> __SoftMockNotSend<()> for T {} pub struct __SoftMockIsSend; impl<T: ?Sized + ::core::marker::Send> __SoftMockNotSend<__SoftMockIsSend> for T {}\n";

/// What the files carry.
pub(super) struct Carried<'a> {
    pub(super) targets: &'a [Target<'a>],
    /// The text of each of them.
    pub(super) emitted: &'a [Emitted],
    pub(super) added: &'a [Added<'a>],
    pub(super) probes: &'a Carriers,
}

/// A piece of a user's file.
struct Piece<'a> {
    file: usize,
    items: &'a FileItems,
    module: &'a [String],
    start: usize,
    point: (usize, usize),
    emitted: &'a Emitted,
}

impl Carried<'_> {
    /// All pieces, by their files, in the order in which they stand there.
    fn by_file(&self) -> BTreeMap<usize, Vec<Piece<'_>>> {
        let targets = self.targets.iter().zip(self.emitted);
        let targets = targets.map(|(target, emitted)| Piece {
            file: target.request.file,
            items: target.file,
            module: &target.function.module,
            start: target.function.place.body.start,
            point: target.function.place.name_end,
            emitted,
        });
        let added = self.added.iter().filter_map(|added| {
            Some(Piece {
                file: added.file,
                items: added.items,
                module: added.module,
                start: added.start,
                point: added.point,
                emitted: added.emitted.as_ref()?,
            })
        });
        let mut by_file: BTreeMap<usize, Vec<Piece<'_>>> = BTreeMap::new();
        for piece in targets.chain(added) {
            by_file.entry(piece.file).or_default().push(piece);
        }
        for pieces in by_file.values_mut() {
            pieces.sort_by_key(|piece| piece.start);
        }
        by_file
    }
}

/// The plugin's files, the root first, and in which of the user's code stands in other columns.
pub(super) struct Written {
    pub(super) files: Vec<(PathBuf, String)>,
    pub(super) columns: Vec<(PathBuf, Columns)>,
}

/// The files, the root first.
pub(super) fn write(
    options: &PatchedCrate,
    modules: &CrateModules<'_>,
    reached: &Reached,
    carried: &Carried<'_>,
    manifest: &str,
) -> Result<Written, PatchSourceError> {
    let by_file = carried.by_file();
    let mut carriers = addition::carriers(carried.added, modules, &reached.own);
    for (group, text) in carried.probes {
        carriers.entry(*group).or_default().push_str(text);
    }
    let mut writer = Writer::of(options, modules, &reached.kept, carriers);
    for pieces in by_file.values() {
        let items = pieces[0].items;
        let path = mirrored(&items.path);
        if writer
            .includes
            .values()
            .flatten()
            .any(|known| *known == path)
        {
            return Err(PatchSourceError::FileOfTwoModules(items.path.clone()));
        }
        writer.claim(items, pieces);
        let group = modules.find(&items.module);
        writer
            .includes
            .entry(group.unwrap_or_default())
            .or_default()
            .push(path);
    }
    let root = writer.root(carried.targets, manifest);
    let mut files = vec![(PathBuf::from(PLUGIN_ROOT), root)];
    let mut columns = Vec::new();
    for pieces in by_file.values() {
        let path = &pieces[0].items.path;
        let (text, shifts) = writer.user_file(pieces);
        if !shifts.is_empty() {
            columns.push((path.clone(), Columns::default().and(shifts)));
        }
        files.push((mirrored(path), text));
    }
    Ok(Written { files, columns })
}

/// A path below the plugin's folder that mirrors an absolute one.
fn mirrored(path: &Path) -> PathBuf {
    path.components()
        .filter(|c| matches!(c, Component::Normal(_)))
        .collect()
}

struct Writer<'a> {
    options: &'a PatchedCrate,
    modules: &'a CrateModules<'a>,
    kept: &'a HashMap<usize, Kept>,
    mirrored: BTreeSet<Group>,
    /// User files by the module that they are included in.
    includes: HashMap<Group, Vec<PathBuf>>,
    /// Inline modules that are written inside of a user file.
    inline: BTreeSet<Group>,
    /// Imports of what carries new methods, and what asks the compiler.
    carriers: Carriers,
}

impl<'a> Writer<'a> {
    fn of(
        options: &'a PatchedCrate,
        modules: &'a CrateModules<'a>,
        kept: &'a HashMap<usize, Kept>,
        carriers: Carriers,
    ) -> Self {
        let mut mirrored = BTreeSet::new();
        for group in 0..modules.groups() {
            let used = |module: &usize| kept.get(module).is_some_and(|kept| !kept.only_names());
            if modules.group(group).modules.iter().any(used) || carriers.contains_key(&group) {
                let mut around = Some(group);
                while let Some(group) = around {
                    mirrored.insert(group);
                    around = modules.parent(group);
                }
            }
        }
        Self {
            options,
            modules,
            kept,
            mirrored,
            includes: HashMap::new(),
            inline: BTreeSet::new(),
            carriers,
        }
    }

    /// Inline modules with changed functions are written where those functions stand.
    fn claim(&mut self, file: &FileItems, pieces: &[Piece<'_>]) {
        for piece in pieces {
            let path = piece.module;
            for depth in file.module.len() + 1..=path.len() {
                if let Some(group) = self.modules.find(&path[..depth]) {
                    self.inline.insert(group);
                    self.mirrored.insert(group);
                }
            }
        }
        let mut around = self.modules.find(&file.module);
        while let Some(group) = around {
            self.mirrored.insert(group);
            around = self.modules.parent(group);
        }
    }

    fn root(&self, targets: &[Target<'_>], manifest: &str) -> String {
        let mut out = String::new();
        let root = self.modules.find(&[]);
        for attribute in self.carried() {
            out.push_str(&format!("#![{attribute}]\n"));
        }
        out.push_str("#![allow(warnings, clippy::all)]\n");
        out.push_str(&format!("extern crate {HOST};\n"));
        if let Some(root) = root {
            self.content(root, &mut out);
        }
        out.push('\n');
        if targets.iter().any(|target| target.request.not_send) {
            out.push_str(NOT_SEND);
        }
        out.push_str(manifest);
        out
    }

    fn carried(&self) -> Vec<String> {
        let is_carried = |attribute: &&String| {
            let words: Vec<&str> = attribute.split_whitespace().collect();
            let name = match words.first() {
                Some(&"cfg_attr") => words.iter().find(|word| CARRIED.contains(word)),
                first => first,
            };
            name.is_some_and(|name| CARRIED.contains(name))
        };
        let attributes = self.modules.root_attributes().iter();
        attributes.filter(is_carried).cloned().collect()
    }

    /// What stands inside of a mirrored module.
    fn content(&self, group: Group, out: &mut String) {
        let path = self.host_path(group);
        out.push_str(&format!("pub use {path}::*; "));
        let mut ordered: Vec<(usize, String)> = Vec::new();
        for &module in &self.modules.group(group).modules {
            self.names(module, &path, out);
            self.in_order(module, &mut ordered);
        }
        self.children(group, &mut ordered);
        out.push_str(self.carriers.get(&group).map_or("", String::as_str));
        ordered.sort_by_key(|(position, _)| *position);
        for (_, text) in ordered {
            out.push_str(&text);
        }
        let core = self.options.edition.core_path_of_plugins();
        for path in self.includes.get(&group).into_iter().flatten() {
            out.push_str(&format!(
                "{core}::include!({:?}); ",
                path.display().to_string()
            ));
        }
    }

    /// The path of a module in the host.
    fn host_path(&self, group: Group) -> String {
        let mut path = format!("::{HOST}");
        for name in self.modules.group(group).path {
            path.push_str("::");
            path.push_str(&raw(name));
        }
        path
    }

    /// Imports and re-exports of a module, of which the order means nothing.
    fn names(&self, module: usize, host: &str, out: &mut String) {
        let Some(kept) = self.kept.get(&module) else {
            return;
        };
        let (declared, around) = (self.modules.module(module), self.modules.conditions(module));
        let mut bound: BTreeSet<&str> = BTreeSet::new();
        for &index in &kept.uses {
            let import = &declared.uses[index];
            bound.extend(import.bound());
            out.push_str(&conditions(around, &import.cfgs));
            let space = if import.visibility.is_empty() {
                ""
            } else {
                " "
            };
            let text = import.path_text();
            out.push_str(&format!("{}{space}use {text}; ", import.visibility));
        }
        let all_bound: BTreeSet<&str> = declared.uses.iter().filter_map(|u| u.bound()).collect();
        for name in &kept.exported {
            if !all_bound.contains(name.as_str()) && !declared.path.is_empty() {
                out.push_str(&format!("use ::{HOST}::{name}; "));
            }
        }
        for &index in &kept.locals {
            let local = &declared.locals[index];
            if !bound.contains(local.name.as_str()) {
                out.push_str(&conditions(around, &local.cfgs));
                out.push_str(&format!("pub use {host}::{}; ", local.name));
            }
        }
    }

    /// Macros and external crates of a module, which are in scope from where they stand.
    fn in_order(&self, module: usize, ordered: &mut Vec<(usize, String)>) {
        let (declared, around) = (self.modules.module(module), self.modules.conditions(module));
        let kept = self.kept.get(&module);
        for (index, item) in declared.extern_crates.iter().enumerate() {
            let wanted = kept.is_some_and(|kept| kept.extern_crates.contains(&index));
            if item.macro_use || wanted {
                let macro_use = if item.macro_use { "#[macro_use] " } else { "" };
                let cfgs = conditions(around, &item.cfgs);
                ordered.push((item.position, format!("{cfgs}{macro_use}{} ", item.text)));
            }
        }
        for &index in kept.into_iter().flat_map(|kept| &kept.macros) {
            let item = &declared.macros[index];
            let text = format!(
                "{}{} ",
                conditions(around, &item.cfgs),
                one_line(&item.text)
            );
            ordered.push((item.position, text));
        }
    }

    /// Mirrored child modules, where the first of their declarations stands.
    fn children(&self, group: Group, ordered: &mut Vec<(usize, String)>) {
        let mut done: BTreeSet<Group> = BTreeSet::new();
        for &module in &self.modules.group(group).modules {
            for child in &self.modules.module(module).children {
                let Some(inner) = self.modules.child(group, &child.name) else {
                    continue;
                };
                let wanted = self.mirrored.contains(&inner) && !self.inline.contains(&inner);
                if !wanted || !done.insert(inner) {
                    continue;
                }
                let mut text = String::new();
                let macro_use = if child.macro_use { "#[macro_use] " } else { "" };
                text.push_str(&format!("{macro_use}pub mod {} {{ ", raw(&child.name)));
                self.content(inner, &mut text);
                text.push_str("} ");
                ordered.push((child.position, text));
            }
        }
    }

    /// A user's file: what is carried of it, in its place.
    fn user_file(&self, pieces: &[Piece<'_>]) -> (String, Vec<Shift>) {
        let mut layout = Layout::default();
        let base = pieces[0].items.module.len();
        let mut open: Vec<String> = Vec::new();
        for piece in pieces {
            let wanted = &piece.module[base..];
            let common = open.iter().zip(wanted).take_while(|(a, b)| a == b).count();
            layout.after(&" }".repeat(open.len() - common));
            open.truncate(common);
            let mut before = String::from(" ");
            for name in &wanted[common..] {
                open.push(name.clone());
                before.push_str(&format!("pub mod {} {{ ", raw(name)));
                if let Some(group) = self.modules.find(&piece.module[..base + open.len()]) {
                    self.content(group, &mut before);
                }
            }
            before.push_str(&piece.emitted.before);
            layout.before(piece.point.0, &before);
            layout.piece(piece.point, &piece.emitted.piece);
            layout.after(&piece.emitted.after);
        }
        layout.after(&" }".repeat(open.len()));
        layout.finish()
    }
}

/// Attributes for conditions, each once.
fn conditions(around: &[String], own: &[String]) -> String {
    let mut seen = BTreeSet::new();
    around
        .iter()
        .chain(own)
        .filter(|condition| seen.insert(condition.as_str()))
        .map(|condition| format!("#[{condition}] "))
        .collect()
}

/// Source text without line ends, but for those inside of string literals.
fn one_line(text: &str) -> String {
    match text.parse::<proc_macro2::TokenStream>() {
        Ok(tokens) => tokens.to_string(),
        Err(_) => text.to_owned(),
    }
}
