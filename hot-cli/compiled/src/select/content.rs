//! What a function comes to that goes into a plugin: its code, and what is taken along for it.
//!
//! Two plugins that bring the same of a function give it the same body, whatever else they bring.
//! Knows nothing of why a function is in a plugin.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashSet};
use std::hash::{Hash, Hasher};

use object::elf;

use super::Selected;
use crate::objects::Relocation;
use crate::symbols::is_rust;
use crate::world::{Piece, Target, World};

impl Selected {
    /// Stands for each of the functions, in their order.
    pub fn contents(&self, world: &World<'_>, print: impl Fn(Piece) -> u64) -> Vec<u64> {
        let roots: HashSet<Piece> = self.roots.iter().copied().collect();
        let content = |root: &Piece| {
            let mut hasher = DefaultHasher::new();
            print(*root).hash(&mut hasher);
            self.along(world, *root, &roots, &print).hash(&mut hasher);
            hasher.finish()
        };
        self.roots.iter().map(content).collect()
    }

    /// Stands for what is taken along for `root`, in whatever order it is met.
    fn along(
        &self,
        world: &World<'_>,
        root: Piece,
        roots: &HashSet<Piece>,
        print: impl Fn(Piece) -> u64,
    ) -> BTreeSet<u64> {
        let mut seen = HashSet::from([root]);
        let mut waiting = vec![root];
        while let Some(piece) = waiting.pop() {
            for relocation in world.objects[piece.0].relocations(piece.1) {
                let Some(Target::Piece(next)) = world.target(piece.0, &relocation) else {
                    continue;
                };
                let taken = self.taken.get(&next.0);
                let is_taken = taken.is_some_and(|taken| taken.sections.contains(&next.1));
                let is_shared = is_entry_of_shared(world, piece, &relocation, next);
                if is_taken && !is_shared && !roots.contains(&next) && seen.insert(next) {
                    waiting.push(next);
                }
            }
        }
        seen.remove(&root);
        seen.into_iter().map(print).collect()
    }
}

/// Whether a nameless constant is meant that stands among those of other functions. What refers to
/// it is printed with what it holds; the others are nobody's here.
fn is_entry_of_shared(
    world: &World<'_>,
    piece: Piece,
    relocation: &Relocation,
    target: Piece,
) -> bool {
    let section = &world.objects[target.0].sections[target.1];
    let symbol = world.symbol(piece.0, relocation);
    section.has(elf::SHF_MERGE) && symbol.is_some_and(|one| one.local && !is_rust(one.name))
}
