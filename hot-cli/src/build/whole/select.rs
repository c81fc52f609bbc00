//! What of a library's objects goes into a plugin, and to what the rest is bound.
//!
//! ```text
//! new code of a changed function ─► what it refers to ─► what that refers to …
//!     a function with a site, a static         the program's
//!     a function without a site, a constant    taken along, as it was compiled now
//! ```
//!
//! Functions without a site are taken along because they may depend on what changed: a coroutine
//! holds those that it awaits, a generic instance is made for a closure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use object::elf;
use soft_mock_rewriter::{WholePart, WholeSource};

use super::code::{self, Change};
use super::objects::{Definitions, Object, Relocation, Section, Symbol};
use crate::build::object::{demangled, DynamicSymbols};

/// The stand-in for the site of a changed function in its own new code: nothing is ever hooked in.
pub(super) const OWN_SITE: &str = "__soft_mock_own_site";

/// What becomes of a global symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It belongs to the plugin alone.
    Kept,
    /// It is the new code of a function, exported under this name.
    Exported(String),
    /// It is the program's, by this name.
    Program(String),
}

/// What is taken from one object.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) sections: BTreeSet<usize>,
    pub(super) symbols: BTreeMap<usize, Fate>,
    /// Relocations that are changed, or that refer to a new symbol of this name.
    pub(super) changes: Vec<(Relocation, Change, Option<String>)>,
    /// Bytes of code, by their place in the file.
    pub(super) bytes: Vec<(usize, u8)>,
}

/// The running program, as the selection sees it.
pub(super) struct Program<'a> {
    symbols: &'a DynamicSymbols,
    /// Sync functions with a site, demangled.
    sited: HashSet<String>,
}

const SITE: &str = "__SOFT_MOCK_SITE";

impl<'a> Program<'a> {
    pub(super) fn new(symbols: &'a DynamicSymbols) -> Self {
        let sited = symbols
            .defined
            .iter()
            .filter(|name| name.ends_with(SITE))
            .filter_map(|name| {
                Some(
                    exactly(name)
                        .strip_suffix(SITE)?
                        .strip_suffix("::")?
                        .to_owned(),
                )
            })
            // The site of an async function stands in its coroutine: `f::{closure#0}`. How large that
            // is depends on what it awaits, so coroutines are never shared.
            .filter(|owner| !owner.ends_with('}'))
            .collect();
        Self { symbols, sited }
    }

    /// What the program calls a changed function. Here it is never inlined; where it may be, its
    /// symbol ends in the crate that it was compiled in: a reference to an earlier part of the symbol.
    fn function(&self, name: &str) -> Option<&str> {
        let same = |known: &&String| {
            known.strip_prefix(name).is_some_and(|rest| {
                rest.is_empty() || (rest.starts_with('B') && rest.find('_') == Some(rest.len() - 1))
            })
        };
        self.symbols.defined.iter().find(same).map(String::as_str)
    }
}

/// A symbol with the crates' own marks: two versions of one crate differ.
fn exactly(symbol: &str) -> String {
    rustc_demangle::demangle(symbol).to_string()
}

/// Takes what the changed functions need. `Err`: why it can't be taken.
pub(super) fn select(
    objects: &[Object<'_>],
    definitions: &Definitions<'_>,
    program: &Program<'_>,
    source: &WholeSource,
) -> Result<BTreeMap<usize, Taken>, String> {
    let mut selector = Selector {
        objects,
        definitions,
        program,
        source,
        roots: HashMap::new(),
        own_sites: HashSet::new(),
        decided: HashMap::new(),
        taken: BTreeMap::new(),
        waiting: VecDeque::new(),
    };
    for (position, part) in source.parts.iter().enumerate() {
        selector.root(position, part)?;
    }
    while let Some((object, section)) = selector.waiting.pop_front() {
        selector.section(object, section)?;
    }
    let without = selector
        .roots
        .values()
        .find(|root| root.inline && !selector.own_sites.contains(&root.owner));
    match without {
        Some(root) => Err(format!(
            "the prologue of {} was not found in its code",
            root.owner
        )),
        None => Ok(selector.taken),
    }
}

/// The section with the new code of a changed function.
struct Root {
    /// The path of the function, demangled.
    owner: String,
    /// The body stands in this very section, behind a prologue.
    inline: bool,
}

#[derive(Clone)]
enum Target {
    /// Defined in these objects, and taken.
    Taken(usize, usize),
    Program(String),
}

struct Selector<'a> {
    objects: &'a [Object<'a>],
    definitions: &'a Definitions<'a>,
    program: &'a Program<'a>,
    source: &'a WholeSource,
    roots: HashMap<(usize, usize), Root>,
    own_sites: HashSet<String>,
    decided: HashMap<&'a str, Target>,
    taken: BTreeMap<usize, Taken>,
    waiting: VecDeque<(usize, usize)>,
}

impl<'a> Selector<'a> {
    fn root(&mut self, position: usize, part: &WholePart) -> Result<(), String> {
        let mut sections = self.objects.iter().enumerate().flat_map(|(at, object)| {
            let named = move |(_, section): &(usize, &Section<'_>)| section.name == part.section;
            object
                .sections
                .iter()
                .enumerate()
                .filter(named)
                .map(move |(section, _)| (at, section))
        });
        let (Some((object, section)), None) = (sections.next(), sections.next()) else {
            return Err(format!("rustc made no code of its own for {}", part.name));
        };
        drop(sections);
        let mut symbols = (self.objects[object].symbols.iter().enumerate())
            .filter(|(_, symbol)| !symbol.local && symbol.section == Some(section));
        let (Some((index, symbol)), None) = (symbols.next(), symbols.next()) else {
            return Err(format!("the code of {} has more than one name", part.name));
        };
        let mut owner = exactly(symbol.name);
        if let Some((_, name)) = &part.detached {
            let end = owner.rfind("::").map_or(0, |at| at + 2);
            owner.replace_range(end.., name);
        }
        let inline = part.detached.is_none();
        self.roots.insert((object, section), Root { owner, inline });
        let taken = self.taken.entry(object).or_default();
        let exported = Fate::Exported(format!("__soft_mock_patch_{position}"));
        taken.symbols.insert(index, exported);
        self.take(object, section)
    }

    /// Takes a section, once.
    fn take(&mut self, object: usize, section: usize) -> Result<(), String> {
        let first = self
            .taken
            .get(&object)
            .is_none_or(|taken| taken.sections.is_empty());
        if first {
            // Unwinding goes through this cell, for whatever is taken of the object.
            let sections = self.objects[object].sections.iter().enumerate();
            for (index, _) in sections.filter(|(_, section)| section.is_personality()) {
                self.add(object, index);
            }
        }
        let found = &self.objects[object].sections[section];
        if found.has(elf::SHF_GROUP) && !found.is_personality() {
            return Err(format!("section {} belongs to a group", found.name));
        }
        self.add(object, section);
        Ok(())
    }

    fn add(&mut self, object: usize, section: usize) {
        if self
            .taken
            .entry(object)
            .or_default()
            .sections
            .insert(section)
        {
            self.waiting.push_back((object, section));
            // Symbols that stand in it are the plugin's, but for the one that is exported.
            let symbols = &mut self.taken.entry(object).or_default().symbols;
            for (index, symbol) in self.objects[object].symbols.iter().enumerate() {
                if !symbol.local && symbol.section == Some(section) {
                    symbols.entry(index).or_insert(Fate::Kept);
                }
            }
        }
    }

    fn section(&mut self, object: usize, section: usize) -> Result<(), String> {
        for relocation in self.objects[object].relocations(section) {
            self.relocation(object, section, &relocation)?;
        }
        Ok(())
    }

    fn relocation(
        &mut self,
        object: usize,
        section: usize,
        relocation: &Relocation,
    ) -> Result<(), String> {
        let from = &self.objects[object].sections[section];
        let symbol = self.objects[object]
            .symbols
            .get(relocation.symbol)
            .ok_or("a relocation without a symbol")?;
        if symbol.local {
            return self.local(object, from, symbol, relocation);
        }
        if let Some(root) = self
            .roots
            .get(&(object, section))
            .filter(|root| root.inline)
        {
            if symbol.name.ends_with(SITE)
                && exactly(symbol.name) == format!("{}::{SITE}", root.owner)
            {
                self.own_sites.insert(root.owner.clone());
                self.known(relocation, symbol, from)?;
                let change = (*relocation, Change::default(), Some(OWN_SITE.to_owned()));
                self.taken.entry(object).or_default().changes.push(change);
                return Ok(());
            }
        }
        match self.decide(symbol)? {
            Target::Taken(other, section) => {
                self.known(relocation, symbol, from)?;
                self.take(other, section)?;
                let symbols = &mut self.taken.entry(object).or_default().symbols;
                symbols.entry(relocation.symbol).or_insert(Fate::Kept);
            }
            Target::Program(name) => self.bind(object, from, relocation, symbol, name)?,
        }
        Ok(())
    }

    /// What has no name outside of its object: constants, jump tables, the section itself.
    fn local(
        &mut self,
        object: usize,
        from: &Section<'_>,
        symbol: &Symbol<'_>,
        relocation: &Relocation,
    ) -> Result<(), String> {
        let Some(section) = symbol.section else {
            return Err("a relocation to something absolute".to_owned());
        };
        let to = &self.objects[object].sections[section];
        if to.is_state() && !from.is_state() {
            return Err(format!("it refers to the nameless variable in {}", to.name));
        }
        self.known(relocation, symbol, from)?;
        self.take(object, section)
    }

    fn known(
        &self,
        relocation: &Relocation,
        symbol: &Symbol<'_>,
        from: &Section<'_>,
    ) -> Result<(), String> {
        match code::is_known(relocation) {
            true => Ok(()),
            false => Err(unknown(relocation, symbol, from)),
        }
    }

    /// Makes a symbol the program's.
    fn bind(
        &mut self,
        object: usize,
        from: &Section<'_>,
        relocation: &Relocation,
        symbol: &Symbol<'_>,
        name: String,
    ) -> Result<(), String> {
        let found = &self.objects[object];
        let Some(change) = code::towards_program(found, from, relocation) else {
            return Err(unknown(relocation, symbol, from));
        };
        let taken = self.taken.entry(object).or_default();
        if let Some((offset, value)) = change.byte {
            taken.bytes.push((from.file.start + offset, value));
        }
        let stays = symbol
            .section
            .is_some_and(|section| taken.sections.contains(&section));
        match stays {
            // Its own definition here is new code with another name: this needs a symbol beside it.
            true => taken.changes.push((*relocation, change, Some(name))),
            false => {
                taken.symbols.insert(relocation.symbol, Fate::Program(name));
                if change.kind.is_some() {
                    taken.changes.push((*relocation, change, None));
                }
            }
        }
        Ok(())
    }

    fn decide(&mut self, symbol: &Symbol<'a>) -> Result<Target, String> {
        if let Some(known) = self.decided.get(symbol.name) {
            return Ok(known.clone());
        }
        let target = match self.definitions.get(symbol.name) {
            None => Target::Program(symbol.name.to_owned()),
            Some(&(object, index)) => self.defined(object, index)?,
        };
        self.decided.insert(symbol.name, target.clone());
        Ok(target)
    }

    fn defined(&self, object: usize, index: usize) -> Result<Target, String> {
        let symbol = &self.objects[object].symbols[index];
        let section = symbol.section.ok_or("a symbol without a section")?;
        let taken = Target::Taken(object, section);
        let found = &self.objects[object].sections[section];
        let name = self.name_in_program(symbol.name);
        let in_program = self.program.symbols.defined.contains(&name);
        if found.is_personality() {
            return Ok(taken);
        }
        if found.has(elf::SHF_EXECINSTR) {
            if self.roots.contains_key(&(object, section)) {
                // Whoever calls a changed function goes through its site.
                return match self.program.function(&name) {
                    Some(exported) => Ok(Target::Program(exported.to_owned())),
                    None => Err(format!(
                        "the program does not export `{}`",
                        demangled(&name)
                    )),
                };
            }
            let path = exactly(&name);
            let bound = in_program
                && (self.program.sited.contains(&path) || self.is_accessor(object, section, &path));
            return Ok(if bound { Target::Program(name) } else { taken });
        }
        if self.is_from_foreign_macro(&name) {
            return Ok(taken);
        }
        match (in_program, found.is_state()) {
            (true, _) => Ok(Target::Program(name)),
            (false, false) => Ok(taken),
            (false, true) => Err(format!(
                "the program does not contain the variable `{}`",
                demangled(&name)
            )),
        }
    }

    /// The symbol as the program calls it: the bodies of async functions have another name here.
    fn name_in_program(&self, symbol: &str) -> String {
        let mut name = symbol.to_owned();
        for (beside, original) in self
            .source
            .parts
            .iter()
            .filter_map(|part| part.detached.as_ref())
        {
            let length = beside.len();
            let text = |name: &str| match name.starts_with('_') {
                true => format!("{length}_{name}"),
                false => format!("{length}{name}"),
            };
            name = name.replace(&text(beside), &text(original));
        }
        name
    }

    /// Whether a function is the one through which a thread-local of the program is reached.
    fn is_accessor(&self, object: usize, section: usize, path: &str) -> bool {
        let object = &self.objects[object];
        object.relocations(section).any(|relocation| {
            let Some(symbol) = object.symbols.get(relocation.symbol) else {
                return false;
            };
            let name = self.name_in_program(symbol.name);
            code::is_thread_local(relocation.kind)
                && symbol.kind == elf::STT_TLS
                && self.program.symbols.defined.contains(&name)
                && exactly(&name)
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with("::"))
        })
    }

    /// Whether a static was made inside a changed function by a macro that isn't the crate's own: it
    /// describes the code that it stands in, such as the callsite of a log line, and is new with it.
    fn is_from_foreign_macro(&self, name: &str) -> bool {
        if name.ends_with(SITE) {
            return false;
        }
        let path = exactly(name);
        let inside = self
            .roots
            .values()
            .find_map(|root| path.strip_prefix(&root.owner)?.strip_prefix("::"));
        inside.is_some_and(|rest| {
            !rest
                .split("::")
                .any(|word| self.source.words.contains(word))
        })
    }
}

fn unknown(relocation: &Relocation, symbol: &Symbol<'_>, from: &Section<'_>) -> String {
    let what = demangled(symbol.name);
    let place = demangled(from.name.trim_start_matches(".text."));
    match symbol.kind {
        elf::STT_OBJECT => format!("{place} accesses the variable `{what}` directly"),
        elf::STT_TLS => format!("{place} accesses the thread-local `{what}` directly"),
        _ => format!(
            "{place} refers to `{what}` in a way that is not known (relocation {})",
            relocation.kind
        ),
    }
}
