//! One of the two compilations: its pieces, what each of them is, and what refers to it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use object::elf;

use super::Premises;
use crate::fingerprint::Fingerprints;
use crate::locations::Location;
use crate::objects::Relocation;
use crate::symbols::are_one;
use crate::world::{Piece, Target, Users, World};

/// One compilation.
pub struct Side<'a, 'd> {
    /// Its code and data.
    pub world: &'a World<'d>,
    prints: Fingerprints<'a, 'd>,
    unordered: Fingerprints<'a, 'd>,
    users: Users,
}

impl<'a, 'd> Side<'a, 'd> {
    /// One side, not yet compared with anything.
    pub fn new(world: &'a World<'d>) -> Self {
        Self {
            world,
            prints: Fingerprints::new(world),
            unordered: Fingerprints::without_order(world),
            users: world.users(),
        }
    }

    pub(super) fn users(&self, piece: Piece) -> &[(Piece, Relocation)] {
        let own = self.users.get(&piece).map(Vec::as_slice);
        own.unwrap_or_else(|| self.world.shared_users(piece))
    }

    /// What refers to a piece.
    pub fn used_by(&self, piece: Piece) -> impl Iterator<Item = Piece> + '_ {
        self.users(piece).iter().map(|(user, _)| *user)
    }

    /// Whether `table` is a function's own table of places to jump to: nothing else refers to it,
    /// and what it holds are distances, which no pointer is. A jump there is part of a call in
    /// progress.
    pub(super) fn is_jump_table(
        &self,
        table: Piece,
        relocation: &Relocation,
        function: Piece,
    ) -> bool {
        let world = self.world;
        let mut users = self.users(table).iter();
        relocation.kind == elf::R_X86_64_PC32
            && !world.is_code(table)
            && world.symbols_in(table).is_empty()
            && users.all(|(user, _)| *user == function)
    }

    pub(super) fn code(&self, path: &str) -> Vec<Piece> {
        let pieces = self.world.pieces(path).iter().copied();
        pieces.filter(|piece| self.world.is_code(*piece)).collect()
    }

    /// Stands for what a piece is.
    pub fn print(&self, piece: Piece) -> u64 {
        self.prints.of(piece)
    }

    /// Stands for what a piece is and for the columns of panics and callers in it.
    pub fn print_with_columns(&self, piece: Piece) -> u64 {
        let places = self.prints.places(piece).into_iter();
        let columns: Vec<u32> = places.map(|place| place.column).collect();
        let mut hasher = DefaultHasher::new();
        (self.print(piece), columns).hash(&mut hasher);
        hasher.finish()
    }

    /// The same for a piece of which it isn't known which of several of one path it is.
    pub fn print_without_order(&self, piece: Piece) -> u64 {
        self.unordered.of(piece)
    }

    /// The places in sources that the code of a path holds.
    pub(super) fn places(&self, path: &str) -> Vec<Location<'d>> {
        let code = self.code(path).into_iter();
        code.flat_map(|piece| self.prints.places(piece)).collect()
    }

    /// Stands for the first piece of a path.
    pub fn print_of_path(&self, path: &str) -> u64 {
        self.world
            .pieces(path)
            .first()
            .map_or(0, |piece| self.prints.of(*piece))
    }

    /// Whether what has this path is the same in another compilation.
    pub fn is_same(&self, other: &Side<'_, '_>, path: &str) -> bool {
        let (now, then) = (self.world.pieces(path), other.world.pieces(path));
        !then.is_empty() && self.print_of(now) == other.print_of(then)
    }

    /// Whether all that has this path, here and in another compilation, is one function.
    pub fn has_one_function(&self, other: &Side<'_, 'd>, path: &str) -> bool {
        let [here, there] = [self.world, other.world].map(|world| world.symbols_of(path));
        are_one(here.iter().chain(&there).map(|(symbol, _)| *symbol))
    }

    /// Stands for all pieces of a path. What several objects have are copies. What one has more
    /// than once are things of one name in one body: which of them is which matters.
    pub(super) fn print_of(&self, pieces: &[Piece]) -> BTreeSet<Vec<u64>> {
        let objects = pieces.chunk_by(|one, other| one.0 == other.0);
        objects
            .map(|own| own.iter().map(|piece| self.prints.of(*piece)).collect())
            .collect()
    }
}

/// All code without a site that `path` leads to, itself included.
pub(super) fn reach(
    side: &Side<'_, '_>,
    path: &str,
    premises: &Premises<'_>,
) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut waiting: Vec<Piece> = side.code(path);
    while let Some(piece) = waiting.pop() {
        if !seen.insert(piece) {
            continue;
        }
        if let Some(path) = side.world.path_of(piece) {
            let stops = !side.world.is_code(piece) || premises.bound.contains_key(&*path);
            if stops {
                continue;
            }
            found.extend(side.world.paths_of(piece));
        }
        for relocation in side.world.objects[piece.0].relocations(piece.1) {
            if let Some(Target::Piece(next)) = side.world.target(piece.0, &relocation) {
                waiting.push(next);
            }
        }
    }
    found
}
