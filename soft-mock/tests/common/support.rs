//! What the rewriter puts into a crate, written by hand: the support module and, as a macro, the
//! prologue. The text differs from the rewriter's only in that the crate of a site is a parameter,
//! so that one test program can have sites of several crates.

use std::any::TypeId;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

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

// SAFETY: only read, and its pointers refer to `'static` text.
unsafe impl Sync for Crate {}

impl Crate {
    pub const fn new(unit: u64, name: &'static str, rustc: &'static str) -> Self {
        Self {
            version: 1,
            flags: 0,
            unit,
            name: name.as_ptr(),
            name_len: name.len(),
            rustc: rustc.as_ptr(),
            rustc_len: rustc.len(),
        }
    }
}

/// The compiler that the sites of the tests name.
pub const RUSTC: &str = "rustc 1.0.0 (for tests)";

/// The unit of [`APP`].
pub const APP_UNIT: u64 = 0x00ab_cdef_0123_4567;

pub static APP: Crate = Crate::new(APP_UNIT, "app", RUSTC);

#[repr(C)]
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

// SAFETY: what changes is atomic; the pointers refer to `'static` data.
unsafe impl Sync for Site {}

#[repr(C)]
struct Hook {
    #[allow(improper_ctypes_definitions)]
    enter: unsafe extern "C" fn(*const Site, *const Hook) -> Option<unsafe fn()>,
}

pub struct Running(&'static Site);

pub const ASYNC: u32 = 2;
pub const COUNTED: u32 = 4;

impl Site {
    #[allow(clippy::too_many_arguments)]
    pub const fn new(
        krate: &'static Crate,
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
            version: 1,
            flags,
            krate,
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

    #[inline(always)]
    pub fn code(&'static self) -> Option<unsafe fn()> {
        let hook = self.hook.load(Ordering::Acquire);
        match hook.is_null() {
            true => None,
            false => self.enter(hook),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter(&'static self, hook: *mut ()) -> Option<unsafe fn()> {
        let hook: *const Hook = hook.cast();
        // SAFETY: not null, so the runtime put it there; its layout is the runtime's.
        unsafe { ((*hook).enter)(self, hook) }
    }

    /// Whether the fast path is free.
    pub fn is_free(&self) -> bool {
        self.hook.load(Ordering::Acquire).is_null()
    }

    pub fn running(&'static self) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `unsafe fn(_, _) -> _` for as many parameters as there are names.
#[macro_export]
macro_rules! __pointer {
    () => { unsafe fn() -> _ };
    ($a:ident) => { unsafe fn(_) -> _ };
    ($a:ident $b:ident) => { unsafe fn(_, _) -> _ };
}

/// Functions with a prologue.
///
/// ```text
/// sites! { as for<'a> fn(&'a str) -> usize, "fn(&str) -> usize"; pub fn length(text: &str) -> usize { text.len() } }
/// ```
#[macro_export]
macro_rules! sites {
    ($(as $pointer:ty, $signature:literal; $($rest:ident)+ ( $($arg:ident: $ty:ty),* ) $(-> $ret:ty)? $body:block)*) => {
        $( $crate::sites! { @one [$pointer] [$signature] [$($rest)+] [$($arg: $ty),*] [$($ret)?] $body } )*
    };
    (@one [$pointer:ty] [$signature:literal] [pub fn $name:ident] $arguments:tt $ret:tt $body:block) => {
        $crate::sites! { @write [$pointer] [$signature] [pub fn] $name $arguments $ret $body }
    };
    (@one [$pointer:ty] [$signature:literal] [pub unsafe fn $name:ident] $arguments:tt $ret:tt $body:block) => {
        $crate::sites! { @write [$pointer] [$signature] [pub unsafe fn] $name $arguments $ret $body }
    };
    (@write [$pointer:ty] [$signature:literal] [$($words:tt)+] $name:ident [$($arg:ident: $ty:ty),*] [$($ret:ty)?] $body:block) => {
        $($words)+ $name($($arg: $ty),*) $(-> $ret)? {
            {
                #[used]
                #[link_section = "soft_mock_sites"]
                static SITE: $crate::common::support::Site = $crate::common::support::Site::new(
                    &$crate::common::support::APP, 0, concat!(module_path!(), "::", stringify!($name)), file!(), line!(),
                    $signature, Some(std::any::TypeId::of::<$pointer>),
                );
                #[allow(clippy::useless_transmute)] // For `unsafe fn()` itself.
                if let Some(code) = SITE.code() {
                    // SAFETY: whatever is installed at this site was checked to have its type.
                    return unsafe { std::mem::transmute::<unsafe fn(), $crate::__pointer!($($arg)*)>(code)($($arg),*) };
                }
            }
            $body
        }
    };
}
