//! What is set from outside: the names of our own variables, and the settings of a session and of
//! its project.
//!
//! ```text
//! command line ┐
//! HOT_…        ├─► layers, the first that says something holds; lists add up
//! manifests    ┘
//! ```
//!
//! Knows nothing of who asks.

pub(crate) mod env;
pub(crate) mod layers;
mod manifest;
pub(crate) mod settings;
