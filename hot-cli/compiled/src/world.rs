//! The compiled code of all units of a program, as one graph: pieces of code and data, and what
//! refers to what.
//!
//! A *piece* is a section of an object: rustc gives every function and every constant one of its
//! own. Functions and statics are known by the path that their symbols spell. It has no numbers of
//! impl blocks, which an insertion before them would change. Knows nothing of what changed.

mod shared;

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use object::elf;

use crate::flow::{self, AddressUse, References};
use crate::objects::{Object, Relocation, Symbol};
use crate::symbols::{demangled, is_rust, order, path};

pub use shared::{Kept, Objects, Shared};

/// A section of an object, by their positions.
pub type Piece = (usize, usize);

/// What refers to a piece, and where.
pub(crate) type Users = HashMap<Piece, Vec<(Piece, Relocation)>>;

/// The code of all units.
pub struct World<'d> {
    /// The objects, by their positions.
    pub objects: Objects<'d>,
    /// What it has in common with other worlds.
    shared: Option<&'d Shared<'d>>,
    /// Where each global symbol is defined that isn't in what is shared: the object, and the
    /// symbol's place in its table.
    definitions: HashMap<&'d str, (usize, usize)>,
    /// The functions and statics in each of its own pieces.
    named: HashMap<Piece, Vec<&'d str>>,
    /// The pieces of each path that its own objects have: more than one for instances that several
    /// crates or objects have, and for things of one name in one body. By object, and there in the
    /// order of the source.
    paths: HashMap<Arc<str>, Vec<Piece>>,
    names: RefCell<HashMap<&'d str, Arc<str>>>,
    rename: Option<Rename>,
}

/// Gives a path another text.
type Rename = Box<dyn Fn(String) -> String + Send>;

/// What a relocation refers to.
#[derive(Debug, Clone, Copy)]
pub enum Target<'d> {
    /// A piece of the units.
    Piece(Piece),
    /// Something outside of the units.
    Outside(&'d str),
}

/// How a piece uses what it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It calls it.
    Call,
    /// Code that has its address in its own frame, where a call that it makes may read it.
    Frame,
    /// Code that hands its address on.
    Address,
    /// Data that holds its address.
    Data,
}

impl<'d> World<'d> {
    /// Reads what the objects define.
    pub fn new(objects: Vec<Object<'d>>) -> Self {
        Self::read(objects, None, None)
    }

    /// Reads what the objects define, beside what several worlds share.
    pub fn beside(shared: &'d Shared<'d>, objects: Vec<Object<'d>>) -> Self {
        Self::read(objects, Some(shared), None)
    }

    /// The same, with other paths: those that `rename` makes of them.
    pub fn renamed(
        objects: Vec<Object<'d>>,
        rename: impl Fn(String) -> String + Send + 'static,
    ) -> Self {
        Self::read(objects, None, Some(Box::new(rename)))
    }

    fn read(
        objects: Vec<Object<'d>>,
        shared: Option<&'d Shared<'d>>,
        rename: Option<Rename>,
    ) -> Self {
        let mut world = Self {
            objects: Objects {
                shared: shared.map_or(&[], |shared| &shared.objects),
                own: objects,
            },
            shared,
            definitions: HashMap::new(),
            named: HashMap::new(),
            paths: HashMap::new(),
            names: RefCell::default(),
            rename,
        };
        for position in world.objects.shared.len()..world.objects.len() {
            for index in 0..world.objects[position].symbols.len() {
                world.record(position, index);
            }
        }
        let mut paths = std::mem::take(&mut world.paths);
        for (path, pieces) in &mut paths {
            // The objects were read one after the other.
            if pieces.windows(2).any(|two| two[0].0 == two[1].0) {
                pieces.sort_by_cached_key(|piece| {
                    let names = world.symbols_in(*piece).iter();
                    let own = names.filter(|name| world.path(name) == *path);
                    (piece.0, own.map(|name| order(name)).min())
                });
            }
        }
        world.paths = paths;
        world
    }

    fn record(&mut self, position: usize, index: usize) {
        let symbol = &self.objects[position].symbols[index];
        let Some(section) = symbol.section else {
            return;
        };
        let name = symbol.name;
        if !symbol.local {
            // The first one counts.
            if self
                .shared
                .is_none_or(|shared| !shared.definitions.contains_key(name))
            {
                self.definitions.entry(name).or_insert((position, index));
            }
        } else if !is_rust(name) {
            return;
        }
        let piece = (position, section);
        self.named.entry(piece).or_default().push(name);
        let path = self.path(name);
        let pieces = match self.paths.entry(path) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let others = self.shared.and_then(|shared| shared.paths.get(new.key()));
                let others = others.cloned().unwrap_or_default();
                new.insert(others)
            }
        };
        if !pieces.contains(&piece) {
            pieces.push(piece);
        }
    }

    /// A symbol as a path.
    pub fn path(&self, symbol: &'d str) -> Arc<str> {
        let shared = self.shared.and_then(|shared| shared.names.get(symbol));
        if let Some(known) = shared {
            return Arc::clone(known);
        }
        let mut names = self.names.borrow_mut();
        let known = names.entry(symbol).or_insert_with(|| {
            let path = path(symbol);
            match &self.rename {
                Some(rename) => rename(path).into(),
                None => path.into(),
            }
        });
        Arc::clone(known)
    }

    /// The pieces of a path, by object and there in the order of the source; none if nothing has
    /// it.
    pub fn pieces(&self, path: &str) -> &[Piece] {
        let own = self.paths.get(path);
        let found = own.or_else(|| self.shared?.paths.get(path));
        found.map_or(&[], Vec::as_slice)
    }

    /// Whether something of this path is in objects that this world has for itself.
    pub fn has_own(&self, path: &str) -> bool {
        self.paths.contains_key(path)
    }

    /// Whether both have all but their own objects in common.
    pub fn shares_with(&self, other: &World<'_>) -> bool {
        fn shared(world: &World<'_>) -> Option<*const ()> {
            let shared = world.shared.map(std::ptr::from_ref);
            shared.map(<*const _>::cast)
        }
        shared(self) == shared(other)
    }

    /// The symbols of a path with their pieces, in the order of the source: more than one if a body
    /// declares several things of one name.
    pub fn symbols_of(&self, path: &str) -> Vec<(&'d str, Piece)> {
        let pieces = self.pieces(path).iter();
        let mut found: Vec<(&str, Piece)> = pieces
            .flat_map(|piece| self.symbols_in(*piece).iter().map(|name| (*name, *piece)))
            .filter(|(name, _)| *self.path(name) == *path)
            .collect();
        found.sort_by_cached_key(|(name, _)| order(name));
        found.dedup_by_key(|(name, _)| *name);
        found
    }

    /// All paths of functions and statics, with their pieces.
    pub fn paths(&self) -> impl Iterator<Item = (&Arc<str>, &[Piece])> + use<'_, 'd> {
        let shared = self.shared.into_iter().flat_map(|shared| &shared.paths);
        let shared = shared.filter(|(path, _)| !self.has_own(path));
        let all = self.paths.iter().chain(shared);
        all.map(|(path, pieces)| (path, pieces.as_slice()))
    }

    /// The same of those that have something in its own objects.
    pub fn own_paths(&self) -> impl Iterator<Item = (&Arc<str>, &[Piece])> + use<'_, 'd> {
        let own = self.paths.iter();
        own.map(|(path, pieces)| (path, pieces.as_slice()))
    }

    /// The functions and statics in a piece; none for a nameless constant.
    pub fn symbols_in(&self, piece: Piece) -> &[&'d str] {
        let own = self.named.get(&piece);
        let found = own.or_else(|| self.shared?.named.get(&piece));
        found.map_or(&[], Vec::as_slice)
    }

    /// The path of what is in a piece.
    pub fn path_of(&self, piece: Piece) -> Option<Arc<str>> {
        let symbol = self.symbols_in(piece).first()?;
        Some(self.path(symbol))
    }

    /// All paths of what is in a piece: functions of the same content may be one.
    pub fn paths_of(&self, piece: Piece) -> impl Iterator<Item = Arc<str>> + use<'_, 'd> {
        let symbols = self.symbols_in(piece).iter();
        symbols.map(|symbol| self.path(symbol))
    }

    /// Where a global symbol is defined: the object, and the symbol's place in its table.
    pub fn definition(&self, symbol: &str) -> Option<(usize, usize)> {
        let shared = self
            .shared
            .and_then(|shared| shared.definitions.get(symbol));
        shared.or_else(|| self.definitions.get(symbol)).copied()
    }

    /// The symbol that a relocation of an object is about.
    pub fn symbol(&self, object: usize, relocation: &Relocation) -> Option<&Symbol<'d>> {
        self.objects[object].symbols.get(relocation.symbol)
    }

    /// What a relocation refers to.
    pub fn target(&self, object: usize, relocation: &Relocation) -> Option<Target<'d>> {
        let symbol = self.symbol(object, relocation)?;
        if let Some(section) = symbol.section {
            return Some(Target::Piece((object, section)));
        }
        Some(match self.definition(symbol.name) {
            Some((other, index)) => {
                Target::Piece((other, self.objects[other].symbols[index].section?))
            }
            None => Target::Outside(symbol.name),
        })
    }

    /// The path of the code whose whole address a relocation stands for, as a slot of a vtable
    /// holds it: that of the symbol, or of what is in the section where the symbol has no name
    /// outside.
    pub fn code_in_slot(&self, object: usize, relocation: &Relocation) -> Option<Arc<str>> {
        let symbol = self.symbol(object, relocation)?;
        if relocation.kind != elf::R_X86_64_64 || relocation.addend != 0 {
            return None;
        }
        match symbol.section.filter(|_| symbol.local) {
            Some(section) => self
                .path_of((object, section))
                .filter(|_| self.is_code((object, section))),
            None => Some(self.path(symbol.name)),
        }
    }

    /// These vtables, and those of supertraits to which they lead: of such a one debug information
    /// says nothing. All that a vtable refers to is code or another vtable.
    pub fn with_supertraits(&self, mut vtables: HashSet<Piece>) -> HashSet<Piece> {
        let mut waiting: Vec<Piece> = vtables.iter().copied().collect();
        while let Some(vtable) = waiting.pop() {
            for relocation in self.objects[vtable.0].relocations(vtable.1) {
                let Some(Target::Piece(target)) = self.target(vtable.0, &relocation) else {
                    continue;
                };
                let starts = self.symbol(vtable.0, &relocation).is_some_and(|symbol| {
                    i64::try_from(symbol.value)
                        .ok()
                        .and_then(|at| at.checked_add(relocation.addend))
                        == Some(0)
                });
                let is_data = !self.is_code(target) && self.symbols_in(target).is_empty();
                if is_data && starts && vtables.insert(target) {
                    waiting.push(target);
                }
            }
        }
        vtables
    }

    /// How a relocation of a piece uses its target.
    pub fn usage(&self, piece: Piece, relocation: &Relocation) -> Use {
        let object = &self.objects[piece.0];
        let section = &object.sections[piece.1];
        if !section.is_code() {
            return Use::Data;
        }
        let Some(code) = object.data.get(section.file.clone()) else {
            return Use::Address;
        };
        let references = ReferencesOf { world: self, piece };
        match flow::address_use(code, relocation.offset, &references) {
            AddressUse::Called => Use::Call,
            AddressUse::InFrame => Use::Frame,
            AddressUse::Kept => Use::Address,
        }
    }

    /// Whether code calls what writes formatted text: it reads the arguments out of the caller's
    /// frame, and keeps none.
    pub fn formats(&self, piece: Piece) -> bool {
        let mut relocations = self.objects[piece.0].relocations(piece.1);
        relocations.any(|relocation| self.is_formatting(piece.0, &relocation))
    }

    fn is_formatting(&self, object: usize, relocation: &Relocation) -> bool {
        const NAMES: [&str; 6] = [
            "core::fmt::write",
            "alloc::fmt::format::format_inner",
            "std::io::stdio::_print",
            "std::io::stdio::_eprint",
            "core::panicking::panic_fmt",
            "core::fmt::Formatter::write_fmt",
        ];
        let symbol = self.symbol(object, relocation);
        symbol.is_some_and(|symbol| {
            let name = demangled(symbol.name);
            // In the newer mangling, an inherent method is `<core::fmt::Formatter>::write_fmt`.
            NAMES.contains(&name.replace(['<', '>'], "").as_str())
        })
    }

    /// All pieces that are loaded into a program.
    pub fn all(&self) -> impl Iterator<Item = Piece> + use<'_, 'd> {
        self.pieces_of(0..self.objects.len())
    }

    fn pieces_of(&self, objects: Range<usize>) -> impl Iterator<Item = Piece> + use<'_, 'd> {
        objects.flat_map(|at| {
            let object = &self.objects[at];
            let sections = object.sections.iter().enumerate();
            sections
                .filter(|(_, section)| {
                    // Sites lead to the functions that answer with their types, and to nothing
                    // else.
                    const NOT: [&str; 2] = [".eh_frame", soft_mock_abi::section::SITES];
                    section.has(object::elf::SHF_ALLOC) && !NOT.contains(&section.name)
                })
                .map(move |(section, _)| (at, section))
        })
    }

    /// Whether a piece holds instructions.
    pub fn is_code(&self, piece: Piece) -> bool {
        self.objects[piece.0].sections[piece.1].is_code()
    }

    /// Which pieces refer to those that its own objects refer to, or that are in them.
    pub(crate) fn users(&self) -> Users {
        let mut users = Users::new();
        for (symbol, &(object, index)) in &self.definitions {
            let section = self.objects[object].symbols[index].section;
            let waiting = self.shared.and_then(|shared| shared.unknown.get(symbol));
            if let Some((section, waiting)) = section.zip(waiting) {
                let known = users.entry((object, section)).or_default();
                known.extend(waiting);
                known.sort_by_key(|(user, relocation)| (*user, relocation.offset));
            }
        }
        for piece in self.pieces_of(self.objects.shared.len()..self.objects.len()) {
            for relocation in self.objects[piece.0].relocations(piece.1) {
                let Some(Target::Piece(target)) = self.target(piece.0, &relocation) else {
                    continue;
                };
                if target == piece {
                    continue;
                }
                let known = users.entry(target);
                let known = known.or_insert_with(|| self.shared_users(target).to_vec());
                known.push((piece, relocation));
            }
        }
        users
    }

    /// What of the objects that it shares with others refers to a piece of them.
    pub(crate) fn shared_users(&self, piece: Piece) -> &[(Piece, Relocation)] {
        let users = self.shared.and_then(|shared| shared.users.get(&piece));
        users.map_or(&[], Vec::as_slice)
    }
}

/// Where a piece of code refers to others.
struct ReferencesOf<'a, 'd> {
    world: &'a World<'d>,
    piece: Piece,
}

impl ReferencesOf<'_, '_> {
    fn within(&self, place: &Range<usize>) -> Option<Relocation> {
        let mut relocations = self.world.objects[self.piece.0].relocations(self.piece.1);
        relocations.find(|relocation| place.contains(&relocation.offset))
    }
}

impl References for ReferencesOf<'_, '_> {
    fn is_any(&self, place: Range<usize>) -> bool {
        self.within(&place).is_some()
    }

    fn takes_none(&self, place: Range<usize>) -> bool {
        let found = self.within(&place);
        found.is_some_and(|relocation| self.world.is_formatting(self.piece.0, &relocation))
    }
}
