// SAFETY: nothing else in the program is called so.
#[unsafe(no_mangle)]
pub fn value() -> u64 {
    1_000_000
}
