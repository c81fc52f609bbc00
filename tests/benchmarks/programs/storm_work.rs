//! What is patched: an answer says which version of the code gave it.

#[inline(never)]
pub fn answer(request: u64) -> u64 {
    request + 1_000_000
}
