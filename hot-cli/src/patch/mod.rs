//! From a plan to plugin files: plugin source, object, shared library.
//!
//! Knows nothing of sessions: it is given units and functions and returns files or reasons.

mod additions;
mod build;
mod foundation;
mod harness;
mod left;
mod linker;
mod meaning;
mod micro_crate;
mod unit_job;
pub(crate) mod user_errors;
pub(crate) mod whole_crate;

pub(crate) use build::{build, BuildError, Built, Job};
pub(crate) use meaning::{compare, Alone, Compared, Comparison, Other};
