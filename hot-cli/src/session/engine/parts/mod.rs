//! What a session knows, by what it is about: each part has its own state, which nobody else
//! touches, and knows nothing of the others. What happened is told to them by the loop.

#[cfg(test)]
mod answers;
mod asked;
pub(super) mod dry_builds;
pub(super) mod first_calls;
pub(super) mod meanings;
pub(super) mod patches;
pub(super) mod pause;
pub(super) mod plugin_builds;
pub(super) mod processes;
pub(super) mod programs;
pub(super) mod questions;
pub(super) mod restarts;
pub(super) mod rollbacks;
pub(super) mod saves;
pub(super) mod syntax_checks;
pub(super) mod tally;
pub(super) mod uncalled;
