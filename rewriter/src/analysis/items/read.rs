//! Reads a syntax tree into [`FileItems`].

mod blocks;

use std::path::Path;

use proc_macro2::Span;
use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Item as Syntax, Visibility};

use super::aspects::{
    aspect, attributes, cfgs, has_layout_attributes, part_attributes, weighed, without_attributes,
};
use super::data::{mentions, value, variant, Data};
use super::declared::{Dynamic, FileItems, Private, PrivateKind, TextPlace};
use super::functions::{function, Source};
use super::modules::{name_of, paths_of, UseItem};
use super::modules::{Child, ExternCrate, LocalName, MacroRules, Module};
use super::statics::{self, MadeStatic};
use super::types::{Item, ItemKind, Part};
use crate::analysis::doc_readers::{self, attrs_of};
use crate::analysis::hidden::scope;
use crate::analysis::local_items::{declares, declares_function, LocalItems};
use crate::syntax::attributes::{has_attribute, is_test_only};
use crate::syntax::compiled_as::CompiledAs;
use crate::syntax::mentions::{Mentions, Names};
use crate::syntax::names::{compact, Owner};
use crate::syntax::normalize::{fingerprint, normalize};
use crate::syntax::tree::{parse_as, SourceFile, SyntaxError};

impl FileItems {
    /// Reads the text of a file that is the module `module` of its crate, compiled by itself.
    pub fn read(text: &str, path: &Path, module: &[String]) -> Result<Self, SyntaxError> {
        Self::read_as(CompiledAs::Crate, text, path, module)
    }

    /// Reads the text of a file that is the module `module` of its crate.
    pub fn read_as(
        compiled_as: CompiledAs,
        text: &str,
        path: &Path,
        module: &[String],
    ) -> Result<Self, SyntaxError> {
        let ast = parse_as(compiled_as, path, text)?;
        Ok(Self::of(compiled_as, text, ast, path, module))
    }

    /// Reads a file that is parsed already, of a crate that is compiled by itself.
    pub fn of_source(file: &SourceFile) -> Self {
        let ast = file.ast.clone();
        Self::of(CompiledAs::Crate, &file.text, ast, &file.path, &file.module)
    }

    /// Reads a file that is parsed already, of a crate that is compiled as this.
    pub fn of_parsed(compiled_as: CompiledAs, file: SourceFile) -> Self {
        Self::of(compiled_as, &file.text, file.ast, &file.path, &file.module)
    }

    fn of(
        compiled_as: CompiledAs,
        text: &str,
        mut ast: syn::File,
        path: &Path,
        module: &[String],
    ) -> Self {
        doc_readers::mark(&mut ast);
        read(Source::new(text, compiled_as, path), &ast, path, module)
    }
}

/// Reads a file.
fn read(source: Source<'_>, ast: &syn::File, path: &Path, module: &[String]) -> FileItems {
    let mut out = FileItems {
        path: path.to_owned(),
        module: module.to_vec(),
        attributes: attributes(&ast.attrs),
        dynamic: Dynamic::of(ast.to_token_stream()),
        meaning: fingerprint(ast.to_token_stream()),
        ..FileItems::default()
    };
    let mut reader = Reader {
        source,
        out: &mut out,
    };
    reader.module(&ast.items, module.to_vec(), Vec::new());
    out
}

struct Reader<'a> {
    source: Source<'a>,
    out: &'a mut FileItems,
}

/// Where items stand.
struct Scope<'a> {
    /// Index into the file's modules.
    module: usize,
    path: &'a [String],
    cfgs: &'a [String],
    position: usize,
    /// Where the item begins.
    start: usize,
}

impl Reader<'_> {
    fn module(&mut self, items: &[Syntax], path: Vec<String>, cfgs: Vec<String>) {
        let module = self.out.modules.len();
        self.out.modules.push(Module {
            path: path.clone(),
            cfgs: cfgs.clone(),
            ..Module::default()
        });
        for (position, item) in items.iter().enumerate() {
            let scope = Scope {
                module,
                path: &path,
                cfgs: &cfgs,
                position,
                start: self.source.range(item.span()).start,
            };
            self.item(item, &scope);
        }
    }

    fn item(&mut self, item: &Syntax, at: &Scope<'_>) {
        if is_test_only(attrs_of(item)) {
            return;
        }
        match item {
            Syntax::Fn(item) => self.free_function(item, at),
            Syntax::Impl(item) => self.impl_block(item, at),
            Syntax::Trait(item) => self.trait_item(item, at),
            Syntax::Mod(item) => self.child(item, at),
            Syntax::Use(item) => UseItem {
                item,
                position: at.position,
                cfgs: cfgs(at.cfgs, &item.attrs),
                attributes: attributes(&item.attrs),
            }
            .flatten(&mut self.out.modules[at.module].uses),
            Syntax::ExternCrate(item) => self.extern_crate(item, at),
            Syntax::Macro(item) if item.mac.path.is_ident("macro_rules") => {
                self.macro_rules(item, at);
            }
            Syntax::Macro(item) => {
                if let Some(statics) = statics::of_call(&item.mac) {
                    return self.statics(statics, item, at);
                }
                let name = compact(item.mac.path.to_token_stream()) + "!";
                self.plain(ItemKind::MacroCall, name, &item.attrs, item, at);
            }
            Syntax::ForeignMod(item) => {
                for inner in &item.items {
                    if let Some(name) = foreign_name(inner) {
                        self.local(name, &item.attrs, at);
                    }
                }
                let name = compact(item.abi.to_token_stream());
                self.plain(ItemKind::ForeignMod, name, &item.attrs, item, at);
            }
            other => self.data(other, at),
        }
    }

    /// The statics of a `thread_local!` or `lazy_static!`.
    fn statics(&mut self, statics: Vec<MadeStatic>, call: &syn::ItemMacro, at: &Scope<'_>) {
        for made in statics {
            self.local(&made.name, &call.attrs, at);
            let attrs: Vec<Attribute> = call.attrs.iter().chain(&made.attrs).cloned().collect();
            let (name, span) = (name_of(&made.name), made.name.span());
            let (kind, ty, value) = (&call.mac.path, &made.ty, &made.value);
            let constant = &made.constant;
            let aspects = [
                aspect("visibility", made.vis.to_token_stream()),
                aspect("type", quote!(#kind! #constant #ty)),
                aspect("initial value", value.clone()),
            ];
            let mentions = Mentions::of(ty.to_token_stream()).all;
            let pushed = self.push(ItemKind::Static, name, span, &attrs, at);
            pushed.aspects.extend(aspects);
            pushed.mentions = mentions;
            pushed.macros = Mentions::of(quote!(#ty = #value)).macros;
        }
    }

    fn local(&mut self, name: &syn::Ident, attrs: &[Attribute], at: &Scope<'_>) {
        let skipped = [
            "test",
            "bench",
            "proc_macro",
            "proc_macro_derive",
            "proc_macro_attribute",
        ];
        if name == "_" || skipped.iter().any(|skip| has_attribute(attrs, skip)) {
            return;
        }
        self.out.modules[at.module].locals.push(LocalName {
            name: name.to_string(),
            cfgs: cfgs(at.cfgs, attrs),
            is_trait: false,
        });
    }

    /// Says that the last name was a trait's.
    fn mark_trait(&mut self, at: &Scope<'_>) {
        if let Some(last) = self.out.modules[at.module].locals.last_mut() {
            last.is_trait = true;
        }
    }

    fn private(&mut self, name: String, kind: PrivateKind, vis: &Visibility, path: &[String]) {
        let Some(scope) = scope(vis, path).filter(|scope| !scope.is_empty()) else {
            return;
        };
        self.out.private.push(Private {
            name,
            kind,
            owner: None,
            scope,
            module: path.to_vec(),
        });
    }

    fn push(
        &mut self,
        kind: ItemKind,
        name: String,
        span: Span,
        attrs: &[Attribute],
        at: &Scope<'_>,
    ) -> &mut Item {
        self.out.items.push(Item {
            kind,
            name,
            module: at.path.to_vec(),
            line: span.start().line,
            start: at.start,
            place: TextPlace::default(),
            cfgs: cfgs(at.cfgs, attrs),
            aspects: weighed(attrs),
            parts: Vec::new(),
            mentions: Names::default(),
            local_items: LocalItems::default(),
            macros: Names::default(),
            supertraits: Names::default(),
            owner: None,
            has_layout_attributes: has_layout_attributes(attrs),
        });
        let last = self.out.items.len() - 1;
        &mut self.out.items[last]
    }

    /// An item that is compared as a whole.
    fn plain(
        &mut self,
        kind: ItemKind,
        name: String,
        attrs: &[Attribute],
        item: &(impl ToTokens + Spanned),
        at: &Scope<'_>,
    ) -> &mut Item {
        let definition = aspect("definition", without_attributes(item, attrs.len()));
        let words = Mentions::of(item.to_token_stream());
        let place = self.source.place(item);
        let pushed = self.push(kind, name, item.span(), attrs, at);
        pushed.place = place;
        pushed.aspects.push(definition);
        pushed.mentions = words.all;
        pushed.macros = words.macros;
        pushed
    }

    fn free_function(&mut self, item: &syn::ItemFn, at: &Scope<'_>) {
        self.local(&item.sig.ident, &item.attrs, at);
        self.private(
            name_of(&item.sig.ident),
            PrivateKind::Item,
            &item.vis,
            at.path,
        );
        let function = function(
            &self.source,
            (&item.attrs, &item.vis, &item.sig, &item.block),
            Owner::Free,
            None,
            (at.path, at.cfgs),
        );
        self.out.functions.push(function);
    }

    fn child(&mut self, item: &syn::ItemMod, at: &Scope<'_>) {
        let name = name_of(&item.ident);
        let visibility = aspect("visibility", item.vis.to_token_stream());
        let span = item.ident.span();
        let pushed = self.push(ItemKind::Mod, name.clone(), span, &item.attrs, at);
        pushed.aspects.push(visibility);
        self.private(name.clone(), PrivateKind::Item, &item.vis, at.path);
        let around = cfgs(at.cfgs, &item.attrs);
        self.out.modules[at.module].children.push(Child {
            name: name.clone(),
            line: item.ident.span().start().line,
            position: at.position,
            cfgs: around.clone(),
            macro_use: has_attribute(&item.attrs, "macro_use"),
            paths: paths_of(&item.attrs),
        });
        if let Some((_, items)) = &item.content {
            let mut path = at.path.to_vec();
            path.push(name);
            self.module(items, path, around);
        }
    }

    fn extern_crate(&mut self, item: &syn::ItemExternCrate, at: &Scope<'_>) {
        let bound = match &item.rename {
            Some((_, name)) => name.to_string(),
            None => item.ident.to_string(),
        };
        let rename = item
            .rename
            .as_ref()
            .map(|(token, name)| quote!(#token #name));
        let ident = &item.ident;
        self.out.modules[at.module].extern_crates.push(ExternCrate {
            bound: bound.clone(),
            text: normalize(quote!(extern crate #ident #rename;)),
            position: at.position,
            cfgs: cfgs(at.cfgs, &item.attrs),
            macro_use: has_attribute(&item.attrs, "macro_use"),
        });
        self.plain(ItemKind::ExternCrate, bound, &item.attrs, item, at);
    }

    fn macro_rules(&mut self, item: &syn::ItemMacro, at: &Scope<'_>) {
        let Some(name) = &item.ident else { return };
        let attributes = attributes(&item.attrs);
        let start = self.source.range(item.mac.path.span()).start;
        let end = match item.semi_token {
            Some(semi) => self.source.range(semi.span()).end,
            None => self.source.range(item.mac.delimiter.span().close()).end,
        };
        self.out.modules[at.module].macros.push(MacroRules {
            name: name_of(name),
            line: name.span().start().line,
            position: at.position,
            start: at.start,
            cfgs: cfgs(at.cfgs, &item.attrs),
            exported: attributes.iter().any(|attr| attr.contains("macro_export")),
            text: self.source.text(start..end),
            words: Mentions::of(item.mac.tokens.clone()),
            declares: declares(item.mac.tokens.clone()),
            declares_functions: declares_function(item.mac.tokens.clone()),
            content: fingerprint(item.to_token_stream()),
        });
    }

    /// Items that have a name, a visibility and no body.
    fn data(&mut self, item: &Syntax, at: &Scope<'_>) {
        let Some(data) = Data::of(item) else {
            let attrs = attrs_of(item);
            self.plain(ItemKind::Other, String::new(), attrs, item, at);
            return;
        };
        self.local(data.name, data.attrs, at);
        if data.kind == ItemKind::TraitAlias {
            self.mark_trait(at);
        }
        let name = name_of(data.name);
        self.private(name.clone(), PrivateKind::Item, data.vis, at.path);
        if data
            .generics
            .is_some_and(|g| g.lifetimes().next().is_some())
        {
            self.out.borrowing.push(name.clone());
        }
        let around = cfgs(at.cfgs, data.attrs);
        let parts = self.parts(item, at.path, &around);
        let place = self.source.place(item);
        let pushed = self.push(data.kind, name, data.name.span(), data.attrs, at);
        pushed.place = place;
        pushed.parts = parts;
        pushed.mentions = mentions(item);
        pushed.macros = Mentions::of(item.to_token_stream()).macros;
        pushed.local_items = value(item).map(LocalItems::of_value).unwrap_or_default();
        pushed
            .aspects
            .push(aspect("visibility", data.vis.to_token_stream()));
        if let Some(generics) = data.generics {
            let clause = &generics.where_clause;
            pushed
                .aspects
                .push(aspect("generics", quote!(#generics #clause)));
        }
        for (name, tokens) in data.aspects {
            pushed.aspects.push(aspect(name, tokens));
        }
    }

    fn parts(&mut self, item: &Syntax, path: &[String], _cfgs: &[String]) -> Vec<Part> {
        match item {
            Syntax::Struct(item) => self.fields(&item.fields, path),
            Syntax::Union(item) => self.fields(&Fields::Named(item.fields.clone()), path),
            Syntax::Enum(item) => item.variants.iter().map(variant).collect(),
            _ => Vec::new(),
        }
    }

    fn fields(&mut self, fields: &Fields, path: &[String]) -> Vec<Part> {
        let mut parts = Vec::new();
        for (position, field) in fields.iter().enumerate() {
            let name = match &field.ident {
                Some(name) => name_of(name),
                None => position.to_string(),
            };
            self.private(name.clone(), PrivateKind::Field, &field.vis, path);
            parts.push(Part {
                kind: "field",
                name,
                line: field.ty.span().start().line,
                aspects: vec![
                    aspect("type", field.ty.to_token_stream()),
                    aspect("visibility", field.vis.to_token_stream()),
                ]
                .into_iter()
                .chain(part_attributes(&field.attrs))
                .collect(),
            });
        }
        parts
    }
}

fn foreign_name(item: &syn::ForeignItem) -> Option<&syn::Ident> {
    match item {
        syn::ForeignItem::Fn(item) => Some(&item.sig.ident),
        syn::ForeignItem::Static(item) => Some(&item.ident),
        syn::ForeignItem::Type(item) => Some(&item.ident),
        _ => None,
    }
}
