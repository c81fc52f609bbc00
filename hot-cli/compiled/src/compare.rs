//! From two compilations of a program's units to the functions that have to be replaced.
//!
//! ```text
//! code that differs ─► has it a site?  yes ─► it is replaced
//!                       │ no
//!                       ▼
//!                  everything that refers to it differs too
//! ```
//!
//! Old code without a site that a living object may lead to (through a vtable, a static, a function
//! pointer) would go on being called: that is refused, also if it is gone in the new one, or has a
//! site of another type. A closure that is alive is the exception: the body that it was made with
//! is its own, as a call in progress keeps its body.

mod alive;
mod held;
mod judge;
mod late;
mod left;
mod paths;
mod side;
mod survey;
mod withdrawn;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use soft_mock_abi::symbol::{DETACHED_BODY, DETACHED_CODE};

use crate::counterparts::Counterpart;
use crate::sites::{self, CompiledSite};
use crate::symbols::{demangled, is_of, is_rust, start_of, without_marks};
use crate::world::{Piece, World};

pub use judge::called_by;
pub use late::LateFacts;
pub use left::{Left, Rebound};
pub use side::Side;
pub use survey::kept_closures;

/// What is known beside the code.
pub struct Premises<'a> {
    /// Sites of the program that can be used, by the paths of the code that holds them. Also by
    /// those of functions that do nothing but return the boxed future that holds one.
    pub bound: &'a HashMap<String, CompiledSite>,
    /// Functions of the new code that plugins have brought, and that have a site which all of them
    /// share, by the paths of the code that holds a prologue. They are replaced with each patch.
    pub brought: &'a HashMap<String, CompiledSite>,
    /// All sites of the program.
    pub then: &'a HashMap<String, CompiledSite>,
    /// All sites of the new code.
    pub now: &'a HashMap<String, CompiledSite>,
    /// The names of the units' crates.
    pub crates: &'a HashSet<String>,
    /// All identifiers in the sources.
    pub identifiers: &'a HashSet<String>,
    /// Whether anything in the sources of any unit has this name.
    pub names: &'a dyn Fn(&str) -> bool,
    /// Whether they declare a type of this name.
    pub declares: &'a dyn Fn(&str) -> bool,
    /// What was edited since the program was built.
    pub edits: &'a Edits,
    /// What is known of the variables in closures.
    pub counterparts: &'a HashMap<String, Counterpart>,
    /// Whether an object of the new code is optimised, by its position.
    pub optimised: &'a dyn Fn(usize) -> bool,
    /// Whether code may be part of other code, by inlining, or one with other code of the same
    /// content: something is optimised.
    pub shares_code: bool,
    /// It is a harness of tests, which has the same ones as before.
    pub is_harness: bool,
    /// What has to be known to give old code a site afterwards. None: it gets none.
    pub late: Option<&'a LateFacts<'a>>,
}

/// What was edited.
#[derive(Debug, Default, Clone)]
pub struct Edits {
    /// Nothing but bodies of functions with sites.
    pub only_bodies: bool,
    /// The names of those functions.
    pub bodies: HashSet<String>,
    /// Of those functions, by their names, closures that are written as they were, by their
    /// numbers: if the code of one differs, something else has changed that is part of it.
    pub untouched: HashMap<String, BTreeSet<usize>>,
    /// Edited functions without a site.
    pub without_site: Vec<WithoutSite>,
    /// Functions, by their names without paths, in which what macros and blocks declare may stand
    /// in another order than before.
    pub shifted: HashSet<String>,
    /// It may do so in any.
    pub shifted_anywhere: bool,
    /// All that a patch brought was undone since it was made, now or meanwhile, and that was not
    /// refused: what the program wasn't built with is nothing else anywhere.
    pub undone: bool,
}

/// A function of which the body was edited, as it stands now.
#[derive(Debug, Clone)]
pub struct WithoutSite {
    /// Its name, without a path.
    pub name: String,
    /// The file in which it stands.
    pub file: PathBuf,
    /// From its name to its end.
    pub lines: RangeInclusive<usize>,
}

impl Edits {
    /// Whether a place in a source, by the name that the compiler has for the file, is in an edited
    /// function without a site.
    fn stand_at(&self, file: &str, line: usize) -> bool {
        let mut edited = self.without_site.iter();
        edited.any(|edited| edited.file.ends_with(file) && edited.lines.contains(&line))
    }

    /// Whether something may be an edited function without a site, by its name.
    fn name(&self, path: &str) -> bool {
        let mut edited = self.without_site.iter();
        edited.any(|WithoutSite { name, .. }| {
            let end = format!("::{name}");
            path.ends_with(&end) || path.contains(&format!("{end}::<"))
        })
    }

    /// Whether things of one name and type that a function declares can be told by their order.
    /// `path`: of one of them.
    pub fn keep_order(&self, path: &str) -> bool {
        let path = sites::attached(&without_marks(path));
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut names = path.split(|c: char| !is_word(c));
        !self.shifted_anywhere && !names.any(|name| self.shifted.contains(name))
    }
}

impl Premises<'_> {
    /// The site of the program whose function's body was moved into the one of this path.
    fn moved(&self, function: &str) -> Option<&CompiledSite> {
        let start = function.rsplit("::").next()?;
        let is_body = start.starts_with(DETACHED_BODY);
        if !is_body && !start.starts_with(DETACHED_CODE) {
            return None;
        }
        let code = function.replace(DETACHED_BODY, DETACHED_CODE);
        let mut sites = self.then.values();
        // What boxes the future of an async function's body has none of what stands in that.
        sites.find(|site| site.is_async == is_body && site.detached() == code)
    }

    /// The path that code of the old compilation has in the program, where no body was moved. None:
    /// that has no such code.
    pub fn in_program(&self, path: &str) -> Option<String> {
        let mut found = String::new();
        let mut rest = path;
        while let Some(at) = [DETACHED_BODY, DETACHED_CODE]
            .iter()
            .filter_map(|name| rest.find(name))
            .min()
        {
            let name = rest[at..].find("::").unwrap_or(rest.len() - at);
            let start = start_of(rest, at);
            let function = &rest[start..at + name];
            let site = self.moved(function)?;
            found += &rest[..start];
            found += site.owner();
            rest = &rest[at + name..];
            if site.is_async {
                rest = rest.strip_prefix("::{closure#0}")?;
            }
        }
        Some(found + rest)
    }

    /// Whether code is what rustc makes the main of a harness: it says of each test in which lines
    /// it stands, and nothing else of it can differ. (A program's own is a function with a site.)
    fn lists_tests(&self, path: &str) -> bool {
        let mut crates = self.crates.iter();
        let has_site = self.now.contains_key(path) || self.then.contains_key(path);
        let name = || without_marks(path);
        self.is_harness && !has_site && crates.any(|krate| name() == format!("{krate}::main"))
    }

    /// Why the variable in a piece of the new code can't keep a value that it doesn't begin with
    /// any more: nothing writes to it, and optimised code may hold the value in place of
    /// reading it.
    pub(crate) fn folded(&self, world: &World<'_>, piece: Piece, name: &str) -> Option<String> {
        let is_state = world.objects[piece.0].sections[piece.1].is_state();
        (!is_state && (self.optimised)(piece.0)).then(|| {
            format!(
                "nothing writes to `{name}`: optimised code holds its value itself, and memory \
                 would keep the former"
            )
        })
    }

    /// Whether a variable describes the code that it stands in, such as the callsite of a log line:
    /// a foreign macro left it in a body. Where it differs, it is a new one.
    pub fn is_description(&self, world: &World<'_>, path: &str) -> bool {
        let last = path.rsplit("::").next().unwrap_or(path);
        let mut pieces = world.pieces(path).iter();
        // What it describes stands elsewhere: without a reference it is a value, which is to last.
        let refers =
            pieces.any(|piece| world.objects[piece.0].relocations(piece.1).next().is_some());
        refers && !self.identifiers.contains(last) && is_in_body(world, path)
    }
}

/// The outcome.
#[derive(Debug, Default)]
pub struct Difference {
    /// The paths of the code with a site that is to be replaced.
    pub replaced: BTreeSet<String>,
    /// Statics whose initialisers differ, with what stands for the new one.
    pub preserved_statics: BTreeMap<String, u64>,
    /// Closures that may be alive, and keep the bodies that they were made with: the path of the
    /// function, and the number that it has there.
    pub keep_bodies: BTreeSet<(String, usize)>,
    /// Paths whose own code differs, or that are new.
    pub changed: HashSet<Arc<str>>,
    /// Paths of code without a site that differs, or leads to code that does.
    pub dirty: BTreeSet<Arc<str>>,
    /// Those of them that get a site afterwards.
    pub late: BTreeSet<Arc<str>>,
    /// The paths of the program's code that differs, leads to what differs, or is gone.
    pub stale: BTreeSet<Arc<str>>,
}

/// Compares. `Err`: why the program can't become what was compiled.
pub fn compare<'d>(
    old: &Side<'_, 'd>,
    new: &Side<'_, 'd>,
    premises: &Premises<'_>,
) -> Result<Difference, String> {
    let mut difference = Difference::default();
    let comparison = Comparison { old, new, premises };
    let described = comparison.statics(&mut difference)?;
    difference.changed = changed(old, new, premises.crates);
    difference.changed.extend(comparison.with_other_columns());
    difference
        .changed
        .retain(|path| !premises.lists_tests(path));
    let dirty = comparison.dirty(described, &mut difference);
    comparison.living(&dirty, &mut difference)?;
    difference.dirty = dirty;
    Ok(difference)
}

/// Code whose own bytes differ, or that is new. Not what foreign crates make for foreign types: it
/// stands in an object if something there happens to need it, and is the same everywhere. (Their
/// inline functions have the older mangling, which names no crate with a mark.)
fn changed(old: &Side<'_, '_>, new: &Side<'_, '_>, crates: &HashSet<String>) -> HashSet<Arc<str>> {
    let code = unlike(old.world, new.world)
        .filter(|(path, _)| !path.contains("::") || is_of(path, crates))
        .filter(|(_, pieces)| new.world.is_code(pieces[0]));
    code.filter(|(path, pieces)| {
        let before = old.world.pieces(path);
        before.is_empty() || old.print_of(before) != new.print_of(pieces)
    })
    .map(|(path, _)| Arc::clone(path))
    .collect()
}

/// What may differ: all but that of which both compilations have the very same objects. These refer
/// to nothing else but by its name.
fn unlike<'w, 'o, 'n>(
    old: &'w World<'o>,
    new: &'w World<'n>,
) -> impl Iterator<Item = (&'w Arc<str>, &'w [Piece])> + use<'w, 'o, 'n> {
    let of_old = old.own_paths().map(|(path, _)| path);
    let of_old = of_old.filter(|path| !new.has_own(path));
    let of_old = of_old.map(|path| (path, new.pieces(path)));
    let of_old = of_old.filter(|(_, pieces)| !pieces.is_empty());
    let others = new.paths();
    let others = others.filter(|(path, _)| !old.has_own(path) && !new.has_own(path));
    let others = (!new.shares_with(old)).then_some(others);
    let all = new.own_paths().chain(of_old);
    all.chain(others.into_iter().flatten())
}

struct Comparison<'a, 'd> {
    old: &'a Side<'a, 'd>,
    new: &'a Side<'a, 'd>,
    premises: &'a Premises<'a>,
}

impl<'a, 'd> Comparison<'a, 'd> {
    /// Code of functions whose bodies were edited, and in which nothing differs but the columns of
    /// panics and callers. Of others they don't count.
    fn with_other_columns(&self) -> Vec<Arc<str>> {
        let edits = self.premises.edits;
        let edited = self.premises.now.values();
        let edited = edited.filter(|site| edits.bodies.contains(&site.name));
        let differs = |site: &&CompiledSite| {
            let differs = |path: &str| self.other_columns(path).next().is_some();
            differs(site.owner()) || differs(site.detached())
        };
        let edited = edited.filter(differs).map(|site| site.owner().into());
        // What has no site may be part of any code.
        let code = self.new.world.paths().map(|(path, _)| path);
        let holds = |path: &&Arc<str>| {
            let mut places = self.other_columns(path);
            places.any(|(file, line)| edits.stand_at(file, line))
        };
        let code = code.filter(|path| !edits.without_site.is_empty() && holds(path));
        edited.chain(code.map(Arc::clone)).collect()
    }

    /// The file and line of what has another column now in the code of a path.
    fn other_columns<'s>(&'s self, path: &'s str) -> impl Iterator<Item = (&'d str, usize)> + 's {
        let places = |side: &Side<'a, 'd>| side.places(path).into_iter();
        let both = places(self.old).zip(places(self.new));
        let differing = both.filter(|(old, new)| old.column != new.column);
        differing.map(|(_, new)| (new.file, new.line as usize))
    }

    /// Takes note of statics that begin with another value. Returns what is new with the code that
    /// it describes.
    fn statics(&self, found: &mut Difference) -> Result<Vec<Piece>, String> {
        let (old, new) = (self.old, self.new);
        let mut described = Vec::new();
        let is_alike = |path: &str| {
            let has_own = old.world.has_own(path) || new.world.has_own(path);
            !has_own && new.world.shares_with(old.world)
        };
        for (path, pieces) in new.world.paths() {
            let piece = pieces[0];
            let symbols = new.world.symbols_in(piece);
            let rust = symbols.iter().all(|name| is_rust(name));
            if new.world.is_code(piece) || !rust || sites::owner(path).is_some() {
                continue;
            }
            let was = match self.premises.counterparts.get(&**path) {
                None if is_alike(path) => continue,
                None => path,
                Some(Counterpart::Of { path, .. }) => path.as_str(),
                // If it is used, that is refused where it is taken.
                Some(Counterpart::New | Counterpart::Unclear(_)) => continue,
            };
            let before = old.world.pieces(was);
            let Some(first) = before.first() else {
                continue;
            };
            if *was != **path && !old.world.pieces(path).is_empty() {
                // The same path means another variable.
                described.extend(pieces);
            }
            // Which of several of one name is which is told by these very values.
            let values = |side: &Side<'_, '_>, pieces: &[Piece]| -> BTreeSet<u64> {
                pieces.iter().map(|piece| side.print(*piece)).collect()
            };
            if values(old, before) == values(new, pieces) {
                continue;
            }
            if self.premises.is_description(new.world, path) {
                described.extend(pieces);
                continue;
            }
            let name = demangled(symbols[0]);
            let size = |side: &Side<'_, '_>, piece: Piece| {
                side.world.objects[piece.0].sections[piece.1].size
            };
            if size(old, *first) != size(new, piece) {
                return Err(format!(
                    "the type of the variable `{name}` has another size"
                ));
            }
            if let Some(why) = self.premises.folded(new.world, piece, &name) {
                return Err(why);
            }
            found.preserved_statics.insert(name, new.print(piece));
        }
        Ok(described)
    }

    /// Goes from changed code to what refers to it. Returns the code without a site that was
    /// passed.
    fn dirty(&self, described: Vec<Piece>, difference: &mut Difference) -> BTreeSet<Arc<str>> {
        let mut dirty = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut waiting: Vec<Piece> = Vec::new();
        let then = self.premises.then;
        let resigned =
            self.premises.now.iter().filter(|(owner, site)| {
                then.get(*owner).is_some_and(|then| site.is_resigned(then))
            });
        for path in difference
            .changed
            .iter()
            .map(|path| &**path)
            .chain(resigned.map(|(owner, _)| owner.as_str()))
        {
            waiting.extend(self.new.code(path));
        }
        for piece in described {
            waiting.extend(self.new.users(piece).iter().map(|(user, _)| *user));
        }
        while let Some(piece) = waiting.pop() {
            if !seen.insert(piece) {
                continue;
            }
            if let Some(path) = self.new.world.path_of(piece) {
                if !self.new.world.is_code(piece) {
                    // A static: what the program's own leads to is looked at from the old side.
                    continue;
                }
                if let Some(site) = self.premises.bound.get(&*path) {
                    difference.replaced.insert(site.owner().to_owned());
                    continue;
                }
                dirty.extend(self.new.world.paths_of(piece));
                if self.becomes_late(&path) && !self.is_in_edited_body(&path) {
                    // The program's vtables lead to the new code as well, whoever uses them.
                    let others = self.new.users(piece).iter().map(|(user, _)| *user);
                    waiting.extend(others.filter(|user| !self.is_new_vtable(*user)));
                    continue;
                }
            }
            waiting.extend(self.new.users(piece).iter().map(|(user, _)| *user));
        }
        dirty
    }
}

/// Whether a variable is declared inside of a function.
fn is_in_body(world: &World<'_>, path: &str) -> bool {
    let mut rest = path;
    while let Some(at) = rest.rfind("::") {
        rest = &rest[..at];
        if rest.ends_with('}') || world.pieces(rest).iter().any(|piece| world.is_code(*piece)) {
            return true;
        }
    }
    false
}
