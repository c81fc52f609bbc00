//! Which top module of a crate names which other one: by imports, by paths in code, by what stands
//! in macros, and by names that the crate's root exports for another module.
//!
//! ```text
//! // patch/undo.rs
//! use crate::registry::find;       patch → registry
//! super::super::shared::lock();    patch → shared
//! crate::Report::new();            patch → report, if the root says `pub use report::Report;`
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use crate::modules::{is_for_tests, SourceFile};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
}

/// From each top module to those that it names, and where it does so first.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, Place>>;

/// The arrows between the top modules of a crate, given by its files.
pub(crate) fn between_top_modules(files: &[SourceFile]) -> Arrows {
    let root = files
        .iter()
        .find(|file| file.module.is_empty())
        .expect("a root");
    let top: BTreeSet<String> = root.syntax.items.iter().filter_map(module_name).collect();
    let exported = exported(&root.syntax.items, &top);
    let mut arrows = Arrows::new();
    for file in files {
        let mut reader = Reader {
            module: file.module.clone(),
            named: Vec::new(),
        };
        reader.visit_file(&file.syntax);
        for (from, path, line) in reader.named {
            let Some(name) = path.first() else { continue };
            let to = match top.contains(name) {
                true => Some(name),
                false => exported.get(name),
            };
            let Some(to) = to.filter(|to| **to != from) else {
                continue;
            };
            let place = Place {
                file: file.path.clone(),
                line,
            };
            arrows
                .entry(from)
                .or_default()
                .entry(to.clone())
                .or_insert(place);
        }
    }
    arrows
}

fn module_name(item: &Item) -> Option<String> {
    match item {
        Item::Mod(item) if !is_for_tests(&item.attrs) => Some(plain(&item.ident)),
        _ => None,
    }
}

fn plain(ident: &syn::Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// The names that the root has from its modules, and of which.
fn exported(items: &[Item], top: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut exported = BTreeMap::new();
    for item in items {
        let Item::Use(item) = item else { continue };
        if is_for_tests(&item.attrs) {
            continue;
        }
        for Imported {
            names, name_here, ..
        } in flat(&item.tree)
        {
            let names: Vec<&String> = names
                .iter()
                .filter(|name| *name != "crate" && *name != "self")
                .collect();
            if let [module, _, ..] = names.as_slice() {
                if top.contains(*module) {
                    exported.insert(name_here, (*module).clone());
                }
            }
        }
    }
    exported
}

/// A path of an import.
struct Imported {
    names: Vec<String>,
    /// What it is called from here on.
    name_here: String,
    line: usize,
}

/// All paths of an import: `crate::{a, b::c as d}`.
fn flat(tree: &UseTree) -> Vec<Imported> {
    let mut found = Vec::new();
    flatten(tree, &mut Vec::new(), &mut found);
    found
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<Imported>) {
    let mut end = |name: &syn::Ident, here: &syn::Ident| {
        let own = (name != "self").then(|| plain(name));
        found.push(Imported {
            names: before.iter().cloned().chain(own).collect(),
            name_here: plain(here),
            line: line_of(name.span()),
        });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(plain(&path.ident));
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) => end(&name.ident, &name.ident),
        UseTree::Rename(renamed) => end(&renamed.ident, &renamed.rename),
        UseTree::Glob(glob) => found.push(Imported {
            names: before.clone(),
            name_here: String::new(),
            line: line_of(glob.star_token.spans[0]),
        }),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, found);
            }
        }
    }
}

fn line_of(span: Span) -> usize {
    span.start().line
}

/// Reads what one file names.
struct Reader {
    /// Where it reads, the modules inside of the file included.
    module: Vec<String>,
    /// From which top module, the path from the crate's root, and the line.
    named: Vec<(String, Vec<String>, usize)>,
}

impl Reader {
    /// Takes note of a path, if it is one of this crate.
    fn name(&mut self, names: &[String], line: usize) {
        let Some(from) = self.module.first().cloned() else {
            return; // The root may name all of them.
        };
        let ups = names.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match names.first().map(String::as_str) {
            Some("crate") => (&[][..], &names[1..]),
            Some("self") => {
                let ups = names[1..]
                    .iter()
                    .take_while(|name| *name == "super")
                    .count();
                let kept = self.module.len().saturating_sub(ups);
                (&self.module[..kept], &names[1 + ups..])
            }
            Some("super") => (
                &self.module[..self.module.len().saturating_sub(ups)],
                &names[ups..],
            ),
            _ => return,
        };
        self.named.push((from, [base, rest].concat(), line));
    }

    /// What stands in the tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let line = line_of(first.span());
                    let mut names = vec![plain(first)];
                    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(next), ..] =
                        &tokens[at + 1..]
                    {
                        if one.as_char() != ':' || two.as_char() != ':' {
                            break;
                        }
                        names.push(plain(next));
                        at += 3;
                    }
                    if names.len() > 1 {
                        self.name(&names, line);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Mod(module) => {
                self.module.push(plain(&module.ident));
                visit::visit_item_mod(self, module);
                self.module.pop();
            }
            Item::Use(import) => {
                for path in flat(&import.tree) {
                    self.name(&path.names, path.line);
                }
            }
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Const(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path
            .segments
            .iter()
            .map(|segment| plain(&segment.ident))
            .collect();
        if let (true, Some(first)) = (names.len() > 1, path.segments.first()) {
            self.name(&names, line_of(first.ident.span()));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
