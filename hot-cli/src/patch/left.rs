//! What a plugin leaves in the program, and which closures and async blocks live on with a body
//! that stands in no file any more.
//!
//! Knows nothing of how plugins are made, but for the names that functions have in those of bodies.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use soft_mock_abi::symbol;
use soft_mock_compiled::compare::Left;
use soft_mock_compiled::sites;
use soft_mock_rewriter::analysis::{
    self, closures_differ, edited_closures, only_closures_differ, DeclaredFunction,
};

use super::build::Job;
use crate::program::left_behind::LeftBehind;
use crate::program::plan::{KeptBody, Plan, SiteKey, Wanted};
use crate::program::Program;
use crate::rustc::unit::Unit;

/// A body in the plugin.
pub(super) struct Body<'a> {
    /// The name of the function's site.
    pub(super) site: &'a str,
    pub(super) new: &'a DeclaredFunction,
}

/// The numbers of closures that may be held, by the site of the function that makes them.
pub(super) type HeldClosures = BTreeMap<String, BTreeSet<usize>>;

/// What a plugin of bodies leaves in the program.
pub(super) struct OfBodies {
    pub(super) left: Left,
    /// The functions of which it may hold closures.
    pub(super) closures_of: HeldClosures,
    /// A variable that one of the bodies declares, by way of a macro.
    pub(super) variable: Option<String>,
}

/// What the object leaves in the program.
pub(super) fn of_bodies(
    object: &Path,
    bodies: &[Body<'_>],
    unit: &Unit,
    program: &Program,
) -> Result<OfBodies> {
    let bytes =
        std::fs::read(object).with_context(|| format!("can't read {}", object.display()))?;
    let units = program.units.iter();
    let crates = units.map(|loaded| loaded.unit.crate_name.clone()).collect();
    let level = unit.rustc_args();
    let optimised = level.codegen("opt-level").is_some_and(|level| level != "0");
    let names = bodies.iter().enumerate();
    let names = names.map(|(at, body)| (name_in_plugin(at), body.new.name.clone()));
    // What can't be read here can't be compared later either, and is refused then.
    let (left, variable) =
        Left::of_bodies(&bytes, &crates, optimised, names.collect()).unwrap_or_default();
    let held = bodies.iter().enumerate().map(|(at, body)| {
        let numbers = left.closures_of(&name_in_plugin(at));
        (body.site.to_owned(), numbers)
    });
    Ok(OfBodies {
        closures_of: held.collect(),
        left,
        variable,
    })
}

/// The same as an entry of the ledger.
pub(super) fn behind(job: &Job, position: usize, left: Left, held: HeldClosures) -> LeftBehind {
    let held = held.into_iter().filter(|(_, numbers)| !numbers.is_empty());
    let bodies = held.filter_map(|(name, numbers)| {
        let key = (position, name);
        let (_, function) = as_it_is(job, &key)?;
        let items = function.local_items.clone();
        Some((key, items.with_closures(&numbers)))
    });
    LeftBehind {
        closures_of: bodies.collect(),
        ..LeftBehind::new(left, &job.wanted)
    }
}

/// What gets another body when a plan is installed.
pub(super) fn replaced(plan: &Plan) -> impl Iterator<Item = SiteKey> + '_ {
    plan.iter().flat_map(|(position, unit)| {
        let functions = unit.patch.iter().chain(&unit.restore);
        functions.map(|function| (*position, function.name.clone()))
    })
}

/// The closures of the functions in `edited` that keep their bodies: those of `original`, which the
/// program was built with, and those that earlier patches have left.
pub(super) fn kept(
    job: &Job,
    edited: impl Iterator<Item = SiteKey>,
    original: &BTreeMap<SiteKey, BTreeSet<usize>>,
) -> Vec<KeptBody> {
    let mut kept = BTreeSet::new();
    for key in edited.chain(original.keys().cloned()) {
        let Some((file, now)) = as_it_is(job, &key) else {
            continue;
        };
        let built = job.program.function(&key);
        let built = built.map(|function| &function.local_items);
        let same_numbers = built.is_some_and(|built| only_closures_differ(built, &now.local_items));
        let then = built.zip(original.get(&key));
        let then = then.map(|(built, numbers)| (built.clone().with_closures(numbers), numbers));
        let left = job.wanted.left.iter();
        let left = left.filter_map(|left| left.closures_of.get(&key));
        let mut left = left.filter(|then| closures_differ(then, &now.local_items));
        let mut lines = match then {
            Some((then, numbers)) if same_numbers => {
                edited_closures(&then, &now.local_items.clone().with_closures(numbers))
            }
            None if same_numbers => match left.next() {
                Some(then) => edited_closures(then, &now.local_items),
                None => continue,
            },
            // Which of them runs which body can't be told: any that there was.
            _ => {
                let then = then.iter().map(|(then, _)| then);
                let all = then
                    .chain(left)
                    .map(|then| edited_closures(then, &now.local_items));
                let all: Vec<Vec<usize>> = all.collect();
                if all.is_empty() {
                    continue;
                }
                all.concat()
            }
        };
        if lines.is_empty() {
            lines.push(now.line);
        }
        kept.extend(lines.into_iter().map(|line| KeptBody {
            function: key.1.clone(),
            place: Some((file.clone(), line)),
        }));
    }
    kept.into_iter().collect()
}

/// The names of the late sites that are in use.
fn late_in_use(job: &Job) -> impl Iterator<Item = &str> {
    let active = job.wanted.active.iter();
    // New functions are found wherever they stand.
    let active = active.filter(|(_, function)| function.brought.is_none());
    let late = active
        .map(|(key, _)| key)
        .filter(|key| job.program.function(key).is_none());
    late.map(|(_, name)| name.as_str())
}

/// Whether one of them is that of a closure of a function.
pub(super) fn has_late_closure(job: &Job, function: &str) -> bool {
    let start = format!("{function}::{{closure#");
    late_in_use(job).any(|name| name.contains(&start))
}

/// Code that has a late site which is in use, and of which the plugin holds a copy as it was: new
/// objects would lead to that.
pub(super) fn old_copy(job: &Job, left: &Left) -> Option<String> {
    let late: HashSet<&str> = late_in_use(job).collect();
    match late.is_empty() {
        true => None,
        false => left
            .copies()
            .find(|name| late.contains(&*sites::attached(name))),
    }
}

/// The functions in which nothing was edited but the insides of closures and async blocks. None:
/// macros may make something else now, and a closure anywhere may have another one's number.
pub(super) fn only_closures(job: &Job) -> Option<HashSet<String>> {
    if job.wanted.indirect.iter().any(|edit| edit.may_alter_macros) {
        return None;
    }
    let edited = job.wanted.bodies.keys();
    let only = edited.filter(|key| {
        let then = job.program.function(key);
        let now = as_it_is(job, key);
        then.zip(now).is_some_and(|(then, (_, now))| {
            // Where they are the same, a file that a macro includes was edited.
            only_closures_differ(&then.local_items, &now.local_items)
                && closures_differ(&then.local_items, &now.local_items)
        })
    });
    Some(only.map(|(_, name)| name.clone()).collect())
}

/// Of edited functions, by their names, the closures that are written as they were.
pub(super) fn untouched_closures(
    program: &Program,
    wanted: &Wanted,
) -> HashMap<String, BTreeSet<usize>> {
    let edited = wanted.bodies.keys();
    let all = edited.filter_map(|key| {
        let then = program.function(key)?;
        let (_, now) = stands(program, wanted, key)?;
        let numbers = analysis::untouched_closures(&then.local_items, &now.local_items);
        Some((key.1.clone(), numbers))
    });
    all.collect()
}

/// A function as it stands in the files now, and its file.
pub(super) fn as_it_is<'a>(job: &'a Job, key: &SiteKey) -> Option<(PathBuf, &'a DeclaredFunction)> {
    stands(&job.program, &job.wanted, key)
}

fn stands<'a>(
    program: &'a Program,
    wanted: &'a Wanted,
    key: &SiteKey,
) -> Option<(PathBuf, &'a DeclaredFunction)> {
    let loaded = program.units.get(key.0)?;
    let edited = wanted.plan.get(&key.0).map(|unit| &unit.files);
    let files = loaded.files.iter().map(|(path, compiled)| {
        let changed = edited.and_then(|files| files.get(path));
        (path, changed.map_or(compiled, |changed| &changed.items))
    });
    let added = edited.into_iter().flatten();
    let added = added.filter(|(path, _)| !loaded.files.contains_key(*path));
    let files = files.chain(added.map(|(path, changed)| (path, &changed.items)));
    files
        .flat_map(|(path, items)| items.functions.iter().map(move |found| (path, found)))
        .find(|(_, found)| found.site_name(&loaded.unit.crate_name) == key.1)
        .map(|(path, found)| (path.clone(), found))
}

/// What the source of a plugin calls a function.
fn name_in_plugin(position: usize) -> String {
    format!("{}{position}", symbol::PATCH)
}
