//! What stands behind a site: patches, and before them whoever else wants to be asked, a [`Slot`]
//! for each [`Layer`].
//!
//! # Who writes, who reads
//! Everything here is written under the lock of [`Shared`] and read by any thread without a lock,
//! at the start of any function: in a signal handler, inside the allocator, in the destructor of a
//! thread-local. So `enter` takes no lock, allocates nothing and can't panic. Nothing that was
//! published is ever freed or changed in place, so whoever loaded a pointer may use it for ever.
//! But for one mark: `enter` says of a patch's code that it was called.
//!
//! # Ordering
//! | cell | written | read |
//! |---|---|---|
//! | `Site::hook` | Release, under the lock | Acquire, in the prologue |
//! | `Hook::process`, `Hook::thread` | Release, under the lock | Acquire, in `enter` |
//! | `Hook::patches` | Release, under the lock | Acquire, in `enter` |
//! | `PatchNode::called` | Relaxed, by `enter` | Relaxed, by who wants to tell of it |
//! | `Shared::generation` | Release, under the lock, last | Acquire, in `enter`, **before** `patches` |
//!
//! A patch of many functions gives each site a node of the generation to come and points the site
//! at its hook; then one store of `Shared::generation` makes all of them active. `enter` takes the
//! newest node whose generation isn't beyond the one it loaded. From this follows:
//! - *Nobody enters too early:* before the store every new node is beyond the generation.
//! - *Nobody enters an old body after a new one:* who saw anything of generation G did so through
//!   the Acquire load of G (or of a later cell), so the pointers and nodes stored before it are
//!   visible to every later load of that thread, and of every thread that it synchronises with.
//! - *A restore is a patch like any other*, with the original body as its code. Only after the
//!   store does `Site::hook` go back to null: who sees that null sees the generation as well.
//!
//! Whose slots those are isn't known here.
//!
//! Layouts are fixed (`repr(C)`) and versioned by [`crate::shared::VERSION`], since the copy of the
//! runtime that made a hook needn't be the one that changes it.

use std::ptr;

use crate::shared::{Locked, Shared};
use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize, Code, HookHead, Ordering, Site};

/// Decides what runs at a site. Made when a site is first used, and kept for ever.
#[repr(C)]
struct Hook {
    /// What prologues know of it. First, so that a pointer to it is one to the hook.
    head: HookHead,
    shared: *const Shared,
    /// The newest node; older ones hang behind it.
    patches: AtomicPtr<PatchNode>,
    /// The slot of [`Layer::Process`].
    process: AtomicPtr<Slot>,
    /// How many need every call to go through the slot of [`Layer::Process`], which is set as long
    /// as there are some.
    held: AtomicUsize,
    /// The slot of [`Layer::Thread`].
    thread: AtomicPtr<Slot>,
}

// SAFETY: all cells are atomics, and `shared` points to what every thread may read.
unsafe impl Sync for Hook {}

/// The code of one patch for one function.
#[repr(C)]
struct PatchNode {
    generation: u64,
    /// None: the original body.
    code: Option<Code>,
    patch: u64,
    previous: *const PatchNode,
    /// 1 once it was entered.
    called: AtomicU32,
}

impl PatchNode {
    /// Its code, for somebody who calls it.
    #[inline(always)]
    fn enter(&self) -> Option<Code> {
        // Stored once: what all threads read stays in their caches.
        if self.called.load(Ordering::Relaxed) == 0 {
            self.called.store(1, Ordering::Relaxed);
        }
        self.code
    }
}

/// Who is asked before patches, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// First of all, and what it answers is final; none: the original. Who has nothing to say for
    /// this thread answers with [`without_thread`].
    Thread,
    /// Second; none: go on with patches.
    Process,
}

/// Somebody who is asked what runs at a site. Belongs to the copy of the runtime that made it.
#[repr(C)]
#[derive(Debug)]
pub struct Slot {
    enter: EnterSlot,
    data: *const (),
}

/// What a slot answers, given the site and the slot's data.
#[allow(improper_ctypes_definitions)] // As for `HookHead`.
pub type EnterSlot = unsafe extern "C" fn(*const Site, *const ()) -> Option<Code>;

// SAFETY: whoever made the slot promised that its entry may be called with its data by any thread.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

impl Slot {
    /// A slot with this entry and data.
    ///
    /// # Safety
    /// For ever, any thread may call `enter` with a site at which the slot is set (or was) and with
    /// `data`: at the start of any function, in a signal handler, inside the allocator, in
    /// destructors of thread-locals. So it takes no lock, doesn't allocate and doesn't unwind.
    pub const unsafe fn new(enter: EnterSlot, data: *const ()) -> Self {
        Self { enter, data }
    }

    /// What it was made with.
    pub fn data(&self) -> *const () {
        self.data
    }

    /// # Safety
    /// `site` is one at which the slot is set, or was.
    unsafe fn ask(&self, site: *const Site) -> Option<Code> {
        // SAFETY: `new` was promised that this may be called; the site is the caller's promise.
        unsafe { (self.enter)(site, self.data) }
    }
}

/// What the prologue calls when a site's hook isn't null.
///
/// # Safety
/// `site` is a site, and `hook` what its `hook` cell held.
#[allow(improper_ctypes_definitions)]
unsafe extern "C" fn enter(site: *const Site, hook: *const HookHead) -> Option<Code> {
    // SAFETY: the prologue loaded it with Acquire from the site, where `attach` put a whole hook;
    // hooks are never freed.
    let hook = unsafe { &*hook.cast::<Hook>() };
    match (hook.slot(Layer::Thread), hook.slot(Layer::Process)) {
        (None, None) => hook.active(),
        // SAFETY: it was set at this site.
        (Some(thread), _) => unsafe { thread.ask(site) },
        // SAFETY: `site` is the hook's, by the caller's promise.
        (None, Some(_)) => unsafe { of_the_process(site, hook) },
    }
}

/// The slot of the process, or else what is active. Out of line, so that a patched function without
/// a slot saves no registers.
///
/// # Safety
/// `site` is the site of `hook`.
#[cold]
#[inline(never)]
unsafe fn of_the_process(site: *const Site, hook: &Hook) -> Option<Code> {
    let slot = hook.slot(Layer::Process);
    // SAFETY: it was set at this site.
    let code = slot.and_then(|slot| unsafe { slot.ask(site) });
    code.or_else(|| hook.active())
}

/// What runs at a site for a thread for which the slot of [`Layer::Thread`] has nothing.
///
/// # Safety
/// `site` is null, for which nothing runs, or a site at which a slot is set, or was.
pub unsafe fn without_thread(site: *const Site) -> Option<Code> {
    // SAFETY: sites with a slot live for ever.
    let site: &'static Site = unsafe { site.as_ref() }?;
    let SiteHook { hook, .. } = SiteHook::existing(site)?;
    // SAFETY: the hook is the site's.
    unsafe { of_the_process(site, hook) }
}

/// A site and its hook.
#[derive(Clone, Copy)]
pub struct SiteHook {
    site: &'static Site,
    hook: &'static Hook,
}

impl SiteHook {
    /// That of a site, made if it has none yet.
    ///
    /// # Panics
    /// If the site stands for nothing: such sites have no hook.
    pub fn of(site: &'static Site, locked: &Locked) -> Self {
        assert!(!site.is_sentinel(), "a sentinel has no hook");
        if let Some(existing) = Self::existing(site) {
            return existing;
        }
        let hook: &'static Hook = Box::leak(Box::new(Hook {
            head: HookHead { enter },
            shared: locked.shared(),
            patches: AtomicPtr::new(ptr::null_mut()),
            process: AtomicPtr::new(ptr::null_mut()),
            held: AtomicUsize::new(0),
            thread: AtomicPtr::new(ptr::null_mut()),
        }));
        let erased = ptr::from_ref(hook).cast_mut().cast::<()>();
        // SAFETY: the own hook of a site that is no sentinel, never freed.
        unsafe { site.owner() }.store(erased, Ordering::Release);
        Self { site, hook }
    }

    /// That of a site that was ever used.
    pub fn existing(site: &'static Site) -> Option<Self> {
        if site.is_sentinel() {
            return None; // There the cell means something else.
        }
        // SAFETY: nothing is stored.
        let hook = unsafe { site.owner() }.load(Ordering::Acquire);
        // SAFETY: null, or published by `of` with Release and never freed; only `of` stores
        // something where the site is no sentinel.
        let hook = unsafe { hook.cast::<Hook>().as_ref() }?;
        Some(Self { site, hook })
    }

    /// Adds code that becomes active with `generation`.
    ///
    /// # Safety
    /// The code is of the type of the site's function, and stays where it is for ever.
    pub(crate) unsafe fn push(
        self,
        generation: u64,
        patch: u64,
        code: Option<Code>,
        _locked: &Locked,
    ) {
        let node = Box::new(PatchNode {
            generation,
            code,
            patch,
            previous: self.hook.patches.load(Ordering::Relaxed),
            called: AtomicU32::new(0),
        });
        self.hook
            .patches
            .store(Box::into_raw(node), Ordering::Release);
    }

    /// Sends callers of the site through its hook.
    pub fn attach(self, _locked: &Locked) {
        let hook = ptr::from_ref(self.hook).cast_mut();
        // SAFETY: the hook is the site's own, begins with its head and lives for ever; `enter`
        // keeps the rules.
        unsafe { self.site.set_hook(hook.cast()) };
    }

    /// Sends callers of another site of the same function through this hook, for ever. That it is
    /// of the same function is the caller's word: only the loader, which compared them, says so.
    pub(crate) fn share(self, other: &'static Site) {
        let hook = ptr::from_ref(self.hook).cast_mut();
        // SAFETY: a site that stands for a function, and its own cell.
        unsafe { other.owner() }.store(hook.cast(), Ordering::Release);
        // SAFETY: the hook begins with its head and lives for ever; `enter` may be called with any
        // site that has it as its own.
        unsafe { other.set_hook(hook.cast()) };
    }

    /// Takes the hook away where it has nothing to say, so that the fast path is free again.
    pub fn settle(self, locked: &Locked) {
        let asked = [Layer::Thread, Layer::Process].map(|layer| self.slot(layer).is_some());
        let silent = asked == [false; 2] && self.hook.code_of(locked.generation()).is_none();
        if silent {
            // SAFETY: null.
            unsafe { self.site.set_hook(ptr::null_mut()) };
        }
    }

    /// The patch whose code is active at `generation`; none while the original body is.
    pub(crate) fn patch_at(self, generation: u64) -> Option<u64> {
        self.hook
            .node_at(generation)
            .filter(|node| node.code.is_some())
            .map(|node| node.patch)
    }

    /// Whether the code of a patch was called since it became active; none if it isn't what is
    /// active at `generation`.
    pub(crate) fn was_called(self, generation: u64, patch: u64) -> Option<bool> {
        let node = self.hook.node_at(generation)?;
        let is_it = node.patch == patch && node.code.is_some();
        is_it.then(|| node.called.load(Ordering::Relaxed) != 0)
    }

    /// The code that is active at `generation` and the patch that it is of; 0 for the original
    /// body.
    pub(crate) fn state_at(self, generation: u64) -> (Option<Code>, u64) {
        match self.hook.node_at(generation) {
            Some(node) if node.code.is_some() => (node.code, node.patch),
            _ => (None, 0),
        }
    }

    /// Who is asked in this layer.
    pub fn slot(self, layer: Layer) -> Option<&'static Slot> {
        self.hook.slot(layer)
    }

    /// Sets who is asked in this layer.
    ///
    /// # Safety
    /// What the slot answers at this site is code of the type of the site's function, and stays
    /// where it is for as long as somebody may call it.
    pub unsafe fn set_slot(self, layer: Layer, slot: Option<&'static Slot>, _locked: &Locked) {
        let slot = slot.map_or(ptr::null_mut(), |slot| ptr::from_ref(slot).cast_mut());
        self.hook.cell(layer).store(slot, Ordering::Release);
    }

    /// One more needs calls to go through the slot of [`Layer::Process`], which has to be set.
    pub fn hold(self, _locked: &Locked) {
        self.hook.held.fetch_add(1, Ordering::Relaxed);
    }

    /// One needs it no longer.
    pub fn release(self, _locked: &Locked) {
        self.hook.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether somebody needs it.
    pub fn is_held(self, _locked: &Locked) -> bool {
        self.hook.held.load(Ordering::Relaxed) > 0
    }
}

impl Hook {
    fn cell(&self, layer: Layer) -> &AtomicPtr<Slot> {
        match layer {
            Layer::Thread => &self.thread,
            Layer::Process => &self.process,
        }
    }

    #[inline(always)]
    fn slot(&self, layer: Layer) -> Option<&'static Slot> {
        // SAFETY: null, or a `'static` slot that `set_slot` published with Release.
        unsafe { self.cell(layer).load(Ordering::Acquire).as_ref() }
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
            Some(node) if node.generation <= generation => node.enter(),
            _ => self.older(generation),
        }
    }

    #[cold]
    #[inline(never)]
    fn older(&self, generation: u64) -> Option<Code> {
        self.node_at(generation)?.enter()
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
}
