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
