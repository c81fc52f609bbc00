//! Calls of rustc: what cargo asked for, the record of it, and how it is repeated for our own
//! purposes.
//!
//! Knows nothing of how sources are rewritten, nor of what the results are for.

pub(crate) mod args;
pub(crate) mod beside;
pub(crate) mod dep_info;
pub(crate) mod diagnostics;
mod foreign_crates;
pub(crate) mod inputs;
mod optimisation;
pub(crate) mod recipe;
pub(crate) mod run;
pub(crate) mod toolchain;
pub(crate) mod unit;
