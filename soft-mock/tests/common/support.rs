//! What the rewriter puts into a crate, written by hand: as a macro, the prologue. Sites are those
//! of `soft_mock_abi`, so that one test program can have sites of several crates.

pub use soft_mock_abi::item::Item;
use soft_mock_abi::site::Crate;
pub use soft_mock_abi::site::Site;

/// The compiler that the sites of the tests name.
pub const RUSTC: &str = "rustc 1.0.0 (for tests)";

/// The unit of [`APP`].
pub const APP_UNIT: u64 = 0x00ab_cdef_0123_4567;

pub static APP: Crate = Crate::new(0, APP_UNIT, "app", RUSTC);

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
                #[link_section = soft_mock_abi::section!(sites)]
                static SITE: $crate::common::support::Site = $crate::common::support::Site::new(
                    0, concat!(module_path!(), "::", stringify!($name)), file!(), line!(),
                    $signature, Some(std::any::TypeId::of::<$pointer>),
                ).of_crate(&$crate::common::support::APP);
                #[used]
                #[link_section = soft_mock_abi::section!(items)]
                static ITEM: $crate::common::support::Item =
                    $crate::common::support::Item::of(&self::$name, &SITE);
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
