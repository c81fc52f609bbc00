//! What runs, and what was understood of an edit: a program as it was built, the state of its
//! processes, and the plan from changed files to what is to be done.
//!
//! Knows nothing of how patches are built, nor of who runs the program.

mod harness_id;
pub(crate) mod left_behind;
mod loaded;
pub(crate) mod overview;
pub(crate) mod plan;
mod shared;
pub(crate) mod state;
pub(crate) mod twin;
pub(crate) mod whole_crate_plugin;

pub(crate) use loaded::{units_of, LoadedUnit, Program};
