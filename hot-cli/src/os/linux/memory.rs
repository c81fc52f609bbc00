//! Memory that nobody uses any more.
//!
//! Knows nothing of who has used it.

/// Gives free memory back to the system. Of what threads have freed, the C library keeps all that
/// lies below something in use, for each thread apart.
pub(crate) fn give_back_memory() {
    // SAFETY: it may be called at any time, by any thread: man malloc_trim, "MT-Safe".
    unsafe { libc::malloc_trim(0) };
}
