//! Types, traits and impl blocks.

use super::{check, check_in};

#[test]
fn layouts() {
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
        &["indirect: visibility of field `a` of struct S changed"],
    );
    check(
        "struct S { a: u8, b: u8 }",
        "struct S { b: u8, a: u8 }",
        &["1: order in struct S changed: its layout may change"],
    );
    check(
        "struct S;",
        "#[repr(C)] struct S;",
        &["1: attributes of struct S changed: they may change more than code"],
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
        "enum E { A = 1 }",
        "enum E { A = 2 }",
        &["1: value of variant `A` of enum E changed: its layout changes"],
    );
    check(
        "struct S { #[cfg(a)] a: u8 }",
        "struct S { #[cfg(b)] a: u8 }",
        &["1: condition of field `a` of struct S changed: its layout changes"],
    );
    check(
        "",
        "struct S(u8); enum E {}",
        &["indirect: enum E added", "indirect: struct S added"],
    );
}

#[test]
fn what_reaches_a_layout() {
    let reaches = |beside: &str| {
        check_in(
            beside,
            "const A: usize = 1; const B: usize = A * 2;",
            "const A: usize = 3; const B: usize = A * 2;",
            &["1: value of const A changed: it may reach the layout of a type"],
        );
    };
    reaches("struct S { a: [u8; a::B] }");
    reaches("enum E { V = a::B }");
    reaches("struct S(G<{ a::B }>);");
    reaches("type T = [u8; a::B]; struct S(T);");
    reaches("const fn f() -> usize { a::B } struct S([u8; f()]);");
    reaches("static S: [u8; a::B] = x();");
    reaches("fn f(x: &[u8; a::B]) {}");
    reaches("trait T { fn f(&self, x: [u8; a::B]); }");
    reaches("foreign! { a::B }");
    check_in(
        "fn f() { let x = [0; a::B]; }",
        "const A: usize = 1; const B: usize = A * 2;",
        "const A: usize = 3; const B: usize = A * 2;",
        &["indirect: value of const A changed"],
    );
    check(
        "type A = u8; struct S(A);",
        "type A = u16; struct S(A);",
        &["1: type of type A changed: it may reach the layout of a type"],
    );
    check(
        "type A = u8;",
        "type A = u16;",
        &["indirect: type of type A changed"],
    );
}

#[test]
fn names_that_hide_others() {
    check(
        "fn f(x: String) {}",
        "fn f(x: String) {} struct String;",
        &["1: struct String added: a type or signature mentions this name, which may mean something else now"],
    );
    check_in(
        "struct Config; fn f(x: Config) {}",
        "",
        "struct Config;",
        &["indirect: struct Config added"],
    );
    check(
        "struct A; fn f(x: A) {}",
        "use b::A; fn f(x: A) {}",
        &[
            "indirect: use b::A added",
            "1: struct A removed: types or signatures still mention its name",
        ],
    );
    check("struct A;", "", &["indirect: struct A removed"]);
    // Another one's namesake is another type, where it is mentioned beside itself.
    check_in(
        "mod b { enum A { V } impl A { fn f(self) {} } }",
        "enum A { V } impl A { fn g(self) {} }",
        "",
        &["indirect: A::g removed", "indirect: enum A removed"],
    );
}

#[test]
fn derives_and_attributes() {
    check(
        "#[derive(Debug)] struct S;",
        "#[derive(Debug, Clone)] struct S;",
        &["indirect: attributes of struct S changed"],
    );
    check(
        "struct S;",
        "#[derive(Unknown)] struct S;",
        &["1: attributes of struct S changed: they may change more than code"],
    );
    check(
        "struct S { a: u8 }",
        "struct S { #[serde(skip)] a: u8 }",
        &["indirect: attributes of field `a` of struct S changed"],
    );
}

#[test]
fn traits() {
    check(
        "trait T { fn f(); }",
        "trait T { fn f(&self); }",
        &["indirect: methods of trait T changed"],
    );
    check(
        "trait T { fn f(); } fn g(x: &dyn T) {}",
        "trait T { fn f(); fn h() {} } fn g(x: &dyn T) {}",
        &["1: methods of trait T changed: objects of T may keep their old vtable"],
    );
    check_in(
        "trait U: T {} fn f(x: Box<dyn U>) {}",
        "trait T { fn f(); }",
        "trait T { fn f(); fn h() {} }",
        &["1: methods of trait T changed: objects of T may keep their old vtable"],
    );
    check_in(
        "macro_rules! m { ($t:ident) => { Box<dyn $t> } }",
        "trait T { fn f(); }",
        "trait T {}",
        &["1: methods of trait T changed: objects of T may keep their old vtable"],
    );
    check(
        "trait T {}",
        "trait T: Send {}",
        &["1: header of trait T changed: it decides about types"],
    );
    check(
        "trait T { type A; }",
        "trait T { type A; type B; }",
        &["1: types of trait T changed: it decides about types"],
    );
    check("", "trait T {}", &["indirect: trait T added"]);
}

#[test]
fn impls() {
    check(
        "",
        "impl<'a> D for S<'a> {}",
        &["indirect: impl<'a>D for S<'a> added"],
    );
    check(
        "struct S;",
        "struct S; impl Drop for S { fn drop(&mut self) {} }",
        &[
            "indirect: <S as Drop>::drop added",
            "1: impl Drop for S added: values of S that exist end in another way",
        ],
    );
    check(
        "",
        "struct S; impl Drop for S { fn drop(&mut self) {} }",
        &[
            "indirect: <S as Drop>::drop added",
            "indirect: impl Drop for S added",
            "indirect: struct S added",
        ],
    );
    check(
        "struct S; impl Deref for S { type Target = u8; }",
        "struct S;",
        &[
            "indirect: type <S as Deref>::Target removed",
            "1: impl Deref for S removed: it decides how the fields of S are seen",
        ],
    );
    check(
        "impl D for S { type X = u8; }",
        "impl D for S { type X = u16; }",
        &["1: type <S as D>::X changed: it may reach the layout of a type"],
    );
    check(
        "impl Error for S {}",
        "impl Error for S { fn source(&self) {} }",
        &["indirect: <S as Error>::source added"],
    );
    check(
        "impl Error for S { fn source(&self) {} }",
        "impl Error for S {}",
        &["1: <S as Error>::source removed: objects of Error made from S keep their methods"],
    );
    // Where its block stands now.
    check(
        "impl Error for S { fn source(&self) {} }",
        "\n\nimpl Error for S {}",
        &["3: <S as Error>::source removed: objects of Error made from S keep their methods"],
    );
    check(
        "trait T { fn f() {} } impl T for S {}",
        "trait T { fn f() {} } impl T for S { fn f() {} }",
        &["indirect: <S as T>::f added"],
    );
    check(
        "impl fmt::Display for S { fn fmt(&self) {} }",
        "impl fmt::Display for S { fn fmt(&self, x: u8) {} }",
        &["1: signature of <S as fmt::Display>::fmt changed: objects of fmt::Display may call it in the old way"],
    );
}
