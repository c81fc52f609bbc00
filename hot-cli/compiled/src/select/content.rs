//! What a function comes to that goes into a plugin: its code, and what is taken along for it.
//!
//! Two plugins that bring the same of a function give it the same body, whatever else they bring.
//! Knows nothing of why a function is in a plugin.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use object::elf;

use super::Selected;
use crate::world::{Piece, Target, World};

impl Selected {
    /// Stands for each of the functions, in their order, and for each of those that are given a
    /// site afterwards, by their paths.
    pub fn contents(
        &self,
        world: &World<'_>,
        print: impl Fn(Piece) -> u64,
    ) -> (Vec<u64>, HashMap<&str, u64>) {
        let roots: HashSet<Piece> = self.roots.iter().copied().collect();
        let content = |root: &Piece| {
            let mut hasher = DefaultHasher::new();
            print(*root).hash(&mut hasher);
            self.along(world, *root, &roots, &print).hash(&mut hasher);
            hasher.finish()
        };
        let late = self.late.iter();
        (
            self.roots.iter().map(&content).collect(),
            late.map(|(path, code)| (path.as_str(), content(code)))
                .collect(),
        )
    }

    /// Stands for what is taken along for `root`, in the order in which code that is the same meets
    /// it: several of one path may have changed places.
    fn along(
        &self,
        world: &World<'_>,
        root: Piece,
        roots: &HashSet<Piece>,
        print: impl Fn(Piece) -> u64,
    ) -> Vec<u64> {
        let mut seen = HashSet::from([root]);
        let mut waiting = vec![root];
        let mut found = Vec::new();
        while let Some(piece) = waiting.pop() {
            for relocation in world.objects[piece.0].relocations(piece.1) {
                let Some(Target::Piece(next)) = world.target(piece.0, &relocation) else {
                    continue;
                };
                // Constants of many functions in one: which of them code refers to is part of it.
                if world.objects[next.0].sections[next.1].has(elf::SHF_MERGE) {
                    continue;
                }
                let taken = self.taken.get(&next.0);
                let is_taken = taken.is_some_and(|taken| taken.sections.contains(&next.1));
                if is_taken && !roots.contains(&next) && seen.insert(next) {
                    waiting.push(next);
                    found.push(print(next));
                }
            }
        }
        found
    }
}
