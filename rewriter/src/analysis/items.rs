//! What a file declares, in an owned form that is small, `Send` and quick to compare: nothing of
//! the syntax tree is kept, so that a large crate fits into memory and a save re-reads one file.
//!
//! Items that are compiled for tests only are left out, but in a harness. Knows nothing of what is
//! done with the items; that is `diff` and `patch_source`.

mod aspects;
mod data;
mod declared;
mod dynamic;
mod functions;
mod modules;
mod read;
mod split;
mod statics;
mod types;

pub use declared::{
    DeclaredFunction, Dynamic, FileItems, FunctionPlace, ImplHeader, Private, PrivateKind,
    TextPlace,
};
pub use modules::{Child, ExternCrate, LocalName, MacroRules, Module, Use, UseKind};
pub use types::{Aspect, Item, ItemKind, Part};

/// Forgets the source texts that were parsed on this thread: the parser keeps each for its spans.
/// To be called when no syntax of this thread is in use any more; a long session would grow
/// otherwise.
pub fn forget_sources() {
    proc_macro2::extra::invalidate_current_thread_spans();
}

#[cfg(test)]
mod tests;
