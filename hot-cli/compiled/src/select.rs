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

mod content;
mod definitions;
mod moved;
mod program_symbols;
mod repeated;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use object::elf;
use soft_mock_abi::late::sharing;
use soft_mock_abi::symbol;

use crate::code::{self, Rebinding};
use crate::compare::Premises;
use crate::objects::{Relocation, Section, Symbol};
use crate::sites::{self, CompiledSite};
use crate::symbols::{demangled, is_rust, without_marks};
use crate::world::{Piece, World};

pub use program_symbols::ProgramSymbols;
pub use repeated::marks;

/// The stand-in for the site of a changed function in its own new code: nothing is ever hooked in.
pub const OWN_SITE: &str = "__soft_mock_own_site";

/// What becomes of a global symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
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
pub struct Taken {
    /// The sections that the plugin gets.
    pub sections: BTreeSet<usize>,
    /// What becomes of global symbols, by their indices.
    pub symbols: BTreeMap<usize, Fate>,
    /// Relocations that are changed, or that refer to a new symbol of this name.
    pub changes: Vec<(Relocation, Rebinding, Option<String>)>,
    /// Bytes of code, by their place in the file.
    pub bytes: Vec<(usize, u8)>,
}

/// A variable that a plugin brought, or the function through which a thread-local is reached.
#[derive(Debug, Clone)]
pub struct NewStatic {
    /// Its path, with the crates' marks.
    pub path: String,
    /// The symbol by which plugins refer to it.
    pub symbol: String,
    /// What it was initialised with.
    pub print: u64,
}

/// The [`marks`] of what has a path.
pub type Marks<'a> = &'a dyn Fn(&str) -> Vec<u64>;

/// What the selection is about.
pub struct Selection<'a, 'd> {
    /// The new code.
    pub world: &'a World<'d>,
    /// The old code.
    pub old: &'a World<'d>,
    /// What the program exports.
    pub program: &'a ProgramSymbols,
    /// What is known beside the code.
    pub premises: &'a Premises<'a>,
    /// Variables of plugins that are loaded, or that are loaded before this one.
    pub brought: &'a [NewStatic],
    /// The functions whose new code is wanted: the paths that the code has, in order.
    pub roots: &'a [&'a CompiledSite],
    /// Code without a site that is wanted as well, by its path, each with the name that it is
    /// exported under.
    pub late: &'a BTreeMap<String, String>,
    /// What a slot of this piece is to hold in place of the code of this path, by its symbol.
    pub rebound: &'a dyn Fn(Piece, &str) -> Option<String>,
    /// Stands for what a piece is.
    pub print: &'a dyn Fn(Piece) -> u64,
    /// Whether what has a path is the same in both compilations.
    pub unchanged: &'a dyn Fn(&str) -> bool,
    /// The [`marks`] of what has a path, as the program was built and now.
    pub marks: [Marks<'a>; 2],
}

/// What was selected.
#[derive(Default)]
pub struct Selected {
    /// What is taken of each object, by its position.
    pub taken: BTreeMap<usize, Taken>,
    /// The code of each of the functions, in their order.
    pub roots: Vec<Piece>,
    /// The new code of functions that are given a site afterwards, by their paths.
    pub late: BTreeMap<String, Piece>,
    /// Variables that the program doesn't have.
    pub statics: Vec<NewStatic>,
    /// Variables of earlier plugins that are used.
    pub used: BTreeSet<String>,
    /// Those of them that began with another value, by their names, with what stands for the new
    /// one.
    pub keep: BTreeMap<String, u64>,
}

impl Selected {
    /// The names by which single places refer to what isn't the plugin's.
    pub fn outside(&self) -> HashSet<&str> {
        let changes = self.taken.values().flat_map(|taken| &taken.changes);
        changes.filter_map(|(_, _, name)| name.as_deref()).collect()
    }
}

/// Takes what the changed functions need. `Err`: why it can't be taken.
pub fn select(selection: &Selection<'_, '_>) -> Result<Selected, String> {
    let mut selector = Selector {
        on: selection,
        roots: HashMap::new(),
        late: HashMap::new(),
        prologues: HashMap::new(),
        own_sites: HashSet::new(),
        decided: HashMap::new(),
        found: Selected::default(),
        waiting: VecDeque::new(),
    };
    for (position, site) in selection.roots.iter().enumerate() {
        selector.root(position, site)?;
    }
    for (path, name) in selection.late {
        selector.late_root(path, name)?;
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
    site: &'a CompiledSite,
    /// What it is exported as.
    name: String,
    /// It stands behind its prologue, or returns the future that does, and is not called but
    /// through the site.
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
    late: HashMap<Piece, &'a str>,
    /// The code with the prologue of what is wanted, if that stands behind it.
    prologues: HashMap<Piece, &'a CompiledSite>,
    own_sites: HashSet<String>,
    decided: HashMap<&'d str, Decision>,
    found: Selected,
    waiting: VecDeque<Piece>,
}

impl<'a, 'd> Selector<'a, 'd> {
    fn root(&mut self, position: usize, site: &'a CompiledSite) -> Result<(), String> {
        let world = self.on.world;
        let missing = || format!("rustc made no code of its own for {}", site.name);
        let inline = world.pieces(site.detached()).is_empty();
        let returning = site.returning().filter(|path| {
            let bound = self.on.premises.bound.get(*path);
            bound.is_some_and(|bound| bound.path == site.path)
        });
        let code = match (inline, site.is_async) {
            (false, _) => site.detached(),
            (true, false) => site.owner(),
            (true, true) => returning.ok_or_else(missing)?,
        };
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
        let name = symbol::patch(position);
        let taken = self.found.taken.entry(piece.0).or_default();
        taken.symbols.insert(index, Fate::Exported(name.clone()));
        if inline {
            let mut holding = world.pieces(site.owner()).iter().copied();
            let prologue = match site.is_async {
                true => holding.next().filter(|_| holding.next().is_none()),
                false => Some(piece),
            };
            self.prologues.insert(prologue.ok_or_else(missing)?, site);
        }
        self.roots.insert(piece, Root { site, name, inline });
        self.found.roots.push(piece);
        self.take(piece.0, piece.1)
    }

    fn late_root(&mut self, path: &str, name: &'a str) -> Result<(), String> {
        let world = self.on.world;
        let mut pieces = world.pieces(path).iter();
        let piece = pieces.find(|piece| world.is_code(**piece));
        let found = piece.and_then(|piece| {
            let mut symbols = world.objects[piece.0].symbols.iter().enumerate();
            let is_its = |(_, symbol): &(usize, &Symbol<'d>)| {
                !symbol.local && symbol.section == Some(piece.1)
            };
            Some((*piece, symbols.find(is_its)?.0))
        });
        let Some((piece, index)) = found else {
            return Err(format!(
                "rustc made no code of its own for `{}`",
                without_marks(path)
            ));
        };
        let taken = self.found.taken.entry(piece.0).or_default();
        taken.symbols.insert(index, Fate::Exported(name.to_owned()));
        self.late.insert(piece, name);
        self.found.late.insert(path.to_owned(), piece);
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
        if symbol.name.ends_with(symbol::SITE) && is_rust(symbol.name) {
            return self.site(object, section, relocation, symbol);
        }
        let in_slot = world.code_in_slot(object, relocation);
        let rebound = in_slot.and_then(|path| (self.on.rebound)((object, section), &path));
        if let Some(name) = rebound {
            let change = (*relocation, Rebinding::default(), Some(name));
            let taken = self.found.taken.entry(object).or_default();
            taken.changes.push(change);
            return Ok(());
        }
        if symbol.local {
            return self.local(object, from, symbol, relocation);
        }
        let beside = symbol.section.map(|section| (object, section));
        let is_beside = beside.is_some_and(|piece| {
            let root = self.roots.get(&piece);
            root.is_some_and(|root| !root.inline) || self.late.contains_key(&piece)
        });
        if is_beside {
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

    /// The site of a function: that of the program, unless the code is what stands behind it, or
    /// the program has none.
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
            .prologues
            .get(&(object, section))
            .is_some_and(|site| *site.path == *path);
        if own {
            self.own_sites.insert(path.to_string());
        }
        if self.on.premises.bound.contains_key(owner) && !own {
            if let Some(name) = self.on.program.symbol(&path) {
                return self.bind(object, from, relocation, symbol, name.to_owned());
            }
        }
        self.known(relocation, symbol, from)?;
        let mut roots = self.on.roots.iter();
        let is_brought = self.on.premises.brought.contains_key(owner);
        let name = match roots.position(|root| root.owner() == owner) {
            Some(position) if is_brought => sharing(position),
            None if is_brought => return Err(format!("another crate holds code of `{owner}`")),
            _ => OWN_SITE.to_owned(),
        };
        let change = (*relocation, Rebinding::default(), Some(name));
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
