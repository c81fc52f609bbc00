//! What a plugin that was compiled from bodies leaves in the program, and what of the old bodies
//! stays.
//!
//! Knows nothing of how the plugin is made, but for the names that functions have in it.

use std::path::Path;

use anyhow::{Context, Result};
use soft_mock_abi::symbol;
use soft_mock_compiled::compare::Left;
use soft_mock_rewriter::analysis::DeclaredFunction;

use crate::program::Program;
use crate::rustc::unit::Unit;

/// A body in the plugin, as it was and as it is.
pub(super) struct Body<'a> {
    /// The name of the function's site.
    pub(super) site: &'a str,
    pub(super) old: &'a DeclaredFunction,
    pub(super) new: &'a DeclaredFunction,
}

/// What the object leaves in the program.
pub(super) fn left(
    object: &Path,
    bodies: &[Body<'_>],
    unit: &Unit,
    program: &Program,
) -> Result<Left> {
    let bytes =
        std::fs::read(object).with_context(|| format!("can't read {}", object.display()))?;
    let units = program.units.iter();
    let crates = units.map(|loaded| loaded.unit.crate_name.clone()).collect();
    let level = unit.rustc_args();
    let optimised = level.codegen("opt-level").is_some_and(|level| level != "0");
    let names = bodies.iter().enumerate();
    let names = names.map(|(at, body)| (name_in_plugin(at), body.new.name.clone()));
    // What can't be read here can't be compared later either, and is refused then.
    Ok(Left::of_bodies(&bytes, &crates, optimised, names.collect()).unwrap_or_default())
}

/// The functions whose closures were edited, and may be alive: the new ones are kept somewhere.
pub(super) fn keep_bodies(bodies: &[Body<'_>], left: &Left) -> Vec<String> {
    let edited = bodies.iter().enumerate().filter(|(at, body)| {
        let now = &body.new.local_items.closures;
        let mut then = body.old.local_items.closures.iter();
        then.any(|closure| !now.contains(closure)) && left.holds_closures_of(&name_in_plugin(*at))
    });
    edited.map(|(_, body)| body.site.to_owned()).collect()
}

/// What the source of a plugin calls a function.
fn name_in_plugin(position: usize) -> String {
    format!("{}{position}", symbol::PATCH)
}
