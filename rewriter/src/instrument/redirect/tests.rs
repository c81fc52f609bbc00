//! Calls before and after.

use super::*;

#[track_caller]
fn check(before: &str, after: &str) {
    let file = syn::parse_file(before).expect("a file");
    let mut edits = Edits::default();
    let mut used = Used::new();
    insert(before, &file, None, &mut edits, &mut used);
    assert_eq!(
        edits.apply(before).replace("crate::__soft_mock::", "$"),
        after
    );
}

#[test]
fn functions_of_std_by_their_paths() {
    check(
        "use std::time::SystemTime; fn f() { SystemTime::now(); }",
        "use std::time::SystemTime; fn f() { $std_time_SystemTime_now(); }",
    );
    check(
        "use std::time::*; fn f() { a(Instant::now); }",
        "use std::time::*; fn f() { a($std_time_Instant_now); }",
    );
    check(
        "fn f() { assert!(::std::process::id() > 1); }",
        "fn f() { assert!($std_process_id() > 1); }",
    );
    check(
        "fn f() { use std::{env, fs as g}; env::var(x); g::read(y) }",
        "fn f() { use std::{env, fs as g}; $std_env_var(x); $std_fs_read(y) }",
    );
    check(
        "use std::thread::sleep; mod t { use super::*; fn f() { sleep(d) } }",
        "use std::thread::sleep; mod t { use super::*; fn f() { $std_thread_sleep(d) } }",
    );
}

#[test]
fn other_things_of_those_names_stay() {
    for same in [
        "mod thread {} fn f() { thread::sleep(d) }",
        "use own::Instant; fn f() { Instant::now() }",
        "use std::thread::sleep; fn f() { let sleep = 1; sleep(d) }",
        "use std::thread::sleep; fn f(sleep: F) { sleep(d) }",
        "use std::thread; mod t { fn f() { thread::sleep(d) } }",
        "const X: u32 = std::process::id();",
        "fn f() { quote!(std::process::id()); a.elapsed(); }",
    ] {
        check(same, same);
    }
}

#[test]
fn what_is_not_redirected_is_listed() {
    let unseen = |source: &str, instead: Option<&'static str>| -> Vec<(&'static str, usize)> {
        let file = syn::parse_file(source).expect("a file");
        let mut edits = Edits::default();
        let found = insert(source, &file, instead, &mut edits, &mut Used::new());
        assert_eq!(edits.apply(source), source);
        found.iter().map(|call| (call.name, call.line)).collect()
    };
    let now = [("std::time::Instant::now", 2)];
    let start = "use std::time::Instant;\n";
    for inside in [
        "fn f() { select! { x = tick(Instant::now()) => () } }",
        "fn f() { own!(start = Some(Instant::now)); }",
        "macro_rules! now { () => { Instant::now() } }",
    ] {
        assert_eq!(unseen(&format!("{start}{inside}"), None), now, "{inside}");
    }
    let plain = format!("{start}fn f() {{ Instant::now(); }}");
    assert_eq!(unseen(&plain, Some("no")), now);
    for none in [
        "fn f() { mock!(Instant::now, || -> Instant { Instant::now() }); }",
        "fn f() { own!(a.sleep(b), sleep = 1); }",
    ] {
        let source = format!("{start}use std::thread::sleep;\n{none}");
        assert_eq!(unseen(&source, None), [], "{none}");
    }
}
