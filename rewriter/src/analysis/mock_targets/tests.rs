use std::io;
use std::path::Path;

use super::*;

fn targets(source: &str) -> MockTargets {
    let mut read = |path: &Path| match path == Path::new("src/lib.rs") {
        true => Ok(source.to_owned()),
        false => Err(io::ErrorKind::NotFound.into()),
    };
    let tree = CrateTree::load(Path::new("src/lib.rs"), &mut read).expect("a root");
    MockTargets::of(&tree)
}

#[test]
fn what_a_mock_names_is_a_target() {
    let check = |source: &str| {
        let targets = targets(source);
        assert!(matches!(targets, MockTargets::Named(_)), "{source}");
        assert!(targets.include("rate"), "{source}");
        assert!(!targets.include("other"), "{source}");
    };
    check("#[test] fn t() { let _m = mock!(shop::rate, |_| 0.5); other(); }");
    check("#[test] fn t() { let _m = soft_mock::spy!(rate, |_: u8| => |_| {}); }");
    check("#[test] fn t() { let _m = mock!(<Fake as Store>::rate, |_| 1); }");
    check("#[test] fn t() { let _m = mock!(\"shop::rate\", |_: u8| 1); }");
    check("#[test] fn t() { assert_eq!({ let _m = mock!(rate, |_| 1); 1 }, other()); }");
    check("macro_rules! at { ($v:expr) => { mock!(crate::rate, |_| $v) } }");
    check("macro_rules! freeze { ($f:path) => { mock!($f, |_| 1) } } fn t() { freeze!(rate); }");
    check("use soft_mock::mock as m; fn t() { m!(rate, |_| 1); kit::show!(other); }");
    check("use shop::{rate as price}; #[test] fn t() { mock!(price, |_| 1); }");
    check("use a::rate as b; use b as c; #[test] fn t() { mock!(c, |_| 1); }");
    check("#[test] fn t() { call_original(rate, || 1).unwrap(); other(); }");
    check("#[test] fn t() { assert!(call_original(rate, || 1).is_ok()); }");
    check("macro_rules! a { ($f:path) => { b!($f) } } macro_rules! b { ($f:path) => { mock!($f, |_| 1) } } fn t() { a!(rate); }");
    check("fn r#rate() {} fn t() { mock!(r#rate, |_| 1); }");
}

#[test]
fn what_no_name_says_is_any() {
    let check = |source: &str| assert_eq!(targets(source), MockTargets::All, "{source}");
    check("fn freeze<F: Fn(u8) -> u8>(f: F) { let _m = mock!(f, |_| 1); }");
    check("#[case(rate)] fn t(#[case] f: fn(u8) -> u8) { let _m = mock!(f, |_| 1); }");
    check("fn t() { let f = rate; let _m = mock!(f, |_| 1); }");
    check("fn t() { run(|f| { let _m = mock!(f, |_| 1); }); }");
    check("const F: &str = \"a\"; fn t() { let _m = mock!(F, |_| 1); }");
    check("macro_rules! make { ($n:ident) => { fn $n<F>(f: F) { mock!(f, |_| 1); } } }");
    check("fn t() { block!({ let f = rate; mock!(f, |_| 1); }); }");
    check("fn t() { soft_mock::mock_by_name(&name(), f as fn()); }");
    check("use soft_mock::*; fn t() { mock_by_name(&name(), f as fn()); }");
    check("fn t() { assert!(mock_by_name(&name(), f as fn()).is_ok()); }");
    check("use soft_mock::{list, mock}; fn t() {}");
    check("use soft_mock as m; fn t() {}");
    check("include!(\"generated.rs\");");
    check("cfg_if! { if #[cfg(test)] { mod tests; } }");
}

#[test]
fn what_other_macros_make_of_names_is_no_mock() {
    let MockTargets::Named(names) =
        targets("fn t() { assert_eq!(a::b(), vec![c()]); log!(f, d()); }")
    else {
        panic!("named");
    };
    assert!(names.is_empty(), "{names:?}");
}
