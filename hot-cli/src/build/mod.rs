//! From a plan to plugin files: twin, plugin source, object, shared library.
//!
//! Knows nothing of sessions: it is given units and functions and returns files or reasons.

mod check;
pub(crate) mod linker;
pub(crate) mod object;
pub(crate) mod patch;
pub(crate) mod rustc;
pub(crate) mod spread;
pub(crate) mod spreading;
pub(crate) mod twin;

/// How the names of plugins begin that were made from whole crates.
pub(crate) const WHOLE: &str = "spread-";
