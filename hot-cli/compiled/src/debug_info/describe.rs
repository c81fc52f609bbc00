//! Types and variables of one object, written out: a line for each thing that code relies on.
//!
//! ```text
//! struct app::Point        size ⇥ 16
//!                          alignment ⇥ 8
//!                          field x ⇥ u32 at 8
//!                          field y ⇥ u64 at 0
//! ```
//!
//! Members' types are named, not described: each type that is reached is described for itself.
//! Knows nothing of what is compared with what.

use std::collections::HashSet;
use std::fmt::Write as _;

use anyhow::Result;

use super::entries::Entries;
use super::methods;
use super::names::{is_environment, mentions, without_numbers, Names};
use super::pool::{Pool, Text};
use super::sections::Sections;
use super::signature::signature;
use super::vtable;
use crate::objects::Object;
use crate::{sites, symbols};

/// What one object says about the types and variables of the program's crates.
#[derive(Debug, Default)]
pub(super) struct Described {
    /// There is debug information.
    pub(super) has_units: bool,
    pub(super) types: Vec<Type>,
    /// Closures and futures.
    pub(super) environments: Vec<Type>,
    pub(super) statics: Vec<Static>,
    pub(super) vtables: Vec<Type>,
    /// Types with something of a closure or a future in them that `Any` can tell.
    pub(super) kept_by_type: Vec<Text>,
    /// The types whose own `Drop` stands in the code, by itself or inside of other functions.
    pub(super) dropped: Vec<Text>,
    /// Those whose `Drop` is there whether anything uses it or not.
    pub(super) always_dropped: Vec<Text>,
    pub(super) functions: Vec<Function>,
    /// The sections that are vtables, and nothing else.
    pub(super) vtable_sections: Vec<usize>,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Function {
    /// The path that its symbol spells.
    pub(super) path: Text,
    /// What it takes and returns, with the insides of closures and futures.
    pub(super) shape: Text,
    /// If it is the code of a closure or a future: the function around it.
    pub(super) outer: Option<Text>,
    /// The line of its declaration.
    pub(super) line: u32,
}

/// A type, or a vtable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Type {
    /// Its name.
    pub(super) name: Text,
    /// Its name without numbers.
    pub(super) key: Text,
    /// Its description.
    pub(super) shape: Text,
}

/// A static or a thread-local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Static {
    pub(super) symbol: Text,
    /// The path that its symbol spells.
    pub(super) path: Text,
    pub(super) ty: Text,
    /// The description of its type: there may be several of that name.
    pub(super) shape: Text,
}

/// What separates a line's name from its value.
pub(super) const SEPARATOR: char = '\t';

/// Whether an object was made by rustc: libraries may hold others, of which nothing need be known.
pub(super) fn is_rust(object: &Object<'_>) -> bool {
    let mut symbols = object.symbols.iter();
    symbols.any(|symbol| symbol.section.is_some() && symbols::is_rust(symbol.name))
}

/// Reads an object. `crates`: those that can change.
pub(super) fn describe(
    object: &Object<'_>,
    crates: &HashSet<String>,
    pool: &mut Pool,
) -> Result<Described> {
    match read(object, crates, pool) {
        Err(_) if !is_rust(object) => Ok(Described::default()),
        read => read,
    }
}

fn read(object: &Object<'_>, crates: &HashSet<String>, pool: &mut Pool) -> Result<Described> {
    let sections = Sections::read(object)?;
    let entries = Entries::read(&sections)?;
    let mut describer = Describer {
        object,
        sections: &sections,
        entries: &entries,
        names: Names::new(&entries),
        crates,
        pool,
        found: Described::default(),
    };
    for entry in 0..entries.all.len() {
        describer.entry(entry);
    }
    for symbol in &object.symbols {
        if symbol.section.is_some() {
            describer.function(symbol.name, !symbol.local);
        }
    }
    let mut found = describer.found;
    for list in [&mut found.dropped, &mut found.always_dropped] {
        list.sort();
        list.dedup();
    }
    found.has_units = !sections.units.is_empty();
    Ok(found)
}

struct Describer<'a, 's> {
    object: &'a Object<'a>,
    sections: &'s Sections<'s>,
    entries: &'a Entries<'s>,
    names: Names<'a, 's>,
    crates: &'a HashSet<String>,
    pool: &'a mut Pool,
    found: Described,
}

impl Describer<'_, '_> {
    fn entry(&mut self, at: usize) {
        let entry = &self.entries.all[at];
        match entry.tag {
            gimli::DW_TAG_structure_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
                if !entry.is_declaration && entry.name.is_some() =>
            {
                self.ty(at);
            }
            // Also what has become part of others.
            gimli::DW_TAG_subprogram => {
                if let Some(symbol) = entry.linkage_name {
                    self.function(symbol, false);
                    self.signature(at, symbol);
                }
            }
            gimli::DW_TAG_variable => match (entry.linkage_name, entry.name) {
                (Some(symbol), _) => self.variable(at, symbol),
                (None, Some(name)) => self.vtable(at, name),
                (None, None) => {}
            },
            _ => {}
        }
    }

    fn function(&mut self, symbol: &str, is_global: bool) {
        let Some(ty) = methods::dropped_type(symbol) else {
            return;
        };
        if symbols::is_of(&ty, self.crates) {
            let text = self.pool.add(&ty);
            self.found.dropped.push(text);
            if is_global && !methods::has_type_arguments(&ty) {
                self.found.always_dropped.push(text);
            }
        }
    }

    fn ty(&mut self, at: usize) {
        let name = self.names.of(Some(at));
        // A vtable's own type says no more than how long it is.
        if !mentions(&name, self.crates) || vtable::is_type(&name) {
            return;
        }
        let shape = self.shape(at);
        let found = Type {
            name: self.pool.add(&name),
            key: self.pool.add(&without_numbers(&name)),
            shape: self.pool.add(&shape),
        };
        match is_environment(&name) {
            true => self.found.environments.push(found),
            false => self.found.types.push(found),
        }
    }

    fn variable(&mut self, at: usize, symbol: &str) {
        let path = symbols::path(symbol);
        let is_site = sites::owner(&path).is_some();
        if self.entries.all[at].is_declaration || is_site || !symbols::is_of(&path, self.crates) {
            return;
        }
        let ty = self.entries.ty(at);
        let name = without_numbers(&self.names.of(ty));
        let shape = ty.map_or_else(String::new, |ty| match mentions(&name, self.crates) {
            true => self.shape(ty),
            false => String::new(),
        });
        self.found.statics.push(Static {
            symbol: self.pool.add(symbol),
            path: self.pool.add(&path),
            ty: self.pool.add(&name),
            shape: self.pool.add(&shape),
        });
    }

    fn vtable(&mut self, at: usize, name: &str) {
        if !vtable::is_variable(name) || !mentions(name, self.crates) {
            return;
        }
        let address = self.entries.all[at].address;
        let size = self.entries.ty(at).and_then(|ty| self.entries.all[ty].size);
        let section = address
            .zip(size)
            .and_then(|(address, size)| vtable::section(self.object, self.sections, address, size));
        self.found.vtable_sections.extend(section);
        if is_environment(name) {
            let kept = vtable::any(name).map(|ty| self.pool.add(ty));
            self.found.kept_by_type.extend(kept);
            return;
        }
        let Some(address) = address else {
            return;
        };
        let Some(shape) = vtable::describe(self.object, self.sections, address, size, name) else {
            return;
        };
        self.found.vtables.push(Type {
            name: self.pool.add(name),
            key: self.pool.add(&without_numbers(name)),
            shape: self.pool.add(&shape),
        });
    }

    fn signature(&mut self, at: usize, symbol: &str) {
        let path = symbols::path(symbol);
        if !symbols::is_of(&path, self.crates) {
            return;
        }
        let found = signature(self.entries, &mut self.names, at);
        let Some(found) = found else {
            return;
        };
        let mut shape = String::new();
        for name in &found.types {
            line(&mut shape, "type", name);
        }
        for (name, ty) in found.environments {
            line(&mut shape, "holds", name);
            self.shapes_inside(&mut shape, ty);
        }
        let entry = &self.entries.all[at];
        let is_closure = entry.name.is_some_and(|name| name.starts_with("{closure#"));
        let outer = is_closure.then(|| {
            let outer = self.names.of(entry.parent);
            self.pool.add(&outer)
        });
        let declared = entry.line.unwrap_or_default();
        self.found.functions.push(Function {
            path: self.pool.add(&path),
            shape: self.pool.add(&shape),
            outer,
            line: u32::try_from(declared).unwrap_or(u32::MAX),
        });
    }

    /// A type, and the types that are declared in it: the states of a future.
    fn shapes_inside(&mut self, out: &mut String, at: usize) {
        for inside in at..self.entries.all[at].end.max(at + 1) {
            if self.entries.all[inside].tag == gimli::DW_TAG_structure_type {
                let shape = self.shape(inside);
                out.push_str(&shape);
            }
        }
    }

    fn shape(&mut self, at: usize) -> String {
        let entry = &self.entries.all[at];
        let kind = match entry.tag {
            gimli::DW_TAG_union_type => "union",
            gimli::DW_TAG_enumeration_type => "enum",
            _ if self.has_variants(at) => "enum",
            _ if self.is_variant(at) => "variant",
            _ => "struct",
        };
        let mut out = format!("{kind}{SEPARATOR}\n");
        if let Some(size) = entry.size {
            line(&mut out, "size", size);
        }
        if let Some(alignment) = entry.alignment {
            line(&mut out, "alignment", alignment);
        }
        if entry.tag == gimli::DW_TAG_enumeration_type {
            let ty = self.names.of(self.entries.ty(at));
            line(&mut out, "discriminant", ty);
        }
        self.members(&mut out, at);
        out
    }

    fn has_variants(&self, at: usize) -> bool {
        let mut children = self.entries.children(at);
        children.any(|child| self.entries.all[child].tag == gimli::DW_TAG_variant_part)
    }

    /// Whether it is what a variant of an enum holds.
    fn is_variant(&self, at: usize) -> bool {
        let outer = self.entries.all[at].parent;
        outer.is_some_and(|outer| self.has_variants(outer))
    }

    fn members(&mut self, out: &mut String, at: usize) {
        let entries = self.entries;
        for child in entries.children(at) {
            let entry = &entries.all[child];
            let name = entry.name.unwrap_or("");
            match entry.tag {
                gimli::DW_TAG_member if entry.is_artificial => {
                    let member = self.member(child);
                    line(out, "discriminant", member);
                }
                gimli::DW_TAG_member => {
                    let member = self.member(child);
                    let name = name.strip_prefix("__").unwrap_or(name);
                    line(out, &format!("field {name}"), member);
                }
                gimli::DW_TAG_enumerator => {
                    let value = entry.value.unwrap_or_default();
                    line(out, &format!("variant {name}"), value);
                }
                gimli::DW_TAG_variant_part => self.variants(out, child),
                _ => {}
            }
        }
    }

    fn variants(&mut self, out: &mut String, at: usize) {
        let entries = self.entries;
        for child in entries.children(at) {
            if entries.all[child].tag != gimli::DW_TAG_variant {
                // The discriminant.
                let member = self.member(child);
                line(out, "discriminant", member);
                continue;
            }
            let value = match entries.all[child].value {
                Some(value) => format!("discriminant {value}"),
                None => "any other discriminant".to_owned(),
            };
            for payload in entries.children(child) {
                let name = entries.all[payload].name.unwrap_or("");
                let offset = entries.all[payload].offset.unwrap_or_default();
                line(
                    out,
                    &format!("variant {name}"),
                    format!("{value} at {offset}"),
                );
            }
        }
    }

    fn member(&mut self, at: usize) -> String {
        let ty = without_numbers(&self.names.of(self.entries.ty(at)));
        match self.entries.all[at].offset {
            Some(offset) => format!("{ty} at {offset}"),
            None => ty,
        }
    }
}

fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let written = writeln!(out, "{name}{SEPARATOR}{value}");
    debug_assert!(written.is_ok(), "a string takes everything");
}
