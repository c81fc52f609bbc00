//! The manifest: what a plugin says of itself, read before any of its code can run.
//!
//! It is JSON in a [section](crate::section::MANIFEST) of its own. This module knows the format,
//! not where it comes from and not whether what it says is true of this program.

#[cfg(feature = "wire")]
mod json;

#[cfg(feature = "wire")]
pub use json::{parse_unit, Function, Manifest, ManifestError};

/// The version of the format that this runtime reads.
pub const FORMAT: u32 = 1;

/// The kind of plugin that carries replacements for functions.
pub const PATCH: &str = "patch";

/// The kind of plugin that a host loads, calls and reloads.
pub const MANAGED: &str = "managed";

/// What a patch of a managed plugin's library names as the library that it needs, and that library
/// as its name. Where the patch is loaded, the path of the one that was opened there is put in its
/// place: the same plugin can be in a process several times.
pub const IMAGE: &str = concat!(
    "soft-mock-image-of-a-managed-plugin/",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
);
