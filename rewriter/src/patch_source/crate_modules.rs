//! All modules of a crate, by path. Several may share one path: twins under opposite conditions.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::macro_scope::brings_names;
use crate::analysis::items::{Child, FileItems, ItemKind, Module, UseKind};
use crate::syntax::names::plain;

/// A module path of the crate.
pub(super) type Group = usize;

/// The modules of a crate.
pub(super) struct CrateModules<'a> {
    modules: Vec<(usize, &'a Module)>,
    groups: Vec<GroupModules<'a>>,
    by_path: HashMap<&'a [String], Group>,
    file_conditions: Vec<Vec<String>>,
    root_attributes: &'a [String],
    files: &'a [Arc<FileItems>],
}

/// The modules of one path.
pub(super) struct GroupModules<'a> {
    pub(super) path: &'a [String],
    /// Indices of modules.
    pub(super) modules: Vec<usize>,
}

impl<'a> CrateModules<'a> {
    pub(super) fn of(files: &'a [Arc<FileItems>]) -> Self {
        let mut found = Self {
            modules: Vec::new(),
            groups: Vec::new(),
            by_path: HashMap::new(),
            file_conditions: Vec::new(),
            root_attributes: files.first().map_or(&[], |root| &root.attributes),
            files,
        };
        for (index, file) in files.iter().enumerate() {
            let conditions = found.conditions_of(file);
            found.file_conditions.push(conditions);
            for module in &file.modules {
                let group = *found.by_path.entry(&module.path).or_insert_with(|| {
                    found.groups.push(GroupModules {
                        path: &module.path,
                        modules: Vec::new(),
                    });
                    found.groups.len() - 1
                });
                found.groups[group].modules.push(found.modules.len());
                found.modules.push((index, module));
            }
        }
        found
    }

    /// Conditions of the declarations that lead to a file.
    pub(super) fn file_conditions(&self, file: usize) -> &[String] {
        self.file_conditions.get(file).map_or(&[], Vec::as_slice)
    }

    /// The inner attributes of the root file.
    pub(super) fn root_attributes(&self) -> &'a [String] {
        self.root_attributes
    }

    /// How many module paths there are.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many modules there are.
    pub(super) fn len(&self) -> usize {
        self.modules.len()
    }

    pub(super) fn module(&self, index: usize) -> &'a Module {
        self.modules[index].1
    }

    /// The conditions of the file that a module is in.
    pub(super) fn conditions(&self, module: usize) -> &[String] {
        self.file_conditions(self.modules[module].0)
    }

    pub(super) fn group(&self, group: Group) -> &GroupModules<'a> {
        &self.groups[group]
    }

    pub(super) fn find(&self, path: &[String]) -> Option<Group> {
        self.by_path.get(path).copied()
    }

    pub(super) fn child(&self, group: Group, name: &str) -> Option<Group> {
        let mut path = self.groups[group].path.to_vec();
        path.push(plain(name));
        self.find(&path)
    }

    pub(super) fn parent(&self, group: Group) -> Option<Group> {
        let (_, parent) = self.groups[group].path.split_last()?;
        self.find(parent)
    }

    /// Whether macros may make traits in the modules of a group: only the compiler knows which.
    pub(super) fn may_hold_more(&self, group: Group) -> bool {
        let path = self.groups[group].path;
        let here = self.files.iter().flat_map(|file| &file.items);
        here.filter(|item| item.module == path).any(|item| {
            item.has_layout_attributes
                || item.kind == ItemKind::MacroCall && brings_names(item, self.files)
        })
    }

    /// The imports that bind `name` in a group.
    pub(super) fn bindings(&self, group: Group, name: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for &module in &self.groups[group].modules {
            for (index, import) in self.module(module).uses.iter().enumerate() {
                if import.bound().is_some_and(|bound| plain(bound) == name) {
                    found.push((module, index));
                }
            }
        }
        found
    }

    /// The glob imports of a group.
    pub(super) fn globs(&self, group: Group) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for &module in &self.groups[group].modules {
            for (index, import) in self.module(module).uses.iter().enumerate() {
                if import.kind == UseKind::Glob {
                    found.push((module, index));
                }
            }
        }
        found
    }

    fn conditions_of(&self, file: &FileItems) -> Vec<String> {
        let Some((name, parent)) = file.module.split_last() else {
            return Vec::new();
        };
        let Some(group) = self.find(parent) else {
            return Vec::new();
        };
        let declarations = self.groups[group].modules.iter().flat_map(|&module| {
            let children = self.module(module).children.iter();
            children
                .filter(|child| child.name == *name)
                .map(move |child| (module, child))
        });
        let best = declarations
            .filter_map(|(module, child)| Some((rank(child, &file.path)?, module, child)))
            .max_by_key(|(rank, ..)| *rank);
        let Some((_, module, child)) = best else {
            return Vec::new();
        };
        let mut conditions = self.conditions(module).to_vec();
        conditions.extend(child.cfgs.iter().cloned());
        let named = child
            .paths
            .iter()
            .find(|(_, path)| ends_with(&file.path, path));
        conditions.extend(named.and_then(|(condition, _)| condition.clone()));
        conditions
    }
}

/// How well a declaration fits a file: by its `#[path]`, or without one.
fn rank(child: &Child, file: &Path) -> Option<u8> {
    if child.paths.iter().any(|(_, path)| ends_with(file, path)) {
        return Some(2);
    }
    let only_conditional = child.paths.iter().all(|(condition, _)| condition.is_some());
    only_conditional.then_some(1)
}

fn ends_with(file: &Path, path: &str) -> bool {
    let plain = Path::new(path)
        .components()
        .filter(|c| matches!(c, std::path::Component::Normal(_)));
    file.ends_with(plain.collect::<std::path::PathBuf>())
}
