//! How the main function that `hot` generates starts the agent, a library that another compiler may
//! have built.

use std::ffi::{c_char, c_int};

use crate::site::Site;

/// The version of [`Start`].
pub const VERSION: u32 = 1;

/// The answer: the reloader runs.
pub const STARTED: c_int = 0;
/// The answer: it doesn't, and why was said.
pub const FAILED: c_int = 1;

/// The folder beside the records of programs in which each process of a session has a file with its
/// number.
pub const LINEAGE: &str = "sessions";

layout! {
    /// What the generated main tells the agent, in a call of
    /// [`AGENT_START`](crate::symbol::AGENT_START).
    #[derive(Debug)]
    pub struct Start {
        /// The version of this layout, [`VERSION`].
        pub version: u32,
        /// The size of this structure; a later version may be longer.
        pub size: u32,
        /// The first site of the program.
        pub sites_start: *const Site,
        /// The end of its sites.
        pub sites_stop: *const Site,
        /// The session's folder.
        pub session: *const c_char,
        /// What `hot` calls the program.
        pub program: *const c_char,
    }
}
