//! Prepares a whole crate, so that what changed in it can be taken out of its compiled objects.
//!
//! ```text
//! async fn get(&self) { old }         async fn get(&self) { <boxed future of the body> }   async fn __soft_mock_body_get(&self) { old }
//! static COUNT: AtomicU8 = …;         #[used] static COUNT: AtomicU8 = …;
//! ```
//!
//! The crate is then rewritten as the program's was. The future of an async function would hold its
//! body, and whoever awaits it would hold that: with the body behind a pointer, a change of it
//! stays where it is (see `detached`). Statics become `#[used]`: rustc then reaches them through
//! the global offset table, where those of another module can be. Knows nothing of objects and
//! symbols, and not of what changed.

mod detached;

use std::collections::{BTreeMap, HashSet};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    AttrStyle, Attribute, ImplItem, Item, ItemImpl, ItemStatic, ReturnType, Type, Visibility,
};

use crate::analysis::crate_survey::CrateSurvey;
use crate::analysis::eligibility::Kind;
use crate::analysis::function_info::FunctionInfo;
use crate::analysis::known_attributes::is_plain;
use crate::analysis::late_type::late_type;
use crate::syntax::attributes::{has_attribute, is_test_only};
use crate::syntax::columns::Shift;
use crate::syntax::compiled_as::CompiledAs;
use crate::syntax::edits::Edits;
use crate::syntax::names::{plain, site_name, Owner};
use crate::syntax::tree::{line_of, parse_as, CrateTree, SourceFile, SyntaxError};
use crate::syntax::SourceNames;

use detached::{detach, Candidate};

/// The prepared crate, to be rewritten as the program was.
#[derive(Debug)]
pub struct PreparedCrate {
    /// The prepared files.
    pub tree: CrateTree,
    /// Names of new functions, which get no prologue (see
    /// [`Options::without`](crate::instrument::Options)).
    pub without: Vec<String>,
    /// Functions with a site whose body had to be moved and could not be, and why: they can't be
    /// replaced.
    pub attached: BTreeMap<String, String>,
    /// All names of the crate: a static with another one comes from a foreign macro.
    pub names: SourceNames,
}

/// Prepares the crate called `name`, of which `functions` are known. `is_brought`: whether plugins
/// have brought one, and it has a site that all of them share.
pub fn prepare(
    mut tree: CrateTree,
    name: &str,
    functions: &[FunctionInfo],
    is_brought: &dyn Fn(&FunctionInfo) -> bool,
) -> Result<PreparedCrate, SyntaxError> {
    let brought = functions.iter().any(is_brought);
    let borrowing = match brought {
        true => CrateSurvey::of(&tree, false).borrowing,
        false => HashSet::new(),
    };
    let mut without = Vec::new();
    let mut attached = BTreeMap::new();
    let mut names = SourceNames::default();
    names.add(&tree);
    for position in 0..tree.files.len() {
        let file = &tree.files[position];
        let mut preparer = Preparer {
            name,
            without: &mut without,
            functions: functions
                .iter()
                .filter(|function| function.path == file.path && function.kind.is_ok())
                .collect(),
            attached: &mut attached,
            text: file.parsed(),
            module: file.module.clone(),
            is_brought,
            borrowing: &borrowing,
            unknown_macro: false,
            in_unknown_module: false,
            edits: Edits::default(),
        };
        preparer.items(&file.ast.items);
        let shifts = preparer.edits.shifts(preparer.text);
        let text = preparer.edits.apply(preparer.text);
        let text = format!("{}{text}", &file.text[..file.unparsed()]);
        if text != file.text {
            tree.files[position] = reread(tree.compiled_as, file, text, shifts)?;
        }
    }
    Ok(PreparedCrate {
        tree,
        without,
        attached,
        names,
    })
}

fn reread(
    compiled_as: CompiledAs,
    file: &SourceFile,
    text: String,
    shifts: Vec<Shift>,
) -> Result<SourceFile, SyntaxError> {
    let ast = parse_as(compiled_as, &file.path, &text)?;
    Ok(SourceFile {
        path: file.path.clone(),
        module: file.module.clone(),
        text,
        ast,
        columns: file.columns.and(shifts),
    })
}

struct Preparer<'a> {
    name: &'a str,
    without: &'a mut Vec<String>,
    /// The functions of the file that have a site.
    functions: Vec<&'a FunctionInfo>,
    attached: &'a mut BTreeMap<String, String>,
    text: &'a str,
    module: Vec<String>,
    is_brought: &'a dyn Fn(&FunctionInfo) -> bool,
    /// Types with lifetime parameters.
    borrowing: &'a HashSet<String>,
    /// Inside of a module or impl block that a macro may turn into something else.
    unknown_macro: bool,
    /// Inside of such a module.
    in_unknown_module: bool,
    edits: Edits,
}

impl Preparer<'_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(item) => self.function(&Candidate {
                attrs: &item.attrs,
                signature: &item.sig,
                block: &item.block,
                item_impl: None,
            }),
            Item::Impl(item) => self.impl_block(item),
            Item::Mod(item) if !is_test_only(&item.attrs) => {
                if let Some((_, items)) = &item.content {
                    let outside = (self.unknown_macro, self.in_unknown_module);
                    self.unknown_macro |= !is_plain(&item.attrs);
                    self.in_unknown_module = self.unknown_macro;
                    self.module.push(plain(&item.ident.to_string()));
                    self.items(items);
                    self.module.pop();
                    (self.unknown_macro, self.in_unknown_module) = outside;
                    return;
                }
            }
            _ => {}
        }
        if !matches!(item, Item::Mod(_)) {
            self.statics_in(item);
        }
    }

    fn impl_block(&mut self, item: &ItemImpl) {
        let outside = self.unknown_macro;
        self.unknown_macro |= !is_plain(&item.attrs);
        for inner in &item.items {
            if let ImplItem::Fn(function) = inner {
                self.function(&Candidate {
                    attrs: &function.attrs,
                    signature: &function.sig,
                    block: &function.block,
                    item_impl: Some(item),
                });
            }
        }
        self.unknown_macro = outside;
    }

    /// Makes the statics of an item `#[used]`.
    fn statics_in(&mut self, item: &Item) {
        let mut statics = Statics::default();
        statics.visit_item(item);
        for place in statics.places {
            self.edits.insert(place, "#[used] ");
        }
    }

    /// Moves the body of a function where that is needed and possible: that of an async function,
    /// one under an attribute macro, which may change what stands around the body, and that of a
    /// function which plugins have brought: who calls it asks the site of that.
    fn function(&mut self, candidate: &Candidate<'_>) {
        let line = line_of(candidate.signature.ident.span());
        let owner = candidate.item_impl.map_or(Owner::Free, Owner::of_impl);
        let name = self.site_name(&owner, &plain(&candidate.signature.ident.to_string()));
        let here = |function: &&&FunctionInfo| function.line == line && function.name == name;
        let Some(known) = self.functions.iter().find(here) else {
            return;
        };
        let is_async = known.kind == Ok(Kind::Async);
        let (signature, item_impl) = (candidate.signature, candidate.item_impl);
        let late_type = (self.is_brought)(known)
            .then(|| late_type(signature, item_impl, self.borrowing))
            .flatten();
        let is_needed = is_async || self.unknown_macro || !is_plain(candidate.attrs);
        if !is_needed && late_type.is_none() {
            return;
        }
        if candidate.stays_in_place() && !self.in_unknown_module {
            return;
        }
        match self.unfit(candidate) {
            None => {
                let text = self.text;
                let added = detach(text, candidate, is_async, late_type, &mut self.edits);
                for name in added {
                    let site = self.site_name(&owner, &name);
                    self.without.push(site);
                }
            }
            Some(why) if is_needed => {
                self.attached.insert(name, why.to_owned());
            }
            // It has no site of the kind then.
            Some(_) => {}
        }
    }

    fn site_name(&self, owner: &Owner, function: &str) -> String {
        let mut path = vec![self.name.to_owned()];
        path.extend(self.module.iter().cloned());
        site_name(&path.join("::"), owner, function)
    }

    fn unfit(&self, candidate: &Candidate<'_>) -> Option<&'static str> {
        let inner = |attr: &Attribute| matches!(attr.style, AttrStyle::Inner(_));
        let is_async = candidate.signature.asyncness.is_some();
        let in_trait = candidate
            .item_impl
            .is_some_and(|item| item.trait_.is_some());
        if self.unknown_macro {
            return Some("an attribute macro may turn what it stands in into something else");
        }
        if candidate.attrs.iter().any(inner) {
            return Some("its body starts with an attribute");
        }
        match is_async {
            true if is_never(&candidate.signature.output) => Some("it is async and never returns"),
            true if in_trait => Some("it is an async method of a trait"),
            false if in_trait => Some("it is a method of a trait with an attribute macro"),
            _ => None,
        }
    }
}

/// The statics of a piece of code.
#[derive(Default)]
struct Statics {
    /// Where `#[used]` can be inserted.
    places: Vec<usize>,
}

impl<'ast> Visit<'ast> for Statics {
    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
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
}

fn is_never(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)))
}

#[cfg(test)]
mod tests;
