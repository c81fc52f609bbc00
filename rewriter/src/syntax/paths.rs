//! What a path in a body means, as far as the `use` lines around it say: `thread::spawn` after
//! `use std::thread;` is `std::thread::spawn`.
//!
//! Only names that are imported by themselves, and globs of the standard library's modules, are
//! known. A name that the module defines itself hides what it could otherwise mean.

use std::collections::{HashMap, HashSet};

use syn::visit::{self, Visit};
use syn::{Block, ExprPath, File, Item, ItemMod, ItemUse, PatIdent, Path, Stmt, TypePath, UseTree};

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
    fn enter_module(&mut self, items: &[Item]) {
        let mut layer = Layer::of(items.iter());
        // `use super::*` in an inline module.
        layer.open = layer.globs.iter().any(|glob| *glob == ["super"]);
        self.layers.push(layer);
    }

    fn enter_block<'a>(&mut self, items: impl Iterator<Item = &'a Item>) {
        let mut layer = Layer::of(items);
        layer.open = true;
        self.layers.push(layer);
    }

    fn leave(&mut self) {
        self.layers.pop();
    }

    /// A local variable or parameter hides a function of its name.
    fn define(&mut self, name: &str) {
        if let Some(layer) = self.layers.last_mut() {
            layer.defined.insert(plain(name));
        }
    }

    /// All that a path can mean, best first; empty if it begins with a type or with a name that
    /// isn't known.
    pub(crate) fn meanings(&self, path: &ExprPath) -> Vec<String> {
        match path.qself {
            None => self.of_path(&path.path),
            Some(_) => Vec::new(),
        }
    }

    /// The same of a type.
    pub(crate) fn meanings_of(&self, ty: &TypePath) -> Vec<String> {
        match ty.qself {
            None => self.of_path(&ty.path),
            Some(_) => Vec::new(),
        }
    }

    fn of_path(&self, path: &Path) -> Vec<String> {
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

/// A visitor that knows what paths mean where it stands. It calls these methods where it comes to a
/// file, a module, a block, a pattern, a function or closure.
pub(crate) trait Scoped<'ast>: Visit<'ast> + Sized {
    fn scopes(&mut self) -> &mut Scopes;

    fn in_file(&mut self, file: &'ast File) {
        self.scopes().enter_module(&file.items);
        visit::visit_file(self, file);
        self.scopes().leave();
    }

    fn in_module(&mut self, item: &'ast ItemMod) {
        if let Some((_, items)) = &item.content {
            self.scopes().enter_module(items);
            visit::visit_item_mod(self, item);
            self.scopes().leave();
        }
    }

    fn in_block(&mut self, block: &'ast Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        });
        self.scopes().enter_block(items);
        visit::visit_block(self, block);
        self.scopes().leave();
    }

    fn in_pattern(&mut self, pattern: &'ast PatIdent) {
        self.scopes().define(&pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    /// Parameters hide what has their names, and nothing beyond the body.
    fn in_function(&mut self, visit: impl FnOnce(&mut Self)) {
        self.scopes().enter_block(std::iter::empty());
        visit(self);
        self.scopes().leave();
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
