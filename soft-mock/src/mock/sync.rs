//! The atomics that `node` uses: a model checker puts its own in their place.

pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
