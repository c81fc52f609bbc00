//! What rewritten code asks the runtime at a site with [`SCOPE`](crate::site::flag::SCOPE): a
//! function from a number to a number, `extern "C" fn(u64) -> u64`.
//!
//! A thread has a *state*: the scope it works for, and two bits. A question that isn't one of the
//! words below is a state, which the thread gets; the answer is the one it had. Nothing here knows
//! what a scope is for.

/// The scope of nobody.
pub const NONE: u64 = 0;

/// In a state: somebody said what the scope is. A thread that was never told may be a test's.
pub const TOLD: u64 = 1 << 62;
/// In a state: what is made now outlives the test and belongs to nobody, as what a static holds.
pub const SHARED: u64 = 1 << 61;

/// Asks for the scope of what the thread leaves to run by itself: threads, tasks, closures.
pub const DETACHED: u64 = u64::MAX;
/// Asks for the scope of what the thread waits for.
pub const ATTACHED: u64 = u64::MAX - 1;
/// Adds [`SHARED`] to the state; the answer is the state as it was.
pub const SHARE: u64 = u64::MAX - 2;
/// A test begins: the thread gets a scope of its own.
pub const TEST: u64 = u64::MAX - 3;
/// A test begins that may be a task: the thread gets a scope if it has none.
pub const ASYNC_TEST: u64 = u64::MAX - 4;
