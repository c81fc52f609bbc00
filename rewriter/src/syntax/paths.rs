//! What a path in a body means, as far as the `use` lines around it say: `thread::spawn` after
//! `use std::thread;` is `std::thread::spawn`.
//!
//! Only names that are imported by themselves, and globs of the standard library's modules, are
//! known. A name that the module defines itself hides what it could otherwise mean.

use std::collections::{HashMap, HashSet};

use syn::{Item, ItemUse, Path, UseTree};

use crate::syntax::names::plain;

/// The names of one module or block.
#[derive(Debug, Default, Clone)]
struct Layer {
    imports: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    defined: HashSet<String>,
    /// The names around it are visible too: a block's are, a module's aren't.
    open: bool,
}

/// The names that are visible where a visitor stands.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    layers: Vec<Layer>,
}

impl Scopes {
    pub(crate) fn enter_module<'a>(&mut self, items: impl Iterator<Item = &'a Item>) {
        let mut layer = Layer::of(items);
        // `use super::*` in an inline module.
        layer.open = layer.globs.iter().any(|glob| *glob == ["super"]);
        self.layers.push(layer);
    }

    pub(crate) fn enter_block<'a>(&mut self, items: impl Iterator<Item = &'a Item>) {
        let mut layer = Layer::of(items);
        layer.open = true;
        self.layers.push(layer);
    }

    pub(crate) fn leave(&mut self) {
        self.layers.pop();
    }

    /// A local variable or parameter hides a function of its name.
    pub(crate) fn define(&mut self, name: &str) {
        if let Some(layer) = self.layers.last_mut() {
            layer.defined.insert(plain(name));
        }
    }

    /// All that a path can mean, best first; empty if it begins with a name that isn't known.
    pub(crate) fn meanings(&self, path: &Path) -> Vec<String> {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| plain(&segment.ident.to_string()))
            .collect();
        if path.leading_colon.is_some() {
            return vec![segments.join("::")];
        }
        let Some((first, rest)) = segments.split_first() else {
            return Vec::new();
        };
        let whole = |start: &[String]| [start, rest].concat().join("::");
        let mut globs = Vec::new();
        for layer in self.layers.iter().rev() {
            if let Some(start) = layer.imports.get(first) {
                return vec![whole(start)];
            }
            if layer.defined.contains(first) {
                return Vec::new();
            }
            for glob in &layer.globs {
                globs.push([glob.as_slice(), &segments].concat().join("::"));
            }
            if !layer.open {
                break;
            }
        }
        if segments.len() > 1 {
            globs.push(segments.join("::"));
        }
        globs
    }
}

impl Layer {
    fn of<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let mut layer = Self::default();
        for item in items {
            match item {
                Item::Use(item) => layer.import(item),
                other => layer.defined.extend(name_of(other)),
            }
        }
        layer
    }

    fn import(&mut self, item: &ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(plain(&path.ident.to_string()));
                self.tree(&path.tree, before);
                before.pop();
            }
            UseTree::Name(name) => self.name(before, &name.ident, &name.ident),
            UseTree::Rename(name) => self.name(before, &name.ident, &name.rename),
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before);
                }
            }
        }
    }

    fn name(&mut self, before: &[String], name: &syn::Ident, visible: &syn::Ident) {
        let mut path = before.to_vec();
        if name != "self" {
            path.push(plain(&name.to_string()));
        }
        let visible = match visible == "self" {
            true => path.last().cloned().unwrap_or_default(),
            false => plain(&visible.to_string()),
        };
        self.imports.insert(visible, path);
    }
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(plain(&ident.to_string()))
}
