//! What outlives a patch: names that types of living values, signatures of functions with a site,
//! statics and vtables of a program are made of.
//!
//! ```text
//! const N: usize = 2 * M;  struct S { a: [u8; N] }      `S`, `u8`, `N` and `M` reach a lasting type
//! ```
//!
//! Code may change under a running program; what values mean to code that was compiled before may
//! not. By names alone, over all crates of a program: nothing is resolved, and a name too many only
//! means that an edit is refused. Knows nothing of what changed.

use std::collections::{HashMap, HashSet};

use crate::analysis::eligibility::Ineligible;
use crate::analysis::items::{
    DeclaredFunction, FileItems, Item, ItemKind, MacroRules, Module, UseKind,
};
use crate::syntax::known_macros;
use crate::syntax::mentions::Names;
use crate::syntax::names::Owner;

/// A module of one of the program's crates.
type Place = (usize, Vec<String>);

/// The lasting names of a program.
#[derive(Debug, Default)]
pub struct LayoutNames {
    /// Everything that a lasting type mentions, through aliases, constants, const fns and macros.
    names: HashSet<String>,
    modules: HashMap<Place, ModuleNames>,
    types: HashSet<String>,
    /// Headers of impl blocks by the name of the trait.
    impls: HashMap<String, HashSet<String>>,
    traits: HashSet<String>,
    dynamic: HashSet<String>,
    /// `dyn` stands before something that can't be told.
    all_dynamic: bool,
    macros: HashMap<String, Vec<MacroNames>>,
    /// Macros that calls in place of items reach.
    item_macros: HashSet<String>,
    /// All macros that are called, in definitions of others as well.
    called_macros: HashSet<String>,
}

#[derive(Debug, Default)]
struct ModuleNames {
    /// What its lasting types mention.
    mentioned: HashSet<String>,
    /// Names that it declares or imports one by one.
    bound: HashSet<String>,
    /// Types and traits that it declares itself.
    declared: HashSet<String>,
    has_glob: bool,
}

#[derive(Debug)]
struct MacroNames {
    all: Names,
    macros: Names,
}

/// A definition that lasts only if something lasting mentions it.
struct Definition<'a> {
    place: Place,
    names: &'a Names,
}

/// Words with which a macro may make something that lasts.
const DECLARING: [&str; 17] = [
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "static",
    "const",
    "thread_local",
    "lazy_static",
    "Drop",
    "Deref",
    "DerefMut",
    "use",
    "mod",
    "macro_rules",
    "extern",
    "include",
];

/// A macro that expands to an expression.
fn makes_expression(name: &str) -> bool {
    known_macros::takes_expressions(name) || matches!(name, "matches" | "concat" | "stringify")
}

/// Words of types that no glob import can take the place of.
const FIXED: [&str; 35] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
    "i128", "isize", "f32", "f64", "crate", "self", "super", "Self", "dyn", "impl", "fn", "mut",
    "const", "for", "where", "as", "unsafe", "extern", "pub", "std", "core", "alloc",
];

impl LayoutNames {
    /// Collects the names of a program; each file comes with the number of its crate.
    pub fn of<'a>(files: impl IntoIterator<Item = (usize, &'a FileItems)>) -> Self {
        let mut collector = Collector::default();
        for (unit, file) in files {
            collector.file(unit, file);
        }
        collector.close()
    }

    /// Whether a lasting type or signature may depend on what `name` means.
    pub(crate) fn reaches(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a lasting type or signature may mean something by `name` that isn't declared in the
    /// module which mentions it.
    pub(crate) fn reaches_from_elsewhere(&self, name: &str) -> bool {
        let mut modules = self.modules.values();
        modules.any(|known| known.mentioned.contains(name) && !known.declared.contains(name))
    }

    /// Whether the types and signatures of a module, or of those inside of it, mention a name.
    pub(crate) fn mentioned_below(&self, unit: usize, module: &[String], name: &str) -> bool {
        let mut modules = self.modules.iter();
        modules.any(|(place, known)| {
            place.0 == unit && place.1.starts_with(module) && known.mentioned.contains(name)
        })
    }

    /// Whether a new name in a module can take the place of another one in a lasting type: an item
    /// or import hides what globs and the prelude bring.
    pub(crate) fn hides(&self, unit: usize, module: &[String], name: &str) -> bool {
        if !self.names.contains(name) {
            return false;
        }
        let at_risk =
            |known: &ModuleNames| known.mentioned.contains(name) && !known.bound.contains(name);
        let below = |place: &Place| place.0 == unit && place.1.starts_with(module);
        self.modules
            .iter()
            .any(|(place, known)| (below(place) || known.has_glob) && at_risk(known))
    }

    /// Whether all of a module's lasting types are made of names that no glob can take the place
    /// of.
    pub(crate) fn glob_is_harmless(&self, unit: usize, module: &[String]) -> bool {
        let modules = self.modules.iter();
        let mut below = modules.filter(|(place, _)| place.0 == unit && place.1.starts_with(module));
        below.all(|(_, known)| {
            let mut names = known.mentioned.iter();
            names.all(|name| known.bound.contains(name) || FIXED.contains(&name.as_str()))
        })
    }

    /// Whether a type of this name exists.
    pub(crate) fn has_type(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    /// Whether there are impls of a trait that `other` doesn't have.
    pub(crate) fn has_other_impls(&self, name: &str, other: &Self) -> bool {
        let headers = self.impls.get(name).into_iter().flatten();
        let known = other.impls.get(name);
        headers
            .into_iter()
            .any(|header| known.is_none_or(|known| !known.contains(header)))
    }

    /// Whether there may be objects behind `dyn Trait`: so it is for traits of other crates, of
    /// which not everything can be seen.
    pub(crate) fn may_be_dynamic(&self, name: &str) -> bool {
        self.all_dynamic || self.dynamic.contains(name) || !self.traits.contains(name)
    }

    /// The names in the definitions of a macro, and those of the macros that it calls.
    pub(crate) fn macros(&self, name: &str) -> impl Iterator<Item = (&Names, &Names)> {
        let known = self.macros.get(name).into_iter().flatten();
        known.map(|definition| (&definition.all, &definition.macros))
    }

    /// Whether calls in place of items reach this macro.
    pub(crate) fn makes_items(&self, name: &str) -> bool {
        self.item_macros.contains(name)
    }

    /// Whether a macro of this name is called anywhere in the sources.
    pub(crate) fn calls_macro(&self, name: &str) -> bool {
        self.called_macros.contains(name)
    }

    /// What calls of macros in place of items make, by the words in the calls and in the
    /// definitions.
    pub(crate) fn makes<'n>(
        &self,
        words: impl IntoIterator<Item = &'n str>,
        macros: impl IntoIterator<Item = &'n str>,
    ) -> Makes {
        let mut makes = Makes::default();
        makes.words(words);
        let mut waiting: Vec<&str> = macros.into_iter().collect();
        let mut seen: HashSet<&str> = HashSet::new();
        while let Some(name) = waiting.pop() {
            if makes_expression(name) || !seen.insert(name) {
                continue;
            }
            let Some(definitions) = self.macros.get(name) else {
                makes.unknown = true;
                break;
            };
            for definition in definitions {
                makes.words(definition.all.iter().map(|word| &**word));
                waiting.extend(definition.macros.iter().map(|name| &**name));
            }
        }
        makes
    }
}

/// What macros in place of items may make.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Makes {
    /// Something that lasts.
    unknown: bool,
    has_impl: bool,
    has_for: bool,
}

impl Makes {
    fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        for word in words {
            self.unknown |= DECLARING.contains(&word);
            self.has_impl |= word == "impl";
            self.has_for |= word == "for";
        }
    }

    /// Functions and impl blocks, nothing else.
    pub(crate) fn only_code(self) -> bool {
        !self.unknown
    }

    /// Functions and inherent impl blocks, nothing else.
    pub(crate) fn only_own_code(self) -> bool {
        !(self.unknown || self.has_impl && self.has_for)
    }
}

#[derive(Default)]
struct Collector<'a> {
    out: LayoutNames,
    definitions: HashMap<&'a str, Vec<Definition<'a>>>,
    supertraits: Vec<(&'a str, &'a Names)>,
    /// `use a::N as M`: from `M` to `N`.
    renamed: HashMap<&'a str, Vec<&'a str>>,
    /// Names that were found and not looked up yet.
    waiting: Vec<&'a str>,
    item_calls: Vec<(Place, &'a Item)>,
}

impl<'a> Collector<'a> {
    fn file(&mut self, unit: usize, file: &'a FileItems) {
        for module in &file.modules {
            self.module(unit, module);
        }
        for item in &file.items {
            self.item(unit, item);
        }
        for function in &file.functions {
            self.function(unit, file, function);
        }
        let dynamic = file.dynamic.names.iter().map(|name| String::from(&**name));
        self.out.dynamic.extend(dynamic);
        self.out.all_dynamic |= file.dynamic.unknown;
    }

    fn module(&mut self, unit: usize, module: &'a Module) {
        let place = (unit, module.path.clone());
        let known = self.out.modules.entry(place.clone()).or_default();
        known.has_glob |= module.uses.iter().any(|import| import.bound().is_none());
        let imports = module.uses.iter().filter_map(|import| import.bound());
        let locals = module.locals.iter().map(|local| local.name.as_str());
        let children = module.children.iter().map(|child| child.name.as_str());
        let bound = imports.chain(locals).chain(children);
        known.bound.extend(bound.map(str::to_owned));
        for import in &module.uses {
            if let UseKind::Name { name, bound } = &import.kind {
                self.renamed.entry(bound).or_default().push(name);
            }
        }
        for rule in &module.macros {
            self.macro_rules(rule, &place);
        }
    }

    fn macro_rules(&mut self, rule: &'a MacroRules, place: &Place) {
        self.define(&rule.name, place.clone(), &rule.words.all);
        self.calls(&rule.words.macros);
        let names = MacroNames {
            all: rule.words.all.clone(),
            macros: rule.words.macros.clone(),
        };
        let known = self.out.macros.entry(rule.name.clone()).or_default();
        known.push(names);
    }

    fn define(&mut self, name: &'a str, place: Place, names: &'a Names) {
        let known = self.definitions.entry(name).or_default();
        known.push(Definition { place, names });
    }

    fn calls(&mut self, macros: &Names) {
        let names = macros.iter().map(|name| String::from(&**name));
        self.out.called_macros.extend(names);
    }

    fn item(&mut self, unit: usize, item: &'a Item) {
        let place = (unit, item.module.clone());
        self.calls(&item.macros);
        match item.kind {
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union => {
                self.out.types.insert(item.name.clone());
                self.declare(&place, item);
                self.mention(&place, &item.mentions);
            }
            ItemKind::Trait | ItemKind::TraitAlias => {
                self.out.traits.insert(item.name.clone());
                self.supertraits.push((&item.name, &item.supertraits));
                self.declare(&place, item);
                self.mention(&place, &item.mentions);
            }
            ItemKind::Type | ItemKind::Const => {
                self.mention(&place, &item.local_items.mentions);
                // What has no name is mentioned by nothing.
                if item.name != "_" {
                    self.define(last_name(&item.name), place, &item.mentions);
                }
            }
            ItemKind::MacroCall => self.item_calls.push((place, item)),
            ItemKind::Impl => {
                if let Some(Owner::Trait { tr, .. }) = &item.owner {
                    let name = trait_name(tr).to_owned();
                    let known = self.out.impls.entry(name).or_default();
                    known.insert(item.name.clone());
                }
                self.mention(&place, &item.mentions);
            }
            ItemKind::Static | ItemKind::ForeignMod | ItemKind::ExternCrate | ItemKind::Other => {
                self.mention(&place, &item.local_items.mentions);
                self.mention(&place, &item.mentions);
            }
            ItemKind::Mod => {}
        }
    }

    fn function(&mut self, unit: usize, file: &'a FileItems, function: &'a DeclaredFunction) {
        let place = (unit, function.module.clone());
        self.calls(&function.mentions.macros);
        if let Some(header) = file.header_of(function) {
            self.mention(&place, &header.mentions);
        }
        self.mention(&place, &function.local_items.mentions);
        match function.kind {
            Err(Ineligible::Const) => self.define(&function.name, place, &function.mentions.all),
            Ok(_) => self.mention(&place, &function.types),
            Err(_) => {}
        }
    }

    fn declare(&mut self, place: &Place, item: &Item) {
        let known = self.out.modules.entry(place.clone()).or_default();
        known.declared.insert(item.name.clone());
    }

    fn mention(&mut self, place: &Place, names: &'a Names) {
        self.mention_all(place, names.iter().map(|name| &**name));
    }

    fn mention_all(&mut self, place: &Place, names: impl Iterator<Item = &'a str>) {
        let known = self.out.modules.entry(place.clone()).or_default();
        for name in names {
            if known.mentioned.insert(name.to_owned()) {
                self.waiting.push(name);
            }
        }
    }

    fn close(mut self) -> LayoutNames {
        self.mention_item_calls();
        while let Some(name) = self.waiting.pop() {
            if !self.out.names.insert(name.to_owned()) {
                continue;
            }
            self.waiting
                .extend(self.renamed.remove(name).unwrap_or_default());
            for definition in self.definitions.remove(name).unwrap_or_default() {
                self.mention(&definition.place, definition.names);
            }
        }
        self.close_dynamic();
        self.close_item_macros();
        self.out
    }

    /// A call that may make types lasts with all its words.
    fn mention_item_calls(&mut self) {
        let calls = std::mem::take(&mut self.item_calls);
        for (place, item) in &calls {
            let item: &'a Item = item;
            let is_macro = |name: &&str| crate::syntax::mentions::contains(&item.macros, name);
            let words = || item.mentions.iter().map(|word| &**word);
            let macros = item.macros.iter().map(|name| &**name);
            if !self.out.makes(words(), macros).only_code() {
                self.mention_all(place, words().filter(|name| !is_macro(name)));
            }
        }
        self.item_calls = calls;
    }

    /// An object of a trait is one of its supertraits as well.
    fn close_dynamic(&mut self) {
        loop {
            let known = self.out.dynamic.len();
            for (name, above) in &self.supertraits {
                if self.out.dynamic.contains(*name) {
                    let above = above.iter().map(|name| String::from(&**name));
                    self.out.dynamic.extend(above);
                }
            }
            if known == self.out.dynamic.len() {
                return;
            }
        }
    }

    fn close_item_macros(&mut self) {
        let mut waiting: Vec<String> = self
            .item_calls
            .iter()
            .flat_map(|(_, item)| item.macros.iter().map(|name| String::from(&**name)))
            .collect();
        while let Some(name) = waiting.pop() {
            if !self.out.item_macros.insert(name.clone()) {
                continue;
            }
            for definition in self.out.macros.get(&name).into_iter().flatten() {
                waiting.extend(definition.macros.iter().map(|name| String::from(&**name)));
            }
        }
    }
}

/// `Display` of `fmt::Display`, `From` of `From<u8>`.
pub(crate) fn trait_name(tr: &str) -> &str {
    last_name(tr.split('<').next().unwrap_or(tr))
}

/// `N` of `<S as T>::N`.
pub(crate) fn last_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
