use super::check;

const ANYTHING: &str = "a macro may make anything of it";

/// Edits `/// a` in a text to `/// b`, and takes it out.
#[track_caller]
fn edited(text: &str, expected: &[&str]) {
    assert!(text.contains("/// a\n"), "{text}");
    check(text, &text.replace("/// a\n", "/// b\n"), expected);
    check(text, &text.replace("/// a\n", "\n"), expected);
}

#[test]
fn nobody_reads_them() {
    for text in [
        "/// a\n#[derive(Debug, Clone, Default)] struct S { /// a\n x: u8 }",
        "/// a\n#[derive(PartialEq)] enum E { /// a\n A { /// a\n x: u8 } }",
        "/// a\n#[inline] #[must_use] fn f() { /// a\n let x = 1; }",
        "/// a\nimpl S { /// a\n fn f() {} } /// a\ntrait T { /// a\n fn f(); }",
        "/// a\nmacro_rules! m { () => {} } /// a\nm! {}",
        "thread_local! { /// a\n static A: u8 = 1; }",
        "/// a\n#[tokio::main] async fn main() {}",
        "/// a\nstruct S; #[derive(Own)] struct T;",
    ] {
        edited(text, &[]);
    }
}

#[test]
fn derives_that_add_impls() {
    let what =
        |of: &str| format!("indirect: doc comment, which a derive may read, of {of} changed");
    edited("#[derive(Parser)]\n/// a\nstruct S;", &[&what("struct S")]);
    edited(
        "#[derive(Parser)] #[command(x)] struct S {\n/// a\n#[arg(long)] x: u8 }",
        &[&what("field `x` of struct S")],
    );
    edited(
        "#[derive(Subcommand)] enum E {\n/// a\nA, B { /// a\n x: u8 }, C(/// c\n u8) }",
        &[
            &what("variant `A` of enum E"),
            &what("variant `B` of enum E"),
        ],
    );
}

#[test]
fn macros_that_may_make_anything() {
    let what = |line: u8, of: &str| format!("{line}: doc comment of {of} changed: {ANYTHING}");
    edited(
        "#[derive(Debug, Own)] struct S {\n/// a\nx: u8 }",
        &[&what(3, "field `x` of struct S")],
    );
    edited(
        "#[own]\n/// a\nfn f() {} /// a\nfn g() {}",
        &[&what(3, "fn f")],
    );
    edited("#[command] fn f(/// a\n x: u8) {}", &[&what(1, "fn f")]);
    edited("#[own] impl S {\n/// a\nfn f() {} }", &[&what(3, "S::f")]);
    edited(
        "#[own] mod m {\n/// a\n#[derive(Debug)] struct S; }",
        &[&what(3, "struct S")],
    );
    check(
        "/// a\n/// b\n#[own] fn f() {}",
        "/// b\n/// a\n#[own] fn f() {}",
        &[&what(3, "fn f")],
    );
}

#[test]
fn of_a_trait() {
    let text = "#[own] trait T {\n/// a\nfn f(); }";
    edited(
        text,
        &[&format!("1: doc comment of trait T changed: {ANYTHING}")],
    );
}

#[test]
fn tokens_of_macros() {
    edited(
        "macro_rules! m { ($(#[doc = $d:expr])*) => { fn help() -> &'static str { concat!($($d,)*) } } }\n\
         m! { /// a\n }",
        &["indirect: macro call m! changed"],
    );
    edited(
        "use other::m; m! { /// a\n }",
        &["1: macro call m! changed: what it makes can't be told"],
    );
    edited("fn f() { m! { /// a\n x } }", &["changed: fn f"]);
    edited(
        "macro_rules! m { () => {\n/// a\nfn f() {} } }",
        &["indirect: macro m! changed"],
    );
    check(
        "fn f() { stringify!(a+b) }",
        "fn f() { stringify!(a + b) }",
        &["changed: fn f"],
    );
    check(
        "fn f() { stringify!(a + b) }",
        "fn f()\n{\n    stringify!(\n        a + // x\n        b\n    )\n}",
        &[],
    );
}

#[test]
fn attributes_of_parameters() {
    check(
        "fn f(#[about = \"a\"] x: u8) {}",
        "fn f(#[about = \"b\"] x: u8) {}",
        &["1: attributes of a parameter of fn f changed: they may change more than code"],
    );
    check("fn f(x: u8) {}", "fn f(#[allow(y)] x: u8) {}", &[]);
}
