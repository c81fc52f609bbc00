use std::path::Path;

use super::*;

/// Each expected line is `changed: title` or `line: what`.
fn check(old: &str, new: &str, expected: &[&str]) {
    let read = |text| FileItems::read(text, Path::new("src/a.rs"), &[]).expect("a file");
    let (old, new) = (read(old), read(new));
    let diff = diff(&old, &new);
    let changed = diff
        .changed
        .iter()
        .map(|c| format!("changed: {}", new.functions[c.new].title()));
    let rude = diff.rude.iter().map(|r| format!("{}: {}", r.line, r.what));
    let found: Vec<String> = changed.chain(rude).collect();
    assert_eq!(found, expected);
}

#[test]
fn formatting_comments_documentation_and_order_are_no_change() {
    check(
        "use a::{b, c};\nfn f(x: u8) { g(x) }\nstruct S { a: u8 }\n",
        "//! Docs.\n/// More.\nstruct S {\n    /// A field.\n    a: u8,\n}\n\n// A comment.\nfn f( x : u8, )\n{\n    g(x,)\n}\nuse a::c;\nuse a::b;",
        &[],
    );
}

#[test]
fn bodies() {
    check("fn f() { 1 }", "fn f() { 2 }", &["changed: fn f"]);
    check(
        "fn f(a: u8) { a; }",
        "fn f(b: u8) { b; }",
        &["changed: fn f"],
    );
    check(
        "mod m { impl D for S { fn g(&self) {} } } async fn h() {}",
        "mod m { impl D for S { fn g(&self) { 1; } } } async fn h() { 2; }",
        &["changed: <S as D>::g", "changed: fn h"],
    );
    check(
        "impl A { fn f() {} fn g() {} }",
        "impl A { fn g() {} } impl A { fn f() { 1; } }",
        &["changed: A::f"],
    );
}

#[test]
fn bodies_without_a_site() {
    check(
        "fn f<T>() {}",
        "fn f<T>() { 1; }",
        &["1: body of fn f changed: it is generic"],
    );
    check(
        "trait D { fn f() {} }",
        "trait D { fn f() { 1; } }",
        &["1: body of D::f changed: it is a default method of a trait"],
    );
    check(
        "#[track_caller] fn f() {}",
        "#[track_caller] fn f() { 1; }",
        &["1: body of fn f changed: it is #[track_caller]: it needs to know who calls it"],
    );
    check(
        "fn f() { static A: u8 = 1; }",
        "fn f() { static A: u8 = 2; }",
        &["1: body of fn f changed: static A inside of it changed"],
    );
    check(
        "fn f() { static A: u8 = 1; 1; }",
        "fn f() { static A: u8 = 1; 2; }",
        &["changed: fn f"],
    );
    check("#[test] fn f() {}", "#[test] fn f() { 1; }", &[]);
    check(
        "#[cfg(test)] mod t { fn f() {} }",
        "#[cfg(test)] mod t { struct X; }",
        &[],
    );
}

#[test]
fn functions() {
    check("fn f() {}", "fn f() {}\nfn g() {}", &["2: fn g added"]);
    check("fn f() {}", "", &["1: fn f removed"]);
    check(
        "fn f(a: u8) {}",
        "fn f(a: u16) { 1; }",
        &["1: signature of fn f changed"],
    );
    check(
        "fn f() {}",
        "#[inline] pub fn f() {}",
        &[
            "1: attributes of fn f changed",
            "1: visibility of fn f changed",
        ],
    );
    check("impl S {}", "impl S { fn f() {} }", &["1: S::f added"]);
}

#[test]
fn twins_under_conditions() {
    check(
        "#[cfg(a)] fn f() { 1; } #[cfg(b)] fn f() { 2; }",
        "#[cfg(b)] fn f() { 2; } #[cfg(a)] fn f() { 3; }",
        &["changed: fn f"],
    );
    check(
        "#[cfg(a)] struct S;",
        "#[cfg(b)] struct S;",
        &["1: condition of struct S changed"],
    );
}

#[test]
fn types() {
    check(
        "struct S { a: u8 }",
        "struct S {\n a: u8,\n b: u8 }",
        &["3: field added to struct S: its layout changes (`b`)"],
    );
    check(
        "struct S { a: u8, b: u8 }",
        "struct S { a: u8 }",
        &["1: field removed from struct S: its layout changes (`b`)"],
    );
    check(
        "struct S { a: u8 }",
        "struct S { a: u16 }",
        &["1: type of field `a` of struct S changed: its layout changes"],
    );
    check(
        "struct S { a: u8 }",
        "struct S { pub a: u8 }",
        &["1: visibility of field `a` of struct S changed"],
    );
    check(
        "struct S { a: u8, b: u8 }",
        "struct S { b: u8, a: u8 }",
        &["1: order in struct S changed: its layout may change"],
    );
    check(
        "struct S;",
        "#[repr(C)] struct S;",
        &["1: attributes of struct S changed"],
    );
    check(
        "struct S<T>(T);",
        "struct S<T: X>(T);",
        &["1: generics of struct S changed: its layout changes"],
    );
    check(
        "enum E { A }",
        "enum E { A, B(u8) }",
        &["1: variant added to enum E: its layout changes (`B`)"],
    );
    check(
        "enum E { A(u8) }",
        "enum E { A(u16) }",
        &["1: content of variant `A` of enum E changed: its layout changes"],
    );
    check(
        "type A = u8;",
        "type A = u16;",
        &["1: type of type A changed"],
    );
}

#[test]
fn other_items() {
    check(
        "const A: u8 = 1;",
        "const A: u8 = 2;",
        &["1: value of const A changed"],
    );
    check(
        "static A: u8 = 1;",
        "static A: u8 = 2;",
        &["1: initial value of static A changed"],
    );
    check("use a::b;", "use a::{b, c};", &["1: use a::c added"]);
    check(
        "trait T { fn f(); }",
        "trait T { fn f(&self); }",
        &["1: trait T changed"],
    );
    check(
        "",
        "impl<'a> D for S<'a> {}",
        &["1: impl<'a>D for S<'a> added"],
    );
    check(
        "impl D for S { type X = u8; }",
        "impl D for S { type X = u16; }",
        &["1: type <S as D>::X changed"],
    );
    check(
        "macro_rules! m { () => {} }",
        "macro_rules! m { () => { 1 } }",
        &["1: macro m! changed"],
    );
    check(
        "macro_rules! m { () => {} } macro_rules! n { () => {} }",
        "macro_rules! n { () => {} } macro_rules! m { () => {} }",
        &["1: order of macros changed"],
    );
    check("mod a;", "mod a; mod b;", &["1: mod b added"]);
    check(
        "lazy! { A }",
        "lazy! { B }",
        &["1: macro call lazy! changed"],
    );
    check("#![allow(x)]", "", &["1: attributes of the file changed"]);
    check(
        "extern crate a;",
        "extern crate a as b;",
        &["1: extern crate a removed", "1: extern crate b added"],
    );
}
