//! Cargo from the outside: its command line, and its configuration.
//!
//! Knows nothing of what `hot` wants from it.

pub(crate) mod command_line;
pub(crate) mod configuration;
