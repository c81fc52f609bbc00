//! The state that all copies of the runtime in one process share.
//!
//! A program can hold several copies: the agent that `hot` opens, built by another compiler, and
//! the program's own dependency on this crate. They agree on one [`Shared`], found through the
//! lowest-addressed sentinel site. Nothing here refers to a particular copy, or knows what the
//! other modules keep in it.

use std::hint;
use std::thread;
use std::time::Duration;

use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, Ordering, Site};

/// The version of the layouts that copies share: [`Shared`] and everything in `hook`.
pub const VERSION: u32 = 6;

/// Attempts to take the lock before the thread gives way to others.
const SPINS: u32 = 64;

/// Between two attempts to get one's turn: a transaction takes milliseconds.
const TURN_PAUSE: Duration = Duration::from_micros(500);

/// One per process, made by the copy that comes first, never freed.
#[repr(C)]
pub struct Shared {
    version: u32,
    lock: AtomicU32,
    /// The newest generation that is active. Written under the lock.
    pub(crate) generation: AtomicU64,
    /// The number of the newest patch. Written under the lock.
    patches: AtomicU64,
    /// The newest entry of the history; older ones hang behind it. Written under the lock.
    pub(crate) log: Cell,
    /// Whoever is told before and after patches; see `patch::listeners`.
    pub(crate) listeners: Cell,
    /// Patches that wait for a safe point, the newest first; see `patch::safe_point`.
    pub(crate) jobs: Cell,
    /// How many of them there are.
    pub(crate) waiting: AtomicU32,
    /// Not 0: patches of reloaders wait for a safe point.
    pub(crate) at_safe_points: AtomicU32,
    /// Not 0: a transaction is in progress.
    turn: AtomicU32,
    /// What is handed over to the next process, and what was by the one before; see `handover`.
    pub(crate) savers: Cell,
    pub(crate) inherited: Cell,
    /// Who is told of images that come and go; see `images`.
    pub(crate) images: Cell,
    /// The sites that functions were given afterwards; see `loader::late`.
    pub(crate) late: Cell,
}

/// A pointer to what one module of the runtime keeps for all copies of it.
#[repr(transparent)]
pub(crate) struct Cell(AtomicPtr<()>);

impl Cell {
    fn null() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// The cell as the one of its module.
    ///
    /// # Safety
    /// In all copies of the runtime of this version, nothing but pointers to a `T` is stored in
    /// this cell.
    pub(crate) unsafe fn of<T>(&self) -> &AtomicPtr<T> {
        // SAFETY: pointers to whatever has a size have one layout, and so have their atomics.
        unsafe { &*std::ptr::from_ref(&self.0).cast() }
    }
}

impl Shared {
    /// The process's state, made if there is none yet. An error carries the version of a state
    /// that this copy doesn't understand.
    pub(crate) fn of(sentinel: &'static Site) -> Result<&'static Self, u32> {
        let cell = Self::cell(sentinel);
        let mut found = cell.load(Ordering::Acquire).cast::<Self>();
        if found.is_null() {
            found = Self::publish(cell);
        }
        // SAFETY: never null here; it was published with Release by `publish` of this or another
        // copy and is never freed. Every version begins with the field `version`.
        let version = unsafe { (*found).version };
        if version != VERSION {
            return Err(version);
        }
        // SAFETY: as above, and the version says that the layout is ours.
        Ok(unsafe { &*found })
    }

    /// Where all copies look for it.
    fn cell(sentinel: &Site) -> &AtomicPtr<()> {
        assert!(sentinel.is_sentinel(), "only a sentinel has the state");
        // SAFETY: in a sentinel, nothing but such a state is stored.
        unsafe { sentinel.owner() }
    }

    fn publish(cell: &AtomicPtr<()>) -> *mut Self {
        let new = Box::into_raw(Box::new(Self {
            version: VERSION,
            lock: AtomicU32::new(0),
            generation: AtomicU64::new(0),
            patches: AtomicU64::new(0),
            log: Cell::null(),
            listeners: Cell::null(),
            jobs: Cell::null(),
            waiting: AtomicU32::new(0),
            at_safe_points: AtomicU32::new(0),
            turn: AtomicU32::new(0),
            savers: Cell::null(),
            inherited: Cell::null(),
            images: Cell::null(),
            late: Cell::null(),
        }));
        let null = std::ptr::null_mut();
        match cell.compare_exchange(null, new.cast(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => new,
            Err(first) => {
                // SAFETY: `new` comes from `Box::into_raw` just above and was never published.
                drop(unsafe { Box::from_raw(new) });
                first.cast()
            }
        }
    }

    /// Waits for one's turn: transactions of all copies of the runtime come one after the other, so
    /// that what one of them was told of the history holds until it has switched.
    pub(crate) fn turn(&'static self) -> Turn {
        let taken = || {
            let turn = &self.turn;
            turn.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
        };
        while taken() {
            thread::sleep(TURN_PAUSE);
        }
        Turn { shared: self }
    }

    /// Gives this state to a section of its own, that of another image of the process.
    pub(crate) fn give(&'static self, sentinel: &Site) -> bool {
        let (null, own) = (std::ptr::null_mut(), std::ptr::from_ref(self).cast_mut());
        Self::cell(sentinel)
            .compare_exchange(null, own.cast(), Ordering::AcqRel, Ordering::Acquire)
            .is_ok_and(|before| before.is_null())
    }

    /// Takes the lock under which hooks change. Held for a few stores only, never while code of
    /// the program, of a plugin or of the loader runs.
    pub fn lock(&'static self) -> Locked {
        let mut spins = 0;
        while self
            .lock
            .compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            spins += 1;
            match spins % SPINS {
                0 => thread::yield_now(),
                _ => hint::spin_loop(),
            }
        }
        Locked { shared: self }
    }
}

/// Proof that the lock is held; given back on drop.
pub struct Locked {
    shared: &'static Shared,
}

impl Locked {
    /// The state that is locked.
    pub fn shared(&self) -> &'static Shared {
        self.shared
    }

    /// The generation that is active. No ordering needed: it only changes under this lock.
    pub(crate) fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Relaxed)
    }

    pub(crate) fn next_patch(&self) -> u64 {
        self.shared.patches.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Proof that it is the holder's turn to change the program; given back on drop.
pub struct Turn {
    shared: &'static Shared,
}

impl Turn {
    /// The turn of somebody else, who gives it back.
    ///
    /// # Safety
    /// It is the caller's turn for as long as the result is used.
    pub(crate) unsafe fn of_caller(shared: &'static Shared) -> std::mem::ManuallyDrop<Self> {
        std::mem::ManuallyDrop::new(Self { shared })
    }

    pub(crate) fn shared(&self) -> &'static Shared {
        self.shared
    }

    /// The number that the next patch will have.
    pub(crate) fn coming_patch(&self) -> u64 {
        self.shared.patches.load(Ordering::Relaxed) + 1
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shared.turn.store(0, Ordering::Release);
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.shared.lock.store(0, Ordering::Release);
    }
}
