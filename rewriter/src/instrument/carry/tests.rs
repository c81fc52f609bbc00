//! Code before and after.

use super::*;

fn carried(before: &str, edition: Edition, without: &[usize]) -> String {
    let file = syn::parse_file(before).expect("a file");
    let mut edits = Edits::default();
    let without = without.iter().copied().collect();
    insert(&file, edition, &without, &mut edits);
    let after = edits.apply(before);
    assert!(syn::parse_file(&after).is_ok(), "{after}");
    [
        (CARRY, "CARRY"),
        (ENTER, "ENTER"),
        (SHARED, "SHARED"),
        ("crate::__soft_mock::", "$"),
    ]
    .iter()
    .fold(after, |text, (long, short)| text.replace(long, short))
}

#[track_caller]
fn check(before: &str, after: &str) {
    assert_eq!(carried(before, Edition::E2021, &[]), after);
}

#[test]
fn closures_carry_the_scope_of_their_body() {
    check(
        "fn f() { q.send(Box::new(move |x| x + 1)); }",
        "fn f() { CARRY q.send(Box::new(move |x| { ENTER x + 1 })); }",
    );
    check(
        "fn f() { s.spawn(|_| { g() }); let h = || 1; }",
        "fn f() { CARRY s.spawn(|_| { ENTER g() }); let h = || { ENTER 1 }; }",
    );
    check(
        "async fn f() { async { run(|| 1) }; }",
        "async fn f() { async { CARRY run(|| { ENTER 1 }) }; }",
    );
    check(
        "fn f() { g(|x| { q.push(move || x) }) }",
        "fn f() { g(|x| { CARRY q.push(move || { ENTER x }) }) }",
    );
    check(
        "fn f() { assert_eq!(g(move || -> u8 { 1 }), 1); }",
        "fn f() { CARRY assert_eq!(g(move || -> u8 { ENTER 1 }), 1); }",
    );
}

#[test]
fn closures_that_run_at_once_are_left_alone() {
    for same in [
        "fn f() { a.map(move |x| x + y).unwrap_or_else(|| 1) }",
        "const fn f() { g(|| 1) }",
        "const F: fn() = || 1;",
        "fn f() { g(|x| x) }",
        "fn f() { unknown!(move || 1) }",
    ] {
        check(same, same);
    }
    let old = "fn f() { s.spawn(|| 1); }";
    assert_eq!(carried(old, Edition::E2018, &[]), old);
    assert_eq!(carried(old, Edition::E2021, &[1]), old);
}

#[test]
fn what_starts_threads_takes_the_scope_along() {
    check(
        "fn f() { std::thread::spawn(g); std::thread::spawn(|| 1); }",
        "fn f() { CARRY std::thread::spawn($inherit(g)); std::thread::spawn(|| { ENTER 1 }); }",
    );
    check(
        "use std::thread; fn f() { thread::scope(|s| { s.spawn(g); t.spawn(g); }) }",
        "use std::thread; fn f() { thread::scope(|s| { s.spawn($inherit(g)); t.spawn(g); }) }",
    );
    check(
        "use std::thread; fn f() { thread::Builder::new().name(n).spawn(g); }",
        "use std::thread; fn f() { thread::Builder::new().name(n).spawn($inherit(g)); }",
    );
    check(
        "use std::thread::{Builder, Scope}; fn f(s: &Scope<'_, '_>, b: Builder) { s.spawn(g); b.spawn(g); } fn h() { s.spawn(g); }",
        "use std::thread::{Builder, Scope}; fn f(s: &Scope<'_, '_>, b: Builder) { s.spawn($inherit(g)); b.spawn($inherit(g)); } fn h() { s.spawn(g); }",
    );
    check(
        "use std::thread::Builder; fn f() { let b = Builder::new(); let b = b.name(n); b.spawn(g); c.spawn(g); }",
        "use std::thread::Builder; fn f() { let b = Builder::new(); let b = b.name(n); b.spawn($inherit(g)); c.spawn(g); }",
    );
    check(
        "fn f() { q.send(Box::pin(async { 1 })) }",
        "fn f() { q.send(Box::pin($follow(async { 1 }))) }",
    );
    let old = "fn f() { std::thread::spawn(|| 1); }";
    assert_eq!(
        carried(old, Edition::E2018, &[]),
        "fn f() { std::thread::spawn($inherit(|| 1)); }"
    );
}

#[test]
fn statics_belong_to_nobody() {
    check(
        "static A: LazyLock<P> = LazyLock::new(|| { spawn(move || 1) });",
        "static A: LazyLock<P> = LazyLock::new(|| { SHARED CARRY spawn(move || { ENTER 1 }) });",
    );
    check(
        "static A: Lazy<P> = Lazy::new(P::make); fn f() { A.get_or_init(|| 1); a.get_or_init(|| 1); }",
        "static A: Lazy<P> = Lazy::new(|| { SHARED P::make() }); fn f() { A.get_or_init(|| { SHARED 1 }); a.get_or_init(|| 1); }",
    );
    check(
        "fn f() { A.get_or_init(P::make); ONCE.call_once(set); ONCE.call_once_force(set); a.get_or_init(make); }",
        "fn f() { A.get_or_init(|| { SHARED P::make() }); ONCE.call_once(|| { SHARED set() }); ONCE.call_once_force(set); a.get_or_init(make); }",
    );
    check(
        "async fn f() { A.get_or_init(|| async { 1 }).await; A.get_or_init(|| { g(); h() }).await; A.get_or_init(h).await; a.get_or_init(h).await; }",
        "async fn f() { A.get_or_init(|| $sharing(async { 1 })).await; A.get_or_init(|| { SHARED g(); $sharing(h()) }).await; A.get_or_init(|| $sharing(h())).await; a.get_or_init(h).await; }",
    );
    check(
        "lazy_static! { static ref A: P = P::make(2); }",
        "lazy_static! { static ref A: P = { SHARED P::make(2) }; }",
    );
}

#[test]
fn tests_begin() {
    check(
        "#[test] fn t() { #![allow(x)] g(|| 1) }",
        "#[test] fn t() { #![allow(x)] $test(); CARRY g(|| { ENTER 1 }) }",
    );
    // Not at the end of the comment.
    check(
        "#[test] fn t() { //! x\n g(|| 1) }",
        "#[test] fn t() { //! x\n  $test(); CARRYg(|| { ENTER 1 }) }",
    );
    check(
        "#[tokio::test(flavor = \"multi_thread\")] async fn t() {}",
        "#[tokio::test(flavor = \"multi_thread\")] async fn t() { $async_test();}",
    );
}
