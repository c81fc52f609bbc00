//! What the rewriter leaves in the program: one [`Site`] a function and one [`Crate`] a crate.
//!
//! The layouts are a contract with code that another compiler may have built: they have fixed field
//! orders and a version, and a change of either is a new [`LAYOUT`]. This module reads them; it
//! knows nothing of what stands behind a site (see `hook`) and of how sites are found (`registry`).

use std::any::TypeId;
use std::fmt;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::hook::Hook;
use crate::shared::Shared;

/// The version of the layouts of [`Site`] and [`Crate`] that this runtime reads.
pub const LAYOUT: u32 = 1;

/// Bits of [`Site`]'s flags.
pub(crate) mod flag {
    /// No function: the site makes sure that the section exists.
    pub(crate) const SENTINEL: u32 = 1;
    /// The function is `async`; its code returns a boxed future.
    pub(crate) const ASYNC: u32 = 2;
    /// Calls in progress are counted.
    pub(crate) const COUNTED: u32 = 4;
    /// The program's main function, which is called once.
    pub(crate) const MAIN: u32 = 8;
    /// No function: the runtime's answer to the question for the thread's scope.
    pub(crate) const SCOPE: u32 = 16;
    /// A function that can't be redirected; its signature says why.
    pub(crate) const REFUSED: u32 = 32;
    /// All instances of a function share it; see `instances`.
    pub(crate) const INSTANCES: u32 = 64;
    /// A call of a function of std that wasn't redirected; its signature says why.
    pub(crate) const UNSEEN: u32 = 128;
}

/// A bit of [`Crate`]'s flags: the program was built by `hot`.
const BUILT_BY_HOT: u32 = 1;

/// The crate that a site belongs to, as one call of rustc built it.
#[repr(C)]
pub struct Crate {
    version: u32,
    flags: u32,
    unit: u64,
    name: *const u8,
    name_len: usize,
    rustc: *const u8,
    rustc_len: usize,
}

// SAFETY: a `Crate` is only read, and its pointers refer to `'static` text.
unsafe impl Sync for Crate {}

/// A place where a function can be redirected.
///
/// Sites are statics that stand in the program; they can't be made, only found: see
/// [`sites`](crate::sites).
#[repr(C)]
pub struct Site {
    /// Null: the original body runs. Otherwise the [`Hook`] that the prologue asks.
    pub(crate) hook: AtomicPtr<Hook>,
    /// The site's own [`Hook`], made when it is first needed. In the lowest sentinel: [`Shared`].
    pub(crate) owner: AtomicPtr<()>,
    version: u32,
    flags: u32,
    krate: *const Crate,
    name: *const u8,
    name_len: usize,
    file: *const u8,
    file_len: usize,
    line: u32,
    pad: u32,
    signature: *const u8,
    signature_len: usize,
    running: AtomicUsize,
    type_id: Option<fn() -> TypeId>,
}

// SAFETY: the only fields that change are atomics; the pointers refer to `'static` data.
unsafe impl Sync for Site {}

// Hand-written code on the other side relies on these.
const _: () = assert!(std::mem::align_of::<Site>() == std::mem::align_of::<usize>());
#[cfg(target_pointer_width = "64")]
const _: () = assert!(std::mem::size_of::<Site>() == 104 && std::mem::size_of::<Crate>() == 48);

impl Crate {
    const fn own() -> Self {
        let name = "soft_mock";
        Self {
            version: LAYOUT,
            flags: 0,
            unit: 0,
            name: name.as_ptr(),
            name_len: name.len(),
            rustc: name.as_ptr(),
            rustc_len: 0,
        }
    }

    /// The crate's name.
    pub fn name(&self) -> &'static str {
        // SAFETY: whoever placed the crate's record took pointer and length from one `&'static str`.
        unsafe { text(self.name, self.name_len) }
    }

    /// Identifies this build of this crate: what it is compiled from and with.
    pub fn unit(&self) -> u64 {
        self.unit
    }

    /// The compiler, as the first line of `rustc -V` names it.
    pub fn rustc(&self) -> &'static str {
        // SAFETY: as in `name`.
        unsafe { text(self.rustc, self.rustc_len) }
    }

    /// Whether `hot` built the program, so that a generated main starts the reloader.
    pub fn is_built_by_hot(&self) -> bool {
        self.flags & BUILT_BY_HOT != 0
    }
}

static OWN_CRATE: Crate = Crate::own();

impl Site {
    /// A site as `mockable` places it.
    #[doc(hidden)]
    pub const fn new(
        flags: u32,
        name: &'static str,
        file: &'static str,
        line: u32,
        signature: &'static str,
        type_id: Option<fn() -> TypeId>,
    ) -> Self {
        let mut site = Self::sentinel();
        site.flags = flags;
        site.name = name.as_ptr();
        site.name_len = name.len();
        site.file = file.as_ptr();
        site.file_len = file.len();
        site.line = line;
        site.signature = signature.as_ptr();
        site.signature_len = signature.len();
        site.type_id = type_id;
        site
    }

    /// What runs in place of the function, if something does.
    #[doc(hidden)]
    #[inline(always)]
    pub fn code(&'static self) -> Option<unsafe fn()> {
        let hook = self.hook.load(Ordering::Acquire);
        match hook.is_null() {
            true => None,
            false => self.decide(hook),
        }
    }

    /// Whether somebody has to be asked what runs.
    #[doc(hidden)]
    #[inline(always)]
    pub fn is_hooked(&'static self) -> bool {
        !self.hook.load(Ordering::Acquire).is_null()
    }

    #[cold]
    #[inline(never)]
    fn decide(&'static self, hook: *const Hook) -> Option<unsafe fn()> {
        // SAFETY: not null, so it is a hook, which lives for ever.
        unsafe { Hook::decide(self, hook) }
    }

    /// A site for one instance of the function that this one is for.
    pub(crate) fn instance(
        &self,
        name: &'static str,
        signature: &'static str,
        type_id: fn() -> TypeId,
    ) -> Self {
        let signature = match self.is_async() {
            true => self.signature(),
            false => signature,
        };
        let flags = self.flags & flag::ASYNC;
        let mut site = Self::new(
            flags,
            name,
            self.file(),
            self.line,
            signature,
            Some(type_id),
        );
        site.krate = self.krate;
        site
    }

    /// The sentinel that this crate places itself, so that the section exists in every program.
    pub(crate) const fn sentinel() -> Self {
        let empty = "";
        Self {
            hook: AtomicPtr::new(std::ptr::null_mut()),
            owner: AtomicPtr::new(std::ptr::null_mut()),
            version: LAYOUT,
            flags: flag::SENTINEL,
            krate: &OWN_CRATE,
            name: empty.as_ptr(),
            name_len: 0,
            file: empty.as_ptr(),
            file_len: 0,
            line: 0,
            pad: 0,
            signature: empty.as_ptr(),
            signature_len: 0,
            running: AtomicUsize::new(0),
            type_id: None,
        }
    }

    /// The function's name: `app::store::get`, `app::store::Store::get`,
    /// `<app::store::Store as Display>::fmt`.
    pub fn name(&self) -> &'static str {
        // SAFETY: whoever placed the site took pointer and length from one `&'static str`.
        unsafe { text(self.name, self.name_len) }
    }

    /// The source file, as `file!()` names it.
    pub fn file(&self) -> &'static str {
        // SAFETY: as in `name`.
        unsafe { text(self.file, self.file_len) }
    }

    /// The line of the function's name.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The function's signature as text: qualifiers, parameter types, result; no parameter names.
    pub fn signature(&self) -> &'static str {
        // SAFETY: as in `name`.
        unsafe { text(self.signature, self.signature_len) }
    }

    /// The crate that the function belongs to.
    pub fn krate(&self) -> &'static Crate {
        // SAFETY: never null, and it refers to a static (see the layout's contract).
        unsafe { &*self.krate }
    }

    /// The name of the crate that the function belongs to.
    pub fn crate_name(&self) -> &'static str {
        self.krate().name()
    }

    /// The unit of the crate that the function belongs to; see [`Crate::unit`].
    pub fn unit(&self) -> u64 {
        self.krate().unit()
    }

    /// Whether the function is `async`.
    pub fn is_async(&self) -> bool {
        self.flags & flag::ASYNC != 0
    }

    /// Whether the function is the program's main, which is called once and never again.
    pub fn is_main(&self) -> bool {
        self.flags & flag::MAIN != 0
    }

    /// Whether calling the function needs `unsafe`.
    pub fn is_unsafe(&self) -> bool {
        let qualifiers = self.signature().split("fn").next().unwrap_or_default();
        qualifiers.split_whitespace().any(|word| word == "unsafe")
    }

    /// Calls in progress, which go on with the body that they began with. None: they aren't
    /// counted for this function, because it is expected to return soon.
    pub fn running(&self) -> Option<usize> {
        (self.flags & flag::COUNTED != 0).then(|| self.running.load(Ordering::Relaxed))
    }

    pub(crate) fn is_sentinel(&self) -> bool {
        self.flags & flag::SENTINEL != 0
    }

    /// Whether threads ask here for their scope.
    pub(crate) fn is_scope(&self) -> bool {
        self.flags & flag::SCOPE != 0
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.flags & flag::REFUSED != 0
    }

    /// Whether it stands for a call that wasn't redirected.
    pub(crate) fn is_unseen(&self) -> bool {
        self.flags & flag::UNSEEN != 0
    }

    /// Whether it is shared by instances.
    pub(crate) fn has_instances(&self) -> bool {
        self.flags & flag::INSTANCES != 0
    }

    /// Whether calls of a function go through it.
    pub(crate) fn is_function(&self) -> bool {
        let others = flag::SENTINEL | flag::SCOPE | flag::REFUSED | flag::INSTANCES | flag::UNSEEN;
        self.flags & others == 0
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// The function that yields the id of the function's pointer type. To be called only by code of
    /// the compiler that built the program.
    pub(crate) fn type_id(&self) -> Option<fn() -> TypeId> {
        self.type_id
    }

    /// The state that all copies of the runtime share; only in the lowest sentinel.
    pub(crate) fn shared(&self) -> &AtomicPtr<Shared> {
        debug_assert!(self.is_sentinel());
        // SAFETY: `AtomicPtr<()>` and `AtomicPtr<Shared>` have one layout, that of a thin pointer;
        // in a sentinel this cell never holds anything else.
        unsafe { &*std::ptr::from_ref(&self.owner).cast::<AtomicPtr<Shared>>() }
    }

    /// `src/store.rs:41`
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file(), self.line())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.name(), self.file(), self.line())
    }
}

impl fmt::Debug for Crate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (unit {:016x})", self.name(), self.unit())
    }
}

/// # Safety
/// Pointer and length describe bytes that live for ever and never change.
unsafe fn text(start: *const u8, length: usize) -> &'static str {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(start, length) };
    // Checked, not trusted: a name is read when something is asked for, never on a fast path.
    std::str::from_utf8(bytes).unwrap_or("<name is not UTF-8>")
}
