//! A differential fuzzer of edits: makes programs by chance out of a grammar, edits them while they
//! run under `hot`, and compares what they print with what the grammar says that they must.
//!
//! Knows `hot` only from outside. The same seed makes the same programs and edits.

mod around;
mod cases;
mod check;
mod edit;
mod grammar;
mod may_run;
mod minimise;
mod model;
mod program;
mod run;
mod said;
mod session;
mod verdict;
mod words;

pub use check::{check_grammar, kinds};
pub use run::{run, Options, Summary, WAYS};
