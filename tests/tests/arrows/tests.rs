//! The readers, on crates made for it.

use std::fs;
use std::path::Path;

use super::problems;

/// What is wrong with a crate of these files.
fn problems_of(files: &[(&str, &str)]) -> Vec<String> {
    problems_in_order(files, "")
}

fn problems_in_order(files: &[(&str, &str)], order: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join("src").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, format!("//! A file.\n{text}")).expect("a file");
    }
    let source = format!("{}/", folder.path().join("src").display());
    let problems = problems(folder.path(), order).into_iter();
    problems
        .map(|problem| problem.replace(&source, ""))
        .collect()
}

const ROOT: &str = "mod a;\nmod b;\nmod c;\npub use b::Exported;\n";

fn check(a: &str, b: &str, expected: &[&str]) {
    let files = [
        ("lib.rs", ROOT),
        ("a.rs", a),
        ("b.rs", b),
        ("c.rs", "pub struct C;\n"),
    ];
    assert_eq!(problems_of(&files), expected, "{a:?} {b:?}");
}

#[test]
fn a_circle_is_found_and_its_arrows_are_named() {
    let circle = ["b.rs:2: b -> a\n  closes a circle:\n  a.rs:2: a -> b"];
    check("use crate::b::B;\n", "use crate::a::A;\n", &circle);
    check("use crate::{b::B, c};\n", "use super::a;\n", &circle);
    check(
        "use crate::Exported;\n",
        "fn f() { crate::a::f() }\n",
        &circle,
    );
    check(
        "fn f(_: &super::b::B) {}\n",
        "fn f() { println!(\"{}\", crate::a::N) }\n",
        &circle,
    );
    check(
        "pub(crate) use super::b::*;\n",
        "impl B { fn f() { use crate::a::A; } }\n",
        &circle,
    );
    check(
        "mod inner { use super::super::b; }\n",
        "mod inner { fn f() { crate::a::f() } }\n",
        &circle,
    );
    check(
        "macro_rules! m { () => { $crate::b::f() }; }\n",
        "use self::super::a;\n",
        &circle,
    );
}

#[test]
fn what_runs_upwards_is_named() {
    let check = |order: &str, expected: &[&str]| {
        let files = [
            ("lib.rs", ROOT),
            ("a.rs", "use crate::b;\n"),
            ("b.rs", "\nuse crate::c;\n"),
            ("c.rs", ""),
        ];
        assert_eq!(problems_in_order(&files, order), expected, "{order}");
    };
    check("a > b > c", &[]);
    check("b > a > c", &["a.rs:2: a -> b runs upwards"]);
    check("a > b c", &["b.rs:3: b -> c runs upwards"]);
    check("a > b", &["b.rs:3: b -> c: one of them has no place"]);
}

#[test]
fn what_runs_one_way_passes() {
    check(
        "use crate::b::B;\nuse crate::c::C;\n",
        "use crate::c::C;\nuse self::B;\n",
        &[],
    );
    check(
        "use super::b;\nuse crate::a::inner;\n",
        "fn super_() { a::f() }\n",
        &[],
    );
    // Tests may look at everything.
    check(
        "use crate::b::B;\n",
        "#[cfg(test)]\nmod tests { use crate::a::A; }\n#[cfg(test)] use crate::a;\n",
        &[],
    );
    check(
        "use crate::b::B;\n",
        "struct B; impl B { #[cfg(test)] fn f() { crate::a::f() } }\n",
        &[],
    );
}

#[test]
fn modules_in_folders_belong_to_the_one_above() {
    let files = [
        ("main.rs", "mod a;\nmod b;\n"),
        ("a/mod.rs", "mod deep;\n#[cfg(test)] mod tests;\n"),
        ("a/deep.rs", "\nuse crate::b::B;\n"),
        ("b.rs", "use crate::a;\n"),
    ];
    let expected = ["b.rs:2: b -> a\n  closes a circle:\n  a/deep.rs:3: a -> b"];
    assert_eq!(problems_of(&files), expected);
}

#[test]
fn files_without_an_introduction_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("src");
    fs::create_dir_all(&source).expect("a folder");
    fs::write(
        source.join("lib.rs"),
        "//! A library.\nmod a;\n#[cfg(test)] mod tests;\n",
    )
    .expect("a file");
    fs::write(source.join("a.rs"), "// Not that.\nfn f() {}\n").expect("a file");
    let found = problems(folder.path(), "");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with("a.rs doesn't open with `//!`"),
        "{found:?}"
    );
}

#[test]
#[should_panic(expected = "has no sources")]
fn a_folder_without_sources_is_no_crate() {
    problems(Path::new("/"), "");
}
