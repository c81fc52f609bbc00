//! What a test holds of a mock: as long as it lives, the mock is in the place of its function.

use std::fmt;
use std::io::Write as _;
use std::marker::PhantomData;
use std::sync::Arc;

use soft_mock_abi::site::Site;

use super::exclusive::Share;
use super::record::{Record, Times};
use super::scoped::Installed;
use super::sequence::Sequence;
use crate::scope;

/// A mock that is in the place of a function as long as this lives. See [`mock!`](crate::mock!).
#[must_use = "the mock is taken away when this is dropped: `let _mock = mock!(…);`"]
pub struct Mocked {
    installed: Vec<Installed>,
    record: Arc<Record>,
    /// Given back after the mock is taken away.
    _share: Share,
    /// It belongs to the thread of the test.
    _here: PhantomData<*const ()>,
}

impl Mocked {
    pub(super) fn new(installed: Vec<Installed>, record: Arc<Record>, share: Share) -> Self {
        scope::hold();
        Self {
            installed,
            record,
            _share: share,
            _here: PhantomData,
        }
    }

    /// Demands that the mock is called so often: `2`, `1..`, `..=3`, `0`. A call too many panics
    /// where it is made, if no other mock of the test takes it; too few are found when the mock is
    /// dropped, or by [`verify`](Self::verify).
    pub fn times(self, times: impl Into<Times>) -> Self {
        self.record.expect(times.into());
        for mock in &self.installed {
            mock.ask_first();
        }
        self
    }

    /// One call: `times(1)`.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// No call: `times(0)`.
    pub fn never(self) -> Self {
        self.times(0)
    }

    /// Demands that the mock is called after those that were put into the sequence before it, and
    /// before those that are put into it later. Once, if no other number is demanded.
    pub fn in_sequence(self, sequence: &Sequence) -> Self {
        self.record.expect_in(sequence);
        sequence.add(&self.record);
        for mock in &self.installed {
            mock.ask_first();
        }
        self
    }

    /// How often the mock was called until now.
    pub fn calls(&self) -> usize {
        self.record.calls()
    }

    /// The function that is mocked.
    pub fn site(&self) -> &'static Site {
        self.record.site()
    }

    /// Takes the mock away and panics if it wasn't called as demanded.
    #[track_caller]
    pub fn verify(self) {
        drop(self);
    }
}

impl fmt::Debug for Mocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mocked")
            .field("function", &self.site().name())
            .field("calls", &self.calls())
            .finish()
    }
}

impl Drop for Mocked {
    #[track_caller]
    fn drop(&mut self) {
        scope::release();
        for mock in &self.installed {
            // SAFETY: once, and on the thread that made it: the guard can't leave that.
            unsafe { mock.give_up() };
        }
        if let Some(told) = self.record.told() {
            // Past what libtest keeps to itself as long as a test doesn't fail.
            let _ = writeln!(std::io::stderr(), "soft-mock: {told}");
        }
        if let (false, Some(failure)) = (std::thread::panicking(), self.record.failure()) {
            panic!("{failure}");
        }
    }
}
