//! Variables that stand in another module or function than before, or whose module or function is
//! called otherwise now: to the compiler they are others.
//!
//! ```text
//! app::HITS         ─►   app::keep::HITS      the same variable
//! app::next::N      ─►   app::next_id::N      the same variable
//! app::HITS         ─►   app::VISITS          another one: nothing tells what it is
//! ```
//!
//! Told by name, type and first value, if just one of these went and just one came in its crate.
//! Knows nothing of closures, nor of what is said to people.

use std::collections::{BTreeMap, HashMap};

use super::variable::{parts, read, Variable};
use super::Counterpart;
use crate::world::World;

/// One compilation.
pub struct Compiled<'a, 'd> {
    /// Its code and data.
    pub world: &'a World<'d>,
    /// The type of the variable of a symbol.
    pub ty: &'a dyn Fn(&str) -> Option<String>,
}

/// The path of a variable, by that of something that it consists of.
pub fn name(path: &str) -> &str {
    match parts(path) {
        Some((.., own)) => &path[..path.len() - own.len()],
        None => path,
    }
}

/// Which of the program's variables those are that came, by the paths of what they consist of.
/// `known`: what was told of earlier patches, which holds on. `may_move`: whether a path can be
/// that of one.
pub fn moved(
    then: &Compiled<'_, '_>,
    now: &Compiled<'_, '_>,
    known: &BTreeMap<String, String>,
    may_move: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut groups: HashMap<_, [Vec<Variable>; 2]> = HashMap::new();
    let sides = [
        alone(then, now.world, may_move),
        alone(now, then.world, may_move),
    ];
    for (side, variables) in sides.into_iter().enumerate() {
        for variable in variables {
            let krate = variable.scope.split("::").next().map(str::to_owned);
            let key = (
                krate,
                variable.name.clone(),
                variable.ty.clone(),
                variable.content,
                variable.parts.clone(),
            );
            groups.entry(key).or_default()[side].push(variable);
        }
    }
    let mut found = BTreeMap::new();
    for [mut went, mut came] in groups.into_values() {
        let mut take = |was: Variable, is: &Variable| {
            let paths = is.paths().zip(was.paths());
            found.extend(paths);
        };
        came.retain(|is| {
            let was = is.paths().next().and_then(|path| known.get(&path));
            let at = was.and_then(|was| went.iter().position(|variable| variable.has(was)));
            at.map(|at| take(went.remove(at), is)).is_none()
        });
        if let ([is], 1) = (&came[..], went.len()) {
            take(went.remove(0), is);
        }
    }
    found
}

/// Variables that the other compilation doesn't have, and that something may write to.
fn alone(
    own: &Compiled<'_, '_>,
    other: &World<'_>,
    may_move: &dyn Fn(&str) -> bool,
) -> Vec<Variable> {
    let world = own.world;
    let is_wanted = |path: &str, scope: &str| {
        let is_kept = |(object, section): &(usize, usize)| {
            let section = &world.objects[*object].sections[*section];
            section.is_code() || section.is_state()
        };
        !scope.contains('#')
            && other.pieces(path).is_empty()
            && world.pieces(path).iter().all(is_kept)
            && world.symbols_of(path).len() == 1
            && may_move(path)
    };
    let split = |path| parts(path).filter(|(scope, ..)| is_wanted(path, scope));
    let ty = |path: &str| {
        let (symbol, _) = *world.symbols_of(path).first()?;
        (own.ty)(symbol)
    };
    let found = read(world, &split, &ty).into_iter();
    // Of one whose type isn't known nothing can be told.
    found.filter(|variable| !variable.ty.is_empty()).collect()
}

/// The same as what is known of variables in closures.
pub fn as_counterparts(moved: &BTreeMap<String, String>) -> HashMap<String, Counterpart> {
    let of = |path: &String| Counterpart::Of {
        path: path.clone(),
        same: true,
    };
    let all = moved.iter();
    all.map(|(is, was)| (is.clone(), of(was))).collect()
}
