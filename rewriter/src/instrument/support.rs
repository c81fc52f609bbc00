//! The module that stands once in every rewritten crate: what the prologues refer to.
//!
//! It uses `core` alone, so that no crate needs a new dependency. Layouts are the runtime's
//! (`soft_mock::site`); a change here is a new layout version there.

use crate::syntax::edition::Edition;

/// What the support module says of the crate it stands in.
#[derive(Debug, Clone, Default)]
pub struct CrateIdentity {
    /// Identifies this build of this crate in the program.
    pub unit: u64,
    /// The crate's name.
    pub name: String,
    /// The first line of `rustc -V`.
    pub rustc: String,
    /// The crate is built by `hot`: a generated main starts the reloader.
    pub hot: bool,
}

/// The name of the module that is added at the crate root.
pub const SUPPORT_MODULE: &str = "__soft_mock";

/// The linker section that holds all sites.
pub const SECTION: &str = "soft_mock_sites";

/// The support module's source, to be appended after the last line of a crate's root file.
pub fn support_module(edition: Edition, facts: &CrateIdentity) -> String {
    TEXT.replace("$core", edition.core_path())
        .replace("$declaration", edition.core_declaration())
        .replace("$unit", &format!("0x{:016x}", facts.unit))
        .replace("$name", &format!("{:?}", facts.name))
        .replace("$rustc", &format!("{:?}", facts.rustc))
        .replace("$flags", if facts.hot { "1" } else { "0" })
}

/// A site that stands for no function: it makes sure that the section exists.
pub fn sentinel(edition: Edition) -> String {
    format!(
        "#[used] {} static SENTINEL: __soft_mock::Site = __soft_mock::Site::new(1, \"\", \"\", 0, \"\", ::core::option::Option::None);\n",
        edition.unsafe_attribute(&format!("link_section = {SECTION:?}")),
    )
}

const TEXT: &str = r#"#[doc(hidden)] #[allow(warnings, clippy::all)] pub mod __soft_mock {
    $declaration
    use $core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
    use $core::option::Option;
    #[repr(C)] pub struct Crate { version: u32, flags: u32, unit: u64, name: *const u8, name_len: usize, rustc: *const u8, rustc_len: usize }
    unsafe impl $core::marker::Sync for Crate {}
    static CRATE: Crate = Crate { version: 1, flags: $flags, unit: $unit, name: $name.as_ptr(), name_len: $name.len(), rustc: $rustc.as_ptr(), rustc_len: $rustc.len() };
    #[repr(C)] pub struct Site {
        hook: AtomicPtr<()>, owner: AtomicPtr<()>, version: u32, flags: u32, krate: *const Crate,
        name: *const u8, name_len: usize, file: *const u8, file_len: usize, line: u32, pad: u32,
        signature: *const u8, signature_len: usize, running: AtomicUsize,
        type_id: Option<fn() -> $core::any::TypeId>,
    }
    unsafe impl $core::marker::Sync for Site {}
    #[repr(C)] struct Hook { enter: unsafe extern "C" fn(*const Site, *const Hook) -> Option<unsafe fn()> }
    pub struct Running(&'static Site);
    impl Site {
        pub const fn new(flags: u32, name: &'static str, file: &'static str, line: u32, signature: &'static str, type_id: Option<fn() -> $core::any::TypeId>) -> Site {
            Site {
                hook: AtomicPtr::new($core::ptr::null_mut()), owner: AtomicPtr::new($core::ptr::null_mut()), version: 1, flags: flags, krate: &CRATE,
                name: name.as_ptr(), name_len: name.len(), file: file.as_ptr(), file_len: file.len(), line: line, pad: 0,
                signature: signature.as_ptr(), signature_len: signature.len(), running: AtomicUsize::new(0),
                type_id: type_id,
            }
        }
        #[inline(always)] pub fn code(&'static self) -> Option<unsafe fn()> {
            let hook = self.hook.load(Ordering::Acquire);
            if hook.is_null() { Option::None } else { self.enter(hook) }
        }
        #[cold] #[inline(never)] fn enter(&'static self, hook: *mut ()) -> Option<unsafe fn()> {
            let hook = hook as *const Hook;
            unsafe { ((*hook).enter)(self, hook) }
        }
        pub fn running(&'static self) -> Running { self.running.fetch_add(1, Ordering::Relaxed); Running(self) }
    }
    impl $core::ops::Drop for Running { fn drop(&mut self) { self.0.running.fetch_sub(1, Ordering::Relaxed); } }
}
"#;
