//! The life of one mock: installed, called by any number of threads, taken away, and freed when the
//! last call that runs it has ended and its owner has given it up.
//!
//! ```text
//!           claim          publish                 retire                 calls end, owner gives up
//! free (0) ──────► CLAIMED ───────► LIVE + OWNED ────────► OWNED, calls ───────────────────────────► free
//!                                   + calls
//! ```
//!
//! A node is never freed, only used again, so whoever walks a list of nodes may always read one.
//! Its contents are only touched by whoever claimed it, or while a call keeps it: [`Node::begin`]
//! succeeds only on a live node, and then compares the number that no two mocks share. Readers take
//! no lock and don't wait; this module knows nothing of sites and scopes.
//!
//! # The owner
//! The thread that made a mock holds its guard, and makes most of the calls. As long as it hasn't
//! given the mock up ([`Node::give_up`]), the contents stay, whoever retires the node. So its own
//! calls need no read-modify-write: it counts them in a cell that only it writes, for the case that
//! it gives the mock up in the middle of one. That `owner` is this thread can be trusted once LIVE
//! was seen with Acquire: it was either written by this thread, which hasn't given up since, or is
//! what the later `publish` wrote.

use std::ptr;

use super::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

const LIVE: usize = 1;
const CLAIMED: usize = 2;
/// The owner hasn't given it up.
const OWNED: usize = 4;
/// One call in progress, of another thread than the owner.
const CALL: usize = 8;
/// In the owner's count: it gave the mock up in the middle of a call.
const GIVEN_UP: usize = 1 << (usize::BITS - 1);

/// What a mock is made of. `E` is what is dropped with it.
pub(crate) struct Node<E> {
    state: AtomicUsize,
    number: AtomicU64,
    /// Of several, those with higher ranks come first. The number, if nothing else was said.
    rank: AtomicU64,
    scope: AtomicU64,
    /// The thread that made the mock, as a number that no two threads have at a time.
    owner: AtomicUsize,
    /// The owner's calls in progress. Only the owner writes it.
    own: AtomicUsize,
    code: AtomicPtr<()>,
    contents: AtomicPtr<E>,
}

/// A mock, as it is installed.
pub(crate) struct Life {
    pub(crate) number: u64,
    pub(crate) scope: u64,
    /// The calling thread.
    pub(crate) owner: usize,
    pub(crate) code: *mut (),
}

impl<E> Node<E> {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            number: AtomicU64::new(0),
            rank: AtomicU64::new(0),
            scope: AtomicU64::new(0),
            owner: AtomicUsize::new(0),
            own: AtomicUsize::new(0),
            code: AtomicPtr::new(ptr::null_mut()),
            contents: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Makes a free node a live one. Gives the contents back if the node isn't free.
    pub(crate) fn publish(&self, life: &Life, contents: Box<E>) -> Result<(), Box<E>> {
        // Acquire: the contents of the life before were read before the call that read them ended.
        let claim = self
            .state
            .compare_exchange(0, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
        if claim.is_err() {
            return Err(contents);
        }
        self.number.store(life.number, Ordering::Relaxed);
        self.rank.store(life.number, Ordering::Relaxed);
        self.scope.store(life.scope, Ordering::Relaxed);
        self.owner.store(life.owner, Ordering::Relaxed);
        self.own.store(0, Ordering::Relaxed);
        self.code.store(life.code, Ordering::Relaxed);
        let left = self
            .contents
            .swap(Box::into_raw(contents), Ordering::Relaxed);
        // Nobody else changes the state of a claimed node. Release: for `begin`.
        self.state.store(LIVE | OWNED, Ordering::Release);
        drop_contents(left);
        Ok(())
    }

    /// The number and the scope of a live node, as a hint: both may belong to the past already.
    #[inline]
    pub(crate) fn look(&self) -> Option<(u64, u64)> {
        let live = self.state.load(Ordering::Acquire) & LIVE != 0;
        live.then(|| {
            let number = self.number.load(Ordering::Relaxed);
            (number, self.scope.load(Ordering::Relaxed))
        })
    }

    /// Begins a call of this thread if it is the owner.
    ///
    /// # Safety
    /// `thread` is the number of the calling thread, which has just seen the node live with
    /// [`Node::look`].
    #[inline]
    pub(crate) unsafe fn begin_own(&self, thread: usize) -> bool {
        let mine = self.owner.load(Ordering::Relaxed) == thread;
        if mine {
            let calls = self.own.load(Ordering::Relaxed);
            self.own.store(calls + 1, Ordering::Relaxed);
        }
        mine
    }

    /// Ends a call that `begin_own` began.
    ///
    /// # Safety
    /// Once for each such call, on its thread.
    #[inline]
    pub(crate) unsafe fn end_own(&self) {
        let calls = self.own.load(Ordering::Relaxed) - 1;
        self.own.store(calls, Ordering::Relaxed);
        if calls == GIVEN_UP {
            self.disown();
        }
    }

    /// The owner has no more use for the mock.
    ///
    /// # Safety
    /// Once for each mock, on its owner's thread, after it was retired.
    pub(crate) unsafe fn give_up(&self) {
        match self.own.load(Ordering::Relaxed) {
            0 => self.disown(),
            calls => self.own.store(calls | GIVEN_UP, Ordering::Relaxed),
        }
    }

    #[cold]
    fn disown(&self) {
        // Release: as in `end`, for the owner's calls.
        if self.state.fetch_and(!OWNED, Ordering::Release) == OWNED {
            self.reclaim();
        }
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
                    // SAFETY: it was begun just above.
                    unsafe { self.end() };
                    return false;
                }
                Err(now) => state = now,
            }
        }
        false
    }

    /// Ends a call that `begin` began.
    ///
    /// # Safety
    /// Once for each such call.
    #[inline]
    pub(crate) unsafe fn end(&self) {
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

    /// Frees the contents of a node that nobody calls and nobody can call any more. If another
    /// thread claims it first, that one does it.
    #[cold]
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
    /// Between `begin` and `end`, or `begin_own` and `end_own`, of a call.
    #[inline]
    pub(crate) unsafe fn contents(&self) -> &E {
        // SAFETY: `publish` put a box's pointer here before the node became live, and it is freed
        // only by `reclaim` or the next `publish`, which need a state without calls and owner.
        unsafe { &*self.contents.load(Ordering::Relaxed) }
    }

    /// Its rank, as a hint.
    #[inline]
    pub(crate) fn rank(&self) -> u64 {
        self.rank.load(Ordering::Relaxed)
    }

    /// Gives the mock another rank, for calls that begin after this.
    pub(crate) fn set_rank(&self, rank: u64) {
        self.rank.store(rank, Ordering::Relaxed);
    }

    /// The code, which is that of the number that `begin` was given if a call is in progress.
    #[inline]
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
