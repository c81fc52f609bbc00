//! What is set from outside: the names of our own variables, and the settings in the user's
//! manifests.
//!
//! Knows nothing of who asks.

pub(crate) mod env;
pub(crate) mod settings;
