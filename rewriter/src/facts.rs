//! What must be known of a whole crate before one of its files can be rewritten.
//!
//! Found by name, and on the safe side: a type that might have a `Deref` impl counts as one that has.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, Generics, Item, ItemMacro};

use crate::eligibility::is_test_only;
use crate::known;
use crate::running::Functions;
use crate::tree::CrateTree;

/// Facts about a crate.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The crate has no standard library.
    pub(crate) no_std: bool,
    /// Types that may dereference to another: a field of theirs may hide one behind it.
    pub(crate) deref_types: HashSet<String>,
    /// Types with lifetime parameters.
    pub(crate) borrowing: HashSet<String>,
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

/// Derives of which that is known, beside those that only add impls.
const FURTHER_DERIVES: [&str; 8] = [
    "Zeroize",
    "Pod",
    "Zeroable",
    "Arbitrary",
    "Diagnostic",
    "Display",
    "From",
    "FromStr",
];

/// A derive that neither looks at the visibility of a field nor adds a `Deref` impl.
fn is_known_derive(name: &str) -> bool {
    known::only_adds_impls(name) || FURTHER_DERIVES.contains(&name)
}

/// Attributes that don't turn an item into another one.
const KNOWN_ATTRIBUTES: [&str; 40] = [
    "doc",
    "derive",
    "cfg",
    "cfg_attr",
    "allow",
    "warn",
    "deny",
    "forbid",
    "expect",
    "repr",
    "must_use",
    "deprecated",
    "non_exhaustive",
    "inline",
    "cold",
    "track_caller",
    "rustfmt",
    "clippy",
    "diagnostic",
    "serde",
    "clap",
    "command",
    "arg",
    "group",
    "value",
    "error",
    "from",
    "source",
    "backtrace",
    "default",
    "pin_project",
    "pin",
    "zeroize",
    "no_mangle",
    "export_name",
    "link_section",
    "used",
    "unsafe",
    "target_feature",
    "automatically_derived",
];

impl Facts {
    /// Reads the facts from all files of a crate.
    pub(crate) fn of(tree: &CrateTree) -> Self {
        let mut facts = Self {
            no_std: tree.is_no_std(),
            ..Self::default()
        };
        let mut collector = Collector {
            functions: Functions::default(),
            deref_macros: deref_macros(tree),
            facts: &mut facts,
        };
        for file in &tree.files {
            collector.visit_file(&file.ast);
        }
        let counted = collector.functions.counted();
        facts.counted = counted;
        facts
    }

    /// Whether the private fields of a struct can be made `pub` in the program without any effect.
    pub(crate) fn fields_are_free(&self, name: &str, attrs: &[Attribute]) -> bool {
        !self.deref_types.contains(name) && is_plain(attrs)
    }
}

/// By name of a struct, whether its private fields are made `pub` in the program. It is part of the
/// type's identity: the same types must have it in every compilation of a program.
pub fn widened_structs(tree: &CrateTree) -> BTreeMap<String, BTreeSet<bool>> {
    struct Finder<'f> {
        facts: &'f Facts,
        found: BTreeMap<String, BTreeSet<bool>>,
    }
    impl Finder<'_> {
        fn add(&mut self, name: &syn::Ident, attrs: &[Attribute]) {
            let name = name.to_string();
            let free = self.facts.fields_are_free(&name, attrs);
            self.found.entry(name).or_default().insert(free);
        }
    }
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.add(&item.ident, &item.attrs);
        }
        fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
            self.add(&item.ident, &item.attrs);
        }
    }
    let facts = Facts::of(tree);
    let mut finder = Finder {
        facts: &facts,
        found: BTreeMap::new(),
    };
    for file in &tree.files {
        finder.visit_file(&file.ast);
    }
    finder.found
}

/// Whether an item has only attributes that are known to leave it as it is.
pub(crate) fn is_plain(attrs: &[Attribute]) -> bool {
    attrs.iter().all(|attr| {
        let first = attr.path().segments.first().map(|s| s.ident.to_string());
        let last = attr.path().segments.last().map(|s| s.ident.to_string());
        let known = [first, last]
            .into_iter()
            .flatten()
            .any(|name| KNOWN_ATTRIBUTES.contains(&name.as_str()));
        known && !conditional_derive_is_unknown(attr) && derives_are_known(attr)
    })
}

/// Whether an item may be widened in a twin: derives add impls beside it, whatever they are, and
/// attributes after an unknown derive are its helpers; any other unknown attribute may be a macro
/// that makes something else of the item.
pub(crate) fn is_plain_but_for_derives(attrs: &[Attribute]) -> bool {
    let mut helpers = false;
    attrs.iter().all(|attr| {
        let derive = attr.path().is_ident("derive");
        helpers |= derive && !derives_are_known(attr);
        derive || helpers || is_plain(std::slice::from_ref(attr))
    })
}

fn derives_are_known(attr: &Attribute) -> bool {
    if !attr.path().is_ident("derive") {
        return true;
    }
    let mut known = true;
    let parsed = attr.parse_nested_meta(|meta| {
        known &= meta
            .path
            .segments
            .last()
            .is_some_and(|s| is_known_derive(&s.ident.to_string()));
        Ok(())
    });
    known && parsed.is_ok()
}

/// `#[cfg_attr(…, derive(…))]` with a derive that isn't known, or any attribute that isn't.
fn conditional_derive_is_unknown(attr: &Attribute) -> bool {
    if !attr.path().is_ident("cfg_attr") {
        return false;
    }
    let Ok(list) = attr.meta.require_list() else {
        return true;
    };
    let nested = list.parse_args_with(
        syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
    );
    let Ok(nested) = nested else { return true };
    nested.into_iter().skip(1).any(|meta| {
        let attr: Attribute = syn::parse_quote!(#[#meta]);
        !is_plain(&[attr])
    })
}

/// Whether a crate declares itself free of the standard library, in whatever configuration.
pub(crate) fn is_no_std(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let text = attr.meta.to_token_stream().to_string().replace(' ', "");
        attr.path().is_ident("no_std")
            || (text.starts_with("cfg_attr(") && text.contains("no_std"))
            || attr.path().is_ident("no_core")
    })
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

/// All identifiers in a stream of tokens, those in format strings included.
pub fn identifiers(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => identifiers(group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.contains('{') {
                    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                    found.extend(words.filter(|w| !w.is_empty()).map(str::to_owned));
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

struct Collector<'a> {
    facts: &'a mut Facts,
    functions: Functions,
    deref_macros: HashSet<String>,
}

impl Collector<'_> {
    fn generics(&mut self, name: &syn::Ident, generics: &Generics) {
        if generics.lifetimes().next().is_some() {
            self.facts.borrowing.insert(name.to_string());
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
        self.functions.add(&item.sig.ident.to_string(), &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.functions.add(&item.sig.ident.to_string(), &item.block);
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
        let own_and_free = item.ident.is_some() || KNOWN_MACROS.contains(&name.as_str());
        let mut idents = HashSet::new();
        identifiers(item.mac.tokens.clone(), &mut idents);
        if idents.contains("Deref") || self.deref_macros.contains(&name) || !own_and_free {
            self.facts.deref_types.extend(idents);
        }
    }
}
