//! The atomics and the sites that `hook` and `shared` use: a model checker puts its own in their
//! place (`models`).

pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

pub(crate) use soft_mock_abi::site::{Code, HookHead, Site};
