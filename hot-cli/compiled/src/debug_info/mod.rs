//! Types and variables as debug information describes them, of two compilations of one program.
//!
//! ```text
//! objects as the program was built ─► described ─┐
//! objects as they are now ──────────► described ─┴► types, statics and vtables that are not the same
//! ```
//!
//! Values that live in a program mean what the code meant that made them. Names can't tell whether
//! new code means the same: a glob import, a macro or an associated type can put another type
//! behind the same text. The compiler writes down what it found. Objects that are the same in both
//! compilations are read once.
//!
//! Knows nothing of sources, and not what is done about a difference.

mod compare;
mod describe;
mod entries;
mod functions;
mod methods;
mod names;
mod pool;
mod sections;
mod signature;
mod vtable;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{bail, Result};

use self::compare::Comparison;
pub use self::compare::Difference;
use self::describe::Described;
pub use self::functions::Functions;
use self::pool::Pool;
use crate::counterparts;
use crate::objects::Object;
use crate::world::Piece;

/// Reads debug information and remembers what it read, for one program.
#[derive(Debug)]
pub struct Reader {
    pool: Pool,
    crates: HashSet<String>,
}

/// What the objects of one library say.
#[derive(Debug, Clone, Default)]
pub struct Library {
    objects: Vec<Arc<Described>>,
}

/// The vtables of a compilation, of which these are all libraries in the order of their objects.
pub fn vtables(libraries: &[Library]) -> HashSet<Piece> {
    let objects = libraries.iter().flat_map(|library| &library.objects);
    let pieces = objects.enumerate().flat_map(|(object, described)| {
        let sections = described.vtable_sections.iter();
        sections.map(move |section| (object, *section))
    });
    pieces.collect()
}

impl Reader {
    /// `crates`: the names of the program's own, which are all that can change.
    pub fn new(crates: HashSet<String>) -> Self {
        Self {
            pool: Pool::default(),
            crates,
        }
    }

    /// Reads a library.
    pub fn read(&mut self, objects: &[Object<'_>]) -> Result<Library> {
        self.read_like(objects, (&Library::default(), &[]))
    }

    /// Reads a library of which another compilation is known: what was read of it, and its objects.
    pub fn read_like(
        &mut self,
        objects: &[Object<'_>],
        (known, known_objects): (&Library, &[Object<'_>]),
    ) -> Result<Library> {
        let mut by_size: HashMap<usize, Vec<usize>> = HashMap::new();
        for (position, object) in known_objects.iter().enumerate() {
            by_size.entry(object.data.len()).or_default().push(position);
        }
        let mut found = Library::default();
        for object in objects {
            let mut same_size = by_size.get(&object.data.len()).into_iter().flatten();
            let same = same_size.find(|at| known_objects[**at].data == object.data);
            found
                .objects
                .push(match same.and_then(|at| known.objects.get(*at)) {
                    Some(described) => Arc::clone(described),
                    None => Arc::new(describe::describe(object, &self.crates, &mut self.pool)?),
                });
        }
        let nothing = !found.objects.iter().any(|described| described.has_units);
        if nothing && objects.iter().any(describe::is_rust) {
            bail!("rustc wrote no debug information: what lives in the program can't be compared");
        }
        Ok(found)
    }

    /// The types of the variables in closures, by the paths of what they consist of.
    pub fn types_in_closures(&self, libraries: &[Library]) -> HashMap<String, String> {
        let all = self.variables(libraries);
        all.filter(|(path, _)| counterparts::split(path).is_some())
            .map(|(path, ty)| (path.to_owned(), ty.to_owned()))
            .collect()
    }

    /// All variables: the path and type of each.
    pub fn variables<'a>(
        &'a self,
        libraries: &'a [Library],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let objects = libraries.iter().flat_map(|library| &library.objects);
        let all = objects.flat_map(|described| &described.statics);
        all.map(|item| (self.pool.get(item.path), self.pool.get(item.ty)))
    }

    /// The types of all variables, by their symbols.
    pub fn types(&self, libraries: &[Library]) -> HashMap<String, String> {
        let objects = libraries.iter().flat_map(|library| &library.objects);
        let all = objects.flat_map(|described| &described.statics);
        all.map(|item| (self.pool.get(item.symbol), self.pool.get(item.ty)))
            .map(|(symbol, ty)| (symbol.to_owned(), ty.to_owned()))
            .collect()
    }

    /// The functions of two compilations.
    pub fn functions(&self, old: &[Library], new: &[Library]) -> Functions<'_> {
        Functions::new(&self.pool, old, new)
    }

    /// What of `old` is not the same in `new`.
    pub fn compare(&self, old: &[&Library], new: &[&Library]) -> Vec<Difference> {
        fn all<'a>(side: &[&'a Library]) -> Vec<&'a Arc<Described>> {
            side.iter().flat_map(|library| &library.objects).collect()
        }
        let (old, new) = (all(old), all(new));
        let numbers = |side: &[&Arc<Described>]| -> HashSet<*const Described> {
            side.iter()
                .map(|described| Arc::as_ptr(described))
                .collect()
        };
        let (in_old, in_new) = (numbers(&old), numbers(&new));
        let missing = |side: &[&'_ Arc<Described>], other: &HashSet<*const Described>| {
            let of_one = |described: &&&Arc<Described>| !other.contains(&Arc::as_ptr(described));
            side.iter()
                .filter(of_one)
                .map(|described| Arc::clone(described))
                .collect::<Vec<_>>()
        };
        let own = [missing(&old, &in_new), missing(&new, &in_old)];
        let shared = old
            .iter()
            .filter(|described| in_new.contains(&Arc::as_ptr(described)));
        Comparison {
            pool: &self.pool,
            crates: &self.crates,
            own: [0, 1].map(|side| own[side].iter().map(|described| &**described).collect()),
            shared: shared.map(|described| &***described).collect(),
        }
        .differences()
    }
}

#[cfg(test)]
mod tests;
