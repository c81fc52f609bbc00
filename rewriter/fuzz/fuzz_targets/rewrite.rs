//! `cargo +nightly fuzz run --no-cfg-fuzzing rewrite`, in `rewriter/`: any text through everything
//! that the rewriter does. Small real files in `fuzz/corpus/rewrite/` are a good start. With
//! `cfg(fuzzing)`, which cargo-fuzz sets else, proc-macro2 has no positions, by which the rewriter
//! goes.

#![no_main]

#[path = "../../tests/mutations/check.rs"]
mod check;

use libfuzzer_sys::fuzz_target;

/// Stands between a file and what it was edited to. Without it, the file is its own former state.
const EDITED: &str = "//// edited";

fuzz_target!(|text: &str| {
    let (old, new) = text.split_once(EDITED).unwrap_or((text, text));
    check::check_edit(old, new, text.len());
    check::is_noticed(old, new);
});
