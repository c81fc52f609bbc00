//! What of a crate's imports, names and macros the changed functions can reach.
//!
//! ```text
//! use crate::codec::{Frame, Header};  use std::fs;      fn f(x: Frame) { … }
//! use crate::codec::Frame;                              kept
//! ```
//!
//! One import that doesn't resolve would spoil the whole plugin, so only those that a name leads to
//! are kept; but in the functions' own modules all that might be traits, which no name mentions.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::addition::{self, Added};
use super::crate_modules::{CrateModules, Group};
use super::target::Target;
use crate::analysis::hidden::Hidden;
use crate::analysis::items::{Use, UseKind};
use crate::syntax::edition::Edition;
use crate::syntax::mentions::Mentions;
use crate::syntax::names::plain;

/// Aliases that lead to aliases: no crate nests them deeper.
const DEEPEST: usize = 16;

/// What is kept of each module: indices into its lists.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) uses: BTreeSet<usize>,
    pub(super) locals: BTreeSet<usize>,
    pub(super) macros: BTreeSet<usize>,
    pub(super) extern_crates: BTreeSet<usize>,
    /// The names of exported macros that the module's functions call by name alone.
    pub(super) exported: BTreeSet<String>,
}

impl Kept {
    /// Nothing but names that the host's module has as well.
    pub(super) fn only_names(&self) -> bool {
        self.uses.is_empty()
            && self.macros.is_empty()
            && self.extern_crates.is_empty()
            && self.exported.is_empty()
    }
}

/// What is needed of a crate.
pub(super) struct Reached {
    /// By the positions of modules.
    pub(super) kept: HashMap<usize, Kept>,
    /// The modules with functions in the plugin, or something new.
    pub(super) own: BTreeSet<Group>,
}

/// Finds what is kept.
pub(super) struct Reach<'a> {
    modules: &'a CrateModules<'a>,
    edition: Edition,
    hidden: &'a [Hidden],
    words: BTreeSet<String>,
    members: BTreeSet<String>,
    macros: BTreeSet<String>,
    seen: HashSet<(Group, String)>,
    seen_modules: HashSet<Group>,
    kept: HashMap<usize, Kept>,
}

impl<'a> Reach<'a> {
    /// What the targets and what is new beside them need of each module.
    pub(super) fn of(
        modules: &'a CrateModules<'a>,
        targets: &[Target<'_>],
        added: &[Added<'_>],
        edition: Edition,
        hidden: &'a [Hidden],
    ) -> Reached {
        let mut reach = Self {
            modules,
            edition,
            hidden,
            words: BTreeSet::new(),
            members: BTreeSet::new(),
            macros: BTreeSet::new(),
            seen: HashSet::new(),
            seen_modules: HashSet::new(),
            kept: HashMap::new(),
        };
        let mut own: BTreeSet<Group> = BTreeSet::new();
        for added in added {
            own.extend(modules.find(added.module));
            reach.add(&added.mentions);
        }
        for target in targets {
            own.extend(modules.find(&target.function.module));
            reach.add(&target.function.mentions);
            if let Some(header) = target.file.header_of(target.function) {
                reach.add_text(&header.text);
            }
        }
        loop {
            let known = (reach.words.len(), reach.members.len(), reach.macros.len());
            for &group in &own {
                reach.function_module(group);
            }
            if known == (reach.words.len(), reach.members.len(), reach.macros.len()) {
                reach.leave_new(added);
                let kept = reach.kept;
                return Reached { kept, own };
            }
            reach.seen.clear();
            reach.seen_modules.clear();
        }
    }

    /// What is new isn't the host's.
    fn leave_new(&mut self, added: &[Added<'_>]) {
        for (module, kept) in &mut self.kept {
            let declared = self.modules.module(*module);
            let is_new = |local: &usize| {
                addition::is_new(added, &declared.path, &declared.locals[*local].name)
            };
            kept.locals.retain(|local| !is_new(local));
        }
    }

    fn add(&mut self, words: &Mentions) {
        let owned = |names: &crate::syntax::mentions::Names| {
            names.iter().map(|n| n.to_string()).collect::<Vec<_>>()
        };
        self.words.extend(owned(&words.all));
        self.members.extend(owned(&words.members));
        self.macros.extend(owned(&words.macros));
    }

    fn add_text(&mut self, text: &str) {
        if let Ok(tokens) = text.parse() {
            self.add(&Mentions::of(tokens));
        }
    }

    fn function_module(&mut self, group: Group) {
        self.macros_by_name(group);
        for word in self.words.clone() {
            self.extern_crate(&word);
            self.name(group, &word);
            if self.edition == Edition::E2015 {
                // Imports inside of bodies start at the root there.
                self.name(self.modules.find(&[]).unwrap_or(group), &word);
            }
        }
        if self.words.contains("crate") {
            self.through(self.modules.find(&[]));
        }
        if self.words.contains("super") {
            let mut around = self.modules.parent(group);
            while let Some(parent) = around {
                self.through(Some(parent));
                around = self.modules.parent(parent);
            }
        }
        self.traits(group, &mut HashSet::new());
        for module in self.modules.group(group).modules.clone() {
            // It is mirrored even if nothing in it is reached.
            self.kept.entry(module).or_default();
        }
    }

    /// Macros by example are in scope by textual order, which mirrored modules keep.
    fn macros_by_name(&mut self, group: Group) {
        for module in 0..self.modules.len() {
            for (index, item) in self.modules.module(module).macros.iter().enumerate() {
                if !self.macros.contains(&item.name) {
                    continue;
                }
                let inner = item.text.clone();
                if item.exported {
                    for &own in &self.modules.group(group).modules {
                        let kept = self.kept.entry(own).or_default();
                        kept.exported.insert(item.name.clone());
                    }
                } else {
                    self.kept.entry(module).or_default().macros.insert(index);
                    self.add_text(&inner);
                }
            }
        }
    }

    /// Everything that paths through a module may mean.
    fn through(&mut self, group: Option<Group>) {
        let Some(group) = group else { return };
        if self.seen_modules.insert(group) {
            for member in self.members.clone() {
                self.name(group, &member);
            }
        }
    }

    /// A name that is looked up in a module.
    fn name(&mut self, group: Group, name: &str) {
        let name = plain(name);
        if !self.seen.insert((group, name.clone())) {
            return;
        }
        let mut found = false;
        for (module, index) in self.modules.bindings(group, &name) {
            self.keep_use(group, module, index);
            found = true;
        }
        found |= self.locals(group, &name);
        if let Some(child) = self.modules.child(group, &name) {
            self.through(Some(child));
            found = true;
        }
        if !found {
            self.globs(group, &name);
        }
    }

    fn locals(&mut self, group: Group, name: &str) -> bool {
        let mut found = false;
        for &module in &self.modules.group(group).modules {
            let declared = self.modules.module(module);
            for (index, local) in declared.locals.iter().enumerate() {
                if plain(&local.name) != name {
                    continue;
                }
                found = true;
                let hidden =
                    |h: &Hidden| !h.field && h.name == name && declared.path.starts_with(&h.scope);
                if !self.hidden.iter().any(hidden) {
                    self.kept.entry(module).or_default().locals.insert(index);
                }
            }
            for (index, item) in declared.extern_crates.iter().enumerate() {
                if plain(&item.bound) == name {
                    self.kept
                        .entry(module)
                        .or_default()
                        .extern_crates
                        .insert(index);
                    found = true;
                }
            }
            for (index, item) in declared.macros.iter().enumerate() {
                if item.name == name && !item.exported {
                    self.kept.entry(module).or_default().macros.insert(index);
                    found = true;
                }
            }
        }
        found
    }

    /// A name that a module doesn't declare may come through any of its globs.
    fn globs(&mut self, group: Group, name: &str) {
        for (module, index) in self.modules.globs(group) {
            let import = &self.modules.module(module).uses[index];
            self.keep(module, index);
            if let Some(first) = import.prefix.first() {
                self.extern_crate(first);
            }
            if let Some(target) = self.resolve(group, import, DEEPEST) {
                self.name(target, name);
            }
        }
    }

    /// What the root declares as an external crate is a name in every module.
    fn extern_crate(&mut self, name: &str) {
        let Some(root) = self.modules.find(&[]) else {
            return;
        };
        for &module in &self.modules.group(root).modules {
            for (index, item) in self.modules.module(module).extern_crates.iter().enumerate() {
                if plain(&item.bound) == name {
                    self.kept
                        .entry(module)
                        .or_default()
                        .extern_crates
                        .insert(index);
                }
            }
        }
    }

    fn keep(&mut self, module: usize, index: usize) {
        self.kept.entry(module).or_default().uses.insert(index);
    }

    /// Keeps an import, and what it needs in the modules that it leads to.
    fn keep_use(&mut self, group: Group, module: usize, index: usize) {
        self.keep(module, index);
        let import = &self.modules.module(module).uses[index];
        let first = match &import.kind {
            UseKind::Name { name, .. } => import.prefix.first().unwrap_or(name),
            _ => match import.prefix.first() {
                Some(first) => first,
                None => return,
            },
        };
        self.extern_crate(first);
        let target = self.resolve(group, import, DEEPEST);
        match (&import.kind, target) {
            (UseKind::Name { name, .. }, Some(target)) => self.name(target, name),
            (UseKind::Name { name, .. }, None) if import.prefix.is_empty() => {
                self.words.insert(plain(name));
            }
            (UseKind::Itself { .. }, target) => self.through(target),
            _ => {}
        }
    }

    /// Imports that may be traits, also those that come through globs.
    fn traits(&mut self, group: Group, seen: &mut HashSet<Group>) {
        if !seen.insert(group) {
            return;
        }
        for module in self.modules.group(group).modules.clone() {
            for (index, import) in self.modules.module(module).uses.iter().enumerate() {
                let may_be_trait = match import.kind {
                    UseKind::Name { .. } => !self.is_no_trait(group, import),
                    // A module or a type, unless it is called as one calls traits.
                    UseKind::Itself { ref bound } => plain(bound).starts_with(char::is_uppercase),
                    UseKind::Glob => {
                        if let Some(target) = self.resolve(group, import, DEEPEST) {
                            self.traits(target, seen);
                        }
                        true
                    }
                };
                if may_be_trait {
                    self.keep_use(group, module, index);
                }
            }
        }
    }

    /// Whether an import leads to something of the crate that is no trait, or of the standard
    /// library, whose traits are all in capitals.
    fn is_no_trait(&mut self, group: Group, import: &Use) -> bool {
        let UseKind::Name { name, .. } = &import.kind else {
            return false;
        };
        let Some(target) = self.resolve(group, import, DEEPEST) else {
            let first = import.prefix.first().map(String::as_str);
            let of_std = matches!(first, Some("std" | "core" | "alloc"));
            return of_std && !name.starts_with(char::is_uppercase);
        };
        let imported = !self.modules.bindings(target, &plain(name)).is_empty();
        if imported || !self.modules.globs(target).is_empty() {
            return false;
        }
        let name = plain(name);
        let mut declared = self.modules.child(target, &name).is_some();
        for &module in &self.modules.group(target).modules {
            let module = self.modules.module(module);
            for local in module.locals.iter().filter(|l| plain(&l.name) == name) {
                if local.is_trait {
                    return false;
                }
                declared = true;
            }
            declared |= module.macros.iter().any(|rules| rules.name == name);
        }
        declared || !self.modules.may_hold_more(target)
    }

    /// The module of the crate that an import's prefix leads to.
    fn resolve(&mut self, group: Group, import: &Use, depth: usize) -> Option<Group> {
        let mut path = import.prefix.iter().map(String::as_str).peekable();
        let root = self.modules.find(&[]);
        let mut at = match path.peek().copied() {
            _ if import.leading_colon => match self.edition {
                Edition::E2015 => root?,
                _ => return None,
            },
            Some("crate" | "$crate") => {
                path.next();
                root?
            }
            Some("self") => {
                path.next();
                group
            }
            Some("super") => group,
            _ if self.edition == Edition::E2015 => root?,
            None => return None,
            _ => group,
        };
        for segment in path {
            at = match segment {
                "super" => self.modules.parent(at)?,
                name => self.step(at, name, depth)?,
            };
        }
        Some(at)
    }

    /// The module that `name` means in a module.
    fn step(&mut self, group: Group, name: &str, depth: usize) -> Option<Group> {
        self.name(group, name);
        if let Some(child) = self.modules.child(group, name) {
            return Some(child);
        }
        let depth = depth.checked_sub(1)?;
        let (module, index) = self
            .modules
            .bindings(group, &plain(name))
            .into_iter()
            .next()?;
        let import = &self.modules.module(module).uses[index];
        let target = self.resolve(group, import, depth)?;
        match &import.kind {
            UseKind::Name { name, .. } => self.step(target, name, depth),
            _ => Some(target),
        }
    }
}
