use std::path::Path;

use super::*;
use crate::analysis::layout_names::LayoutNames;

/// Two states of the only file of a program, and in what they differ.
pub(super) fn states(old: &str, new: &str) -> (FileItems, FileItems, FileDiff) {
    let read = |text| FileItems::read(text, Path::new("lib.rs"), &[]).expect("a file");
    let (before, after) = (read(old), read(new));
    let names = |file| LayoutNames::of([(0, file)]);
    let (then, now) = (names(&before), names(&after));
    let around = ProgramContext {
        unit: 0,
        before: &then,
        after: &&now,
    };
    let found = diff(&before, &after, &around);
    (before, after, found)
}

/// Each expected line is `changed: title`, `indirect: what` or, for what is rude, `line: what`.
#[track_caller]
fn check(old: &str, new: &str, expected: &[&str]) {
    check_in("", old, new, expected);
}

/// The same with another crate of the program beside the file.
#[track_caller]
fn check_in(beside: &str, old: &str, new: &str, expected: &[&str]) {
    let read = |text| FileItems::read(text, Path::new("src/a.rs"), &[]).expect("a file");
    let (old, new, beside) = (read(old), read(new), read(beside));
    let before = LayoutNames::of([(0, &old), (1, &beside)]);
    let after = Box::new(LayoutNames::of([(0, &new), (1, &beside)]));
    let around = ProgramContext {
        unit: 0,
        before: &before,
        after: &after,
    };
    let diff = diff(&old, &new, &around);
    let changed = diff
        .changed
        .iter()
        .map(|c| format!("changed: {}", new.functions[c.new].title()));
    let indirect = diff
        .indirect
        .iter()
        .map(|s| format!("indirect: {}", s.what));
    let rude = diff.rude.iter().map(|r| format!("{}: {}", r.line, r.what));
    let found: Vec<String> = changed.chain(indirect).chain(rude).collect();
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
    let indirect = |name: &str| vec![format!("indirect: body of {name} changed")];
    let check = |old: &str, new: &str, name: &str| {
        let expected = indirect(name);
        check(
            old,
            new,
            &expected.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    };
    check("fn f<T>() {}", "fn f<T>() { 1; }", "fn f");
    check("fn f(x: impl X) {}", "fn f(x: impl X) { 1; }", "fn f");
    check("const fn f() {}", "const fn f() { 1; }", "fn f");
    for attribute in [
        "#[track_caller]",
        "#[cfg_attr(debug_assertions, track_caller)]",
    ] {
        check(
            &format!("{attribute} fn f() {{}}"),
            &format!("{attribute} fn f() {{ 1; }}"),
            "fn f",
        );
    }
    check(
        "impl<T> S<T> { fn f() {} }",
        "impl<T> S<T> { fn f() { 1; } }",
        "S<T>::f",
    );
    check("trait D { fn f() {} }", "trait D { fn f() { 1; } }", "D::f");
}

#[test]
fn bodies_that_can_not_change() {
    check(
        "const fn f() -> usize { 1 } struct S { a: [u8; f()] }",
        "const fn f() -> usize { 2 } struct S { a: [u8; f()] }",
        &["1: body of fn f changed: it may reach the layout of a type"],
    );
    check("#[test] fn f() {}", "#[test] fn f() { 1; }", &[]);
    check(
        "#[cfg(test)] mod t { fn f() {} }",
        "#[cfg(test)] mod t { struct X; }",
        &[],
    );
}

#[test]
fn what_values_declare() {
    let in_const = |body: &str| format!("fn f(_: [u8; N]) {{}} const _: () = {{ {body} }};");
    let check_in = |old: &str, new: &str, expected: &[&str]| {
        check(&in_const(old), &in_const(new), expected);
    };
    let indirect = "indirect: value of const _ changed";
    check_in("assert!(1 < 2);", "assert!(1 < 3);", &[indirect]);
    check_in(
        "impl T for S { fn f() { 1; } }",
        "impl T for S { fn f() { 2; } }",
        &[indirect],
    );
    check_in(
        "struct S(u8);",
        "struct S(u16);",
        &["1: value of const _ changed: struct S inside of it changed"],
    );
    check_in(
        "",
        "impl Drop for S { fn drop(&mut self) {} }",
        &["1: value of const _ changed: impl Drop for S inside of it is new"],
    );
    let constant = "const _: () = { impl Drop for S { fn drop(&mut self) {} } };";
    check(
        "",
        constant,
        &["1: const _ added: impl Drop for S inside of it is new"],
    );
    check(
        constant,
        "",
        &["1: const _ removed: impl Drop for S inside of it changed"],
    );
    check(
        "",
        "const _: () = assert!(M > 1);",
        &["indirect: const _ added"],
    );
    // A type in a value is as alive as any.
    check(
        "const N: usize = 1; const _: () = { struct S([u8; N]); };",
        "const N: usize = 2; const _: () = { struct S([u8; N]); };",
        &["1: value of const N changed: it may reach the layout of a type"],
    );
}

#[test]
fn what_macros_make_in_impl_blocks() {
    let program = |value: u8, made: &str| {
        format!(
            "macro_rules! m {{ ($c:ident) => {{ {made} }} }} struct A; \
             impl A {{ const C: u8 = {value}; m!(C); }}"
        )
    };
    let methods = "fn g() -> u8 { Self::$c }";
    check(
        &program(1, methods),
        &program(2, methods),
        &["indirect: const A::C changed"],
    );
    let constants = "const D: [u8; Self::$c] = [1];";
    check(
        &program(1, constants),
        &program(2, constants),
        &["1: const A::C changed: it may reach the layout of a type"],
    );
}

#[test]
fn what_bodies_declare() {
    check(
        "fn f() { static A: u8 = 1; 1; }",
        "fn f() { static A: u8 = 1; 2; }",
        &["changed: fn f"],
    );
    check(
        "fn f() { static A: u8 = 1; }",
        "fn f() { static A: u8 = 2; }",
        &["indirect: body of fn f changed"],
    );
    check(
        "fn f() { static A: u8 = 1; }",
        "fn f() { static A: u16 = 1; }",
        &["1: body of fn f changed: static A inside of it changed"],
    );
    check(
        "fn f() {}",
        "fn f() { static A: u8 = 1; struct S(u8); impl S { fn g() {} } }",
        &["indirect: body of fn f changed"],
    );
    check(
        "fn f() { struct S(u8); }",
        "fn f() { struct S(u16); }",
        &["1: body of fn f changed: struct S inside of it changed"],
    );
    check(
        "fn f() { const N: usize = 1; struct S([u8; N]); }",
        "fn f() { const N: usize = 2; struct S([u8; N]); }",
        &["1: body of fn f changed: a constant, alias or import beside struct S inside of it changed"],
    );
    check(
        "fn f() { struct S(u8); }",
        "fn f() { struct S(u8); impl Drop for S { fn drop(&mut self) {} } }",
        &["1: body of fn f changed: impl Drop for S inside of it is new"],
    );
    check(
        "const N: usize = 1; fn f() { struct S([u8; N]); }",
        "const N: usize = 2; fn f() { struct S([u8; N]); }",
        &["1: value of const N changed: it may reach the layout of a type"],
    );
}

#[test]
fn functions() {
    check(
        "fn f() {}",
        "fn f() {}\nfn g() {}",
        &["indirect: fn g added"],
    );
    check("fn f() {}", "", &["indirect: fn f removed"]);
    check(
        "fn f(a: u8) {}",
        "fn f(a: u16) { 1; }",
        &["indirect: signature of fn f changed"],
    );
    check(
        "fn f() {}",
        "#[inline] #[allow(x)] pub fn f() {}",
        &[
            "indirect: attributes of fn f changed",
            "indirect: visibility of fn f changed",
        ],
    );
    check("fn f() {}", "#[allow(x)] #[must_use] fn f() {}", &[]);
    check(
        "impl S {}",
        "impl S { fn f() {} }",
        &["indirect: S::f added"],
    );
    check(
        "impl<T> S<T> { fn f() {} }",
        "impl<T: X> S<T> { fn f() {} }",
        &["indirect: impl header of S<T>::f changed"],
    );
}

#[test]
fn functions_that_others_know() {
    check(
        "fn f() {}",
        "#[track_caller] fn f() {}",
        &["1: attributes of fn f changed: they may change more than code"],
    );
    check(
        "extern \"C\" fn f() {}",
        "extern \"C\" fn f(x: u8) {}",
        &["1: signature of fn f changed: other languages may call it"],
    );
    check(
        "",
        "#[no_mangle] fn f() {}",
        &["1: fn f added: other languages call it by its name"],
    );
    check(
        "fn main() {}",
        "fn main() -> X {}",
        &["1: signature of fn main changed: the program starts with it"],
    );
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
fn constants_and_statics() {
    check(
        "const A: u8 = 1;",
        "const A: u8 = 2;",
        &["indirect: value of const A changed"],
    );
    check("", "const A: u8 = 1;", &["indirect: const A added"]);
    check(
        "impl S { const A: u8 = 1; }",
        "impl S { const A: u8 = 2; }",
        &["indirect: const S::A changed"],
    );
    check(
        "static A: u8 = 1;",
        "static A: u8 = 2;",
        &["indirect: initial value of static A changed"],
    );
    check("", "static A: u8 = 1;", &["indirect: static A added"]);
    check(
        "static A: u8 = 1;",
        "static A: u16 = 1;",
        &["1: type of static A changed: the one that exists is of the former type"],
    );
    check(
        "const N: usize = 1; static A: [u8; N] = x();",
        "const N: usize = 2; static A: [u8; N] = x();",
        &["1: value of const N changed: it may reach the layout of a type"],
    );
    check(
        "",
        "#[no_mangle] static A: u8 = 1;",
        &["1: static A added: they may change more than code"],
    );
    check(
        "thread_local! { static A: u8 = 1; }",
        "thread_local! { static A: u8 = 2; static B: u8 = 1; }",
        &[
            "indirect: initial value of static A changed",
            "indirect: static B added",
        ],
    );
    check(
        "thread_local! { static A: u8 = 1; }",
        "thread_local! { static A: u8 = const { 1 }; }",
        &[
            "indirect: initial value of static A changed",
            "1: type of static A changed: the one that exists is of the former type",
        ],
    );
}

#[test]
fn imports() {
    check("use a::b;", "use a::{b, c};", &["indirect: use a::c added"]);
    check("use a::b;", "", &["indirect: use a::b removed"]);
    check(
        "struct S(Result);",
        "use a::Result; struct S(Result);",
        &["1: use a::Result added: a type or signature mentions this name, which may mean something else now"],
    );
    check(
        "use a::Map; struct S(Map);",
        "use b::Map; struct S(Map);",
        &["indirect: use b::Map added", "1: use a::Map removed: a type or signature mentions this name, which may mean something else now"],
    );
    check(
        "fn f(x: String) {}",
        "use a::*; fn f(x: String) {}",
        &["1: use a::* added: a name in a type or signature may mean something else with it than without"],
    );
    check(
        "fn f(x: u8) {} mod m {}",
        "fn f(x: u8) {} mod m { use super::*; }",
        &["indirect: use super::* added"],
    );
    check(
        "use a::N as M; const N: usize = 1; struct S([u8; M]);",
        "use a::N as M; const N: usize = 2; struct S([u8; M]);",
        &["1: value of const N changed: it may reach the layout of a type"],
    );
}

#[test]
fn macros() {
    check(
        "macro_rules! m { () => {} }",
        "macro_rules! m { () => { 1 } }",
        &["indirect: macro m! changed"],
    );
    check(
        "macro_rules! m { () => {} } macro_rules! n { () => {} }",
        "macro_rules! n { () => {} } macro_rules! m { () => {} }",
        &["indirect: macro n! moved: the order of macros matters"],
    );
    check(
        "macro_rules! m { () => { 1 } } struct S([u8; m!()]);",
        "macro_rules! m { () => { 2 } } struct S([u8; m!()]);",
        &["1: macro m! changed: it may reach the layout of a type"],
    );
    check(
        "macro_rules! m { ($n:ident) => { fn $n() {} } } m!(f);",
        "macro_rules! m { ($n:ident) => { fn $n() { 1; } } } m!(f); m!(g);",
        &[
            "indirect: macro call m! added",
            "indirect: macro m! changed",
        ],
    );
    check(
        "macro_rules! m { ($n:ident) => { struct $n(u8); } } m!(S);",
        "macro_rules! m { ($n:ident) => { struct $n(u16); } } m!(S);",
        &["1: macro m! changed: calls of it make items, and which can't be told"],
    );
    check(
        "macro_rules! m { ($i:item) => { $i } } m! { fn f() {} }",
        "macro_rules! m { ($i:item) => { $i } } m! { fn f() { 1; } }",
        &["indirect: macro call m! changed"],
    );
    check(
        "foreign! { A }",
        "foreign! { B }",
        &["1: macro call foreign! changed: what it makes can't be told"],
    );
}

#[test]
fn other_items() {
    check("mod a;", "mod a; mod b;", &["indirect: mod b added"]);
    check("#![allow(x)]", "", &[]);
    check("#![feature(x)]", "", &["1: attributes of the file changed"]);
    check(
        "extern crate a;",
        "extern crate a as b;",
        &[
            "1: extern crate a removed: what follows from it can't be told",
            "1: extern crate b added: what follows from it can't be told",
        ],
    );
}

mod documentation;
mod macro_order;
mod types;
