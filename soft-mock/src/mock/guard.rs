//! What `mock!` makes, and what a test holds of it: as long as that lives, the mock is in the place
//! of its function.

use std::any::Any;
use std::fmt;
use std::io::Write as _;
use std::marker::PhantomData;
use std::mem;
use std::panic::Location;
use std::sync::{Arc, Weak};

use soft_mock_abi::site::{Code, Site};

use super::error::explained;
use super::exclusive::Share;
use super::record::{Record, Times};
use super::scoped::{try_install, Form, Installed, Parts};
use super::sequence::Sequence;
use super::target::Target;
use super::MockError;
use crate::scope;

/// Installs a mock for the calling test; what `mock!` expands to. `I` is the type of a pointer to
/// the function.
#[track_caller]
pub fn install<I: Copy + 'static, F: Any + Send + Sync>(
    target: Result<Target, MockError>,
    form: Form,
    code: I,
    closure: F,
) -> Mocked {
    let code = || {
        assert_eq!(size_of::<I>(), size_of::<Code>(), "code is a function");
        // SAFETY: of the size of a function pointer, and called only after its type was found to be
        // that of a function. The type is erased here and restored by the prologue of a
        // site of type `I`.
        unsafe { mem::transmute_copy::<I, *mut ()>(&code) }
    };
    let place = Location::caller();
    // SAFETY: the code is of the type that is compared with the site's.
    let installed = target
        .and_then(|target| unsafe { try_install::<I, F>(&target, form, place, code, closure) });
    or_panic(installed)
}

#[track_caller]
fn or_panic(installed: Result<Parts, MockError>) -> Mocked {
    match installed {
        Ok(parts) => Mocked::new(parts),
        Err(error) => panic!("{}", explained(&error)),
    }
}

/// [`install`] for an async mock, whose type the macro can't spell: `I` is `fn(…) ->
/// Pending<Output>`.
///
/// # Safety
/// `code` is a function `fn(…) -> Pin<Box<dyn Future<Output = Output> + …>>` with the arguments of
/// `I`, for all lifetimes that those of `I` may have. Its future is `Send`, unless that of the
/// function isn't.
#[track_caller]
pub unsafe fn install_async<I: 'static, F: Any + Send + Sync>(
    target: Result<Target, MockError>,
    form: Form,
    code: *const (),
    closure: F,
) -> Mocked {
    let code = || code.cast_mut();
    let place = Location::caller();
    // SAFETY: the caller's promise.
    let installed = target
        .and_then(|target| unsafe { try_install::<I, F>(&target, form, place, code, closure) });
    or_panic(installed)
}

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
    fn new(parts: Parts) -> Self {
        scope::hold();
        Self {
            installed: parts.installed,
            record: parts.record,
            _share: parts.share,
            _here: PhantomData,
        }
    }

    /// Demands that the mock is called so often: `2`, `1..`, `..=3`, `0`. A call too many panics
    /// where it is made, if no other mock of the test takes it; too few are found when the mock is
    /// dropped, or by [`verify`](Self::verify).
    pub fn times(self, times: impl Into<Times>) -> Self {
        self.record.expect(times.into());
        self.asked_first()
    }

    /// It is asked before mocks that demand nothing.
    fn asked_first(self) -> Self {
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
        let step: Weak<Record> = Arc::downgrade(&self.record);
        sequence.add(step);
        self.asked_first()
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
