//! Whether the future of an async function may be sent to other threads, as code with the
//! function's type at hand asks: the more direct of two methods is taken, if it applies.

use std::fmt;
use std::marker::PhantomData;

/// Stands for a future that nobody has made.
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// For this type.
    #[allow(clippy::new_without_default)] // Nobody wants a default.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> fmt::Debug for Probe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// The future is `Send`.
pub trait IsSend {
    /// True.
    fn __soft_mock_is_send(&self) -> bool;
}

impl<R: Send> IsSend for Probe<R> {
    fn __soft_mock_is_send(&self) -> bool {
        true
    }
}

/// It isn't.
pub trait IsLocal {
    /// False.
    fn __soft_mock_is_send(&self) -> bool;
}

impl<R> IsLocal for &Probe<R> {
    fn __soft_mock_is_send(&self) -> bool {
        false
    }
}

/// Refuses a local mock in the place of a function whose future may go to other threads.
#[track_caller]
pub fn must_be_local(is_send: bool) {
    assert!(
        !is_send,
        "the future of this function is `Send`, so that of its mock has to be: leave out `local`"
    );
}
