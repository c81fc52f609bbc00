//! What stands behind a site: patches, a mock of the process before them, and mocks of tests before that.
//!
//! # Who writes, who reads
//! Everything here is written under the lock of [`Shared`] and read by any thread without a lock, at
//! the start of any function: in a signal handler, inside the allocator, in the destructor of a
//! thread-local. So [`enter`] takes no lock, allocates nothing and can't panic. Nothing that was
//! published is ever freed or changed in place, so whoever loaded a pointer may use it for ever.
//!
//! # Ordering
//! | cell | written | read |
//! |---|---|---|
//! | `Site::hook` | Release, under the lock | Acquire, in the prologue |
//! | `Hook::mock`, `Hook::scoped` | Release, under the lock | Acquire, in `enter` |
//! | `Hook::patches` | Release, under the lock | Acquire, in `enter` |
//! | `Shared::generation` | Release, under the lock, last | Acquire, in `enter`, **before** `patches` |
//!
//! A patch of many functions gives each site a node of the generation to come and points the site
//! at its hook; then one store of `Shared::generation` makes all of them active. `enter` takes the
//! newest node whose generation isn't beyond the one it loaded. From this follows:
//! - *Nobody enters too early:* before the store every new node is beyond the generation.
//! - *Nobody enters an old body after a new one:* who saw anything of generation G did so through
//!   the Acquire load of G (or of a later cell), so the pointers and nodes stored before it are
//!   visible to every later load of that thread, and of every thread that it synchronises with.
//! - *A restore is a patch like any other*, with the original body as its code. Only after the store
//!   does `Site::hook` go back to null: who sees that null sees the generation as well.
//!
//! Layouts are fixed (`repr(C)`) and versioned by [`crate::shared::VERSION`], since the copy of the
//! runtime that made a hook needn't be the one that changes it.

use std::ptr;

use crate::shared::{Locked, Shared};
use crate::sync::{AtomicPtr, AtomicUsize, Code, HookHead, Ordering, Site};

/// Decides what runs at a site. Made when a site is first used, and kept for ever.
#[repr(C)]
pub(crate) struct Hook {
    /// What prologues know of it. First, so that a pointer to it is one to the hook.
    head: HookHead,
    shared: *const Shared,
    /// The newest node; older ones hang behind it.
    patches: AtomicPtr<PatchNode>,
    /// Asked before patches.
    mock: AtomicPtr<MockSlot>,
    /// Calls of the original that are prepared or in progress: as long as there are some, `mock`
    /// is not null, so that each of them finds its own call.
    originals: AtomicUsize,
    /// Asked first of all, and what it answers is final: mocks that belong to a test. Who has none for this
    /// thread answers with [`Hook::without_tests`].
    scoped: AtomicPtr<MockSlot>,
}

// SAFETY: all cells are atomics, and `shared` points to what every thread may read.
unsafe impl Sync for Hook {}

/// The code of one patch for one function.
#[repr(C)]
pub(crate) struct PatchNode {
    generation: u64,
    /// None: the original body.
    code: Option<Code>,
    patch: u64,
    previous: *const PatchNode,
}

/// A mock, or whatever else wants to be asked first. Belongs to the copy of the runtime that made it.
#[repr(C)]
pub(crate) struct MockSlot {
    /// None: no opinion, go on with patches; in `Hook::scoped`, the original. Bound by the rules of [`enter`].
    pub(crate) enter: EnterMock,
    pub(crate) data: *const (),
}

#[allow(improper_ctypes_definitions)] // As for `HookHead`.
pub(crate) type EnterMock = unsafe extern "C" fn(*const Site, *const ()) -> Option<Code>;

// SAFETY: the entry may be called from any thread, and the data is code or null, both immutable.
unsafe impl Sync for MockSlot {}
// SAFETY: as above.
unsafe impl Send for MockSlot {}

/// What the prologue calls when a site's hook isn't null.
///
/// # Safety
/// `site` is a site, and `hook` what its `hook` cell held.
#[allow(improper_ctypes_definitions)]
unsafe extern "C" fn enter(site: *const Site, hook: *const HookHead) -> Option<Code> {
    // SAFETY: the prologue loaded it with Acquire from the site, where `attach` put a whole hook; hooks are never freed.
    let hook = unsafe { &*hook.cast::<Hook>() };
    match (hook.scoped(), hook.mock()) {
        (None, None) => hook.active(),
        // SAFETY: `enter` and `data` of one slot belong together.
        (Some(scoped), _) => unsafe { (scoped.enter)(site, scoped.data) },
        // SAFETY: `site` is the hook's, by the caller's promise.
        (None, Some(_)) => unsafe { of_the_process(site, hook) },
    }
}

/// The mock of the process, or else what is active. Out of line, so that a patched function without a mock
/// saves no registers.
///
/// # Safety
/// `site` is the site of `hook`.
#[cold]
#[inline(never)]
unsafe fn of_the_process(site: *const Site, hook: &Hook) -> Option<Code> {
    let code = hook.mock().and_then(|slot| {
        // SAFETY: `enter` and `data` of one slot belong together.
        unsafe { (slot.enter)(site, slot.data) }
    });
    code.or_else(|| hook.active())
}

impl Hook {
    /// What runs at a site where no test's mock does.
    ///
    /// # Safety
    /// `site` is a site, or null, for which nothing runs.
    pub(crate) unsafe fn without_tests(site: *const Site) -> Option<Code> {
        // SAFETY: sites live for ever.
        let site: &'static Site = unsafe { site.as_ref() }?;
        // SAFETY: the hook is the site's.
        unsafe { of_the_process(site, Self::existing(site)?) }
    }

    /// The hook of a site, made if it has none yet.
    pub(crate) fn of(site: &'static Site, locked: &Locked) -> &'static Self {
        if let Some(hook) = Self::existing(site) {
            return hook;
        }
        let hook: &'static Self = Box::leak(Box::new(Self {
            head: HookHead { enter },
            shared: locked.shared(),
            patches: AtomicPtr::new(ptr::null_mut()),
            mock: AtomicPtr::new(ptr::null_mut()),
            originals: AtomicUsize::new(0),
            scoped: AtomicPtr::new(ptr::null_mut()),
        }));
        let erased = ptr::from_ref(hook).cast_mut().cast::<()>();
        // SAFETY: the site's own hook, which is never freed.
        unsafe { site.owner() }.store(erased, Ordering::Release);
        hook
    }

    /// The hook of a site, if it was ever used.
    pub(crate) fn existing(site: &'static Site) -> Option<&'static Self> {
        // SAFETY: nothing is stored.
        let hook = unsafe { site.owner() }
            .load(Ordering::Acquire)
            .cast::<Self>();
        // SAFETY: null, or published by `of` with Release and never freed. Sentinels, where this
        // cell means something else, are never asked: the registry hands them out to nobody.
        unsafe { hook.as_ref() }
    }

    /// Adds code that becomes active with `generation`.
    pub(crate) fn push(&self, generation: u64, patch: u64, code: Option<Code>, _locked: &Locked) {
        let node = Box::new(PatchNode {
            generation,
            code,
            patch,
            previous: self.patches.load(Ordering::Relaxed),
        });
        self.patches.store(Box::into_raw(node), Ordering::Release);
    }

    /// Sends callers of `site` through this hook.
    pub(crate) fn attach(&'static self, site: &'static Site, _locked: &Locked) {
        let hook = ptr::from_ref(self).cast_mut();
        // SAFETY: hooks begin with their entry, live for ever, and `enter` keeps the rules of a hook; this one is the site's.
        unsafe { site.set_hook(hook.cast()) };
    }

    /// Takes the hook away where it has nothing to say, so that the fast path is free again.
    pub(crate) fn settle(&'static self, site: &'static Site, locked: &Locked) {
        let mocked = self.mock().is_some() || self.scoped().is_some();
        let silent = !mocked && self.code_of(locked.generation()).is_none();
        if silent {
            // SAFETY: null.
            unsafe { site.set_hook(ptr::null_mut()) };
        }
    }

    /// The patch whose code is active at `generation`; none while the original body is.
    pub(crate) fn patch_at(&self, generation: u64) -> Option<u64> {
        self.node_at(generation)
            .filter(|node| node.code.is_some())
            .map(|node| node.patch)
    }

    /// The code that is active at `generation` and the patch that it is of; 0 for the original body.
    pub(crate) fn state_at(&self, generation: u64) -> (Option<Code>, u64) {
        match self.node_at(generation) {
            Some(node) if node.code.is_some() => (node.code, node.patch),
            _ => (None, 0),
        }
    }

    /// The code that is active now. Nearly always that of the newest node.
    #[inline(always)]
    fn active(&self) -> Option<Code> {
        // SAFETY: set when the hook was made, never freed.
        let generation = unsafe { &(*self.shared).generation };
        // Before the list: see the module's documentation.
        let generation = generation.load(Ordering::Acquire);
        // SAFETY: null, or a node that `push` published with Release; never changed, never freed.
        match unsafe { self.patches.load(Ordering::Acquire).as_ref() } {
            Some(node) if node.generation <= generation => node.code,
            _ => self.older(generation),
        }
    }

    #[cold]
    #[inline(never)]
    fn older(&self, generation: u64) -> Option<Code> {
        self.code_of(generation)
    }

    fn code_of(&self, generation: u64) -> Option<Code> {
        self.node_at(generation)?.code
    }

    fn node_at(&self, generation: u64) -> Option<&PatchNode> {
        let mut node = self.patches.load(Ordering::Acquire).cast_const();
        // SAFETY: null, or a node that `push` published with Release; never changed, never freed.
        while let Some(found) = unsafe { node.as_ref() } {
            if found.generation <= generation {
                return Some(found);
            }
            node = found.previous;
        }
        None
    }

    pub(crate) fn mock(&self) -> Option<&'static MockSlot> {
        // SAFETY: null, or a `'static` slot that `set_mock` published with Release.
        unsafe { self.mock.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn scoped(&self) -> Option<&'static MockSlot> {
        // SAFETY: null, or a `'static` slot that `set_scoped` published with Release.
        unsafe { self.scoped.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn set_scoped(&self, slot: Option<&'static MockSlot>, _locked: &Locked) {
        let slot = slot.map_or(ptr::null_mut(), |slot| ptr::from_ref(slot).cast_mut());
        self.scoped.store(slot, Ordering::Release);
    }

    pub(crate) fn set_mock(&self, slot: Option<&'static MockSlot>, _locked: &Locked) {
        let slot = slot.map_or(ptr::null_mut(), |slot| ptr::from_ref(slot).cast_mut());
        self.mock.store(slot, Ordering::Release);
    }

    /// Counts one more call of the original.
    pub(crate) fn begin_original(&self, _locked: &Locked) {
        self.originals.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end_original(&self, _locked: &Locked) {
        self.originals.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn has_originals(&self, _locked: &Locked) -> bool {
        self.originals.load(Ordering::Relaxed) > 0
    }
}
