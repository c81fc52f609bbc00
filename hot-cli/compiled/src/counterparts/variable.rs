//! The variables of a program: what is known of each in one compilation.
//!
//! ```text
//! app::next::{closure#0}::IDS                                       a static
//! app::next::{closure#0}::SEEN::{constant#0}::{closure#1}::VAL      one part of a thread-local
//! └──── scope ─────────┘  └name
//! ```
//!
//! Knows nothing of other compilations.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};

use object::elf;

use crate::code;
use crate::locations::location;
use crate::symbols::{self, is_rust};
use crate::world::{Piece, Target, World};

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// The path of the module or body that it stands in.
    pub(super) scope: String,
    pub(super) name: String,
    /// What follows its name in the paths of what it consists of.
    pub(super) parts: BTreeSet<String>,
    /// What debug information calls its type.
    pub(super) ty: String,
    /// Stands for what it begins with.
    pub(super) content: u64,
    /// Stands for the code of the body.
    pub(super) around: u64,
}

impl Variable {
    /// Whether this is the path of something that it consists of.
    pub fn has(&self, path: &str) -> bool {
        self.paths().any(|own| own == path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.parts.iter().map(|part| self.path_of(part))
    }

    pub(super) fn path_of(&self, part: &str) -> String {
        format!("{}::{}{part}", self.scope, self.name)
    }

    /// Its scope and name, but for the numbers.
    pub(super) fn key(&self) -> (String, String) {
        (without_numbers(&self.scope), self.name.clone())
    }

    /// Where it stands among those of the same key.
    pub(super) fn order(&self) -> Vec<u32> {
        let behind = self.scope.split('#').skip(1);
        let digits = behind.map(|part| part.split(|c: char| !c.is_ascii_digit()).next());
        let numbers = digits.map(|digits| digits.and_then(|digits| digits.parse().ok()));
        numbers.map(Option::unwrap_or_default).collect()
    }
}

/// Splits the path of a variable in a body that has a number: the scope, the name, and what belongs
/// to the variable itself.
pub(crate) fn split(path: &str) -> Option<(&str, &str, &str)> {
    parts(path).filter(|(scope, ..)| scope.contains('#'))
}

/// The same of one that stands anywhere.
pub(super) fn parts(path: &str) -> Option<(&str, &str, &str)> {
    // What std's macro makes for a thread-local has numbers of its own.
    let mut starts = ["::{K#", "::{constant#"].iter();
    let own = match path.contains('#') {
        true => starts.by_ref().filter_map(|start| path.rfind(start)).max(),
        false => None,
    };
    let (path, own) = path.split_at(own.unwrap_or(path.len()));
    let (scope, name) = path.rsplit_once("::")?;
    let is_name = !name.contains(['{', '}', '<', '>']);
    is_name.then_some((scope, name, own))
}

/// A path in its parts, as far as it is one that is wanted.
pub(super) type Split<'a, 'w> = &'a dyn Fn(&'w str) -> Option<(&'w str, &'w str, &'w str)>;

/// All that stand in bodies that have but a number, of a compilation. `ty`: the type of what has a
/// path.
pub fn variables(world: &World<'_>, ty: &dyn Fn(&str) -> Option<String>) -> Vec<Variable> {
    read(world, &|path| split(path), ty)
}

/// Those that `split` takes apart.
pub(super) fn read<'w>(
    world: &'w World<'_>,
    split: Split<'_, 'w>,
    ty: &dyn Fn(&str) -> Option<String>,
) -> Vec<Variable> {
    let mut found: BTreeMap<(&str, &str), Variable> = BTreeMap::new();
    let mut types: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for (path, pieces) in world.paths() {
        let Some((scope, name, own)) = split(path) else {
            continue;
        };
        let is_code = world.is_code(pieces[0]);
        if is_code && !is_accessor(world, path, pieces[0]) {
            continue;
        }
        let variable = found.entry((scope, name)).or_insert_with(|| Variable {
            scope: scope.to_owned(),
            name: name.to_owned(),
            around: print(world, world.pieces(scope).iter(), ""),
            ..Variable::default()
        });
        variable.parts.insert(own.to_owned());
        types.entry((scope, name)).or_default().extend(ty(path));
    }
    if found.is_empty() {
        return Vec::new();
    }
    // Asked of every part of every path: nearly all are told apart by their last name.
    let names: HashSet<&str> = found.keys().map(|(_, name)| *name).collect();
    let contents = contents(world, |variable| {
        names.contains(variable.1) && found.contains_key(variable)
    });
    for (key, variable) in &mut found {
        let types = types.remove(key).unwrap_or_default();
        variable.ty = types.into_iter().collect::<Vec<_>>().join(", ");
        let mut hasher = DefaultHasher::new();
        contents.get(key).hash(&mut hasher);
        variable.content = hasher.finish();
    }
    found.into_values().collect()
}

/// A variable by its scope and name.
type Key<'w> = (&'w str, &'w str);

/// For each variable, what belongs to it, the code that makes its first value included: the paths
/// below its own, and what stands for each.
fn contents<'w>(
    world: &'w World<'_>,
    is_variable: impl Fn(&Key<'w>) -> bool,
) -> BTreeMap<Key<'w>, BTreeSet<(String, u64)>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (path, pieces) in world.paths() {
        let mut last: Option<usize> = None;
        let ends = path.match_indices("::").map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let scope = last.replace(end);
            let key = scope.map(|scope| (&path[..scope], &path[scope + "::".len()..end]));
            if let Some(key) = key.filter(&is_variable) {
                let below = without_numbers(&path[end..]);
                let own: &mut BTreeSet<_> = found.entry(key).or_default();
                own.insert((below, print(world, pieces.iter(), &path[..end])));
            }
        }
    }
    found
}

/// Constants without a name refer to each other in chains, not in depth.
const DEEPEST: usize = 8;

/// Stands for pieces, whatever the numbers in the paths that they refer to, places in sources, and
/// where `own` stands that they are part of.
fn print<'a>(world: &World<'_>, pieces: impl Iterator<Item = &'a Piece>, own: &str) -> u64 {
    let all: BTreeSet<u64> = pieces
        .map(|piece| print_of(world, *piece, own, 0))
        .collect();
    let mut hasher = DefaultHasher::new();
    all.hash(&mut hasher);
    hasher.finish()
}

fn print_of(world: &World<'_>, piece: Piece, own: &str, depth: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    let object = &world.objects[piece.0];
    let section = &object.sections[piece.1];
    section.size.hash(&mut hasher);
    object.data.get(section.file.clone()).hash(&mut hasher);
    for relocation in object.relocations(piece.1) {
        (relocation.offset, relocation.kind).hash(&mut hasher);
        let (path, nameless) = match world.target(piece.0, &relocation) {
            Some(Target::Piece(target)) => (world.path_of(target), Some(target)),
            Some(Target::Outside(name)) => (Some(world.path(name)), None),
            None => (None, None),
        };
        match (path, nameless) {
            (Some(path), _) => {
                let path = path.strip_prefix(own).unwrap_or(&path);
                without_numbers(path).hash(&mut hasher);
            }
            (None, Some(target)) if target != piece && depth < DEEPEST => {
                let is_place = location(&world.objects[target.0], target.1).is_some();
                if !is_place {
                    print_of(world, target, own, depth + 1).hash(&mut hasher);
                }
            }
            _ => relocation.addend.hash(&mut hasher),
        }
    }
    hasher.finish()
}

fn without_numbers(path: &str) -> String {
    let mut parts = path.split('#');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push('#');
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// Whether a function is the one through which a thread-local is reached.
pub fn is_accessor(world: &World<'_>, path: &str, piece: Piece) -> bool {
    accessed(world, path, piece).is_some()
}

/// The symbol of the thread-local that is reached through a function.
pub(crate) fn accessed<'d>(world: &World<'d>, path: &str, piece: Piece) -> Option<&'d str> {
    let relocations = world.objects[piece.0].relocations(piece.1);
    let mut symbols = relocations
        .filter(|relocation| code::is_thread_local(relocation.kind))
        .filter_map(|relocation| world.symbol(piece.0, &relocation));
    let own = symbols.find(|symbol| {
        symbol.kind == elf::STT_TLS
            && is_rust(symbol.name)
            && symbols::path(symbol.name)
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with("::"))
    });
    own.map(|symbol| symbol.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_names() {
        let check = |path: &str, expected: Option<(&str, &str, &str)>| {
            assert_eq!(split(path), expected, "{path}");
        };
        check("app[1]::N", None);
        check("app[1]::f::N", None);
        check("app[1]::f::T::{constant#0}::{closure#1}::VAL", None);
        check(
            "app[1]::f::{closure#0}::N",
            Some(("app[1]::f::{closure#0}", "N", "")),
        );
        check(
            "app[1]::f::{closure#3}::T::{constant#0}::{closure#1}::VAL",
            Some((
                "app[1]::f::{closure#3}",
                "T",
                "::{constant#0}::{closure#1}::VAL",
            )),
        );
        check(
            "app[1]::f::{closure#3}::inner::N",
            Some(("app[1]::f::{closure#3}::inner", "N", "")),
        );
    }

    #[test]
    fn the_order_of_numbers() {
        let at = |scope: &str| {
            Variable {
                scope: scope.to_owned(),
                ..Variable::default()
            }
            .order()
        };
        assert!(at("f::{closure#2}") < at("f::{closure#10}"));
        assert!(at("f::{closure#2}::{closure#9}") < at("f::{closure#3}::{closure#0}"));
    }
}
