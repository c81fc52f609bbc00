use std::io;
use std::path::Path;

use quote::ToTokens;

use super::*;
use crate::instrument::rewrite::{rewrite, Options};
use crate::instrument::support::CrateIdentity;
use crate::syntax::edition::Edition;

fn options(without: &[String]) -> Options {
    Options {
        edition: Edition::E2021,
        facts: CrateIdentity {
            name: "app".to_owned(),
            ..CrateIdentity::default()
        },
        without: without.iter().cloned().collect(),
        ..Options::default()
    }
}

fn run(source: &str) -> PreparedCrate {
    run_as(CompiledAs::Crate, source)
}

fn run_as(compiled_as: CompiledAs, source: &str) -> PreparedCrate {
    run_with(compiled_as, source, &[])
}

fn run_with(compiled_as: CompiledAs, source: &str, brought: &[&str]) -> PreparedCrate {
    let mut read = |path: &Path| match path == Path::new("src/lib.rs") {
        true => Ok(source.to_owned()),
        false => Err(io::ErrorKind::NotFound.into()),
    };
    let tree = CrateTree::load_as(compiled_as, Path::new("src/lib.rs"), &mut read);
    let tree = tree.expect("a root");
    let functions = rewrite(&tree, &options(&[])).functions;
    let is_brought = |function: &FunctionInfo| brought.contains(&&*function.name);
    prepare(tree, "app", &functions, &is_brought).expect("a prepared crate")
}

/// The root file as rustc gets it, without the support module.
fn text(source: &PreparedCrate) -> String {
    let mut text = rewrite(&source.tree, &options(&source.without))
        .files
        .swap_remove(0)
        .1;
    text.truncate(
        text.find("\n#[doc(hidden)] #[allow(warnings")
            .expect("support"),
    );
    text
}

#[test]
fn statics_are_reached_through_the_table_and_lines_stay() {
    let source = "#!/bin/sh\nfn f() {\n    static A: u8 = 1;\n}\npub static B: u8 = 1;\n#[used]\nstatic C: u8 = 1;";
    let whole = run(source);
    let text = text(&whole);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), source.lines().count());
    assert_eq!(lines[2], "    #[used] static A: u8 = 1;");
    assert_eq!(lines[4], "#[used] pub static B: u8 = 1;");
    assert_eq!(lines[6], "static C: u8 = 1;");
    assert!(whole.names.has("A"));
    assert!(whole.attached.is_empty() && whole.without.is_empty());
}

#[test]
fn the_body_of_an_async_function_is_moved_beside_it() {
    let source = "struct S;\nimpl S {\n    async fn get(&self, (a, b): (u8, u8)) -> u8 {\n        a + b\n    }\n}";
    let whole = run(source);
    assert_eq!(
        whole.without,
        [
            "app::S::__soft_mock_body_get",
            "app::S::__soft_mock_code_get"
        ]
    );
    let text = text(&whole);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), source.lines().count());
    assert_eq!(lines[3], "        a + b");
    let line = lines[2];
    let order = [
        "async fn get(&self, __soft_mock_1: (u8, u8)) -> u8 {",
        "__SOFT_MOCK_SITE.code()",
        "Self :: __soft_mock_code_get (self , __soft_mock_1) . await",
        "fn __soft_mock_code_get",
        "async fn __soft_mock_body_get (& self , (a , b) : (u8 , u8)) -> u8 {",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|part| line.find(part).unwrap_or_else(|| panic!("{part}: {line}")))
        .collect();
    assert!(places.is_sorted(), "{line}");
    assert_eq!(line.matches("static __SOFT_MOCK_SITE").count(), 1);
}

#[test]
fn so_is_a_body_under_an_attribute_macro() {
    let source = "#[instrument]\nfn f((a, b): (u8, u8)) -> u8 { a + b }\n#[inline]\nfn g() {}";
    let whole = run(source);
    let text = text(&whole);
    let line = text.lines().nth(1).expect("a line");
    let order = [
        "fn f((a, b): (u8, u8)) -> u8 {",
        "__SOFT_MOCK_SITE.code()",
        "__soft_mock_code_f ((a , b ,)) } #[inline(never)] fn __soft_mock_code_f ((a , b) : (u8 , u8)) -> u8 { a + b }",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|part| line.find(part).unwrap_or_else(|| panic!("{part}: {line}")))
        .collect();
    assert!(places.is_sorted(), "{line}");
    assert!(!text.contains("__soft_mock_code_g"));
}

#[test]
fn what_is_added_stands_under_the_conditions_of_its_function() {
    let source = "#[cfg(unix)] #[inline]\nasync fn f() {}\n#[cfg(not(unix))]\nasync fn f() {}\n#[cfg_attr(a, cfg(b))] #[instrument]\nfn g() {}";
    let whole = run(source);
    let text = text(&whole);
    let added = |line: usize| -> Vec<String> {
        let file = syn::parse_file(text.lines().nth(line).expect("a line")).expect("items");
        let attributes = file.items.iter().skip(1).map(|item| match item {
            Item::Fn(item) => item
                .attrs
                .iter()
                .map(|a| a.meta.to_token_stream().to_string()),
            other => panic!("{}", other.to_token_stream()),
        });
        attributes
            .flatten()
            .filter(|attribute| attribute.starts_with("cfg"))
            .collect()
    };
    assert_eq!(added(1), ["cfg (unix)", "cfg (unix)"]);
    assert_eq!(added(3), ["cfg (not (unix))", "cfg (not (unix))"]);
    assert_eq!(added(5), ["cfg_attr (a , cfg (b))"]);
}

#[test]
fn what_can_not_be_moved_is_named() {
    let source = "#[instrument]\nasync fn a() {}\nasync fn b() -> ! { loop {} }\nasync fn c() { #![allow(unused)] }\nimpl T for S { async fn d(&self) {} }\n#[wrap] impl S { fn e() {} }";
    let whole = run(source);
    let text = text(&whole);
    let why: Vec<(&str, &str)> = whole
        .attached
        .iter()
        .map(|(name, why)| (name.as_str(), why.as_str()))
        .collect();
    assert!(why.contains(&("app::b", "it is async and never returns")));
    assert!(why.contains(&("app::c", "its body starts with an attribute")));
    assert!(why.contains(&("<app::S as T>::d", "it is an async method of a trait")));
    assert!(text.contains("__soft_mock_body_a") && !text.contains("__soft_mock_code_e"));
}

#[test]
fn tests_of_a_harness_keep_their_sites() {
    let source = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() { f() }\n    fn f() {}\n}";
    let names = |compiled_as: CompiledAs| {
        let source = run_as(compiled_as, source);
        let functions = rewrite(&source.tree, &options(&source.without)).functions;
        let with_site = functions
            .into_iter()
            .filter(|function| function.kind.is_ok());
        with_site.map(|function| function.name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(CompiledAs::Harness),
        ["app::tests::t", "app::tests::f"]
    );
    assert!(names(CompiledAs::Crate).is_empty());
}

#[test]
fn attributes_of_parameters_stay_with_the_macro_that_reads_them() {
    let text = text(&run(
        "#[keeps]\nfn f(#[values(1, 2)] a: u8, #[allow(unused)] b: u8) {\n}",
    ));
    assert_eq!(text.matches("values(1, 2)").count(), 1, "{text}");
    let moved = text.split("fn __soft_mock_code_f").nth(1).expect("moved");
    assert!(
        moved.starts_with(" (a : u8 , # [allow (unused)] b : u8)"),
        "{text}"
    );
}

#[test]
fn what_plugins_have_brought_is_moved_with_what_says_its_type() {
    let source = "fn f(n: u8) -> u8 { n }\nfn g() {}\nimpl S { async fn h(&self) {} }";
    let whole = run_with(CompiledAs::Crate, source, &["app::f", "app::S::h"]);
    let text = text(&whole);
    let lines: Vec<&str> = text.lines().collect();
    for (line, parts) in [
        (
            lines[0],
            [
                "fn __soft_mock_check_of_f(site: *const ())",
                "fn __soft_mock_type_of_f() -> ::core::any::TypeId",
                "fn __soft_mock_code_f (n : u8) -> u8 { n }",
            ],
        ),
        (
            lines[2],
            [
                "fn __soft_mock_check_of_h(site: *const ())",
                "dyn :: std :: future :: Future < Output = _ > + :: core :: marker :: Send + '_",
                "async fn __soft_mock_body_h (& self) {",
            ],
        ),
    ] {
        let places: Vec<Option<usize>> = parts.iter().map(|part| line.find(part)).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{line}");
        assert_eq!(line.matches("static __SOFT_MOCK_SITE").count(), 1);
    }
    assert!(!lines[1].contains("__soft_mock_code_g"));
}
