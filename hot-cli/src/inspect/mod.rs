//! What `hot` would do to a project, found out from its sources alone: `hot doctor` and `hot
//! expand`.
//!
//! Nothing is compiled and nothing is run, besides `cargo metadata`. What is behind a `#[cfg]`
//! counts, whatever the condition.

mod advice;
mod args;
mod crates;
mod expand;
mod surroundings;
mod survey;

pub(crate) use args::{DoctorArgs, ExpandArgs};
pub(crate) use expand::expand;
pub(crate) use survey::doctor;
