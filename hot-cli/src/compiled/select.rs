//! What of the compiled code goes into a plugin, and to what the rest is bound.
//!
//! ```text
//! new code of a changed function ─► what it refers to ─► what that refers to …
//!     a function with a site, a static         the program's
//!     a function without a site, a constant    taken along, as it was compiled now
//!     a static that the program doesn't have   the plugin's, or that of the plugin that brought it
//! ```
//!
//! Functions without a site are taken along because they may depend on what changed: a coroutine
//! holds those that it awaits, a generic instance is made for a closure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use object::elf;

use super::code::{self, Change};
use super::compare::{is_accessor, Facts};
use super::elf::{demangled, DynamicSymbols};
use super::objects::{Relocation, Section, Symbol};
use super::sites::{self, Site, SITE};
use super::world::{is_rust, path, Piece, World};

/// The stand-in for the site of a changed function in its own new code: nothing is ever hooked in.
pub(crate) const OWN_SITE: &str = "__soft_mock_own_site";

/// What becomes of a global symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It belongs to the plugin alone.
    Kept,
    /// It is the new code of a function, exported under this name.
    Exported(String),
    /// It is a new variable, exported for later plugins.
    Shared,
    /// It is another module's, by this name.
    Elsewhere(String),
}

/// What is taken from one object.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) sections: BTreeSet<usize>,
    pub(crate) symbols: BTreeMap<usize, Fate>,
    /// Relocations that are changed, or that refer to a new symbol of this name.
    pub(crate) changes: Vec<(Relocation, Change, Option<String>)>,
    /// Bytes of code, by their place in the file.
    pub(crate) bytes: Vec<(usize, u8)>,
}

/// The functions and variables of the running program's units.
pub(crate) struct Program<'a> {
    /// Their symbols, by their paths. More than one: several things in one body have one name.
    paths: HashMap<String, Vec<&'a str>>,
}

impl<'a> Program<'a> {
    /// `crates`: those whose symbols are wanted.
    pub(crate) fn new(symbols: &'a DynamicSymbols, crates: &HashSet<String>) -> Self {
        let marks: Vec<String> = crates
            .iter()
            .map(|name| format!("{}{name}", name.len()))
            .collect();
        let mut paths: HashMap<String, Vec<&str>> = HashMap::new();
        for name in &symbols.defined {
            if is_rust(name) && marks.iter().any(|mark| name.contains(mark)) {
                paths.entry(path(name)).or_default().push(name);
            }
        }
        Self { paths }
    }

    /// The one symbol of a path.
    pub(crate) fn symbol(&self, path: &str) -> Option<&'a str> {
        match self.paths.get(path)?.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    fn symbols_of(&self, path: &str) -> &[&'a str] {
        self.paths.get(path).map_or(&[], Vec::as_slice)
    }

    /// The function of a path: instances that several crates made are the same.
    pub(crate) fn function(&self, path: &str) -> Option<&'a str> {
        self.symbols_of(path).first().copied()
    }
}

/// A variable that a plugin brought, or the function through which a thread-local is reached.
#[derive(Debug, Clone)]
pub(crate) struct NewStatic {
    pub(crate) path: String,
    pub(crate) symbol: String,
    /// What it was initialised with.
    pub(crate) print: u64,
}

/// What the selection is about.
pub(crate) struct Selection<'a, 'd> {
    pub(crate) world: &'a World<'d>,
    pub(crate) program: &'a Program<'a>,
    pub(crate) facts: &'a Facts<'a>,
    /// Variables of plugins that are loaded, or that are loaded before this one.
    pub(crate) brought: &'a [NewStatic],
    /// The functions whose new code is wanted: the paths that the code has, in order.
    pub(crate) roots: &'a [&'a Site],
    /// Whether a variable is in the baseline as it is now.
    pub(crate) print: &'a dyn Fn(Piece) -> u64,
    pub(crate) unchanged: &'a dyn Fn(&str) -> bool,
}

/// What was selected.
#[derive(Default)]
pub(crate) struct Selected {
    pub(crate) taken: BTreeMap<usize, Taken>,
    /// Variables that the program doesn't have.
    pub(crate) statics: Vec<NewStatic>,
    /// Variables of earlier plugins that are used.
    pub(crate) used: BTreeSet<String>,
}

/// Takes what the changed functions need. `Err`: why it can't be taken.
pub(crate) fn select(selection: &Selection<'_, '_>) -> Result<Selected, String> {
    let mut selector = Selector {
        on: selection,
        roots: HashMap::new(),
        own_sites: HashSet::new(),
        decided: HashMap::new(),
        found: Selected::default(),
        waiting: VecDeque::new(),
    };
    for (position, site) in selection.roots.iter().enumerate() {
        selector.root(position, site)?;
    }
    while let Some((object, section)) = selector.waiting.pop_front() {
        selector.section(object, section)?;
    }
    let without = selector
        .roots
        .values()
        .filter(|root| root.inline)
        .map(|root| root.site)
        .find(|site| !selector.own_sites.contains(&*site.path));
    match without {
        Some(site) => Err(format!(
            "the prologue of {} was not found in its code",
            site.name
        )),
        None => Ok(selector.found),
    }
}

/// The new code of a changed function.
struct Root<'a> {
    site: &'a Site,
    /// What it is exported as.
    name: String,
    /// It stands behind its prologue, and is not called but through the site.
    inline: bool,
}

#[derive(Clone)]
enum Decision {
    /// Defined in these objects, and taken.
    Taken(usize, usize),
    Elsewhere(String),
}

struct Selector<'a, 'd> {
    on: &'a Selection<'a, 'd>,
    roots: HashMap<Piece, Root<'a>>,
    own_sites: HashSet<String>,
    decided: HashMap<&'d str, Decision>,
    found: Selected,
    waiting: VecDeque<Piece>,
}

impl<'a, 'd> Selector<'a, 'd> {
    fn root(&mut self, position: usize, site: &'a Site) -> Result<(), String> {
        let world = self.on.world;
        let missing = || format!("rustc made no code of its own for {}", site.name);
        let detached = site.detached();
        let inline = world.pieces(&detached).is_empty();
        if inline && site.is_async {
            return Err(missing());
        }
        let code = if inline { site.owner() } else { &detached };
        let mut pieces = world.pieces(code).iter();
        let piece = *pieces
            .find(|piece| world.is_code(**piece))
            .ok_or_else(missing)?;
        let symbols = &world.objects[piece.0].symbols;
        let mut named = symbols
            .iter()
            .enumerate()
            .filter(|(_, symbol)| !symbol.local && symbol.section == Some(piece.1));
        let (Some((index, _)), None) = (named.next(), named.next()) else {
            return Err(missing());
        };
        let name = format!("__soft_mock_patch_{position}");
        let taken = self.found.taken.entry(piece.0).or_default();
        taken.symbols.insert(index, Fate::Exported(name.clone()));
        self.roots.insert(piece, Root { site, name, inline });
        self.take(piece.0, piece.1)
    }

    /// Takes a section, once.
    fn take(&mut self, object: usize, section: usize) -> Result<(), String> {
        let first = self
            .found
            .taken
            .get(&object)
            .is_none_or(|taken| taken.sections.is_empty());
        if first {
            // Unwinding goes through this cell, for whatever is taken of the object.
            let sections = self.on.world.objects[object].sections.iter().enumerate();
            for (index, _) in sections.filter(|(_, section)| section.is_personality()) {
                self.add(object, index);
            }
        }
        let found = &self.on.world.objects[object].sections[section];
        if found.has(elf::SHF_GROUP) && !found.is_personality() {
            return Err(format!("section {} belongs to a group", found.name));
        }
        self.add(object, section);
        Ok(())
    }

    fn add(&mut self, object: usize, section: usize) {
        let taken = self.found.taken.entry(object).or_default();
        if taken.sections.insert(section) {
            self.waiting.push_back((object, section));
            // Symbols that stand in it are the plugin's, but for those that are exported.
            for (index, symbol) in self.on.world.objects[object].symbols.iter().enumerate() {
                if !symbol.local && symbol.section == Some(section) {
                    taken.symbols.entry(index).or_insert(Fate::Kept);
                }
            }
        }
    }

    fn section(&mut self, object: usize, section: usize) -> Result<(), String> {
        for relocation in self.on.world.objects[object].relocations(section) {
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
        let world = self.on.world;
        let from = &world.objects[object].sections[section];
        let symbol = world
            .symbol(object, relocation)
            .ok_or("a relocation without a symbol")?;
        if symbol.name.ends_with(SITE) && is_rust(symbol.name) {
            return self.site(object, section, relocation, symbol);
        }
        if symbol.local {
            return self.local(object, from, symbol, relocation);
        }
        let beside = symbol
            .section
            .and_then(|section| self.roots.get(&(object, section)));
        if beside.is_some_and(|root| !root.inline) {
            return self.known(relocation, symbol, from);
        }
        match self.decide(symbol)? {
            Decision::Taken(other, section) => {
                self.known(relocation, symbol, from)?;
                self.take(other, section)?;
                // A reference that hides a symbol would hide its definition.
                let shared = self
                    .found
                    .statics
                    .iter()
                    .any(|known| known.symbol == symbol.name);
                let fate = match shared {
                    true => Fate::Elsewhere(symbol.name.to_owned()),
                    false => Fate::Kept,
                };
                let taken = self.found.taken.entry(object).or_default();
                taken.symbols.entry(relocation.symbol).or_insert(fate);
                Ok(())
            }
            Decision::Elsewhere(name) => self.bind(object, from, relocation, symbol, name),
        }
    }

    /// The site of a function: that of the program, unless the code is what stands behind it, or the
    /// program has none.
    fn site(
        &mut self,
        object: usize,
        section: usize,
        relocation: &Relocation,
        symbol: &Symbol<'d>,
    ) -> Result<(), String> {
        let path = self.on.world.path(symbol.name);
        let from = &self.on.world.objects[object].sections[section];
        let owner = sites::owner(&path).unwrap_or(&path);
        let own = self
            .roots
            .get(&(object, section))
            .is_some_and(|root| *root.site.path == *path);
        if own {
            self.own_sites.insert(path.to_string());
        }
        if self.on.facts.bound.contains_key(owner) && !own {
            if let Some(name) = self.on.program.symbol(&path) {
                return self.bind(object, from, relocation, symbol, name.to_owned());
            }
        }
        self.known(relocation, symbol, from)?;
        let change = (*relocation, Change::default(), Some(OWN_SITE.to_owned()));
        self.found
            .taken
            .entry(object)
            .or_default()
            .changes
            .push(change);
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
        let to = &self.on.world.objects[object].sections[section];
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

    /// Makes a symbol another module's.
    fn bind(
        &mut self,
        object: usize,
        from: &Section<'_>,
        relocation: &Relocation,
        symbol: &Symbol<'_>,
        name: String,
    ) -> Result<(), String> {
        let found = &self.on.world.objects[object];
        let Some(change) = code::towards_program(found, from, relocation) else {
            return Err(unknown(relocation, symbol, from));
        };
        let taken = self.found.taken.entry(object).or_default();
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
                taken
                    .symbols
                    .insert(relocation.symbol, Fate::Elsewhere(name));
                if change.kind.is_some() {
                    taken.changes.push((*relocation, change, None));
                }
            }
        }
        Ok(())
    }

    fn decide(&mut self, symbol: &Symbol<'d>) -> Result<Decision, String> {
        if let Some(known) = self.decided.get(symbol.name) {
            return Ok(known.clone());
        }
        let decision = match self.on.world.definition(symbol.name) {
            None => Decision::Elsewhere(symbol.name.to_owned()),
            Some((object, index)) => self.defined(object, index)?,
        };
        self.decided.insert(symbol.name, decision.clone());
        Ok(decision)
    }

    fn defined(&mut self, object: usize, index: usize) -> Result<Decision, String> {
        let world = self.on.world;
        let symbol = &world.objects[object].symbols[index];
        let section = symbol.section.ok_or("a symbol without a section")?;
        let taken = Decision::Taken(object, section);
        let found = &world.objects[object].sections[section];
        if found.is_personality() {
            return Ok(taken);
        }
        if found.is_code() {
            if let Some(root) = self
                .roots
                .get(&(object, section))
                .filter(|root| !root.inline)
            {
                return Ok(Decision::Elsewhere(root.name.clone()));
            }
            let path = world.path(symbol.name);
            let bound = self.on.facts.bound.get(&*path);
            let Some(site) = bound.filter(|site| !site.is_async) else {
                return match is_accessor(world, &path, (object, section)) {
                    true => Ok(self.accessor(symbol, (object, section), index)),
                    false => Ok(taken),
                };
            };
            // Whoever calls a function with a site goes through it.
            return match self.on.program.function(&path) {
                Some(exported) => Ok(Decision::Elsewhere(exported.to_owned())),
                None => Err(format!("the program does not export `{}`", site.name)),
            };
        }
        self.variable(symbol, (object, section), index)
    }

    /// The function through which a thread-local is reached stands beside it: its code may know where
    /// that is.
    fn accessor(&mut self, symbol: &Symbol<'d>, piece: Piece, index: usize) -> Decision {
        let path = self.on.world.path(symbol.name);
        if let Some(program) = self.on.program.function(&path) {
            return match (self.on.unchanged)(&path) {
                true => Decision::Elsewhere(program.to_owned()),
                false => Decision::Taken(piece.0, piece.1),
            };
        }
        let print = (self.on.print)(piece);
        let mut brought = self.on.brought.iter();
        match brought.find(|known| known.path == *path && known.print == print) {
            Some(known) => {
                self.found.used.insert(known.symbol.clone());
                Decision::Elsewhere(known.symbol.clone())
            }
            None => self.share(symbol, piece, index, print),
        }
    }

    /// Takes something new that later plugins are to use as well.
    fn share(&mut self, symbol: &Symbol<'d>, piece: Piece, index: usize, print: u64) -> Decision {
        let objects = self.found.taken.entry(piece.0).or_default();
        objects.symbols.insert(index, Fate::Shared);
        self.found.statics.push(NewStatic {
            path: self.on.world.path(symbol.name).to_string(),
            symbol: symbol.name.to_owned(),
            print,
        });
        Decision::Taken(piece.0, piece.1)
    }

    /// A static: the program's, an earlier plugin's, or a new one.
    fn variable(
        &mut self,
        symbol: &Symbol<'d>,
        piece: Piece,
        index: usize,
    ) -> Result<Decision, String> {
        let path = self.on.world.path(symbol.name);
        let taken = Decision::Taken(piece.0, piece.1);
        let in_program = sites::attached(&path);
        let is_word = path
            .rsplit("::")
            .next()
            .is_some_and(|last| self.on.facts.words.contains(last));
        let print = (self.on.print)(piece);
        let candidates = self.on.program.symbols_of(&in_program);
        match candidates {
            [] => {}
            _ if self.on.facts.is_description(self.on.world, &path)
                && !(self.on.unchanged)(&path) =>
            {
                return Ok(taken);
            }
            [one] => return Ok(Decision::Elsewhere((*one).to_owned())),
            several if several.contains(&symbol.name) && (self.on.unchanged)(&path) => {
                return Ok(Decision::Elsewhere(symbol.name.to_owned()));
            }
            _ if !is_word => return Ok(taken),
            _ => {
                return Err(format!(
                    "there are two variables `{}` in one body",
                    demangled(symbol.name)
                ))
            }
        }
        let mut brought = self.on.brought.iter().filter(|known| known.path == *path);
        if let Some(known) = brought.find(|known| is_word || known.print == print) {
            self.found.used.insert(known.symbol.clone());
            return Ok(Decision::Elsewhere(known.symbol.clone()));
        }
        let again = self.found.statics.iter().any(|known| known.path == *path);
        if is_word && again {
            return Err(format!(
                "there are two variables `{}` in one body",
                demangled(symbol.name)
            ));
        }
        if !symbol.name.starts_with("_R") || again {
            return Ok(taken);
        }
        Ok(self.share(symbol, piece, index, print))
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
