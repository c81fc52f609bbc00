//! Writes a crate anew, with a check at the start of each function that can have one: for the
//! program, for its twin, for tests, and for one function under an attribute.
//!
//! Knows nothing of what changed and of patches.

pub(crate) mod attribute;
pub(crate) mod carry;
pub(crate) mod column;
pub(crate) mod executors;
pub(crate) mod instance;
mod item;
mod macro_functions;
pub(crate) mod prologue;
pub(crate) mod prologue_check;
pub(crate) mod redirect;
pub(crate) mod refused;
pub(crate) mod rewrite;
pub(crate) mod support;
pub(crate) mod visibility;

pub use attribute::{attribute_prologue, attribute_refusal, AttributePrologue, Taken, Within};
pub use executors::{Executor, Surgery};
pub use prologue_check::PrologueCheck;
pub use rewrite::{rewrite, Options, Output, Rewritten};
pub use support::{sentinel, support_module, CrateIdentity, SECTION, SUPPORT_MODULE};
