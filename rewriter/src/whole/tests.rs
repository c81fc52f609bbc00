use std::io;
use std::path::Path;

use super::*;
use crate::rewrite::{rewrite, Options, Output};
use crate::support::CrateFacts;

fn run(source: &str, names: &[(&str, usize, Kind)]) -> Result<WholeSource, WholeRefusal> {
    let mut read = |path: &Path| match path == Path::new("src/lib.rs") {
        true => Ok(source.to_owned()),
        false => Err(io::ErrorKind::NotFound.into()),
    };
    let tree = CrateTree::load(Path::new("src/lib.rs"), &mut read).expect("a root");
    let functions: Vec<WholeFunction> = names
        .iter()
        .map(|&(name, line, kind)| WholeFunction {
            name: name.to_owned(),
            path: PathBuf::from("src/lib.rs"),
            line,
            kind,
            not_send: false,
        })
        .collect();
    whole(tree, "app", Edition::E2021, &functions)
}

/// The root file as rustc gets it, without the support module.
fn text(source: &WholeSource) -> String {
    let options = Options {
        output: Output::Program,
        edition: Edition::E2021,
        facts: CrateFacts {
            name: "app".to_owned(),
            ..CrateFacts::default()
        },
        main: false,
        mocks: false,
        untyped: HashSet::new(),
        without: source.without.iter().cloned().collect(),
        skip: Vec::new(),
    };
    let mut text = rewrite(&source.tree, &options).files.swap_remove(0).1;
    text.truncate(
        text.find("\n#[doc(hidden)] #[allow(warnings")
            .expect("support"),
    );
    text
}

#[test]
fn a_changed_function_gets_a_section_and_keeps_its_place() {
    let source = "struct S;\nimpl S {\n    #[inline]\n    pub fn f(&self) {\n        static A: u8 = 1;\n    }\n}\npub static B: u8 = 1;";
    let whole = run(source, &[("app::S::f", 4, Kind::Sync)]).expect("prepared");
    let text = text(&whole);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), source.lines().count());
    assert_eq!(lines[2].trim(), "");
    let marked =
        "    #[inline(never)] #[link_section = \".text.__soft_mock_patch_0\"] pub fn f(&self) {";
    assert!(lines[3].starts_with(marked), "{}", lines[3]);
    assert!(lines[3].contains("__SOFT_MOCK_SITE"));
    assert_eq!(lines[4], "        #[used] static A: u8 = 1;");
    assert_eq!(lines[7], "#[used] pub static B: u8 = 1;");
    assert_eq!(whole.parts[0].section, ".text.__soft_mock_patch_0");
}

#[test]
fn the_body_of_an_async_function_moves_beside_it() {
    let source = "async fn get(\n    (a,\n b): (u8, u8)) -> u8 {\n    a + b\n}\nfn qqq() {}";
    let whole = run(source, &[("app::get", 1, Kind::Async)]).expect("prepared");
    let text = text(&whole);
    assert_eq!(text.lines().count(), source.lines().count());
    assert_eq!(text.lines().nth(3), Some("    a + b"));
    syn::parse_file(&text).expect("the output is Rust");
    let (beside, name) = whole.parts[0].detached.clone().expect("detached");
    assert_eq!((beside.len(), name.as_str()), (3, "get"));
    assert_ne!(beside, "qqq");
    assert!(
        text.contains(&format!("async fn {beside} ((a , b) : (u8 , u8)) -> u8 {{")),
        "{text}"
    );
    assert_eq!(text.matches("static __SOFT_MOCK_SITE").count(), 2);
}

#[test]
fn what_is_refused_says_why() {
    let check = |source: &str, name: &str, kind, reason: &str| {
        let refusal = run(source, &[(name, 1, kind)]).expect_err("refused");
        assert_eq!(refusal.to_string(), format!("{name}: {reason}"));
    };
    check(
        "#[instrument] fn f() {}",
        "app::f",
        Kind::Sync,
        "an attribute macro may turn it into something else",
    );
    check(
        "#[m] impl S { fn f() {} }",
        "app::S::f",
        Kind::Sync,
        "an attribute macro may turn it into something else",
    );
    check(
        "#[track_caller] fn f() {}",
        "app::f",
        Kind::Sync,
        "it is #[track_caller]: it needs to know who calls it",
    );
    check(
        "impl T for S { async fn f() {} }",
        "<app::S as T>::f",
        Kind::Async,
        "it is an async method of a trait",
    );
    check(
        "fn f() { { static A: u8 = 1; } static A: u8 = 1; }",
        "app::f",
        Kind::Sync,
        "its body declares static `A` twice",
    );
    check(
        "fn f() { thread_local! { static A: u8 = 1; } x!(&'static B; static ref A) }",
        "app::f",
        Kind::Sync,
        "its body declares static `A` twice",
    );
    check(
        "fn f() { x!(&'static A); x!(&'static A) } fn f() {}",
        "app::f",
        Kind::Sync,
        "there are two of it in its file",
    );
    check(
        "fn g() {}",
        "app::f",
        Kind::Sync,
        "it is not where it was in its file",
    );
}
