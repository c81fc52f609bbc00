use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::FileItems;
use crate::syntax::edition::Edition;

/// The sources for all functions with a site in the first file of a crate `app`.
fn sources(files: &[(&str, &[&str], &str)]) -> PatchSource {
    sources_with(files, &[])
}

/// The same with what is new beside them.
fn sources_with(
    files: &[(&str, &[&str], &str)],
    additions: &[(usize, Declaration)],
) -> PatchSource {
    let items: Vec<Arc<FileItems>> = files
        .iter()
        .map(|(path, module, text)| {
            let module: Vec<String> = module.iter().map(|m| (*m).to_owned()).collect();
            Arc::new(FileItems::read(text, Path::new(path), &module).expect("a file"))
        })
        .collect();
    let last = files.len() - 1;
    let functions: Vec<PatchFunction> = (0..items[last].functions.len())
        .filter(|&function| items[last].functions[function].kind.is_ok())
        .map(|function| PatchFunction {
            file: last,
            function,
            not_send: false,
            typed: false,
            added: false,
        })
        .collect();
    let options = PatchedCrate {
        crate_name: "app".to_owned(),
        edition: Edition::E2021,
        unit: 7,
        rustc: "rustc 1".to_owned(),
    };
    patch_source(&PatchRequest {
        options: &options,
        files: &items,
        text: &|_| Some(files[last].2),
        hidden: &[],
        functions: &functions,
        additions,
        shown: &|path| path.display().to_string(),
    })
    .expect("sources")
}

/// What stands in the root between the host's name and the manifest; the changed file is the last.
fn check_root(files: &[(&str, &[&str], &str)], expected: &str) {
    let root = sources(files).files[0].1.clone();
    let start = root.find("pub use ::__hot_host::*; ").expect("a root") + 25;
    let end = root.find("\n#[used]").expect("a manifest");
    assert_eq!(root[start..end].trim_end(), expected);
}

/// Whether it stands for a value in patterns is asked of the compiler.
#[test]
fn new_imports_that_are_called_as_variables() {
    let text = "use dep::left_val; use dep::{of as Of}; fn f() { 1 }";
    let import = |import| (0, Declaration::Import { module: 0, import });
    let found = sources_with(&[("/src/lib.rs", &[], text)], &[import(0), import(1)]);
    let root = &found.files[0].1;
    let probe = "const _: fn() = || { use dep::left_val; struct __SoftMockValue; let left_val = __SoftMockValue; }; ";
    assert!(root.contains(probe), "{root}");
    assert!(!root.contains("let Of"), "{root}");
}

#[test]
fn bodies_keep_their_place() {
    let text = "struct S;\nimpl S {\n    /// Docs.\n    fn get(&self,\n           key: &str) -> u8 {\n        1 }\n    fn put(&self) {}\n}\nfn é() -> u8 { 2 }\n";
    let file = &sources(&[("/src/lib.rs", &[], text)]).files[1];
    assert_eq!(file.0, Path::new("src/lib.rs"));
    let (old, new): (Vec<&str>, Vec<&str>) = (text.lines().collect(), file.1.lines().collect());
    assert_eq!(new[3].split_at(10), ("          ", &old[3][10..]));
    assert_eq!(new[4], old[4]);
    assert!(new[5].starts_with(old[5]));
    assert!(new[6].starts_with("          (&self) {}"));
    assert!(new[8].starts_with("    () -> u8 { 2 }"));
    assert!(new[..3]
        .concat()
        .contains("export_name = \"__soft_mock_patch_0\""));
}

#[test]
fn imports_are_kept_where_a_name_leads_to_them() {
    check_root(
        &[
            ("/src/lib.rs", &[], "mod a; mod b; use std::fs; extern crate alloc; extern crate other;"),
            ("/src/b.rs", &["b"], "pub use crate::c::Deep; use crate::c::Other; pub struct Plain; pub trait T {}"),
            ("/src/a.rs", &["a"], "use crate::b::{Deep, Plain, T}; use alloc::vec; use std::{io, mem};\nfn f(d: Deep) { io::stdin(); vec![] }"),
        ],
        "pub mod a { pub use ::__hot_host::a::*; use crate::b::Deep; use crate::b::T; use alloc::vec; use std::io; pub use ::__hot_host::a::f; ::core::include!(\"src/a.rs\"); } pub mod b { pub use ::__hot_host::b::*; pub use crate::c::Deep; pub use ::__hot_host::b::T; } extern crate alloc ;",
    );
}

#[test]
fn what_may_be_a_trait_is_kept_whatever_it_is_called() {
    let lib = "mod a; mod b; macro_rules! make { () => { pub trait made {} } }";
    let b = "pub trait lower {} pub fn helper() {} make!(); pub mod inner {}";
    check_root(
        &[
            ("/src/lib.rs", &[], lib),
            ("/src/b.rs", &["b"], b),
            ("/src/a.rs", &["a"], "use crate::b::{lower, helper, made, inner}; use dep::{other, std}; use std::fs;\nfn f() {}"),
        ],
        "pub mod a { pub use ::__hot_host::a::*; use crate::b::lower; use crate::b::made; use dep::other; use dep::std; pub use ::__hot_host::a::f; ::core::include!(\"src/a.rs\"); }",
    );
}

#[test]
fn names_of_the_module_are_named_and_conditions_kept() {
    check_root(
        &[
            ("/src/lib.rs", &[], "#[cfg(unix)] mod a;"),
            ("/src/a.rs", &["a"], "use super::*; #[cfg(x)] fn g() {}\nstruct T; fn h<X>() {} const fn f() { g(); }\nfn k() { g() }"),
        ],
        "pub mod a { pub use ::__hot_host::a::*; use super::*; #[cfg ( unix )] #[cfg ( x )] pub use ::__hot_host::a::g; #[cfg ( unix )] pub use ::__hot_host::a::k; ::core::include!(\"src/a.rs\"); }"
            .replace("use super", "#[cfg ( unix )] use super")
            .as_str(),
    );
}

#[test]
fn macros_are_copied_with_what_they_call() {
    check_root(
        &[
            ("/src/lib.rs", &[], "#[macro_use] mod m; mod a; macro_rules! unused { () => {} }"),
            ("/src/m.rs", &["m"], "macro_rules! one { () => { two!() } } macro_rules! two { () => { 2 } } #[macro_export] macro_rules! three { () => { 3 } }"),
            ("/src/a.rs", &["a"], "fn f() { one!(); three!(); }"),
        ],
        "#[macro_use] pub mod m { pub use ::__hot_host::m::*; macro_rules ! one { () => { two ! () } } macro_rules ! two { () => { 2 } } } pub mod a { pub use ::__hot_host::a::*; use ::__hot_host::three; pub use ::__hot_host::a::f; ::core::include!(\"src/a.rs\"); }",
    );
}

#[test]
fn attributes_of_the_root_are_carried() {
    let text = "#![feature(x)] #![deny(warnings)] #![recursion_limit = \"256\"] #![cfg_attr(y, feature(z))]\nfn f() {}";
    let root = &sources(&[("/src/lib.rs", &[], text)]).files[0].1;
    let head: Vec<&str> = root.lines().take(4).collect();
    assert_eq!(
        head,
        [
            "#![feature ( x )]",
            "#![recursion_limit = \"256\"]",
            "#![cfg_attr ( y , feature ( z ) )]",
            "#![allow(warnings, clippy::all)]"
        ]
    );
}
