//! Mocks by name: types, resets, originals.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard};
use std::thread;

use common::support::{Site, APP, APP_UNIT, RUSTC};
use common::{folder, Function, Plugin};
use soft_mock::registry::FindError;
use soft_mock::MockError;
use soft_mock_abi::site::{flag, Crate};

#[allow(unreachable_pub)]
mod app {
    crate::sites! {
        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn plain(x: u32) -> u32 { x }

        as for<'a> fn(&'a str) -> usize, "fn(&str) -> usize";
        pub fn bound(text: &str) -> usize { text.len() }

        as fn(&'static str) -> usize, "fn(&'static str) -> usize";
        pub fn fixed(text: &'static str) -> usize { text.len() }

        as for<'a, 'b> fn(&'a str, &'b str) -> &'a str, "fn<'a, 'b>(&'a str, &'b str) -> &'a str";
        pub fn first(a: &'static str, b: &'static str) -> &'static str { let _ = b; a }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn factorial(n: u32) -> u32 { if n == 0 { 1 } else { n * factorial(n - 1) } }

        as fn(), "fn()";
        pub fn explode() { panic!("the original") }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn busy(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn shared(x: u32) -> u32 { x }

        as fn() -> u32, "fn() -> u32";
        pub fn mocked() -> u32 { 0 }

        as unsafe fn(u32) -> u32, "unsafe fn(u32) -> u32";
        pub unsafe fn risky(x: u32) -> u32 { x }
    }

    use crate::common::support::Item;

    pub struct Store(pub u32);

    // Methods, as the macro doesn't write them.
    impl Store {
        pub fn get(&self) -> u32 {
            #[used]
            #[link_section = soft_mock_abi::section!(sites)]
            static SITE: super::Site = super::Site::new(
                0,
                concat!(module_path!(), "::Store::get"),
                file!(),
                line!(),
                "fn(&self) -> u32",
                Some(std::any::TypeId::of::<for<'a> fn(&'a Store) -> u32>),
            )
            .of_crate(&super::APP);
            #[used]
            #[link_section = soft_mock_abi::section!(items)]
            static ITEM: Item = Item::of(&Store::get, &SITE);
            if let Some(code) = SITE.code() {
                // SAFETY: whatever is installed at this site was checked to have its type.
                return unsafe {
                    std::mem::transmute::<unsafe fn(), unsafe fn(_) -> _>(code)(self)
                };
            }
            self.0
        }
    }

    impl std::fmt::Display for Store {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            #[used]
            #[link_section = soft_mock_abi::section!(sites)]
            static SITE: super::Site = super::Site::new(
                0,
                concat!("<", module_path!(), "::Store as fmt::Display>::fmt"),
                file!(),
                line!(),
                "fn(&self, &mut Formatter<'_>) -> Result",
                Some(
                    std::any::TypeId::of::<
                        for<'a, 'b, 'c> fn(
                            &'a Store,
                            &'b mut std::fmt::Formatter<'c>,
                        ) -> std::fmt::Result,
                    >,
                ),
            )
            .of_crate(&super::APP);
            #[used]
            #[link_section = soft_mock_abi::section!(items)]
            static ITEM: Item = Item::of(&<Store as std::fmt::Display>::fmt, &SITE);
            if let Some(code) = SITE.code() {
                // SAFETY: whatever is installed at this site was checked to have its type.
                return unsafe {
                    std::mem::transmute::<unsafe fn(), unsafe fn(_, _) -> _>(code)(self, f)
                };
            }
            write!(f, "store {}", self.0)
        }
    }
}

static OTHER: Crate = Crate::new(0, 0x77, "app", RUSTC);

/// Sites that no function of this program stands behind: only their names matter.
mod names {
    use super::{flag, Site, APP, OTHER};

    #[used]
    #[link_section = soft_mock_abi::section!(sites)]
    static A: Site = Site::new(0, "app::main", "src/main.rs", 1, "fn()", None).of_crate(&APP);
    #[used]
    #[link_section = soft_mock_abi::section!(sites)]
    static B: Site = Site::new(0, "app::main", "src/lib.rs", 2, "fn()", None).of_crate(&OTHER);
    #[used]
    #[link_section = soft_mock_abi::section!(sites)]
    static C: Site = Site::new(0, "app::P::f", "src/p.rs", 3, "fn()", None).of_crate(&APP);
    #[used]
    #[link_section = soft_mock_abi::section!(sites)]
    static D: Site = Site::new(0, "app::P::f", "src/p.rs", 9, "fn()", None).of_crate(&APP);
    #[used]
    #[link_section = soft_mock_abi::section!(sites)]
    static E: Site = Site::new(
        flag::ASYNC,
        "app::later",
        "src/p.rs",
        12,
        "async fn()",
        None,
    )
    .of_crate(&APP);
}

/// `reset_all` must not meet the mocks of another test.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn text(result: Result<impl std::fmt::Debug, MockError>) -> String {
    result.expect_err("an error").to_string()
}

#[test]
fn installed_reset_and_free_again() {
    let _alone = alone();
    let name = "mock::app::plain";
    let is_free = || {
        soft_mock::list()
            .iter()
            .any(|entry| entry.site.name() == name && !entry.mocked)
    };
    assert_eq!(app::plain(1), 1);
    assert!(is_free());
    soft_mock::mock_by_name(name, (|x| x + 10) as fn(u32) -> u32).expect("a mock");
    assert_eq!(app::plain(1), 11);
    assert!(!is_free());
    soft_mock::mock_by_name(name, (|x| x + 20) as fn(u32) -> u32).expect("another mock");
    assert_eq!(app::plain(1), 21);
    assert!(soft_mock::reset_by_name(name).expect("a reset"));
    assert_eq!(app::plain(1), 1);
    assert!(is_free());
    assert!(!soft_mock::reset(app::plain).expect("nothing to reset"));
}

#[test]
fn lifetimes_belong_to_the_type() {
    let _alone = alone();
    fn any(_: &str) -> usize {
        100
    }
    fn only_static(_: &'static str) -> usize {
        200
    }

    soft_mock::mock_by_name("mock::app::bound", any as for<'a> fn(&'a str) -> usize)
        .expect("the type");
    assert_eq!(app::bound(&String::from("abc")), 100);
    // A mock that could keep its argument for ever is of another type.
    let error = text(soft_mock::mock_by_name(
        "mock::app::bound",
        only_static as fn(&'static str) -> usize,
    ));
    assert!(error.contains("they differ in their lifetimes"), "{error}");
    assert!(
        soft_mock::mock_by_name("mock::app::fixed", any as for<'a> fn(&'a str) -> usize).is_err()
    );
    soft_mock::mock_by_name("mock::app::fixed", any as fn(&'static str) -> usize)
        .expect("the type");
    assert_eq!(app::fixed("abc"), 100);

    // Yields the second argument as the first one's: another type again.
    fn second<'a>(_: &'a str, b: &'a str) -> &'a str {
        b
    }
    let wrong = second as for<'a> fn(&'a str, &'a str) -> &'a str;
    assert!(matches!(
        soft_mock::mock_by_name("mock::app::first", wrong),
        Err(MockError::Signature { .. })
    ));
    assert_eq!(app::first("a", "b"), "a");
    soft_mock::reset_all().expect("a reset");
    assert_eq!((app::bound("abc"), app::fixed("abcd")), (3, 4));
}

#[test]
fn wrong_types_and_forms_are_refused() {
    let _alone = alone();
    fn mock(x: u32) -> u32 {
        x
    }
    let name = "mock::app::plain";
    let error = text(soft_mock::mock_by_name(name, mock));
    assert!(error.contains("the mock is `mock::wrong_types_and_forms_are_refused::mock`; a mock is given as a pointer"), "{error}");
    let error = text(soft_mock::mock_by_name(name, (|x| x) as fn(u64) -> u64));
    assert_eq!(
        error,
        "`mock::app::plain` has the signature `fn(u32) -> u32`, the mock is `fn(u64) -> u64`"
    );
    assert!(soft_mock::mock_by_name(name, 5_usize).is_err());
    assert!(soft_mock::mock_by_name(name, mock as unsafe fn(u32) -> u32).is_err());
    assert_eq!(app::plain(3), 3);

    assert!(matches!(
        soft_mock::mock_by_name("mock::app::risky", mock as unsafe fn(u32) -> u32),
        Err(MockError::Unsafe { .. })
    ));
    // SAFETY: the mock relies on nothing.
    unsafe {
        soft_mock::mock_unsafe_by_name(
            "mock::app::risky",
            (|x| x + 1) as fn(u32) -> u32 as unsafe fn(u32) -> u32,
        )
    }
    .expect("a mock");
    // SAFETY: it asks nothing of its callers.
    assert_eq!(unsafe { app::risky(1) }, 2);
    soft_mock::reset(app::risky).expect("a reset");

    assert!(matches!(
        soft_mock::mock_by_name("app::P::f@src/p.rs:3", (|| ()) as fn()),
        Err(MockError::NoType { .. })
    ));
    assert!(matches!(
        soft_mock::mock_by_name("app::later", (|| ()) as fn()),
        Err(MockError::Async { .. })
    ));
    assert!(matches!(
        soft_mock::call_original_by_name("app::later", || ()),
        Err(MockError::AsyncOriginal { .. })
    ));
}

#[test]
fn names_unknown_and_ambiguous() {
    let error = text(soft_mock::reset_by_name("mock::app::plian"));
    assert_eq!(
        error,
        "no function is called `mock::app::plian`; did you mean mock::app::plain?"
    );
    let error = text(soft_mock::reset_by_name("app::main"));
    assert!(
        error.contains(
            "app::main@00abcdef01234567 (src/main.rs:1), app::main@0000000000000077 (src/lib.rs:2)"
        ),
        "{error}"
    );
    assert_eq!(
        soft_mock::registry::find("app::main@0000000000000077")
            .expect("one")
            .file(),
        "src/lib.rs"
    );
    assert_eq!(
        soft_mock::registry::find("app::main@src/main.rs")
            .expect("one")
            .line(),
        1
    );
    let error = text(soft_mock::reset_by_name("app::P::f"));
    assert!(
        error.ends_with("say which: app::P::f@src/p.rs:3, app::P::f@src/p.rs:9"),
        "{error}"
    );
    assert_eq!(
        soft_mock::registry::find("app::P::f@src/p.rs:9")
            .expect("one")
            .line(),
        9
    );
    let pointer = app::plain as fn(u32) -> u32;
    assert!(matches!(
        soft_mock::reset(pointer),
        Err(MockError::Find(FindError::NotAFunction { .. }))
    ));
    assert!(matches!(
        soft_mock::reset(|| ()),
        Err(MockError::Find(FindError::NotAFunction { .. }))
    ));
    assert!(matches!(
        soft_mock::reset(names_unknown_and_ambiguous),
        Err(MockError::Find(FindError::Unknown { .. }))
    ));
}

#[test]
fn methods_are_found_as_themselves() {
    let _alone = alone();
    let store = app::Store(1);
    soft_mock::mock_by_name(
        "mock::app::Store::get",
        (|store| store.0 + 5) as fn(&app::Store) -> u32,
    )
    .expect("a mock");
    assert_eq!(store.get(), 6);
    assert!(soft_mock::reset(app::Store::get).expect("a reset"));
    assert_eq!(store.get(), 1);

    type Fmt =
        for<'a, 'b, 'c> fn(&'a app::Store, &'b mut std::fmt::Formatter<'c>) -> std::fmt::Result;
    let mock: Fmt = |_, f| f.write_str("mocked");
    soft_mock::mock_by_name("<mock::app::Store as fmt::Display>::fmt", mock).expect("a mock");
    assert_eq!(store.to_string(), "mocked");
    assert!(soft_mock::reset(<app::Store as std::fmt::Display>::fmt).expect("a reset"));
    assert_eq!(store.to_string(), "store 1");
}

#[test]
fn the_mock_can_be_asked_for() {
    let _alone = alone();
    assert!(soft_mock::get_mock_for(app::plain)
        .expect("a function")
        .is_none());
    soft_mock::mock_by_name("mock::app::plain", (|x| x * 7) as fn(u32) -> u32).expect("a mock");
    let mock = soft_mock::get_mock_for(app::plain)
        .expect("a function")
        .expect("a mock");
    assert_eq!(mock.get::<fn(u32) -> u32>().expect("its type")(3), 21);
    assert!(mock.get::<fn(u64) -> u64>().is_none());
    assert_eq!(mock.site().name(), "mock::app::plain");
    soft_mock::reset_all().expect("a reset");
    assert!(soft_mock::get_mock_by_name("mock::app::plain")
        .expect("a function")
        .is_none());
}

#[test]
fn what_the_original_calls_is_mocked() {
    let _alone = alone();
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn counting(n: u32) -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        soft_mock::call_original(app::factorial, || app::factorial(n)).expect("the original")
    }
    soft_mock::mock_by_name("mock::app::factorial", counting as fn(u32) -> u32).expect("a mock");
    assert_eq!(app::factorial(4), 24);
    assert_eq!(
        CALLS.swap(0, Ordering::Relaxed),
        5,
        "every recursion went through the mock"
    );
    // From outside: only the outermost call passes the mock by.
    let result = soft_mock::call_original_by_name("mock::app::factorial", || app::factorial(4));
    assert_eq!(result, Ok(24));
    assert_eq!(CALLS.load(Ordering::Relaxed), 4);
    soft_mock::reset(app::factorial).expect("a reset");
}

#[test]
fn originals_without_a_mock_across_resets_and_panics() {
    let _alone = alone();
    let plain = |x| soft_mock::call_original(app::plain, || app::plain(x));
    assert_eq!(plain(2), Ok(2));
    // A reset and a new mock while the original is about to be called.
    let result = soft_mock::call_original(app::plain, || {
        soft_mock::reset_all().expect("a reset");
        soft_mock::mock_by_name("mock::app::plain", (|_| 99) as fn(u32) -> u32).expect("a mock");
        (app::plain(1), app::plain(1))
    });
    assert_eq!(result, Ok((1, 99)));
    assert!(soft_mock::reset(app::plain).expect("a reset"));
    let unused = soft_mock::call_original(app::plain, || ());
    assert_eq!(
        unused,
        Err(MockError::NotCalled {
            name: "mock::app::plain"
        })
    );
    // Inner and outer notes for one function are used up one by one.
    let nested = soft_mock::call_original(app::plain, || {
        let inner =
            soft_mock::call_original(app::bound, || app::plain(1) as usize + app::bound("ab"));
        inner.expect("the inner one")
    });
    assert_eq!(nested, Ok(3));

    soft_mock::mock_by_name("mock::app::explode", (|| ()) as fn()).expect("a mock");
    app::explode();
    let panicked =
        std::panic::catch_unwind(|| soft_mock::call_original(app::explode, app::explode));
    assert!(panicked.is_err(), "the original panics");
    app::explode(); // No note was left behind.
    soft_mock::reset_all().expect("a reset");
    assert!(std::panic::catch_unwind(app::explode).is_err());
}

#[test]
fn another_thread_is_not_affected() {
    let _alone = alone();
    soft_mock::mock_by_name("mock::app::shared", (|x| x + 100) as fn(u32) -> u32).expect("a mock");
    let elsewhere = soft_mock::call_original(app::shared, || {
        let elsewhere = thread::spawn(|| app::shared(1)).join().expect("a thread");
        (elsewhere, app::shared(1))
    });
    assert_eq!(elsewhere, Ok((101, 1)));
    let unnoticed =
        soft_mock::call_original(app::shared, || thread::spawn(|| app::shared(1)).join());
    assert!(matches!(unnoticed, Err(MockError::NotCalled { .. })));

    let start = Barrier::new(8);
    thread::scope(|scope| {
        for thread in 0..8_u32 {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for x in 0..2_000 {
                    if thread % 2 == 0 {
                        assert_eq!(
                            soft_mock::call_original(app::shared, || app::shared(x)),
                            Ok(x)
                        );
                    } else {
                        assert_eq!(app::shared(x), x + 100);
                    }
                }
            });
        }
    });
    soft_mock::reset(app::shared).expect("a reset");
}

#[test]
fn installed_and_reset_while_eight_threads_call() {
    let _alone = alone();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let found = app::busy(1);
                    assert!([1, 2, 3].contains(&found), "{found}");
                    assert_eq!(soft_mock::call_original(app::busy, || app::busy(1)), Ok(1));
                }
            });
        }
        for _ in 0..500 {
            soft_mock::mock_by_name("mock::app::busy", (|x| x + 1) as fn(u32) -> u32)
                .expect("a mock");
            soft_mock::mock_by_name("mock::app::busy", (|x| x + 2) as fn(u32) -> u32)
                .expect("a mock");
            soft_mock::reset(app::busy).expect("a reset");
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(app::busy(1), 1);
}

/// A plugin in which `mocked` returns this number.
fn patch_of_mocked(folder: &std::path::Path, name: &str, code: &'static str) -> std::path::PathBuf {
    let function = Function::new("mock::app::mocked", "fn() -> u32", code);
    Plugin::of(&[function.checked_as("fn() -> u32")]).build(folder, name)
}

#[test]
fn a_mock_comes_before_a_patch_and_leaves_it() {
    let _alone = alone();
    let folder = folder();
    let patch = |name: &str, code| {
        let plugin = patch_of_mocked(folder.path(), name, code);
        soft_mock::patch::load_plugin(plugin).expect("a patch");
    };
    let restore = || {
        let unit = format!("{APP_UNIT:016x}");
        let restore = soft_mock::patch::Transaction::new().restore(unit, "mock::app::mocked");
        restore.commit().expect("the original");
    };
    let name = "mock::app::mocked";
    let site = soft_mock::registry::find(name).expect("a site");
    patch("three", "() -> u32 { 3 }");
    soft_mock::mock_by_name(name, (|| 4) as fn() -> u32).expect("a mock");
    assert_eq!(app::mocked(), 4);
    assert_eq!(soft_mock::call_original_by_name(name, app::mocked), Ok(3));
    patch("five", "() -> u32 { 5 }");
    assert_eq!(app::mocked(), 4);
    soft_mock::reset_by_name(name).expect("a reset");
    assert_eq!(app::mocked(), 5);
    restore();
    soft_mock::mock_by_name(name, (|| 6) as fn() -> u32).expect("a mock");
    assert_eq!(app::mocked(), 6);
    soft_mock::reset_by_name(name).expect("a reset");
    assert_eq!(app::mocked(), 0);
    assert!(!site.is_hooked());
}
