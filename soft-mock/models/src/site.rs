//! Sites as hooks see them, and a patch of several sites as `soft_mock_runtime::patch` installs it.

use std::ptr;

use crate::hook::SiteHook;
use crate::shared::Shared;
use crate::sync::{AtomicPtr, Ordering};

/// As in `soft_mock_abi::site`.
pub type Code = unsafe fn();

/// As in `soft_mock_abi::site`.
#[repr(C)]
pub struct HookHead {
    /// Decides what runs.
    #[allow(improper_ctypes_definitions)]
    pub enter: unsafe extern "C" fn(*const Site, *const HookHead) -> Option<Code>,
}

/// The cells of a site that change.
pub struct Site {
    hook: AtomicPtr<HookHead>,
    owner: AtomicPtr<()>,
    is_sentinel: bool,
}

impl Site {
    /// One that runs its original body. Kept for ever, as sites are.
    pub fn leaked() -> &'static Self {
        Self::make(false)
    }

    /// The one that holds what they share.
    pub fn sentinel() -> &'static Self {
        Self::make(true)
    }

    fn make(is_sentinel: bool) -> &'static Self {
        Box::leak(Box::new(Self {
            hook: AtomicPtr::new(ptr::null_mut()),
            owner: AtomicPtr::new(ptr::null_mut()),
            is_sentinel,
        }))
    }

    pub(crate) fn is_sentinel(&self) -> bool {
        self.is_sentinel
    }

    pub(crate) unsafe fn owner(&self) -> &AtomicPtr<()> {
        &self.owner
    }

    pub(crate) unsafe fn set_hook(&self, hook: *mut HookHead) {
        self.hook.store(hook, Ordering::Release);
    }

    /// As the prologue asks: the version of the code that a call runs, 0 for the original body.
    pub fn call(&'static self) -> usize {
        let hook = self.hook.load(Ordering::Acquire);
        if hook.is_null() {
            return 0;
        }
        // SAFETY: not null, so it is a hook, which lives for ever.
        let code = unsafe { ((*hook).enter)(self, hook) };
        code.map_or(0, |code| {
            VERSIONS
                .iter()
                .position(|v| *v as usize == code as usize)
                .map_or(usize::MAX, |at| at + 1)
        })
    }

    /// Whether the fast path is free.
    pub fn is_free(&self) -> bool {
        self.hook.load(Ordering::Acquire).is_null()
    }
}

const VERSIONS: [Code; 2] = [first, second];

fn first() {
    std::hint::black_box(1);
}

fn second() {
    std::hint::black_box(2);
}

/// Installs a version of the code at all sites, 0: the original body. `sentinel` holds what they
/// share.
pub fn switch(sentinel: &'static Site, sites: &[&'static Site], version: usize) {
    let Ok(shared) = Shared::of(sentinel) else {
        unreachable!("there is one version of the layout");
    };
    let locked = shared.lock();
    let (patch, generation) = (locked.next_patch(), locked.generation() + 1);
    let code = version.checked_sub(1).map(|at| VERSIONS[at]);
    for site in sites {
        let hook = SiteHook::of(site, &locked);
        // SAFETY: nothing calls the code, and all of it stays.
        unsafe { hook.push(generation, patch, code, &locked) };
        hook.attach(&locked);
    }
    shared.generation.store(generation, Ordering::Release);
    for site in sites {
        SiteHook::of(site, &locked).settle(&locked);
    }
}
