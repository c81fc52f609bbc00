//! Whether crates that a unit uses may be optimised otherwise than it is: its own arguments don't
//! say so of others.
//!
//! Looks at what can tell cargo so. Knows nothing of which profile the build took.

use std::io::ErrorKind;

use super::inputs::Role;
use super::unit::Unit;
use crate::cargo::profiles;
use crate::config::env::OPTIMISES;

/// Whether they may be, by what is said while the unit is compiled.
pub(super) fn may_differ(unit: &Unit) -> bool {
    let decides = |role: &Role| matches!(role, Role::Manifest | Role::Configuration);
    let inputs = unit.inputs.iter();
    let mut files = inputs.filter(|(_, input)| decides(&input.role));
    unit.env.contains_key(OPTIMISES)
        || profiles::variables_optimise(&unit.env)
        || files.any(|(path, _)| match std::fs::read_to_string(path) {
            Ok(text) => profiles::optimise_some(&text),
            Err(error) => error.kind() != ErrorKind::NotFound,
        })
}
