//! The life of one mock: installed, called by any number of threads, taken away, and freed when the
//! last call that runs it has ended.
//!
//! ```text
//!           claim          publish            retire              last call ends, or retire
//! free (0) ──────► CLAIMED ───────► LIVE ────────────► n calls ────────────────────────────► free
//!                                   + n calls
//! ```
//!
//! A node is never freed, only used again, so whoever walks a list of nodes may always read one. Its
//! contents are only touched by whoever claimed it, or while a call keeps it: [`Node::begin`]
//! succeeds only on a live node, and then compares the number that no two mocks share. Readers take
//! no lock and don't wait; this module knows nothing of sites and scopes.

use std::ptr;

use super::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

const LIVE: usize = 1;
const CLAIMED: usize = 2;
/// One call in progress.
const CALL: usize = 4;

/// What a mock is made of. `E` is what is dropped with it.
pub(crate) struct Node<E> {
    state: AtomicUsize,
    number: AtomicU64,
    scope: AtomicU64,
    code: AtomicPtr<()>,
    contents: AtomicPtr<E>,
}

impl<E> Node<E> {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            number: AtomicU64::new(0),
            scope: AtomicU64::new(0),
            code: AtomicPtr::new(ptr::null_mut()),
            contents: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Makes a free node a live one. Gives the contents back if the node isn't free.
    pub(crate) fn publish(
        &self,
        number: u64,
        scope: u64,
        code: *mut (),
        contents: Box<E>,
    ) -> Result<(), Box<E>> {
        // Acquire: the contents of the life before were read before the call that read them ended.
        let claim = self
            .state
            .compare_exchange(0, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
        if claim.is_err() {
            return Err(contents);
        }
        self.number.store(number, Ordering::Relaxed);
        self.scope.store(scope, Ordering::Relaxed);
        self.code.store(code, Ordering::Relaxed);
        let left = self
            .contents
            .swap(Box::into_raw(contents), Ordering::Relaxed);
        // Nobody else changes the state of a claimed node. Release: for `begin`.
        self.state.store(LIVE, Ordering::Release);
        drop_contents(left);
        Ok(())
    }

    /// The number and the scope of a live node, as a hint: both may belong to the past already.
    pub(crate) fn look(&self) -> Option<(u64, u64)> {
        let live = self.state.load(Ordering::Acquire) & LIVE != 0;
        live.then(|| {
            let number = self.number.load(Ordering::Relaxed);
            (number, self.scope.load(Ordering::Relaxed))
        })
    }

    /// Begins a call of the mock with this number; false if it is gone.
    pub(crate) fn begin(&self, number: u64) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & LIVE != 0 {
            // Acquire: what `publish` wrote. The calls in between are read-modify-writes, so they
            // continue its release sequence.
            let taken = self.state.compare_exchange_weak(
                state,
                state + CALL,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match taken {
                Ok(_) if self.number.load(Ordering::Relaxed) == number => return true,
                Ok(_) => {
                    self.end();
                    return false;
                }
                Err(now) => state = now,
            }
        }
        false
    }

    /// Ends a call that `begin` began.
    pub(crate) fn end(&self) {
        // Release: what the call read must be read before the contents are freed.
        if self.state.fetch_sub(CALL, Ordering::Release) == CALL {
            self.reclaim();
        }
    }

    /// Lets no more calls begin; those in progress go on. False if it was retired before.
    pub(crate) fn retire(&self) -> bool {
        let before = self.state.fetch_and(!LIVE, Ordering::Release);
        if before == LIVE {
            self.reclaim();
        }
        before & LIVE != 0
    }

    /// Frees the contents of a node that nobody calls and nobody can call any more. If another thread
    /// claims it first, that one does it.
    fn reclaim(&self) {
        let claim = self
            .state
            .compare_exchange(0, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
        if claim.is_ok() {
            let contents = self.contents.swap(ptr::null_mut(), Ordering::Relaxed);
            self.state.store(0, Ordering::Release);
            drop_contents(contents);
        }
    }

    /// # Safety
    /// Between `begin` and `end` of a call.
    pub(crate) unsafe fn contents(&self) -> &E {
        // SAFETY: `publish` put a box's pointer here before the node became live, and it is freed
        // only by `reclaim` or the next `publish`, which need a state without calls.
        unsafe { &*self.contents.load(Ordering::Relaxed) }
    }

    /// The code, which is that of the number that `begin` was given if a call is in progress.
    pub(crate) fn code(&self) -> *mut () {
        self.code.load(Ordering::Relaxed)
    }
}

fn drop_contents<E>(contents: *mut E) {
    if !contents.is_null() {
        // SAFETY: it comes from `Box::into_raw` in `publish`, and whoever calls this swapped it out
        // of a node that it had claimed: there is no other pointer to it.
        drop(unsafe { Box::from_raw(contents) });
    }
}
