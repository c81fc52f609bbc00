//! What a plugin leaves in the program, and which closures and async blocks live on with a body
//! that stands in no file any more.
//!
//! Knows nothing of how plugins are made, but for the names that functions have in those of bodies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use soft_mock_abi::symbol;
use soft_mock_compiled::compare::Left;
use soft_mock_rewriter::analysis::{closures_differ, edited_closures, DeclaredFunction};

use super::build::Job;
use crate::program::left_behind::LeftBehind;
use crate::program::plan::{KeptBody, Plan, SiteKey};
use crate::program::Program;
use crate::rustc::unit::Unit;

/// A body in the plugin.
pub(super) struct Body<'a> {
    /// The name of the function's site.
    pub(super) site: &'a str,
    pub(super) new: &'a DeclaredFunction,
}

/// What the object leaves in the program, and the functions of which it may hold closures.
pub(super) fn of_bodies(
    object: &Path,
    bodies: &[Body<'_>],
    unit: &Unit,
    program: &Program,
) -> Result<(Left, BTreeSet<String>)> {
    let bytes =
        std::fs::read(object).with_context(|| format!("can't read {}", object.display()))?;
    let units = program.units.iter();
    let crates = units.map(|loaded| loaded.unit.crate_name.clone()).collect();
    let level = unit.rustc_args();
    let optimised = level.codegen("opt-level").is_some_and(|level| level != "0");
    let names = bodies.iter().enumerate();
    let names = names.map(|(at, body)| (name_in_plugin(at), body.new.name.clone()));
    // What can't be read here can't be compared later either, and is refused then.
    let left = Left::of_bodies(&bytes, &crates, optimised, names.collect()).unwrap_or_default();
    let makers = bodies.iter().enumerate();
    let makers = makers.filter(|(at, _)| left.holds_closures_of(&name_in_plugin(*at)));
    let makers = makers.map(|(_, body)| body.site.to_owned()).collect();
    Ok((left, makers))
}

/// The same as an entry of the ledger.
pub(super) fn behind(
    job: &Job,
    position: usize,
    left: Left,
    closures_of: BTreeSet<String>,
) -> LeftBehind {
    let keys = closures_of.into_iter().map(|name| (position, name));
    let bodies = keys.filter_map(|key| {
        let (_, function) = as_it_is(job, &key)?;
        Some((key, function.local_items.clone()))
    });
    LeftBehind {
        closures_of: bodies.collect(),
        ..LeftBehind::new(left, &job.wanted)
    }
}

/// The closures that keep their bodies when `plan` is installed: those of `original`, which the
/// program was built with, and those that earlier patches have left.
pub(super) fn kept(job: &Job, plan: &Plan, original: &BTreeSet<SiteKey>) -> Vec<KeptBody> {
    let replaced = plan.iter().flat_map(|(position, unit)| {
        let functions = unit.patch.iter().chain(&unit.restore);
        functions.map(|function| (*position, function.name.clone()))
    });
    let mut kept = BTreeSet::new();
    for key in replaced.chain(original.iter().cloned()) {
        let Some((file, now)) = as_it_is(job, &key) else {
            continue;
        };
        let left = job.wanted.left.iter();
        let left = left.filter_map(|left| left.closures_of.get(&key));
        let mut left = left.filter(|then| closures_differ(then, &now.local_items));
        let built = job.program.function(&key);
        let built = built.map(|function| &function.local_items);
        let then = built
            .filter(|_| original.contains(&key))
            .or_else(|| left.next());
        let Some(then) = then else {
            continue;
        };
        let mut lines = edited_closures(then, &now.local_items);
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

/// A function as it stands in the files now, and its file.
fn as_it_is<'a>(job: &'a Job, key: &SiteKey) -> Option<(PathBuf, &'a DeclaredFunction)> {
    let loaded = job.program.units.get(key.0)?;
    let edited = job.wanted.plan.get(&key.0).map(|unit| &unit.files);
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
