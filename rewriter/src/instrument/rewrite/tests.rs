use super::*;
use crate::analysis::eligibility::Kind;
use std::io;
use std::path::Path;

fn options(output: Output) -> Options {
    Options {
        output,
        edition: Edition::E2021,
        facts: CrateIdentity {
            unit: 7,
            name: "app".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            hot: true,
        },
        skip: vec!["app::tiny::*".to_owned()],
        ..Options::default()
    }
}

fn run(source: &str, output: Output) -> Rewritten {
    let mut read = |path: &Path| match path == Path::new("src/lib.rs") {
        true => Ok(source.to_owned()),
        false => Err(io::ErrorKind::NotFound.into()),
    };
    let tree = CrateTree::load(Path::new("src/lib.rs"), &mut read).expect("a root");
    rewrite(&tree, &options(output))
}

#[test]
fn names_of_sites_have_no_raw_names() {
    let source = "mod r#mod { fn r#fn() {} } mod plain { fn f() {} }";
    let mut read = |_: &Path| Ok(source.to_owned());
    let tree = CrateTree::load(Path::new("lib.rs"), &mut read).expect("a root");
    let facts = CrateIdentity {
        name: "app".to_owned(),
        ..CrateIdentity::default()
    };
    let options = Options {
        facts,
        ..Options::default()
    };
    let rewritten = rewrite(&tree, &options);
    assert_eq!(rewritten.functions[0].name, "app::mod::fn");
    let text = &rewritten.files[0].1;
    assert!(
        text.contains("concat!(\"\", \"app::mod\", \"::fn\")"),
        "{text}"
    );
    assert!(text.contains("module_path!(), \"::f\")"), "{text}");
}

#[test]
fn what_is_left_out_keeps_its_text() {
    let source =
        "#[cfg_attr(any(), soft_mock::skip)] fn a() {}\nmod tiny { fn b() {} }\nfn c() {}\n";
    let rewritten = run(source, Output::Program);
    let text = before_support(&rewritten);
    assert!(
        text.starts_with(&source[..source.rfind("fn c").expect("c")]),
        "{text}"
    );
    let kinds: Vec<_> = rewritten.functions.iter().map(|f| f.kind).collect();
    let left_out = Err(Ineligible::LeftOut);
    assert_eq!(kinds, [left_out, left_out, Ok(Kind::Sync)]);
}

fn before_support(rewritten: &Rewritten) -> String {
    let text = &rewritten.files[0].1;
    let end = text
        .find("\n#[doc(hidden)] #[allow(warnings")
        .expect("support");
    text[..end].to_owned()
}

fn check_twin(source: &str, expected: &str) {
    assert_eq!(before_support(&run(source, Output::Twin)), expected);
}

#[test]
fn every_line_stays_where_it_was() {
    let source = "fn a() {\n    1;\n}\n\nimpl X {\n    async fn b(&self,\n        (x,\n         y): (u8, u8)) {\n        x + y;\n    }\n}\n";
    let rewritten = run(source, Output::Program);
    let text = before_support(&rewritten);
    for (old, new) in source.lines().zip(text.lines()) {
        if !old.ends_with('{') && !old.contains("(x") && !old.contains("y):") {
            // A body in which a parameter is taken apart ends with more braces.
            assert_eq!(old.trim_end_matches('}'), new.trim_end_matches('}'));
        }
    }
    assert_eq!(source.lines().count(), text.lines().count());
    assert_eq!(rewritten.functions[1].line, 6);
    assert_eq!(rewritten.functions[1].brace_line, 8);
    syn::parse_file(&text).expect("the output is Rust");
}

#[test]
fn a_byte_order_mark_and_a_script_line_stay() {
    for start in ["\u{feff}", "#!/usr/bin/env run\n", "\u{feff}#!/run\n"] {
        let rewritten = run(&format!("{start}fn a() {{}}"), Output::Program);
        let text = before_support(&rewritten);
        assert!(
            text.starts_with(&format!("{start}fn a() {{ {{ #[used]")),
            "{text}"
        );
    }
}

#[test]
fn functions_that_can_not_be_redirected_say_why() {
    let rewritten = run(
        "const fn c() {} fn g<T>() {} trait T { fn d(&self) {} } fn i(x: impl Fn()) {} #[test] fn t() {}",
        Output::Program,
    );
    let why: Vec<Ineligible> = rewritten
        .functions
        .iter()
        .filter_map(|f| f.kind.err())
        .collect();
    assert_eq!(
        why,
        [
            Ineligible::Const,
            Ineligible::Generic,
            Ineligible::TraitDefault,
            Ineligible::ImplTrait,
            Ineligible::Test
        ]
    );
}

#[test]
fn functions_in_bodies_have_sites_in_tests_alone() {
    let source = "fn a() { fn b() { || { mod c { fn d(d: u8) {} } } } impl X { fn e(&self) {} } fn f(f: u8) {} } const _: () = { impl X { fn g() {} } };";
    let mut read = |_: &Path| Ok(source.to_owned());
    let tree = CrateTree::load(Path::new("src/lib.rs"), &mut read).expect("a root");
    let names = |mocks: bool, output: Output| {
        let options = Options {
            mocks,
            ..options(output)
        };
        let functions = rewrite(&tree, &options).functions.into_iter();
        let named = functions.map(|f| (f.name, f.kind.err()));
        named.collect::<std::collections::BTreeMap<_, _>>()
    };
    let of_tests = names(true, Output::Program);
    let refused: Vec<_> = of_tests.iter().filter(|(_, why)| why.is_some()).collect();
    assert_eq!(
        refused,
        [(&"app::a::f".to_owned(), &Some(Ineligible::Hidden))]
    );
    let expected = [
        "app::X::g",
        "app::a",
        "app::a::X::e",
        "app::a::b",
        "app::a::b::c::d",
        "app::a::f",
    ];
    assert!(of_tests.keys().eq(&expected), "{of_tests:?}");
    assert!(names(false, Output::Program).keys().eq(&["app::a"]));
    assert!(names(true, Output::Twin).keys().eq(&["app::a"]));
}

#[test]
fn the_twin_widens_what_collides_with_nothing() {
    check_twin(
        "mod a { struct S; const C: u8 = 1; }",
        "pub mod a { pub struct S; pub const C: u8 = 1; }",
    );
    check_twin("pub(crate) static S: u8 = 1;", "pub static S: u8 = 1;");
    check_twin("#[unknown] struct S;", "#[unknown] struct S;");
    check_twin(
        "#[derive(Unknown)] #[helper] struct S;",
        "#[derive(Unknown)] #[helper] pub struct S;",
    );
}

#[test]
fn fields_are_widened_in_program_and_twin_alike() {
    let source = "pub struct S { #[allow(x)] a: u8, pub(crate) b: u8 } pub struct T(u8);";
    let expected = "pub struct S { #[allow(x)] pub a: u8, pub b: u8 } pub struct T(pub u8);";
    assert_eq!(before_support(&run(source, Output::Program)), expected);
    check_twin(source, expected);
}

#[test]
fn fields_that_may_hide_others_stay_private() {
    let source = "pub struct S { n: u8 } impl Deref for S { type Target = u8; }";
    let rewritten = run(source, Output::Program);
    assert_eq!(before_support(&rewritten), source);
    assert_eq!(rewritten.hidden[0].name, "n");
}

#[test]
fn names_mentioned_where_they_are_invisible_stay_private() {
    let source = "mod a { pub struct S; impl S { fn m(&self); } } fn f(s: a::S) { s.m() }";
    let rewritten = run(&source.replace("m(&self);", "m(&self) {}"), Output::Twin);
    assert!(rewritten
        .hidden
        .iter()
        .any(|h| h.name == "m" && h.scope == ["a"]));
    let glob = run(
        "mod a { fn drop() {} } use a::*; fn f() { drop(1) }",
        Output::Twin,
    );
    assert!(glob.hidden.iter().any(|h| h.name == "drop"));
}
