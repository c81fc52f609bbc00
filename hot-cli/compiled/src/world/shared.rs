//! What several compilations of a program have in common: the units that none of them compiles
//! anew, which are read once.
//!
//! Knows nothing of which units these are.

use std::collections::HashMap;
use std::ops::{Index, Range};
use std::sync::Arc;

use anyhow::Result;
use self_cell::self_cell;

use super::{Piece, Target, Users, World};
use crate::objects::{self, Object, Relocation};

/// The objects of a world: first those that it shares with others, then its own.
pub struct Objects<'d> {
    pub(super) shared: &'d [Object<'d>],
    pub(super) own: Vec<Object<'d>>,
}

impl<'d> Objects<'d> {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Object<'d>> {
        self.shared.iter().chain(&self.own)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.shared.len() + self.own.len()
    }

    /// Objects that stand together. None of them: also if some are shared and some aren't.
    pub fn together(&self, range: Range<usize>) -> &[Object<'d>] {
        let first = self.shared.len();
        let own = |at: usize| at.checked_sub(first);
        let found = match (own(range.start), own(range.end)) {
            (Some(start), Some(end)) => self.own.get(start..end),
            _ => self.shared.get(range),
        };
        found.unwrap_or_default()
    }
}

impl<'d> Index<usize> for Objects<'d> {
    type Output = Object<'d>;

    fn index(&self, position: usize) -> &Object<'d> {
        match position.checked_sub(self.shared.len()) {
            Some(own) => &self.own[own],
            None => &self.shared[position],
        }
    }
}

/// Objects, and what they define.
pub struct Shared<'d> {
    pub(super) objects: Vec<Object<'d>>,
    pub(super) definitions: HashMap<&'d str, (usize, usize)>,
    pub(super) named: HashMap<Piece, Vec<&'d str>>,
    pub(super) paths: HashMap<Arc<str>, Vec<Piece>>,
    pub(super) names: HashMap<&'d str, Arc<str>>,
    /// What of them refers to which of them.
    pub(super) users: Users,
    /// What refers to a symbol that none of them defines.
    pub(super) unknown: HashMap<&'d str, Vec<(Piece, Relocation)>>,
}

impl<'d> Shared<'d> {
    /// Reads what objects define.
    pub fn new(objects: Vec<Object<'d>>) -> Self {
        let world = World::new(objects);
        let users = world.users();
        let mut unknown: HashMap<_, Vec<_>> = HashMap::new();
        for piece in world.all() {
            for relocation in world.objects[piece.0].relocations(piece.1) {
                if let Some(Target::Outside(name)) = world.target(piece.0, &relocation) {
                    unknown.entry(name).or_default().push((piece, relocation));
                }
            }
        }
        Self {
            objects: world.objects.own,
            definitions: world.definitions,
            named: world.named,
            paths: world.paths,
            names: world.names.into_inner(),
            users,
            unknown,
        }
    }
}

self_cell!(
    struct WithBytes {
        owner: Vec<Vec<u8>>,
        #[covariant]
        dependent: Shared,
    }
);

/// The same with the bytes of the libraries that it is read from.
pub struct Kept {
    read: WithBytes,
    counts: Vec<usize>,
}

impl Kept {
    /// Reads libraries.
    pub fn new(libraries: Vec<Vec<u8>>) -> Result<Self> {
        let mut counts = Vec::new();
        let read = WithBytes::try_new(libraries, |libraries| {
            let mut all = Vec::new();
            for bytes in libraries {
                let before = all.len();
                objects::read(bytes, &mut all)?;
                counts.push(all.len() - before);
            }
            anyhow::Ok(Shared::new(all))
        })?;
        Ok(Self { read, counts })
    }

    /// What they define.
    pub fn shared(&self) -> &Shared<'_> {
        self.read.borrow_dependent()
    }

    /// How many objects each of them has.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// How many bytes they have.
    pub fn size(&self) -> usize {
        self.read.borrow_owner().iter().map(Vec::len).sum()
    }
}
