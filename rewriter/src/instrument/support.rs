//! The module that stands once in every rewritten crate: what the prologues refer to.
//!
//! It uses `core` alone, so that no crate needs a new dependency. Layouts are those of
//! `soft_mock_abi::site`.
//!
//! ```text
//! <the last line of the root file>
//! #[doc(hidden)] pub mod __soft_mock { … pub struct Site { … } impl Site { … } static CRATE: Crate = …; }
//! ```

use soft_mock_abi::site::{flag, Crate, HookHead, Site, BUILT_BY_HOT, LAYOUT};
pub use soft_mock_abi::symbol::SUPPORT_MODULE;

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

/// The linker section that holds all sites.
pub use soft_mock_abi::section::SITES as SECTION;

/// The support module's source, to be appended after the last line of a crate's root file.
pub fn support_module(edition: Edition, facts: &CrateIdentity) -> String {
    support_module_with(edition, facts, "")
}

/// The same, and `more` in it.
pub(crate) fn support_module_with(edition: Edition, facts: &CrateIdentity, more: &str) -> String {
    TEXT.replace("$core", edition.core_path())
        .replace("$declaration", edition.core_declaration())
        .replace("$unit", &format!("0x{:016x}", facts.unit))
        .replace("$name", &format!("{:?}", facts.name))
        .replace("$rustc", &format!("{:?}", facts.rustc))
        .replace(
            "$flags",
            &(if facts.hot { BUILT_BY_HOT } else { 0 }).to_string(),
        )
        .replace("$layout", &LAYOUT.to_string())
        .replace("$crate_fields", Crate::FIELDS)
        .replace("$site_fields", Site::FIELDS)
        .replace("$hook_fields", HookHead::FIELDS)
        .replace("$more", more)
}

/// A site that stands for no function: it makes sure that the section exists.
pub fn sentinel(edition: Edition) -> String {
    format!(
        "#[used] {} static SENTINEL: __soft_mock::Site = __soft_mock::Site::new({}, \"\", \"\", 0, \"\", ::core::option::Option::None);\n",
        edition.unsafe_attribute(&format!("link_section = {SECTION:?}")),
        flag::SENTINEL,
    )
}

const TEXT: &str = r#"#[doc(hidden)] #[allow(warnings, clippy::all)] pub mod __soft_mock {
    $declaration
    use $core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
    use $core::option::Option;
    use $core::any::TypeId;
    #[repr(C)] pub struct Crate { $crate_fields }
    unsafe impl $core::marker::Sync for Crate {}
    static CRATE: Crate = Crate { version: $layout, flags: $flags, unit: $unit, name: $name.as_ptr(), name_len: $name.len(), rustc: $rustc.as_ptr(), rustc_len: $rustc.len() };
    #[repr(C)] pub struct Site { $site_fields }
    unsafe impl $core::marker::Sync for Site {}
    #[repr(C)] pub struct HookHead { $hook_fields }
    pub struct Running(&'static Site);
    impl Site {
        pub const fn new(flags: u32, name: &'static str, file: &'static str, line: u32, signature: &'static str, type_id: Option<fn() -> TypeId>) -> Site {
            Site {
                hook: AtomicPtr::new($core::ptr::null_mut()), owner: AtomicPtr::new($core::ptr::null_mut()), version: $layout, flags: flags, krate: &CRATE,
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
            let hook = hook as *const HookHead;
            unsafe { ((*hook).enter)(self, hook) }
        }
        pub fn running(&'static self) -> Running { self.running.fetch_add(1, Ordering::Relaxed); Running(self) }
    }
    impl $core::ops::Drop for Running { fn drop(&mut self) { self.0.running.fetch_sub(1, Ordering::Relaxed); } }
$more}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the module; compiled, it would only show that it agrees with itself.
    fn module() -> syn::File {
        syn::parse_str(&support_module(Edition::E2021, &CrateIdentity::default())).expect("Rust")
    }

    fn structure<'f>(file: &'f syn::File, name: &str) -> &'f syn::ItemStruct {
        let syn::Item::Mod(module) = &file.items[0] else {
            panic!("a module")
        };
        let (_, items) = module.content.as_ref().expect("its items");
        let found = items.iter().find_map(|item| match item {
            syn::Item::Struct(item) if item.ident == name => Some(item),
            _ => None,
        });
        found.expect(name)
    }

    #[test]
    fn layouts_are_those_of_the_abi() {
        let file = module();
        let check = |name: &str, fields: &str| {
            let found = structure(&file, name);
            let abi = syn::parse_str::<syn::ItemStruct>(&format!("struct A {{ {fields} }}"));
            assert!(found
                .attrs
                .iter()
                .any(|attr| *attr == syn::parse_quote!(#[repr(C)])));
            let plain = |field: &syn::Field| (field.ident.clone(), field.ty.clone());
            let expected: Vec<_> = abi.expect(name).fields.iter().map(plain).collect();
            let found: Vec<_> = found.fields.iter().map(plain).collect();
            assert_eq!(found, expected);
            assert!(!found.is_empty());
        };
        check("Crate", Crate::FIELDS);
        check("Site", Site::FIELDS);
        check("HookHead", HookHead::FIELDS);
    }
}
