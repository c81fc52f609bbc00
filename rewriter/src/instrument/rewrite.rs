//! Rewrites the files of one crate: prologues, fields, and for a twin all other visibility.
//!
//! ```text
//! tree ─► facts of the whole crate ─► one list of insertions a file ─► text
//! ```

use std::collections::HashSet;
use std::path::PathBuf;

use quote::ToTokens;
use soft_mock_abi::symbol::MAIN;
use syn::{Attribute, Field, Fields, ForeignItem, ImplItem, Item, ItemImpl, Signature};

use crate::analysis::crate_survey::CrateSurvey;
use crate::analysis::eligibility::{classify, classify_for_tests, Ineligible, Place};
use crate::analysis::function_info::FunctionInfo;
use crate::analysis::hidden::{scope, Hidden};
use crate::analysis::mock_targets::MockTargets;
use crate::analysis::nested_items::{of_block, of_value};
use crate::analysis::skip::is_skipped;
use crate::instrument::instance::Surroundings;
use crate::instrument::prologue::{Dialect, PrologueTarget};
use crate::instrument::prologue_check::PrologueCheck;
use crate::instrument::support::{support_module_with, CrateIdentity};
use crate::instrument::visibility::{widen, MentionPlaces, Twin};
use crate::instrument::{
    carry, column, instance, item, macro_functions, prologue, redirect, refused,
};
use crate::syntax::attributes::is_test_only;
use crate::syntax::columns::Columns;
use crate::syntax::compiled_as::CompiledAs;
use crate::syntax::edition::Edition;
use crate::syntax::edits::Edits;
use crate::syntax::names::{plain, raw, signature_text, site_name, Owner};
use crate::syntax::tree::{line_of, CrateTree, SourceFile};

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// The crate that runs.
    #[default]
    Program,
    /// The crate that plugins are compiled against.
    Twin,
}

/// How to rewrite a crate. By default: the program, of the oldest edition, with nothing left out.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The program, or its twin.
    pub output: Output,
    /// The crate's edition.
    pub edition: Edition,
    /// What the crate says of itself at run time.
    pub facts: CrateIdentity,
    /// The crate is a binary: its main function is made callable as `__soft_mock_main`.
    pub main: bool,
    /// For tests: calls of the standard library are redirected, closures and threads carry the
    /// scope of their test, async functions carry a type id, and functions without a site leave
    /// word.
    pub mocks: bool,
    /// Of these, only functions that something in the crate's sources names where mocks are made
    /// get a site: nobody else mocks them. Nor is anything in it patched, so no calls are counted.
    pub only_named: bool,
    /// How a prologue finds out that its site is used.
    pub check: PrologueCheck,
    /// Names of sites that carry no type id.
    pub untyped: HashSet<String>,
    /// Names of functions that get no prologue.
    pub without: HashSet<String>,
    /// Patterns of names of functions that the user wants left alone; see [`is_skipped`].
    pub skip: Vec<String>,
    /// Lines on which no closure carries the scope of its test.
    pub uncarried: HashSet<(PathBuf, usize)>,
}

/// A rewritten crate.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// Path and new text, in the order of the tree.
    pub files: Vec<(PathBuf, String)>,
    /// Files in which code stands in other columns now.
    pub columns: Vec<(PathBuf, Columns)>,
    /// The first and last lines of closures that carry the scope of their test.
    pub carrying: Vec<(PathBuf, (usize, usize))>,
    /// All functions that were seen.
    pub functions: Vec<FunctionInfo>,
    /// Private names that were left alone.
    pub hidden: Vec<Hidden>,
}

/// Rewrites a crate.
pub fn rewrite(tree: &CrateTree, options: &Options) -> Rewritten {
    let facts = CrateSurvey::of(tree, !options.only_named);
    let mentions = match options.output {
        Output::Program => MentionPlaces::default(),
        Output::Twin => MentionPlaces::of(tree),
    };
    let targets = match options.only_named {
        true => MockTargets::of(tree),
        false => MockTargets::All,
    };
    let mut unnamed = Vec::new();
    let mut out = Rewritten::default();
    let mut written: HashSet<PathBuf> = HashSet::new();
    let std = match facts.no_std {
        true => redirect::Std::Added,
        false => redirect::Std::Declared,
    };
    // Paths that begin with a crate aren't read as such in the oldest edition.
    let are_paths_read = options.edition != Edition::E2015;
    for file in &tree.files {
        if !written.insert(file.path.clone()) {
            continue;
        }
        let mut rewriter = Rewriter {
            options,
            compiled_as: tree.compiled_as,
            facts: &facts,
            mentions: &mentions,
            file,
            module: file.crate_module(&options.facts.name),
            in_body: false,
            is_below_body: false,
            path: file.module.clone(),
            edits: Edits::default(),
            functions: &mut out.functions,
            hidden: &mut out.hidden,
            targets: &targets,
            unnamed: &mut unnamed,
        };
        rewriter.items(&file.ast.items);
        let mut edits = rewriter.edits;
        let (before, parsed) = file.text.split_at(file.unparsed());
        if options.mocks {
            if are_paths_read {
                redirect::insert(parsed, &file.ast, &mut edits);
            }
            let without = options.uncarried.iter();
            let without = without.filter(|(path, _)| *path == file.path);
            let without = without.map(|(_, line)| *line).collect();
            let lines = carry::insert(&file.ast, options.edition, &without, &mut edits);
            let lines = lines.into_iter().map(|lines| (file.path.clone(), lines));
            out.carrying.extend(lines);
        }
        column::insert(file, &mut edits);
        let columns = file.columns.and(edits.shifts(parsed));
        if !columns.are_kept() {
            out.columns.push((file.path.clone(), columns));
        }
        let text = before.to_owned() + &edits.apply(parsed);
        out.files.push((file.path.clone(), text));
    }
    if let Some((_, root)) = out.files.first_mut() {
        let mut more = String::new();
        if options.mocks {
            more += &instance::support(options.edition);
            more += &item::support();
            more += &refused::support(options.edition, &out.functions);
            more += &refused::unnamed(options.edition, &options.facts.name, &unnamed);
            more += &carry::support(options.edition);
            let sources = tree.files.iter().map(|file| &file.ast);
            more += &redirect::support(options.edition, options.facts.unit, std, sources);
        }
        root.push('\n');
        root.push_str(&root_text(options, &more));
        if options.mocks {
            root.push_str(std.declaration());
        }
    }
    out
}

/// What stands after the last line of the root file; `more` of it in the support module.
fn root_text(options: &Options, more: &str) -> String {
    let mut text = support_module_with(options.edition, &options.facts, more);
    if options.main {
        text.push_str(&format!(
            "#[doc(hidden)] pub fn {MAIN}() -> impl ::std::process::Termination {{ main() }}\n"
        ));
    }
    text
}

struct Rewriter<'a> {
    options: &'a Options,
    compiled_as: CompiledAs,
    facts: &'a CrateSurvey,
    mentions: &'a MentionPlaces,
    file: &'a SourceFile,
    /// Where it is: a module, or a function in whose body it is.
    module: String,
    in_body: bool,
    /// It is in a body, or in a module in one.
    is_below_body: bool,
    path: Vec<String>,
    edits: Edits,
    functions: &'a mut Vec<FunctionInfo>,
    hidden: &'a mut Vec<Hidden>,
    targets: &'a MockTargets,
    /// The names of functions that are no such targets.
    unnamed: &'a mut Vec<String>,
}

impl<'a> Rewriter<'a> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Item) {
        if is_test_only(attributes(item)) {
            return;
        }
        if self.options.output == Output::Twin {
            let mut twin = Twin {
                mentions: self.mentions,
                module: &self.path,
                hidden: self.hidden,
            };
            twin.item(item, &mut self.edits);
        }
        match item {
            Item::Fn(_) | Item::Impl(_) | Item::Trait(_) => self.functions_of(item),
            Item::Mod(item) => {
                if let Some((_, items)) = &item.content {
                    self.inline_module(&item.ident.to_string(), items);
                }
            }
            Item::Struct(item) => self.fields(&item.ident.to_string(), &item.attrs, &item.fields),
            Item::Union(item) => {
                let fields = Fields::Named(item.fields.clone());
                self.fields(&item.ident.to_string(), &item.attrs, &fields);
            }
            Item::ForeignMod(item) => self.foreign(&item.items),
            Item::Macro(item) if self.options.mocks => self.macro_functions(item),
            Item::Const(item) => self.in_body(&self.module.clone(), || of_value(&item.expr)),
            Item::Static(item) => self.in_body(&self.module.clone(), || of_value(&item.expr)),
            _ => {}
        }
    }

    /// The functions that an item itself is or has.
    fn functions_of(&mut self, item: &Item) {
        match item {
            Item::Fn(item) => {
                let around = self.free();
                self.function(&item.attrs, &item.sig, Some(&item.block), around);
            }
            Item::Impl(item) => self.impl_block(item),
            Item::Trait(item) => self.trait_defaults(item),
            _ => {}
        }
    }

    /// Whether the path to where it is has to be written down: a module has names that are written
    /// `r#name`, or it is no module.
    fn is_path_written(&self) -> bool {
        self.is_below_body || self.path.iter().any(|name| raw(name) != *name)
    }

    fn inline_module(&mut self, name: &str, items: &[Item]) {
        let outer = self.module.clone();
        self.module = format!("{outer}::{}", plain(name));
        self.path.push(plain(name));
        self.items(items);
        self.path.pop();
        self.module = outer;
    }

    fn impl_block(&mut self, item: &ItemImpl) {
        for inner in &item.items {
            if item.trait_.is_none() && self.options.output == Output::Twin {
                let mut twin = Twin {
                    mentions: self.mentions,
                    module: &self.path,
                    hidden: self.hidden,
                };
                twin.impl_item(inner, &mut self.edits);
            }
            if let ImplItem::Fn(function) = inner {
                if !is_test_only(&function.attrs) {
                    self.function(
                        &function.attrs,
                        &function.sig,
                        Some(&function.block),
                        Surroundings {
                            item_impl: Some(item),
                            ..self.free()
                        },
                    );
                }
            }
        }
    }

    fn macro_functions(&mut self, item: &syn::ItemMacro) {
        for function in macro_functions::functions(item) {
            if function
                .name()
                .is_some_and(|name| !self.targets.include(&name))
            {
                continue;
            }
            let dialect = |name: &str| {
                let left_out = self.options.without.contains(name);
                let left_out = left_out || is_skipped(&self.options.skip, name);
                (!left_out).then(|| self.dialect(name))
            };
            let path = &self.file.path;
            let inserted = function.prologue(&self.module, path, &dialect);
            if let Some((position, text, info)) = inserted {
                self.edits.insert(position, text);
                self.functions.push(info);
            }
        }
    }

    fn dialect(&self, site: &str) -> Dialect<'a> {
        Dialect {
            edition: self.options.edition,
            borrowing: &self.facts.borrowing,
            lifetimes: &self.facts.lifetimes,
            type_ids: !self.options.untyped.contains(site),
            mocks: self.options.mocks,
            check: self.options.check,
        }
    }

    fn trait_defaults(&mut self, item: &syn::ItemTrait) {
        for inner in &item.items {
            if let syn::TraitItem::Fn(function) = inner {
                self.function(
                    &function.attrs,
                    &function.sig,
                    function.default.as_ref(),
                    Surroundings {
                        item_trait: Some(item),
                        ..self.free()
                    },
                );
            }
        }
    }

    fn function(
        &mut self,
        attrs: &[Attribute],
        signature: &Signature,
        block: Option<&syn::Block>,
        around: Surroundings<'_>,
    ) {
        let Some(block) = block else { return };
        let item_impl = around.item_impl;
        let owner = match around.item_trait.filter(|_| self.options.mocks) {
            Some(item) => Owner::of_trait(item),
            None => item_impl.map_or(Owner::Free, Owner::of_impl),
        };
        let name = plain(&signature.ident.to_string());
        let site = site_name(&self.module, &owner, &name);
        self.in_body(&site, || of_block(block));
        if !self.targets.include(&name) {
            self.unnamed.push(site);
            return;
        }
        let place = Place {
            impl_generics: item_impl.map(|item| &item.generics),
            in_trait: around.item_trait.is_some(),
            in_trait_impl: item_impl.is_some_and(|item| item.trait_.is_some()),
            free_in_body: self.in_body && item_impl.is_none() && around.item_trait.is_none(),
            no_std: self.facts.no_std,
            compiled_as: self.compiled_as,
        };
        let mut kind = match self.options.mocks {
            true => classify_for_tests(attrs, signature, place),
            false => classify(attrs, signature, place).map(|kind| (kind, false)),
        };
        if kind.is_ok() && self.options.without.contains(&site) {
            kind = Err(Ineligible::Refused);
        }
        if kind.is_ok() && is_skipped(&self.options.skip, &site) {
            kind = Err(Ineligible::LeftOut);
        }
        if matches!(kind, Ok((_, true))) {
            if let Some(why) = instance::hindrance(signature, around) {
                kind = Err(why);
            } else if self.options.untyped.contains(&site) {
                kind = Err(Ineligible::Refused);
            }
        }
        if let Ok((kind, has_instances)) = kind {
            let main = self.options.main
                && !self.is_below_body
                && self.path.is_empty()
                && item_impl.is_none()
                && name == "main";
            let function = PrologueTarget {
                attrs,
                signature,
                block,
                owner: &owner,
                module: self.is_path_written().then_some(&*self.module),
                around,
                instances: has_instances,
                kind,
                counted: main || self.facts.counted.contains(&name),
                main,
                expanded: false,
            };
            let dialect = self.dialect(&site);
            prologue::insert(self.file.parsed(), &function, &dialect, &mut self.edits);
        }
        self.functions.push(FunctionInfo {
            name: site,
            signature: signature_text(signature),
            path: self.file.path.clone(),
            line: line_of(signature.ident.span()),
            first_line: first_line(attrs, signature),
            brace_line: line_of(block.brace_token.span.open()),
            kind: kind.map(|(kind, _)| kind),
        });
    }

    fn fields(&mut self, name: &str, attrs: &[Attribute], fields: &Fields) {
        let free = self.facts.fields_are_free(name, attrs);
        for (position, field) in fields.iter().enumerate() {
            let Some(scope) = scope(&field.vis, &self.path) else {
                continue;
            };
            if free {
                widen(&field.vis, field_start(field), &mut self.edits);
            } else {
                let name = field.ident.as_ref().map(ToString::to_string);
                self.hidden.push(Hidden {
                    name: name.unwrap_or_else(|| position.to_string()),
                    field: true,
                    scope,
                });
            }
        }
    }

    fn foreign(&mut self, items: &[ForeignItem]) {
        if self.options.output == Output::Program {
            return;
        }
        for item in items {
            let (vis, first) = match item {
                ForeignItem::Fn(f) => (
                    &f.vis,
                    crate::instrument::visibility::signature_start(&f.sig),
                ),
                ForeignItem::Static(s) => (&s.vis, s.static_token.span.byte_range().start),
                _ => continue,
            };
            widen(vis, first, &mut self.edits);
        }
    }
}

/// Where the first token of a field after its visibility stands.
fn field_start(field: &Field) -> usize {
    let token = match &field.ident {
        Some(ident) => ident.to_token_stream(),
        None => field.ty.to_token_stream(),
    };
    token
        .into_iter()
        .next()
        .map_or(0, |token| token.span().byte_range().start)
}

/// See [`FunctionInfo::first_line`].
fn first_line(attrs: &[Attribute], signature: &Signature) -> usize {
    let outer = attrs.iter().map(|attr| line_of(attr.pound_token.span));
    let name = line_of(signature.ident.span());
    outer.min().map_or(name, |first| first.min(name))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Const(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::ForeignMod(i) => &i.attrs,
        _ => &[],
    }
}

mod bodies;
#[cfg(test)]
mod tests;
