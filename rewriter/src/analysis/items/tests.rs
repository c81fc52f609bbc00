use std::path::Path;

use super::*;
use crate::analysis::eligibility::{Ineligible, Kind};
use crate::syntax::CompiledAs;

fn read(text: &str) -> FileItems {
    FileItems::read(text, Path::new("src/a.rs"), &["a".to_owned()]).expect("a file")
}

#[test]
fn functions_of_all_kinds() {
    let text = "#!/usr/bin/env run\nfn f() {}\n#[cfg(unix)] mod m { impl<'a> T<'a> for S { type X = u8; async fn g(&self) {} } }\ntrait D { fn h() {} fn i(); }\n#[cfg(test)] fn t() {}";
    let items = read(text);
    let found: Vec<_> = items
        .functions
        .iter()
        .map(|f| (f.site_name("app"), f.title(), f.line, f.kind.is_ok()))
        .collect();
    let expected = [
        ("app::a::f", "fn f", 2, true),
        ("<app::a::m::S as T>::g", "<S as T>::g", 3, true),
        ("app::a::h", "D::h", 4, false),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(a, b, c, d)| ((*a).to_owned(), (*b).to_owned(), *c, *d))
        .collect();
    assert_eq!(found, expected);
    let method = &items.functions[1];
    assert_eq!(method.cfgs, ["cfg ( unix )"]);
    assert_eq!(&text[method.place.signature.clone()], "async fn g(&self) ");
    assert_eq!(&text[method.place.name.clone()], "g");
    let header = items.header_of(method).expect("a header");
    assert_eq!(header.text, "impl < 'a > T < 'a > for S");
    assert_eq!(header.types, ["X"]);
}

#[test]
fn attributes_that_may_make_something_else_of_a_function() {
    let items = read(
        "#[inline] #[tokio::main] fn a() {}\n#[cfg(unix)] #[actix_web::get(\"/\")] async fn b() {}\n\
         #[instrument(skip(x))] #[post(\"/\")] fn c() {}\nfn d() {}",
    );
    let functions = items.functions.iter();
    let found: Vec<_> = functions.map(DeclaredFunction::attribute_macro).collect();
    assert_eq!(found, [None, Some("get"), Some("post"), None]);
}

#[test]
fn imports_one_by_one() {
    let items = read("pub(crate) use a::{b, c::{self, d as e}, f::*}; use ::g::H as _;");
    let found: Vec<String> = items.modules[0]
        .uses
        .iter()
        .map(|u| format!("{}|{}", u.path_text(), u.bound().unwrap_or("*")))
        .collect();
    assert_eq!(
        found,
        [
            "a::b|b",
            "a::c::{self}|c",
            "a::c::d as e|e",
            "a::f::*|*",
            "::g::H as _|_"
        ]
    );
}

#[test]
fn names_of_a_module() {
    let items = read("struct A; mod b; #[macro_use] #[cfg(x)] mod c {} macro_rules! m { () => { static X: u8 = 1; } } extern crate d as e; pub(crate) fn f() {} extern { fn g(); }");
    let module = &items.modules[0];
    let locals: Vec<&str> = module.locals.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(locals, ["A", "f", "g"]);
    assert_eq!(module.children.len(), 2);
    assert!(module.children[1].macro_use);
    assert_eq!(module.children[1].cfgs, ["cfg ( x )"]);
    assert!(module.macros[0].declares);
    assert_eq!(
        module.macros[0].text,
        "macro_rules! m { () => { static X: u8 = 1; } }"
    );
    assert_eq!(module.extern_crates[0].text, "extern crate d as e ;");
    let private: Vec<&str> = items.private.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(private, ["A", "b", "c"]);
}

#[test]
fn a_block_is_like_a_file_of_its_own() {
    let inside =
        "use x::y; struct S { a: u8 } impl S { fn f(&self) {} } mod n { #[cfg(v)] fn g() {} }";
    let outside = "struct T; mod n { struct S; }";
    let whole = read(&format!("{outside} #[cfg(u)] mod m {{ {inside} }}"));
    let module = ["a".to_owned(), "m".to_owned()];
    let (rest, block) = whole.split(&module).expect("one block");
    let alone = FileItems::read(inside, Path::new("src/a/m.rs"), &module).expect("a file");
    let functions = |items: &FileItems| -> Vec<_> {
        let functions = items.functions.iter();
        functions
            .map(|f| (f.site_name("app"), f.cfgs.clone(), f.body))
            .collect()
    };
    assert_eq!(functions(&block), functions(&alone));
    let named = |items: &FileItems| -> Vec<_> {
        let items = items.items.iter();
        items
            .map(|i| (i.title(), i.module.clone(), i.cfgs.clone()))
            .collect()
    };
    assert_eq!(named(&block), named(&alone));
    let paths = |items: &FileItems| -> Vec<_> {
        items
            .modules
            .iter()
            .map(|m| (m.path.clone(), m.cfgs.clone()))
            .collect()
    };
    assert_eq!(paths(&block), paths(&alone));
    let declared = read(&format!("{outside} #[cfg(u)] mod m;"));
    assert_eq!(
        (named(&rest), paths(&rest)),
        (named(&declared), paths(&declared))
    );

    let twice = read("#[cfg(u)] mod m {} #[cfg(not(u))] mod m {}");
    assert!(twice.split(&module).is_none() && declared.split(&module).is_none());
}

#[test]
fn items_can_be_kept_and_sent() {
    fn send<T: Send + Sync + 'static>() {}
    send::<FileItems>();
}

#[test]
fn what_is_there_for_tests_is_an_item_of_a_harness() {
    let text = "#[test] fn a() {} #[cfg(test)] mod tests { fn helper() {} #[test] fn b() {} }";
    let kinds = |compiled_as| {
        let items = FileItems::read_as(compiled_as, text, Path::new("src/a.rs"), &[]);
        let functions = items.expect("a file").functions;
        let kinds = functions.into_iter().map(|found| (found.name, found.kind));
        kinds.collect::<Vec<_>>()
    };
    let named = |name: &str, kind| (name.to_owned(), kind);
    let left = [named("a", Err(Ineligible::Test))];
    assert_eq!(kinds(CompiledAs::Crate), left);
    let sync = ["a", "helper", "b"].map(|name| named(name, Ok(Kind::Sync)));
    assert_eq!(kinds(CompiledAs::Harness), sync);
}
