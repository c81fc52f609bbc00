//! What must be known of a whole crate before one of its files can be rewritten.
//!
//! Found by name, and on the safe side: a type that might have a `Deref` impl counts as one that
//! has.
//!
//! ```text
//! impl Deref for Store { … }      fields of `Store` stay private: one may hide another's behind it
//! struct Cursor<'a> { … }         `Cursor` in a signature leaves a lifetime out
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Generics, Item, ItemMacro, Signature};

use crate::analysis::known_attributes::is_plain;
use crate::analysis::long_running::CallGraph;
use crate::syntax::attributes::is_test_only;
use crate::syntax::hidden_lifetimes::LifetimeCounts;
use crate::syntax::mentions::identifiers;
use crate::syntax::normalize::normalize;
use crate::syntax::tree::CrateTree;

/// What is known of a crate.
#[derive(Debug, Default)]
pub(crate) struct CrateSurvey {
    /// The crate has no standard library.
    pub(crate) no_std: bool,
    /// Types that may dereference to another: a field of theirs may hide one behind it.
    pub(crate) deref_types: HashSet<String>,
    /// Types with lifetime parameters.
    pub(crate) borrowing: HashSet<String>,
    /// How many lifetime parameters the types have.
    pub(crate) lifetimes: LifetimeCounts,
    /// Names of functions whose calls are counted.
    pub(crate) counted: HashSet<String>,
}

/// Item macros that give no type a `Deref` impl that its author did not write.
const KNOWN_MACROS: [&str; 12] = [
    "thread_local",
    "lazy_static",
    "bitflags",
    "cfg_if",
    "pin_project",
    "pin_project_lite",
    "macro_rules",
    "println",
    "compile_error",
    "const_assert",
    "assert_impl_all",
    "include",
];

impl CrateSurvey {
    /// Reads the facts from all files of a crate. Whose calls are counted is known if `counts`.
    pub(crate) fn of(tree: &CrateTree, counts: bool) -> Self {
        let mut facts = Self {
            no_std: tree.is_no_std(),
            ..Self::default()
        };
        let mut collector = Collector {
            functions: counts.then(CallGraph::default),
            deref_macros: deref_macros(tree),
            facts: &mut facts,
        };
        for file in &tree.files {
            collector.visit_file(&file.ast);
        }
        let functions = collector.functions;
        facts.counted = functions.map_or_else(HashSet::new, |functions| functions.counted());
        facts
    }

    /// Whether the private fields of a struct can be made `pub` in the program without any effect.
    pub(crate) fn fields_are_free(&self, name: &str, attrs: &[Attribute]) -> bool {
        !self.deref_types.contains(name) && is_plain(attrs)
    }
}

/// Who can see the fields of a struct in the program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldsSeen {
    /// Everybody: all are made `pub`.
    ByAll,
    /// Who can by the source: the visibility of each.
    AsWritten(Vec<String>),
}

/// By name of a struct, who can see its fields in the program. It is part of the type's identity:
/// the same types must have it in every compilation of a program.
pub fn fields_seen(tree: &CrateTree) -> BTreeMap<String, BTreeSet<FieldsSeen>> {
    struct Finder<'f> {
        facts: &'f CrateSurvey,
        found: BTreeMap<String, BTreeSet<FieldsSeen>>,
    }
    impl Finder<'_> {
        fn add<'a>(
            &mut self,
            name: &syn::Ident,
            attrs: &[Attribute],
            fields: impl Iterator<Item = &'a syn::Field>,
        ) {
            let name = name.to_string();
            let seen = match self.facts.fields_are_free(&name, attrs) {
                true => FieldsSeen::ByAll,
                false => {
                    let visibility = fields.map(|field| normalize(field.vis.to_token_stream()));
                    FieldsSeen::AsWritten(visibility.collect())
                }
            };
            self.found.entry(name).or_default().insert(seen);
        }
    }
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.add(&item.ident, &item.attrs, item.fields.iter());
        }
        fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
            self.add(&item.ident, &item.attrs, item.fields.named.iter());
        }
    }
    let facts = CrateSurvey::of(tree, false);
    let mut finder = Finder {
        facts: &facts,
        found: BTreeMap::new(),
    };
    for file in &tree.files {
        finder.visit_file(&file.ast);
    }
    finder.found
}

/// The crate's own macros whose definition speaks of `Deref`.
fn deref_macros(tree: &CrateTree) -> HashSet<String> {
    struct Finder(HashSet<String>);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
            if let Some(name) = &item.ident {
                let mut idents = HashSet::new();
                identifiers(item.mac.tokens.clone(), &mut idents);
                if idents.contains("Deref") || idents.contains("DerefMut") {
                    self.0.insert(name.to_string());
                }
            }
        }
    }
    let mut finder = Finder(HashSet::new());
    for file in &tree.files {
        finder.visit_file(&file.ast);
    }
    finder.0
}

struct Collector<'a> {
    facts: &'a mut CrateSurvey,
    /// None: no calls are counted.
    functions: Option<CallGraph>,
    deref_macros: HashSet<String>,
}

impl Collector<'_> {
    fn generics(&mut self, name: &syn::Ident, generics: &Generics) {
        let (name, count) = (name.to_string(), generics.lifetimes().count());
        self.facts.lifetimes.declare(&name, count);
        if count > 0 {
            self.facts.borrowing.insert(name);
        }
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        if let Some(functions) = &mut self.functions {
            functions.add(&signature.ident.to_string(), block);
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Mod(module) = item {
            if is_test_only(&module.attrs) {
                return;
            }
        }
        match item {
            Item::Struct(item) => self.generics(&item.ident, &item.generics),
            Item::Enum(item) => self.generics(&item.ident, &item.generics),
            Item::Union(item) => self.generics(&item.ident, &item.generics),
            Item::Type(item) => self.generics(&item.ident, &item.generics),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let deref = item.trait_.as_ref().is_some_and(|(_, path, _)| {
            path.segments
                .last()
                .is_some_and(|s| s.ident == "Deref" || s.ident == "DerefMut")
        });
        if deref {
            identifiers(item.self_ty.to_token_stream(), &mut self.facts.deref_types);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        let Some(name) = item.mac.path.segments.last() else {
            return;
        };
        let name = name.ident.to_string();
        if let Some(own) = &item.ident {
            if let Some(functions) = &mut self.functions {
                functions.add_macro(&own.to_string(), item.mac.tokens.clone());
            }
        }
        let own_and_free = item.ident.is_some() || KNOWN_MACROS.contains(&name.as_str());
        let mut idents = HashSet::new();
        identifiers(item.mac.tokens.clone(), &mut idents);
        if idents.contains("Deref") || self.deref_macros.contains(&name) || !own_and_free {
            self.facts.deref_types.extend(idents);
        }
    }
}
