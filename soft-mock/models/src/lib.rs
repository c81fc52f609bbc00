//! The sources of `soft_mock::hook`, `soft_mock::shared` and `soft_mock::mock::node` with loom's atomics in place
//! of those of std.
//!
//! Run it with `cargo test --release`.

#[allow(dead_code)]
#[path = "../../src/hook.rs"]
mod hook;
#[allow(dead_code, unreachable_pub)]
pub mod mock;
#[allow(dead_code)]
#[path = "../../src/shared.rs"]
mod shared;
pub mod site;

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

    pub(crate) use crate::site::{Code, HookHead, Site};
}

// `shared` only keeps the addresses of what follows.

mod handover {
    pub(crate) struct Inherited;
    pub(crate) struct Saver;
}

mod images {
    pub(crate) type Observer = extern "C" fn(u32);
}

mod patch {
    pub(crate) struct Entry;
    pub(crate) struct Job;
    pub(crate) struct Listener;
}
