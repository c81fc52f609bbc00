//! Variables in place of others that are gone: those of the program that stand elsewhere now, and
//! new ones of the same type, which begin with their own values.
//!
//! Knows nothing of how a patch is made, nor of words.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::layouts::Lives;
use super::{crates, Code, Request};
use crate::program::plan::Successor;
use crate::program::whole_crate_plugin::WholeCratePlugin;
use soft_mock_compiled::counterparts::{self, Compiled};
use soft_mock_compiled::sites;
use soft_mock_compiled::symbols::{is_of, without_marks};
use soft_mock_compiled::world::World;

/// The types of variables by their symbols, as the program was built and now.
type Types = [HashMap<String, String>; 2];

/// The variables of the program that stand elsewhere now: the paths of what they consist of, now
/// and then.
pub(super) fn moved(
    request: &Request<'_>,
    [old, new]: [&Code<'_>; 2],
    types: &Types,
    identifiers: &HashSet<String>,
) -> BTreeMap<String, String> {
    let crates = crates(request);
    let earlier = || request.earlier.iter();
    let brought: HashSet<&str> = earlier()
        .flat_map(|plugin| plugin.statics.iter().map(|known| &*known.path))
        .collect();
    let known = earlier().flat_map(|plugin| plugin.moved.clone()).collect();
    let may_move = |path: &str| {
        is_of(path, &crates)
            && sites::owner(path).is_none()
            && !brought.contains(path)
            && is_written(path, identifiers)
    };
    let [was, is] = types.each_ref();
    let then = Compiled {
        world: &old.world,
        ty: &|symbol| was.get(symbol).cloned(),
    };
    let now = Compiled {
        world: &new.world,
        ty: &|symbol| is.get(symbol).cloned(),
    };
    counterparts::moved(&then, &now, &known, &may_move)
}

/// Those that a patch has, and the one before had not.
pub(super) fn successors(
    request: &Request<'_>,
    new: &World<'_>,
    lives: &Lives<'_>,
    (moved, types, identifiers): (&BTreeMap<String, String>, &Types, &HashSet<String>),
    plugins: &[WholeCratePlugin],
) -> Vec<Successor> {
    let before: BTreeMap<&str, &str> = lives.variables_before(request.earlier).collect();
    let successor = |name: &str, gone: &str, same| Successor {
        name: without_marks(counterparts::name(name)),
        gone: without_marks(counterparts::name(gone)),
        same,
    };
    let is_new = |path: &str| !before.contains_key(path);
    let is_state = |path: &str| {
        let mut pieces = new.pieces(path).iter();
        pieces.any(|(object, section)| new.objects[*object].sections[*section].is_state())
    };
    let same = moved
        .iter()
        .filter(|(is, _)| is_state(is) && is_new(is))
        .map(|(is, was)| successor(is, was, true));
    let lives_on: BTreeSet<&str> = moved.values().map(String::as_str).collect();
    let is_gone = |path: &str| new.pieces(path).is_empty() && !lives_on.contains(path);
    let all = before.iter().filter(|(path, _)| is_gone(path));
    let mut gone: Vec<(&str, &str)> = all.map(|(path, ty)| (*path, *ty)).collect();
    let brought = plugins.iter().flat_map(|plugin| &plugin.statics);
    let others = brought.filter_map(|brought| {
        let path = &*brought.path;
        let is_one = is_state(path) && is_written(path, identifiers);
        let ty = types[1].get(&brought.symbol).filter(|_| is_one)?;
        let at = gone.iter().position(|(_, then)| *then == ty)?;
        Some(successor(path, gone.remove(at).0, false))
    });
    same.chain(others)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Whether code is part of one of those variables, as the program has it.
pub(super) fn is_of_one(moved: &BTreeMap<String, String>, path: &str) -> bool {
    let name = counterparts::name(path);
    moved.values().any(|was| counterparts::name(was) == name)
}

/// Whether the sources say its name. Others are what foreign macros make.
fn is_written(path: &str, identifiers: &HashSet<String>) -> bool {
    let name = counterparts::name(path).rsplit("::").next();
    name.is_some_and(|name| identifiers.contains(name))
}
