//! The crate once more, prepared so that the new code of changed functions can be taken out of it.
//!
//! ```text
//! fn get(&self) -> u8 { static N: … }     #[inline(never)] #[link_section = ".text.__soft_mock_patch_0"] fn get(&self) -> u8 { #[used] static N: … }
//! ```
//!
//! The text is that of the program otherwise, prologues and visibility included, so that every name
//! means and every symbol is called what it is in the program. A changed function keeps its place,
//! and with it the paths of what its body declares; its section says where its code is. What an
//! async function needs is in `detached`.
//!
//! Statics become `#[used]`: rustc then reaches them through the global offset table, where those of
//! another module can be. Knows nothing of objects and symbols.

mod detached;

use std::collections::HashSet;
use std::path::PathBuf;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItem, Item, ItemImpl, ItemStatic, Signature, Visibility};

use crate::edition::Edition;
use crate::edits::{blank, Edits};
use crate::eligibility::{has_attribute, is_test_only, Kind};
use crate::facts::{identifiers, is_plain};
use crate::names::{site_name, Owner};
use crate::prologue::plain;
use crate::tree::{line_of, parse, CrateTree, SourceFile};
use crate::visibility::signature_start;

/// A function whose new code is wanted.
#[derive(Debug, Clone)]
pub struct WholeFunction {
    /// The name of its site.
    pub name: String,
    /// The file it stands in.
    pub path: PathBuf,
    /// The line of its name.
    pub line: usize,
    /// How it is replaced.
    pub kind: Kind,
    /// Async: its future need not be `Send`. The caller has made sure that the original's isn't.
    pub not_send: bool,
}

/// The prepared crate, to be rewritten as the program was.
#[derive(Debug)]
pub struct WholeSource {
    /// The prepared files.
    pub tree: CrateTree,
    /// Names of new functions, which get no prologue (see [`Options::without`](crate::Options)).
    pub without: Vec<String>,
    /// What is to be looked for, in the order of the functions that were asked for.
    pub parts: Vec<WholePart>,
    /// All identifiers of the crate: a static with another name comes from a foreign macro.
    pub words: HashSet<String>,
}

/// How the new code of one function is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholePart {
    /// The name of its site.
    pub name: String,
    /// The section that holds it, and nothing else.
    pub section: String,
    /// Async: the name under which the body is compiled, and the one it has in the program. They
    /// have the same length, so symbols differ in these letters alone.
    pub detached: Option<(String, String)>,
}

/// A function that can't be replaced this way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct WholeRefusal {
    /// The name of its site.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// Prepares the crate called `name`.
pub fn whole(
    mut tree: CrateTree,
    name: &str,
    edition: Edition,
    functions: &[WholeFunction],
) -> Result<WholeSource, WholeRefusal> {
    let mut without = Vec::new();
    let mut parts: Vec<Option<WholePart>> = vec![None; functions.len()];
    let mut words = HashSet::new();
    for file in &tree.files {
        identifiers(file.ast.to_token_stream(), &mut words);
    }
    for position in 0..tree.files.len() {
        let file = &tree.files[position];
        let mut preparer = Preparer {
            name,
            edition,
            without: &mut without,
            functions,
            parts: &mut parts,
            words: &mut words,
            text: without_first_line(&file.text),
            path: file.path.clone(),
            module: file.module.clone(),
            unknown_macro: false,
            edits: Edits::default(),
        };
        preparer.items(&file.ast.items)?;
        let skipped = file.text.len() - preparer.text.len();
        let text = preparer.edits.apply(preparer.text);
        let text = format!("{}{text}", &file.text[..skipped]);
        if text != file.text {
            tree.files[position] = reread(file, text)?;
        }
    }
    let found = functions.iter().zip(parts).map(|(function, part)| {
        let repeated = tree
            .files
            .iter()
            .filter(|file| file.path == function.path)
            .count()
            > 1;
        match part {
            _ if repeated => refuse(&function.name, "its file stands in several modules"),
            None => refuse(&function.name, "it is not where it was in its file"),
            Some(part) => Ok(part),
        }
    });
    let parts = found.collect::<Result<_, _>>()?;
    Ok(WholeSource {
        tree,
        without,
        parts,
        words,
    })
}

/// syn leaves out a byte order mark and a `#!` line: offsets count from behind them.
fn without_first_line(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let script = text
        .strip_prefix("#!")
        .filter(|rest| !rest.trim_start().starts_with('['));
    match script {
        Some(rest) => rest.find('\n').map_or("", |end| &rest[end..]),
        None => text,
    }
}

fn reread(file: &SourceFile, text: String) -> Result<SourceFile, WholeRefusal> {
    let ast = parse(&file.path, &text).map_err(|error| WholeRefusal {
        name: file.module.join("::"),
        reason: format!("the prepared file is no Rust: {error}"),
    })?;
    Ok(SourceFile {
        path: file.path.clone(),
        module: file.module.clone(),
        text,
        ast,
    })
}

fn refuse<T>(name: &str, reason: &str) -> Result<T, WholeRefusal> {
    Err(WholeRefusal {
        name: name.to_owned(),
        reason: reason.to_owned(),
    })
}

/// The name of the section of the function at `position`.
fn section(position: usize) -> String {
    format!(".text.__soft_mock_patch_{position}")
}

struct Preparer<'a> {
    name: &'a str,
    edition: Edition,
    without: &'a mut Vec<String>,
    functions: &'a [WholeFunction],
    parts: &'a mut [Option<WholePart>],
    /// Identifiers that can't be given to anything new.
    words: &'a mut HashSet<String>,
    text: &'a str,
    path: PathBuf,
    module: Vec<String>,
    /// Inside of a module or impl block that a macro may turn into something else.
    unknown_macro: bool,
    edits: Edits,
}

/// A function with a body, where it stands.
struct Candidate<'a> {
    attrs: &'a [Attribute],
    vis: &'a Visibility,
    signature: &'a Signature,
    block: &'a Block,
    item_impl: Option<&'a ItemImpl>,
}

impl Preparer<'_> {
    fn items(&mut self, items: &[Item]) -> Result<(), WholeRefusal> {
        for item in items {
            self.item(item)?;
        }
        Ok(())
    }

    fn item(&mut self, item: &Item) -> Result<(), WholeRefusal> {
        match item {
            Item::Fn(item) => self.function(&Candidate {
                attrs: &item.attrs,
                vis: &item.vis,
                signature: &item.sig,
                block: &item.block,
                item_impl: None,
            })?,
            Item::Impl(item) => self.impl_block(item)?,
            Item::Mod(item) if !is_test_only(&item.attrs) => {
                if let Some((_, items)) = &item.content {
                    let outside = self.unknown_macro;
                    self.unknown_macro |= !is_plain(&item.attrs);
                    self.module.push(plain(&item.ident.to_string()));
                    self.items(items)?;
                    self.module.pop();
                    self.unknown_macro = outside;
                    return Ok(());
                }
            }
            _ => {}
        }
        if !matches!(item, Item::Mod(_)) {
            self.statics_in(item);
        }
        Ok(())
    }

    fn impl_block(&mut self, item: &ItemImpl) -> Result<(), WholeRefusal> {
        let outside = self.unknown_macro;
        self.unknown_macro |= !is_plain(&item.attrs);
        for inner in &item.items {
            if let ImplItem::Fn(function) = inner {
                self.function(&Candidate {
                    attrs: &function.attrs,
                    vis: &function.vis,
                    signature: &function.sig,
                    block: &function.block,
                    item_impl: Some(item),
                })?;
            }
        }
        self.unknown_macro = outside;
        Ok(())
    }

    /// Makes the statics of an item `#[used]`.
    fn statics_in(&mut self, item: &Item) {
        let mut statics = Statics::default();
        statics.visit_item(item);
        self.edits_for(statics.places);
    }

    fn edits_for(&mut self, places: Vec<usize>) {
        for place in places {
            self.edits.insert(place, "#[used] ");
        }
    }

    fn function(&mut self, candidate: &Candidate<'_>) -> Result<(), WholeRefusal> {
        let Some(position) = self.position(candidate) else {
            return Ok(());
        };
        let functions = self.functions;
        let wanted = &functions[position];
        if self.parts[position].is_some() {
            return refuse(&wanted.name, "there are two of it in its file");
        }
        if let Some(reason) = self.unfit(candidate, wanted.kind) {
            return refuse(&wanted.name, &reason);
        }
        let mut statics = Statics::default();
        statics.visit_block(candidate.block);
        if let Some(name) = statics.twice {
            return refuse(
                &wanted.name,
                &format!("its body declares static `{name}` twice"),
            );
        }
        let detached = match wanted.kind {
            Kind::Sync => {
                self.mark(candidate, position);
                None
            }
            Kind::Async => Some(self.detach(candidate, position)?),
        };
        self.parts[position] = Some(WholePart {
            name: wanted.name.clone(),
            section: section(position),
            detached,
        });
        Ok(())
    }

    fn position(&self, candidate: &Candidate<'_>) -> Option<usize> {
        let line = line_of(candidate.signature.ident.span());
        let here = |function: &WholeFunction| function.line == line && function.path == self.path;
        if !self.functions.iter().any(here) {
            return None;
        }
        let owner = candidate.item_impl.map_or(Owner::Free, Owner::of_impl);
        let name = self.site_name(&owner, &plain(&candidate.signature.ident.to_string()));
        self.functions
            .iter()
            .position(|function| here(function) && function.name == name)
    }

    fn site_name(&self, owner: &Owner, function: &str) -> String {
        let mut path = vec![self.name.to_owned()];
        path.extend(self.module.iter().cloned());
        site_name(&path.join("::"), owner, function)
    }

    fn unfit(&self, candidate: &Candidate<'_>, kind: Kind) -> Option<String> {
        let attrs = candidate.attrs;
        if self.unknown_macro || !is_plain(attrs) {
            return Some("an attribute macro may turn it into something else".to_owned());
        }
        let text = |attr: &Attribute| attr.meta.to_token_stream().to_string();
        if attrs.iter().any(|attr| text(attr).contains("track_caller")) {
            return Some("it is #[track_caller]: it needs to know who calls it".to_owned());
        }
        if has_attribute(attrs, "link_section") {
            return Some("it has a #[link_section] of its own".to_owned());
        }
        let in_trait = candidate
            .item_impl
            .is_some_and(|item| item.trait_.is_some());
        (kind == Kind::Async && in_trait).then(|| "it is an async method of a trait".to_owned())
    }

    /// Gives a function its section, and keeps it out of others.
    fn mark(&mut self, candidate: &Candidate<'_>, position: usize) {
        for attr in candidate
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("inline"))
        {
            let range = attr.span().byte_range();
            self.edits.replace(range.clone(), blank(&self.text[range]));
        }
        let first = match candidate.vis {
            Visibility::Inherited => signature_start(candidate.signature),
            vis => vis.span().byte_range().start,
        };
        let attributes = self.attributes(position);
        self.edits.insert(first, attributes);
    }

    fn attributes(&self, position: usize) -> String {
        let section = self
            .edition
            .unsafe_attribute(&format!("link_section = {:?}", section(position)));
        format!("#[inline(never)] {section} ")
    }
}

/// The statics of a piece of code.
#[derive(Default)]
struct Statics {
    /// Where `#[used]` can be inserted.
    places: Vec<usize>,
    /// Names of all of them, those in macros included.
    names: HashSet<String>,
    /// One that occurs more than once.
    twice: Option<String>,
}

impl Statics {
    fn found(&mut self, name: String) {
        if !self.names.insert(name.clone()) {
            self.twice = Some(name);
        }
    }

    /// `static NAME`, `static ref NAME`, `static mut NAME` among the tokens of a macro.
    fn in_tokens(&mut self, tokens: TokenStream) {
        let mut after_static = false;
        let mut after_quote = false;
        for token in tokens {
            let word = match token {
                TokenTree::Group(group) => {
                    self.in_tokens(group.stream());
                    None
                }
                TokenTree::Ident(ident) => Some(ident.to_string()),
                TokenTree::Punct(ref punct) => {
                    after_quote = punct.as_char() == '\'';
                    after_static = false;
                    continue;
                }
                TokenTree::Literal(_) => None,
            };
            match word.as_deref() {
                Some("static") => after_static = !after_quote,
                Some("mut" | "ref") => {}
                Some(name) if after_static => {
                    self.found(plain(name));
                    after_static = false;
                }
                _ => after_static = false,
            }
            after_quote = false;
        }
    }
}

impl<'ast> Visit<'ast> for Statics {
    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        self.found(plain(&item.ident.to_string()));
        if is_plain(&item.attrs) && !has_attribute(&item.attrs, "used") {
            let first = match &item.vis {
                Visibility::Inherited => item.static_token.span.byte_range().start,
                vis => vis.span().byte_range().start,
            };
            self.places.push(first);
        }
        visit::visit_item_static(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.in_tokens(call.tokens.clone());
    }
}

#[cfg(test)]
mod tests;
