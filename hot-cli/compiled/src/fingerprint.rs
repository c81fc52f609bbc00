//! What a piece of code or data is, so that two compilations can be compared.
//!
//! Bytes, and what they refer to: functions and statics by their paths, nameless constants and code
//! that isn't Rust's by name (`__rust_try`) by what they hold. Where a panic stands
//! (`core::panic::Location`) doesn't count: a line or a module that is moved changes no function,
//! nor does another indentation. Knows nothing of what a difference means.

use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use object::elf;

use crate::locations::{location, Location};
use crate::objects::Relocation;
use crate::symbols::is_rust;
use crate::world::{Piece, Target, World};

/// Compares the pieces of one compilation.
pub struct Fingerprints<'a, 'd> {
    world: &'a World<'d>,
    known: RefCell<HashMap<Piece, u64>>,
    /// It counts which of several of one path something refers to.
    by_order: bool,
}

/// Nameless constants refer to each other in chains, not in depth.
const DEEPEST: usize = 64;

impl<'a, 'd> Fingerprints<'a, 'd> {
    /// Of the pieces of `world`; each is read when it is first asked for.
    pub fn new(world: &'a World<'d>) -> Self {
        Self {
            world,
            known: RefCell::default(),
            by_order: true,
        }
    }

    /// The same for pieces of which it isn't known which of several of one path they are.
    pub fn without_order(world: &'a World<'d>) -> Self {
        Self {
            by_order: false,
            ..Self::new(world)
        }
    }

    /// What a piece is.
    pub fn of(&self, piece: Piece) -> u64 {
        if let Some(&known) = self.known.borrow().get(&piece) {
            return known;
        }
        let found = self.at_depth(piece, 0);
        self.known.borrow_mut().insert(piece, found);
        found
    }

    fn at_depth(&self, piece: Piece, depth: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        let object = &self.world.objects[piece.0];
        let section = &object.sections[piece.1];
        if depth > DEEPEST {
            return 0;
        }
        if self.is_location(piece) {
            "location".hash(&mut hasher);
            return hasher.finish();
        }
        (section.flags, section.size).hash(&mut hasher);
        object.data[section.file.clone()].hash(&mut hasher);
        for relocation in object.relocations(piece.1) {
            (relocation.offset, relocation.kind).hash(&mut hasher);
            self.target(piece, &relocation, depth, &mut hasher);
        }
        hasher.finish()
    }

    fn target(
        &self,
        from: Piece,
        relocation: &Relocation,
        depth: usize,
        hasher: &mut DefaultHasher,
    ) {
        let addend = relocation.addend;
        let Some(symbol) = self.world.symbol(from.0, relocation) else {
            return relocation.symbol.hash(hasher);
        };
        let piece = match self.world.target(from.0, relocation) {
            Some(Target::Piece(piece)) => piece,
            Some(Target::Outside(name)) => return self.name(name, addend, hasher),
            None => return (relocation.symbol, addend).hash(hasher),
        };
        if is_rust(symbol.name) || !symbol.local {
            return self.named(symbol.name, piece, addend, hasher);
        }
        let offset = (symbol.value as i64).wrapping_add(addend);
        let section = &self.world.objects[piece.0].sections[piece.1];
        if piece == from {
            return ("self", offset).hash(hasher);
        }
        let path = self.world.path_of(piece).filter(|_| section.is_code());
        if let Some(path) = path {
            // A jump table's way back, or code that only its own object calls.
            (&path, offset).hash(hasher);
            return self.among_namesakes(Some(&path), piece, hasher);
        }
        if section.has(elf::SHF_MERGE) {
            if symbol.kind != elf::STT_SECTION {
                // It tells where the entry begins.
                addend.hash(hasher);
                return self.entry(piece, symbol.value as i64, false, hasher);
            }
            let relative = matches!(relocation.kind, elf::R_X86_64_PC32 | elf::R_X86_64_PLT32);
            return self.entry(piece, offset, relative, hasher);
        }
        // Also code that LLVM names: it has what was inlined into it, and nothing else tells that
        // it differs.
        let content = match depth {
            0 => self.constant(piece),
            depth => self.at_depth(piece, depth + 1),
        };
        (content, offset).hash(hasher);
    }

    /// A nameless constant that code refers to directly: many functions do to the same.
    fn constant(&self, piece: Piece) -> u64 {
        let key = (piece.0, piece.1);
        if let Some(&known) = self.known.borrow().get(&key) {
            return known;
        }
        let found = self.at_depth(piece, 1);
        self.known.borrow_mut().insert(key, found);
        found
    }

    fn name(&self, name: &'d str, addend: i64, hasher: &mut DefaultHasher) {
        match is_rust(name) {
            true => (self.world.path(name), addend).hash(hasher),
            false => (name, addend).hash(hasher),
        }
    }

    fn named(&self, name: &'d str, piece: Piece, addend: i64, hasher: &mut DefaultHasher) {
        self.name(name, addend, hasher);
        self.among_namesakes(Some(&self.world.path(name)), piece, hasher);
    }

    /// Several things in one body can have one path: then it matters which of them it is, and of
    /// variables, which may be told by that, what they begin with. They share an object, of which
    /// modules aren't divided; what others hold are copies, which come and go with whoever needs
    /// them.
    fn among_namesakes(&self, path: Option<&str>, piece: Piece, hasher: &mut DefaultHasher) {
        let pieces = path.map_or(&[][..], |path| self.world.pieces(path));
        let mut here = pieces.iter().filter(|other| other.0 == piece.0);
        let position = here.clone().position(|other| *other == piece);
        let position = position.filter(|_| self.by_order);
        if here.nth(1).is_some() {
            let object = &self.world.objects[piece.0];
            let section = &object.sections[piece.1];
            (position, &object.data[section.file.clone()]).hash(hasher);
        }
    }

    /// An entry of a section of constants that belongs to many functions.
    fn entry(&self, piece: Piece, offset: i64, relative: bool, hasher: &mut DefaultHasher) {
        let object = &self.world.objects[piece.0];
        let section = &object.sections[piece.1];
        let data = &object.data[section.file.clone()];
        // A displacement counts from behind the instruction: four bytes, more if a constant
        // follows.
        let start = offset + if relative { 4 } else { 0 };
        let start = start.clamp(0, data.len() as i64) as usize;
        let entry = (section.entry as usize).max(1);
        if section.has(elf::SHF_STRINGS) {
            let end = data[start..].iter().position(|byte| *byte == 0);
            let end = end.map_or(data.len(), |end| start + end);
            return data[start..end].hash(hasher);
        }
        let end = (start + 2 * entry).min(data.len());
        match relative && entry < 16 {
            true => data[start..end].hash(hasher),
            false => data[start..(start + entry).min(end)].hash(hasher),
        }
    }

    /// The places in sources that a piece of code holds.
    pub fn places(&self, piece: Piece) -> Vec<Location<'d>> {
        let relocations = self.world.objects[piece.0].relocations(piece.1);
        let held = relocations.filter_map(|relocation| {
            let Some(Target::Piece(held)) = self.world.target(piece.0, &relocation) else {
                return None;
            };
            let place = location(&self.world.objects[held.0], held.1);
            place.filter(|_| self.is_location(held))
        });
        held.collect()
    }

    /// Whether it is a place in a source.
    fn is_location(&self, piece: Piece) -> bool {
        let object = &self.world.objects[piece.0];
        self.world.symbols_in(piece).is_empty() && location(object, piece.1).is_some()
    }
}
