//! The sources of `soft_mock_runtime::hook`, `soft_mock_runtime::shared` and
//! `soft_mock::mock::node` with loom's atomics in place of those of std.
//!
//! Run it with `cargo test --release`.

#[allow(dead_code)]
#[path = "../../runtime/src/hook.rs"]
mod hook;
#[allow(dead_code, unreachable_pub)]
pub mod mock;
#[allow(dead_code)]
#[path = "../../runtime/src/shared.rs"]
mod shared;
pub mod site;

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

    pub(crate) use crate::site::{Code, HookHead, Site};
}
