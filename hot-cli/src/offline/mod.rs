//! Patches without a session: `hot build-patch` makes a plugin, `hot patch` installs it in a
//! program that listens.
//!
//! ```text
//! hot cargo build ─► program and records ─► (it runs somewhere) ─► files are edited
//!        hot build-patch -o fix.so  ◄── what differs from what was built
//!        hot patch --pid 4711 fix.so ─► the program's own socket ─► its answer
//! ```

mod apply;
mod args;
mod build;
mod target;

pub(crate) use apply::patch;
pub(crate) use args::{BuildPatchArgs, PatchArgs};
pub(crate) use build::build_patch;
