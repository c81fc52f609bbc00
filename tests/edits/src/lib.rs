//! A differential fuzzer of edits: makes programs by chance out of a grammar, edits them while they run under `hot`, and
//! compares what they print with what the grammar says that they must.
//!
//! Knows `hot` only from outside. The same seed makes the same programs and edits.

mod cases;
mod edit;
mod grammar;
mod minimise;
mod program;
mod run;
mod session;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

pub use run::{run, Options, Summary, WAYS};
