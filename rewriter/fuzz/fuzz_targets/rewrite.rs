//! `cargo +nightly fuzz run rewrite`, in `rewriter/`: any text through everything that the rewriter does.

#![no_main]

#[path = "../../tests/mutations/check.rs"]
mod check;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str, usize)| {
    let (old, new, choice) = data;
    check::check_edit(old, new, choice);
    check::is_noticed(old, new);
});
