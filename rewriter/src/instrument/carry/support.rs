//! What stands in the support module of a crate whose code carries scopes. It needs no crate but
//! `core`.
//!
//! ```text
//! let carried = carry();                     the scope in which something is made
//! let entered = carried.enter();             … entered where it runs, until this is dropped
//! ```
//!
//! `Carried` has no size: a reference to one holds the scope as its address, so a closure that
//! borrows copies it, and stays `'static` where it was.

use soft_mock_abi::scope::{ASYNC_TEST, ATTACHED, DETACHED, SHARE, TEST, TOLD};
use soft_mock_abi::site::flag;

use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;

/// The text.
pub(crate) fn support(edition: Edition) -> String {
    let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
    let mut text = TEXT.replace("$section", &section);
    for (name, value) in [
        ("$flag", u64::from(flag::SCOPE)),
        ("$told", TOLD),
        ("$detached", DETACHED),
        ("$attached", ATTACHED),
        ("$share", SHARE),
        ("$async_test", ASYNC_TEST),
        ("$test", TEST),
    ] {
        text = text.replace(name, &value.to_string());
    }
    text.replace("$core", edition.core_path())
}

const TEXT: &str = r#"
    fn scope(question: u64) -> u64 {
        #[used] $section static SITE: Site = Site::new($flag, "", "", 0, "", Option::None);
        match SITE.code() {
            Option::Some(code) => unsafe { $core::mem::transmute::<unsafe fn(), extern "C" fn(u64) -> u64>(code)(question) },
            Option::None => 0,
        }
    }
    pub struct Entered(u64);
    impl $core::ops::Drop for Entered { fn drop(&mut self) { scope(self.0); } }
    pub fn shared() -> Entered { Entered(scope($share)) }
    pub fn test() { scope($test); }
    pub fn async_test() { scope($async_test); }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Owner(u64);
    impl Owner {
        pub fn detached() -> Owner { Owner(scope($detached)) }
        pub fn attached() -> Owner { Owner(scope($attached)) }
        pub fn enter(self) -> Entered { Entered(scope(self.0 | $told)) }
    }
    pub struct Carried;
    pub fn carry() -> &'static Carried {
        let address = scope($detached) as usize + 1;
        unsafe { &*(address as *const Carried) }
    }
    impl Carried {
        fn owner(&'static self) -> Option<Owner> {
            match self as *const Carried as usize as u64 - 1 { 0 => Option::None, scope => Option::Some(Owner(scope)) }
        }
        pub fn enter(&'static self) -> Option<Entered> {
            match self.owner() { Option::Some(owner) => Option::Some(owner.enter()), Option::None => Option::None }
        }
    }
    pub fn inherit<R, F: $core::ops::FnOnce() -> R>(work: F) -> impl $core::ops::FnOnce() -> R {
        let carried = carry();
        move || { let _entered = carried.enter(); work() }
    }
    pub struct Follow<F> { carried: &'static Carried, future: F }
    impl<F: $core::future::Future> $core::future::Future for Follow<F> {
        type Output = F::Output;
        fn poll(self: $core::pin::Pin<&mut Self>, context: &mut $core::task::Context<'_>) -> $core::task::Poll<F::Output> {
            let _entered = self.carried.enter();
            unsafe { self.map_unchecked_mut(|follow| &mut follow.future) }.poll(context)
        }
    }
    pub struct Sharing<F>(F);
    impl<F: $core::future::Future> $core::future::Future for Sharing<F> {
        type Output = F::Output;
        fn poll(self: $core::pin::Pin<&mut Self>, context: &mut $core::task::Context<'_>) -> $core::task::Poll<F::Output> {
            let _shared = shared();
            unsafe { self.map_unchecked_mut(|sharing| &mut sharing.0) }.poll(context)
        }
    }
    pub fn sharing<F: $core::future::Future>(future: F) -> Sharing<F> { Sharing(future) }
    pub fn follow<F: $core::future::Future>(future: F) -> Follow<F> { Follow { carried: carry(), future: future } }
"#;
