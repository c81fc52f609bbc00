//! How a process is asked which functions it enters, and what its answer looks like.

/// The variable that names the file for the list of sites.
pub const SITES: &str = "HOT_TEST_SITES";

/// The variable that holds what `LD_PRELOAD` was before.
pub const PRELOAD_BEFORE: &str = "HOT_TEST_PRELOAD_BEFORE";

/// The last byte of the bits: how much they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ended {
    /// All that ran in the name of the process is in them.
    Complete = 1,
    /// It started other processes, of which nothing is known.
    HadChildren = 2,
}
