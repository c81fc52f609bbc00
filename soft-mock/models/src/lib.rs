//! The source of `soft_mock::mock::node` with loom's atomics in place of those of std.
//!
//! Run it with `cargo test --release`.

#[allow(dead_code, unreachable_pub)]
pub mod mock;
