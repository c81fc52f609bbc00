//! What a module declares for name resolution: imports, macros by example, child modules, names.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, UseTree};

use crate::syntax::mentions::Mentions;
use crate::syntax::names::plain;
use crate::syntax::normalize::{normalize, Fingerprint};

/// A module of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Module {
    /// Its path inside the crate.
    pub path: Vec<String>,
    /// Conditions of the inline modules around it and its own.
    pub cfgs: Vec<String>,
    /// Its imports, one name each.
    pub uses: Vec<Use>,
    /// Its macros by example.
    pub macros: Vec<MacroRules>,
    /// Its child modules.
    pub children: Vec<Child>,
    /// The names of its items.
    pub locals: Vec<LocalName>,
    /// Its `extern crate` declarations.
    pub extern_crates: Vec<ExternCrate>,
}

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its line.
    pub line: usize,
    /// Which item of the module it is: textual order.
    pub position: usize,
    /// Conditions, those of the modules around included.
    pub cfgs: Vec<String>,
    /// Its other attributes.
    pub attributes: Vec<String>,
    /// `pub`, `pub(crate)` or nothing.
    pub visibility: String,
    /// It starts with `::`.
    pub leading_colon: bool,
    /// The path as far as it is a module or type: without the last name.
    pub prefix: Vec<String>,
    /// What is imported from there.
    pub kind: UseKind,
}

/// What an import takes from its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseKind {
    /// `a::name` or `a::name as bound`; `bound` is `_` for a trait without a name.
    Name {
        /// The name there.
        name: String,
        /// The name here.
        bound: String,
    },
    /// `a::{self}` or `a::{self as bound}`.
    Itself {
        /// The name here.
        bound: String,
    },
    /// `a::*`.
    Glob,
}

impl Use {
    /// The name that it brings into its module.
    pub fn bound(&self) -> Option<&str> {
        match &self.kind {
            UseKind::Name { bound, .. } | UseKind::Itself { bound } => Some(bound),
            UseKind::Glob => None,
        }
    }

    /// The import as source text, without attributes, visibility and `use`.
    pub fn path_text(&self) -> String {
        let mut text = String::new();
        if self.leading_colon {
            text.push_str("::");
        }
        text.push_str(&self.prefix.join("::"));
        if !self.prefix.is_empty() {
            text.push_str("::");
        }
        match &self.kind {
            UseKind::Name { name, bound } if name == bound => text.push_str(name),
            UseKind::Name { name, bound } => text.push_str(&format!("{name} as {bound}")),
            UseKind::Itself { bound } if self.prefix.last() == Some(bound) => {
                text.push_str("{self}");
            }
            UseKind::Itself { bound } => text.push_str(&format!("{{self as {bound}}}")),
            UseKind::Glob => text.push('*'),
        }
        text
    }
}

/// A macro by example.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroRules {
    /// Its name.
    pub name: String,
    /// Its line.
    pub line: usize,
    /// Which item of the module it is.
    pub position: usize,
    /// Where it begins in the text.
    pub start: usize,
    /// Conditions, those of the modules around included.
    pub cfgs: Vec<String>,
    /// It is exported from the crate root.
    pub exported: bool,
    /// Its definition, as the source has it.
    pub text: String,
    /// It may expand to something that must exist only once.
    pub declares: bool,
    /// It may expand to functions.
    pub declares_functions: bool,
    /// The names in it.
    pub words: Mentions,
    /// Its definition and attributes.
    pub content: Fingerprint,
}

/// A declaration of a child module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// Its line.
    pub line: usize,
    /// Which item of the module it is.
    pub position: usize,
    /// Conditions, those of the modules around included.
    pub cfgs: Vec<String>,
    /// Its macros are in scope after it.
    pub macro_use: bool,
    /// Files named by `#[path]`, with the condition of a `cfg_attr` around it.
    pub paths: Vec<(Option<String>, String)>,
}

/// The name of an item that other modules reach by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalName {
    /// The name.
    pub name: String,
    /// Conditions, those of the modules around included.
    pub cfgs: Vec<String>,
    /// It is a trait: it matters also where nothing mentions it.
    pub is_trait: bool,
}

/// An `extern crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternCrate {
    /// The name here.
    pub bound: String,
    /// The declaration, without attributes: `extern crate a as b;`.
    pub text: String,
    /// Which item of the module it is.
    pub position: usize,
    /// Conditions, those of the modules around included.
    pub cfgs: Vec<String>,
    /// Its macros are in scope everywhere.
    pub macro_use: bool,
}

/// Where an import stands, and what all its names share.
pub(super) struct UseItem<'a> {
    pub(super) item: &'a syn::ItemUse,
    pub(super) position: usize,
    pub(super) cfgs: Vec<String>,
    pub(super) attributes: Vec<String>,
}

impl UseItem<'_> {
    /// One [`Use`] for each name.
    pub(super) fn flatten(&self, found: &mut Vec<Use>) {
        self.tree(&self.item.tree, &mut Vec::new(), found);
    }

    fn tree(&self, tree: &UseTree, prefix: &mut Vec<String>, found: &mut Vec<Use>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix, found);
                prefix.pop();
            }
            UseTree::Group(group) => {
                for inner in &group.items {
                    self.tree(inner, prefix, found);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                let bound = prefix.last().cloned().unwrap_or_default();
                found.push(self.one(prefix, UseKind::Itself { bound }, name.ident.span()));
            }
            UseTree::Rename(name) if name.ident == "self" && !prefix.is_empty() => {
                let bound = name.rename.to_string();
                found.push(self.one(prefix, UseKind::Itself { bound }, name.ident.span()));
            }
            UseTree::Name(name) => {
                let kind = UseKind::Name {
                    name: name.ident.to_string(),
                    bound: name.ident.to_string(),
                };
                found.push(self.one(prefix, kind, name.ident.span()));
            }
            UseTree::Rename(name) => {
                let kind = UseKind::Name {
                    name: name.ident.to_string(),
                    bound: name.rename.to_string(),
                };
                found.push(self.one(prefix, kind, name.ident.span()));
            }
            UseTree::Glob(glob) => {
                found.push(self.one(prefix, UseKind::Glob, glob.star_token.spans[0]));
            }
        }
    }

    fn one(&self, prefix: &[String], kind: UseKind, span: proc_macro2::Span) -> Use {
        Use {
            line: span.start().line,
            position: self.position,
            cfgs: self.cfgs.clone(),
            attributes: self.attributes.clone(),
            visibility: normalize(self.item.vis.to_token_stream()),
            leading_colon: self.item.leading_colon.is_some(),
            prefix: prefix.to_vec(),
            kind,
        }
    }
}

/// The files that a declaration names by `#[path]`.
pub(super) fn paths_of(attrs: &[Attribute]) -> Vec<(Option<String>, String)> {
    let mut found = Vec::new();
    for attr in attrs {
        path_of(&attr.meta, None, &mut found);
    }
    found
}

fn path_of(meta: &syn::Meta, condition: Option<&str>, found: &mut Vec<(Option<String>, String)>) {
    match meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => {
            if let syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) = &pair.value
            {
                found.push((condition.map(str::to_owned), text.value()));
            }
        }
        syn::Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let nested = list.parse_args_with(
                syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
            );
            let mut nested = nested.into_iter().flatten();
            let condition = nested.next().map(|meta| cfg_text(meta.to_token_stream()));
            for inner in nested {
                path_of(&inner, condition.as_deref(), found);
            }
        }
        _ => {}
    }
}

/// `cfg(condition)`.
fn cfg_text(condition: TokenStream) -> String {
    normalize(quote::quote!(cfg(#condition)))
}

/// A raw name stays raw in paths, and is plain in names of modules.
pub(super) fn name_of(ident: &syn::Ident) -> String {
    plain(&ident.to_string())
}
