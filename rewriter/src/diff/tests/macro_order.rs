use super::check;

const FIRST: &str = "macro_rules! unit { () => { \"km\" } }\n";
const SECOND: &str = "macro_rules! unit { () => { \"mi\" } }\n";

/// `item` stands between two macros of a name, and then below both.
#[track_caller]
fn below(item: &str, expected: &[&str]) {
    let (old, new) = (
        format!("{FIRST}{item}\n{SECOND}"),
        format!("{FIRST}{SECOND}{item}"),
    );
    check(&old, &new, expected);
    check(&new, &new, &[]);
}

#[test]
fn what_calls_another_macro_than_before() {
    let order = |title: &str| format!("indirect: order of {title} and macro unit! changed");
    for (item, title) in [
        ("fn near() -> &'static str { unit!() }", "fn near"),
        ("fn near() { println!(\"{}\", unit!()); }", "fn near"),
        ("fn near() { call!(unit) }", "fn near"),
        ("fn near<T>() { unit!() }", "fn near"),
        ("impl S { fn near() { unit!() } }", "S::near"),
        ("trait T { fn near() { unit!() } }", "T::near"),
        ("mod a { fn near() { unit!() } }", "fn near"),
        ("const N: &str = unit!();", "const N"),
        ("static N: &str = unit!();", "static N"),
        ("thread_local! { static N: u8 = unit!(); }", "static N"),
        ("mod a;", "mod a"),
        ("fn near() { foreign!() }", "fn near"),
    ] {
        below(item, &[&order(title)]);
    }
    // A changed body beside it.
    check(
        &format!("{FIRST}fn near() {{ unit!() }} fn far() {{ 1 }} {SECOND}"),
        &format!("{FIRST}{SECOND} fn near() {{ unit!() }} fn far() {{ 2 }}"),
        &["changed: fn far", &order("fn near")],
    );
}

#[test]
fn what_calls_none_of_them_may_stand_anywhere() {
    for item in [
        "fn near() { 1 }",
        "fn near() { let unit = 1; }",
        "fn near() { println!(\"1\"); vec![1]; }",
        "#[derive(Debug, Serialize)] struct Near { unit: u8 }",
        "impl S { fn near(&self) { self.unit() } }",
        "mod a { fn near() { 1 } }",
        "const N: u8 = 1;",
        "use a::b;",
    ] {
        below(item, &[]);
    }
    // What a block defines is in scope in it.
    let block = "mod a { macro_rules! unit { () => { 1 } } fn far() { unit!() } }";
    let near = "fn near() { unit!() }";
    check(&format!("{block} {near}"), &format!("{near} {block}"), &[]);
    let calls = "fn a() { unit!() } fn b() { unit!() }";
    let turned = "fn b() { unit!() } fn a() { unit!() }";
    check(
        &format!("{FIRST}{calls}{SECOND}"),
        &format!("{FIRST}{turned}{SECOND}"),
        &[],
    );
}

#[test]
fn what_calls_it_through_others() {
    let outer = "macro_rules! outer { () => { unit!() } }";
    let near = "fn near() { outer!() }";
    check(
        &format!("{outer} {FIRST}{near}{SECOND}"),
        &format!("{outer} {FIRST}{SECOND}{near}"),
        &["indirect: order of fn near and macro unit! changed"],
    );
    let lent = "#[macro_use] mod a { macro_rules! unit { () => { 1 } } }";
    let near = "fn near() { unit!() }";
    check(
        &format!("{FIRST}{near} {lent}"),
        &format!("{FIRST}{lent} {near}"),
        &["indirect: order of fn near and macro unit! changed"],
    );
    let lent = "#[macro_use] mod a;";
    check(
        &format!("{FIRST}{near} {lent}"),
        &format!("{FIRST}{lent} {near}"),
        &["indirect: order of fn near and mod a changed"],
    );
    check(
        &format!("{lent} {FIRST}{near}"),
        &format!("{FIRST}{lent} {near}"),
        &[
            "indirect: macro unit! moved: the order of macros matters",
            "indirect: order of mod a and macro unit! changed",
        ],
    );
    let made = "macro_rules! make { () => { macro_rules! unit { () => { 1 } } } }";
    check(
        &format!("{made} {FIRST}{near} make!();"),
        &format!("{made} {FIRST} make!(); {near}"),
        &["indirect: order of fn near and macro call make! changed"],
    );
}

#[test]
fn what_lasts_keeps_its_macros() {
    below(
        "struct S { a: [u8; unit!()] }",
        &["3: order of struct S and macro unit! changed: it decides about types"],
    );
    below(
        "const fn near() -> usize { unit!() } struct S { a: [u8; near()] }",
        &["3: order of fn near and macro unit! changed: it may reach the layout of a type"],
    );
}

/// What is told once isn't what comes next.
#[test]
fn a_macro_comes_and_then_what_calls_it_moves() {
    let (near, third) = ("fn near() { unit!() }", "macro_rules! unit { () => { 3 } }");
    let old = format!("{FIRST}{near}");
    check(
        &old,
        &format!("{FIRST}{near} {third}"),
        &["indirect: macro unit! added"],
    );
    check(
        &old,
        &format!("{FIRST}{third} {near}"),
        &[
            "indirect: macro unit! added",
            "indirect: order of fn near and macro unit! changed",
        ],
    );
}
