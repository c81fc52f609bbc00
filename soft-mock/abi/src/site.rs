//! What the rewriter leaves in the program: one [`Site`] a function and one [`Crate`] a crate.
//!
//! The layouts are a contract with code that another compiler may have built: they have fixed field
//! orders and a version, and a change of either is a new [`LAYOUT`]. Generated code is made of
//! [`Site::FIELDS`] and its like; who reads object files finds the fields by [`offset`]. This
//! module knows nothing of what stands behind a site and of how sites are found.

use std::any::TypeId;
use std::fmt;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The version of the layouts of [`Site`], [`Crate`] and [`HookHead`].
pub const LAYOUT: u32 = 1;

/// Bits of [`Site`]'s flags.
pub mod flag {
    /// No function: the site makes sure that the section exists.
    pub const SENTINEL: u32 = 1;
    /// The function is `async`; its code returns a boxed future.
    pub const ASYNC: u32 = 2;
    /// Calls in progress are counted.
    pub const COUNTED: u32 = 4;
    /// The program's main function, which is called once.
    pub const MAIN: u32 = 8;
    /// No function: the runtime's answer to the question for the thread's scope.
    pub const SCOPE: u32 = 16;
    /// A function that can't be redirected; its signature says why.
    pub const REFUSED: u32 = 32;
    /// All instances of a function share it.
    pub const INSTANCES: u32 = 64;
}

/// How the name of a site ends that stands for all functions of a crate which nothing names where
/// mocks are made; its signature has their names, one a line.
pub const UNNAMED: &str = "::*";

/// A bit of [`Crate`]'s flags: the program was built by `hot`.
pub const BUILT_BY_HOT: u32 = 1;

/// The code of a function, its real type erased. What the prologue turns it into is checked when
/// it is installed.
pub type Code = unsafe fn();

layout! {
    /// The crate that a site belongs to, as one call of rustc built it.
    pub struct Crate {
        version: u32,
        flags: u32,
        unit: u64,
        name: *const u8,
        name_len: usize,
        rustc: *const u8,
        rustc_len: usize,
    }
}

// SAFETY: a `Crate` is only read, and its pointers refer to `'static` text.
unsafe impl Sync for Crate {}

layout! {
    /// A place where a function can be redirected: a static beside the function.
    pub struct Site {
        hook: AtomicPtr<()>,
        owner: AtomicPtr<()>,
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
}

// SAFETY: the only fields that change are atomics; the pointers refer to `'static` data.
unsafe impl Sync for Site {}

layout! {
    /// How what stands behind a site begins.
    // `unsafe fn()` is a thin pointer that is only handed back: see `Code`.
    #[allow(improper_ctypes_definitions)]
    #[derive(Debug)]
    pub struct HookHead {
        /// Decides what runs, none: the original body. It is called with the site and its hook.
        pub enter: unsafe extern "C" fn(*const Site, *const HookHead) -> Option<unsafe fn()>,
    }
}

/// Whether the signature of a site, as text, is that of a function whose result is `impl Trait`.
pub fn has_opaque_result(signature: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = signature.match_indices("impl ");
    words.any(|(at, _)| !signature[..at].ends_with(is_name))
}

/// Where the fields are that are read from object files.
pub mod offset {
    use super::Site;
    use std::mem::offset_of;

    /// `u32`: see [`flag`](super::flag).
    pub const FLAGS: usize = offset_of!(Site, flags);
    /// A pointer to the text; its length follows.
    pub const NAME: usize = offset_of!(Site, name);
    /// `u32`.
    pub const LINE: usize = offset_of!(Site, line);
    /// A pointer to the text; its length follows.
    pub const SIGNATURE: usize = offset_of!(Site, signature);
    /// A pointer to a function, or null.
    pub const TYPE_ID: usize = offset_of!(Site, type_id);

    // Texts are read as a pointer with the length behind it, and prologues in assembly read the
    // hook as the first word.
    const _: () = {
        const WORD: usize = size_of::<usize>();
        assert!(offset_of!(Site, hook) == 0);
        assert!(offset_of!(Site, name_len) == NAME + WORD);
        assert!(offset_of!(Site, signature_len) == SIGNATURE + WORD);
    };
}

// The registry takes the section for a slice: there may be no holes between sites.
const _: () = assert!(std::mem::align_of::<Site>() == std::mem::align_of::<usize>());
#[cfg(target_pointer_width = "64")]
const _: () = assert!(std::mem::size_of::<Site>() == 104 && std::mem::size_of::<Crate>() == 48);

impl Crate {
    /// A crate's record.
    pub const fn new(flags: u32, unit: u64, name: &'static str, rustc: &'static str) -> Self {
        Self {
            version: LAYOUT,
            flags,
            unit,
            name: name.as_ptr(),
            name_len: name.len(),
            rustc: rustc.as_ptr(),
            rustc_len: rustc.len(),
        }
    }

    /// The crate's name.
    pub fn name(&self) -> &'static str {
        // SAFETY: whoever placed the crate's record took pointer and length from one `&'static
        // str`.
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

/// Of sites that no rewritten crate has.
static OWN_CRATE: Crate = Crate::new(0, 0, "soft_mock", "");

impl Site {
    /// A site of this crate, that is of none: see [`Site::of_crate`].
    pub const fn new(
        flags: u32,
        name: &'static str,
        file: &'static str,
        line: u32,
        signature: &'static str,
        type_id: Option<fn() -> TypeId>,
    ) -> Self {
        Self {
            hook: AtomicPtr::new(std::ptr::null_mut()),
            owner: AtomicPtr::new(std::ptr::null_mut()),
            version: LAYOUT,
            flags,
            krate: &OWN_CRATE,
            name: name.as_ptr(),
            name_len: name.len(),
            file: file.as_ptr(),
            file_len: file.len(),
            line,
            pad: 0,
            signature: signature.as_ptr(),
            signature_len: signature.len(),
            running: AtomicUsize::new(0),
            type_id,
        }
    }

    /// The same as a site of `krate`.
    pub const fn of_crate(mut self, krate: &'static Crate) -> Self {
        self.krate = krate;
        self
    }

    /// A site that stands for no function: it makes sure that the section exists.
    pub const fn sentinel() -> Self {
        Self::new(flag::SENTINEL, "", "", 0, "", None)
    }

    /// What runs in place of the function, if something does.
    #[inline(always)]
    pub fn code(&'static self) -> Option<Code> {
        let hook = self.hook();
        match hook.is_null() {
            true => None,
            false => self.enter(hook),
        }
    }

    /// Whether somebody has to be asked what runs.
    #[inline(always)]
    pub fn is_hooked(&'static self) -> bool {
        !self.hook().is_null()
    }

    #[cold]
    #[inline(never)]
    fn enter(&'static self, hook: *mut HookHead) -> Option<Code> {
        // SAFETY: not null, so whoever called `set_hook` promised a hook that lives for ever.
        unsafe { ((*hook).enter)(self, hook) }
    }

    /// What is asked; null: the original body runs.
    #[inline(always)]
    pub fn hook(&self) -> *mut HookHead {
        self.hook.load(Ordering::Acquire).cast()
    }

    /// Sets what is asked (Release).
    ///
    /// # Safety
    /// Null, or a hook that lives for ever and whose `enter` may be called with this site and with
    /// itself, by any thread and in a signal handler.
    pub unsafe fn set_hook(&self, hook: *mut HookHead) {
        self.hook.store(hook.cast(), Ordering::Release);
    }

    /// The cell with the site's own hook, made when it is first needed. In the lowest sentinel: the
    /// state that all copies of the runtime in the process share.
    ///
    /// # Safety
    /// Nothing else is stored in it: other copies of the runtime rely on that.
    pub unsafe fn owner(&self) -> &AtomicPtr<()> {
        &self.owner
    }

    /// Counts one more call in progress, until the result is dropped.
    pub fn count_call(&'static self) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// A site for one instance of the function that this one is for.
    pub fn instance(
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
        Self::new(
            flags,
            name,
            self.file(),
            self.line,
            signature,
            Some(type_id),
        )
        .of_crate(self.krate())
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

    /// Whether it stands for nothing.
    pub fn is_sentinel(&self) -> bool {
        self.flags & flag::SENTINEL != 0
    }

    /// Whether threads ask here for their scope.
    pub fn is_scope(&self) -> bool {
        self.flags & flag::SCOPE != 0
    }

    /// Whether it stands for a function that can't be redirected.
    pub fn is_refused(&self) -> bool {
        self.flags & flag::REFUSED != 0
    }

    /// The names of functions for all of which it stands: see [`UNNAMED`].
    pub fn unnamed(&self) -> impl Iterator<Item = &str> {
        let is_list = self.is_refused() && self.name().ends_with(UNNAMED);
        is_list
            .then(|| self.signature().lines())
            .into_iter()
            .flatten()
    }

    /// Whether it is shared by instances.
    pub fn has_instances(&self) -> bool {
        self.flags & flag::INSTANCES != 0
    }

    /// Whether calls of a function go through it.
    pub fn is_function(&self) -> bool {
        let others = flag::SENTINEL | flag::SCOPE | flag::REFUSED | flag::INSTANCES;
        self.flags & others == 0
    }

    /// The version of its layout.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The function that yields the id of the function's pointer type.
    ///
    /// # Safety
    /// The result may be handed on, but is called only by code of the compiler that built the
    /// program: neither the call nor what it returns is the same for another one.
    pub unsafe fn type_id(&self) -> Option<fn() -> TypeId> {
        self.type_id
    }

    /// `src/store.rs:41`
    pub fn place(&self) -> String {
        format!("{}:{}", self.file(), self.line())
    }
}

/// A call in progress of a function whose calls are counted.
#[derive(Debug)]
pub struct Running(&'static Site);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_generated_code_has_them() {
        assert!(
            Site::FIELDS.starts_with("hook: AtomicPtr<()>, owner: AtomicPtr<()>, version: u32, ")
        );
        assert!(Site::FIELDS.ends_with("type_id: Option<fn() -> TypeId>, "));
        assert_eq!(
            HookHead::FIELDS,
            "enter: unsafe extern \"C\" fn(*const Site, *const HookHead) -> Option<unsafe fn()>, "
        );
    }

    #[test]
    fn a_site_asks_its_hook() {
        unsafe fn code() {}
        #[allow(improper_ctypes_definitions)]
        unsafe extern "C" fn enter(site: *const Site, hook: *const HookHead) -> Option<Code> {
            // SAFETY: `Site::enter` calls this with the site and the hook below.
            let (site, hook) = unsafe { (&*site, hook.cast_mut()) };
            (std::ptr::eq(site, &SITE) && hook == site.hook()).then_some(code as Code)
        }
        static HOOK: HookHead = HookHead { enter };
        static APP: Crate = Crate::new(BUILT_BY_HOT, 7, "app", "rustc 1");
        static SITE: Site = Site::new(
            flag::ASYNC | flag::COUNTED,
            "app::f",
            "src/main.rs",
            3,
            "async unsafe fn()",
            None,
        )
        .of_crate(&APP);
        assert!(SITE.code().is_none() && !SITE.is_hooked() && SITE.is_function());
        // SAFETY: a static, whose `enter` takes any site.
        unsafe { SITE.set_hook((&raw const HOOK).cast_mut()) };
        assert!(SITE
            .code()
            .is_some_and(|found| std::ptr::fn_addr_eq(found, code as Code)));
        // SAFETY: null.
        unsafe { SITE.set_hook(std::ptr::null_mut()) };
        assert!(SITE.code().is_none());
        assert!(SITE.is_async() && SITE.is_unsafe() && !SITE.is_main());
        assert_eq!((SITE.place().as_str(), SITE.unit()), ("src/main.rs:3", 7));
        assert!(SITE.krate().is_built_by_hot() && SITE.krate().rustc() == "rustc 1");
    }

    #[test]
    fn calls_in_progress_are_counted() {
        static SITE: Site = Site::new(flag::COUNTED, "f", "", 0, "fn()", None);
        let call = SITE.count_call();
        assert_eq!(SITE.running(), Some(1));
        drop(call);
        assert_eq!(SITE.running(), Some(0));
    }
}
