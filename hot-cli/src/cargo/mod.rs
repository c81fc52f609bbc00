//! Cargo from the outside: its command line, its configuration, what it says of a project and of
//! what it has made.
//!
//! Knows nothing of what `hot` wants from it.

pub(crate) mod artifacts;
pub(crate) mod command_line;
pub(crate) mod configuration;
pub(crate) mod metadata;
pub(crate) mod profiles;
pub(crate) mod tree;

use std::ffi::OsString;

/// The cargo to use where no command of the user's names one: the one that called us, or the one in
/// the path.
pub(crate) fn program() -> OsString {
    std::env::var_os("CARGO")
        .filter(|cargo| !cargo.is_empty())
        .unwrap_or_else(|| "cargo".into())
}
