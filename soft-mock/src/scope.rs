//! Which test a thread works for.
//!
//! A scope is a number. A test gets one when it begins, or with its first mock, and every mock of
//! it carries that number; a thread that has the same number sees them. Closures, threads and tasks
//! carry the scope in which they were made, and enter it where they run; others take a [`Scope`]
//! along. Nothing here knows what a mock is.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;
use std::task::{Context, Poll};

pub(crate) use soft_mock_abi::scope::NONE;
use soft_mock_abi::scope::{ASYNC_TEST, ATTACHED, DETACHED, SHARE, SHARED, TEST, TOLD};
use soft_mock_abi::site::{Code, Site};
use soft_mock_runtime::hook::{Layer, SiteHook, Slot};
use soft_mock_runtime::registry::{own_sites, registry, RegistryError};

/// In a state: a test began here, on a thread that is the test's own.
const BEGUN: u64 = 1 << 60;

thread_local! {
    /// The thread's state. It needs no destructor, so it can be read at any time, in other
    /// destructors too.
    static CURRENT: Cell<u64> = const { Cell::new(NONE) };
    /// How many mocks the thread holds.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// The scope of this thread, or [`NONE`].
#[inline]
pub(crate) fn current() -> u64 {
    CURRENT.get() & !(TOLD | SHARED | BEGUN)
}

/// A number that no two threads have at one time.
#[inline]
pub(crate) fn thread() -> usize {
    CURRENT.with(|current| std::ptr::from_ref(current).addr())
}

/// The scope of this thread, which gets one if it has none.
pub(crate) fn own() -> u64 {
    if current() == NONE {
        CURRENT.set(CURRENT.get() | new(Kind::Guess));
    }
    current()
}

/// Why there is a scope.
#[derive(Clone, Copy)]
enum Kind {
    /// A test began.
    Test,
    /// A thread that nobody said anything of makes something that is to carry its scope.
    Guess,
}

impl From<Kind> for u64 {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Test => 0,
            Kind::Guess => 1,
        }
    }
}

fn new(kind: Kind) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Only uniqueness counts.
    NEXT.fetch_add(1, Ordering::Relaxed) << 1 | u64::from(kind)
}

/// Whether this thread works for a test for sure: one that began as such, or that holds a mock.
pub(crate) fn is_test() -> bool {
    (current() != NONE && current() & 1 == u64::from(Kind::Test)) || HELD.get() > 0
}

/// The thread holds one mock more. As long as it does, it stays in its scope.
pub(crate) fn hold() {
    HELD.set(HELD.get() + 1);
}

/// The thread holds one less.
pub(crate) fn release() {
    HELD.set(HELD.get() - 1);
}

/// Lets rewritten code that starts threads ask for the scope of the thread and pass it on. What it
/// asks is code of this type, at the sites that are made for it.
pub(crate) fn serve() -> Result<(), RegistryError> {
    static SERVED: OnceLock<Result<(), RegistryError>> = OnceLock::new();
    let serve = || {
        let registry = registry()?;
        let locked = registry.shared().lock();
        for site in registry.all().iter().filter(|site| site.is_scope()) {
            let hook = SiteHook::of(site, &locked);
            // SAFETY: who asks at such a site takes the answer for what `answer` gives.
            unsafe { hook.set_slot(Layer::Thread, Some(&ANSWER), &locked) };
            hook.attach(&locked);
        }
        Ok(())
    };
    SERVED.get_or_init(serve).clone()
}

/// Serves from the start of the program, so that threads follow that are started before the first
/// mock.
#[used]
#[link_section = ".init_array"]
static AT_START: extern "C" fn() = {
    extern "C" fn at_start() {
        let sites = own_sites().unwrap_or_default();
        if sites.iter().any(Site::is_scope) {
            // An error comes up again with the first mock.
            let _ = serve();
        }
    }
    at_start
};

// SAFETY: `answer` does nothing but answer.
static ANSWER: Slot = unsafe { Slot::new(answer, std::ptr::null()) };

#[allow(improper_ctypes_definitions)] // As for `HookHead`.
unsafe extern "C" fn answer(_site: *const Site, _data: *const ()) -> Option<Code> {
    // SAFETY: function pointers of all types have one size; the support module turns it back into
    // this very type.
    Some(unsafe { std::mem::transmute::<extern "C" fn(u64) -> u64, Code>(ask) })
}

/// Answers what `soft_mock_abi::scope` lists.
extern "C" fn ask(question: u64) -> u64 {
    let state = CURRENT.get();
    match question {
        DETACHED if state & SHARED != 0 => NONE,
        DETACHED | ATTACHED if state & TOLD == 0 => own(),
        DETACHED | ATTACHED => current(),
        SHARE => CURRENT.replace(state | SHARED),
        // One test may call another as a function, and the thread may have had a test before.
        TEST if HELD.get() == 0 => CURRENT.replace(BEGUN | TOLD | new(Kind::Test)),
        ASYNC_TEST if current() == NONE || (state & BEGUN != 0 && HELD.get() == 0) => {
            CURRENT.replace(BEGUN | TOLD | new(Kind::Test))
        }
        TEST | ASYNC_TEST => state,
        state => CURRENT.replace(state),
    }
}

/// The test that the calling thread works for, to be taken to another thread, task or pool:
///
/// ```
/// let scope = soft_mock::scope();
/// std::thread::scope(|threads| {
///     threads.spawn(scope.wrap(|| { /* sees the mocks of this test */ }));
/// });
/// ```
///
/// It is `Copy` and `Send`, and may be made before or after the mocks.
pub fn scope() -> Scope {
    Scope { id: own() }
}

/// A test, as threads that work for it name it. See [`scope()`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    id: u64,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.id)
    }
}

impl Scope {
    /// Makes this thread work for the test until the result is dropped.
    #[must_use = "the thread leaves the scope when this is dropped"]
    pub fn enter(self) -> Entered {
        Entered {
            before: CURRENT.replace(self.id | TOLD),
            _here: PhantomData,
        }
    }

    /// Runs `work` for the test: `pool.install(|| scope.run(|| …))`.
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        work()
    }

    /// The same closure, to be run for the test wherever it runs: `s.spawn(scope.wrap(move || …))`.
    pub fn wrap<R>(self, work: impl FnOnce() -> R) -> impl FnOnce() -> R {
        move || self.run(work)
    }

    /// The same future, polled for the test whoever polls it: `set.spawn(scope.follow(async { …
    /// }))`.
    pub fn follow<F: Future>(self, future: F) -> Follow<F> {
        Follow {
            scope: self,
            future: Box::pin(future),
        }
    }
}

/// A thread works for a test as long as this lives; see [`Scope::enter`].
#[derive(Debug)]
pub struct Entered {
    before: u64,
    /// It belongs to the thread that made it.
    _here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// A future that is polled for a test; see [`Scope::follow`].
#[derive(Debug)]
pub struct Follow<F> {
    scope: Scope,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Follow<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = self.scope.enter();
        self.future.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_one_scope_and_gets_it_back() {
        std::thread::spawn(|| {
            assert_eq!(current(), NONE);
            let own = scope();
            assert_eq!(scope(), own);
            let other = std::thread::spawn(scope).join().expect("a thread");
            assert_ne!(own, other);
            assert_eq!(other.run(scope), other);
            let panicked = std::panic::catch_unwind(|| other.run(|| panic!("inside")));
            assert!(panicked.is_err());
            assert_eq!(scope(), own);
        })
        .join()
        .expect("a thread");
    }
}
