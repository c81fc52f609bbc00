//! `cargo +nightly fuzz run --no-cfg-fuzzing rewrite`, in `rewriter/`: any text through everything that the rewriter
//! does. With `cfg(fuzzing)`, which cargo-fuzz sets else, proc-macro2 has no positions, by which the rewriter goes.

#![no_main]

#[path = "../../tests/mutations/check.rs"]
mod check;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str, usize)| {
    let (old, new, choice) = data;
    check::check_edit(old, new, choice);
    check::is_noticed(old, new);
});
