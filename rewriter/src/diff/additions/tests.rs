use std::path::Path;

use super::*;
use crate::analysis::layout_names::LayoutNames;
use crate::diff::tests::states;
use crate::diff::{diff, FileDiff, ProgramContext};

/// The additions between two states of a root file, beside a file that stays: their names, or why
/// there are none.
fn additions(old: &str, new: &str, other: &str) -> Result<Vec<String>, String> {
    let read = |text: &str, path: &str, module: &[String]| {
        FileItems::read(text, Path::new(path), module).expect("a file")
    };
    let module = ["b".to_owned()];
    let (before, after) = (read(old, "lib.rs", &[]), read(new, "lib.rs", &[]));
    let beside = read(other, "b.rs", &module);
    let names = |file| LayoutNames::of([(0, file), (0, &beside)]);
    let (then, now) = (names(&before), names(&after));
    let around = ProgramContext {
        unit: 0,
        before: &then,
        after: &&now,
    };
    let found: FileDiff = diff(&before, &after, &around);
    if let Some(rude) = found.rude.first() {
        return Err(rude.what.clone());
    }
    let sources = [
        Source {
            unit: 0,
            old: Some(&before),
            items: &after,
            text: new,
            bodies: found.changed.iter().map(|changed| changed.new).collect(),
            edits: found.indirect.iter().collect(),
        },
        Source {
            unit: 0,
            old: Some(&beside),
            items: &beside,
            text: other,
            bodies: Vec::new(),
            edits: Vec::new(),
        },
    ];
    let found = Additions::of(&sources)?;
    let names = found.all.into_iter().flat_map(|one| one.names);
    let names: BTreeSet<String> = names.collect();
    Ok(names.into_iter().collect())
}

const OLD: &str = "mod b; struct S; impl S { fn g(&self) {} } fn f() { one() } fn one() {}";

/// `new` is `OLD` with another body of `f` and more items.
#[track_caller]
fn check(body: &str, more: &str, other: &str, expected: Result<&[&str], &str>) {
    let new = OLD.replace("{ one() }", &format!("{{ {body} }}")) + more;
    match (additions(OLD, &new, other), expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
}

#[test]
fn what_only_bodies_mention() {
    check("two()", "fn two() {}", "", Ok(&["two"]));
    check(
        "two()",
        "/// Of `two`.\nfn two() { two() }",
        "// two",
        Ok(&["two"]),
    );
    check(
        "two()",
        "pub fn two() { three() } const fn three() {}",
        "",
        Ok(&["three", "two"]),
    );
    check(
        "two(N)",
        "const N: u8 = 1; type M = u8;",
        "",
        Ok(&["M", "N"]),
    );
    check(
        "S.h()",
        "impl S { fn h(&self) {} }",
        "fn h() {}",
        Ok(&["h"]),
    );
    check(
        "two::<u8>()",
        "fn two<T>() {}",
        "struct A { two: u8 }  fn g(a: A) { a.two }",
        Err("two"),
    );
    check(
        "two()",
        "fn two() {}",
        "fn g(a: &A) { a.two.two(); }",
        Ok(&["two"]),
    );
    check(
        "two()",
        "fn two() {}",
        "#[cfg(test)] mod tests { fn t() { two() } }",
        Ok(&["two"]),
    );
    check(
        "T { a: 1 }.a",
        "struct T { a: u8 } impl T { fn new() {} }",
        "",
        Ok(&["T"]),
    );
    check(
        "T.h()",
        "struct T; impl Tr for T {} trait Tr { fn h(&self) {} }",
        "",
        Ok(&["T", "Tr", "h"]),
    );
}

#[test]
fn what_unchanged_text_mentions() {
    let two = "pub fn two() {}";
    check("two()", two, "fn g() { two() }", Err("line 1 of b.rs"));
    check(
        "two()",
        two,
        "fn g() { let two = 1; }",
        Err("`two` stands elsewhere"),
    );
    check(
        "two()",
        two,
        "fn g() { println!(\"{two}\") }",
        Err("`two` stands elsewhere"),
    );
    check(
        "two()",
        two,
        "#[serde(default = \"two\")] struct A;",
        Err("`two` stands elsewhere"),
    );
    check(
        "two()",
        two,
        "macro_rules! m { () => { two() } }",
        Err("a macro"),
    );
    check("two()", two, "use other::two;", Err("an import"));
    check(
        "two()",
        two,
        "fn g() { use a::two; }",
        Err("`two` stands elsewhere"),
    );
    check("two()", two, "mod two {}", Err("`two` stands elsewhere"));
    check(
        "two()",
        two,
        "include!(\"x.rs\");",
        Err("`include` stands elsewhere"),
    );
    check(
        "S.h()",
        "impl S { fn h(&self) {} }",
        "fn g(a: A) { a.h() }",
        Err("`h` stands elsewhere"),
    );
    check(
        "S::h()",
        "impl S { fn h() {} }",
        "fn g() { A::h() }",
        Err("`h` stands elsewhere"),
    );
    check(
        "T.h()",
        "struct T; impl Tr for T {} pub trait Tr { fn h(&self) {} }",
        "fn g(a: A) { a.h() }",
        Err("`h`"),
    );
}

/// What one of several additions of a name may mean counts, whichever it is.
#[test]
fn several_of_one_name() {
    let old = "mod deep { mod er { use super::*; fn f() { two() } } pub fn two() {} }";
    let of_trait = "trait Two { fn two(&self); } impl Two for u8 { fn two(&self) {} }";
    let item = "fn two() {}";
    let new = old.replace("use super::*;", &format!("use super::*; {item}"));
    let elsewhere = additions(old, &new, "").expect_err("it hides what the glob brings");
    assert!(elsewhere.contains("`two` stands elsewhere"), "{elsewhere}");
    for new in [
        format!("{of_trait} {new}"),
        format!("{new} {of_trait}"),
        format!("impl S {{ fn two(&self) {{}} }} {new}"),
    ] {
        let found = additions(old, &new, "struct S;");
        assert_eq!(found.as_ref(), Err(&elsewhere), "{new}");
    }
    // The other way round: a method that code after a dot may mean.
    let method = "impl S { fn two(&self) {} }";
    for (before, after) in [(item, method), (method, item)] {
        check(
            "1",
            &format!("{before} {after}"),
            "fn g(a: A) { a.two() }",
            Err("`two` stands"),
        );
    }
}

#[test]
fn what_cannot_be_seen_from_there() {
    let check_in = |vis: &str, expected: Result<&[&str], &str>| {
        let old = "mod a { fn f() {} } fn g() {}";
        let new = format!("mod a {{ fn f() {{ two() }} {vis} fn two() {{}} }} fn g() {{}}");
        match (additions(old, &new, "fn h() { two() }"), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{vis}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => panic!("{vis}: {found:?} instead of {expected:?}"),
        }
    };
    check_in("", Ok(&["two"]));
    check_in("pub(self)", Ok(&["two"]));
    for vis in ["pub", "pub(crate)", "pub(super)", "pub(in crate::a)"] {
        check_in(vis, Err("`two` stands elsewhere"));
    }
}

#[test]
fn what_reaches_more_than_its_names() {
    check("1", "fn drop() {}", "", Err("macros may mean `drop`"));
    check("1", "struct Vec;", "", Err("macros may mean `Vec`"));
    check(
        "1",
        "impl S { fn clone(&self) {} }",
        "",
        Err("macros may mean `clone`"),
    );
    check(
        "1",
        "impl Clone for S { fn clone(&self) -> S { S } }",
        "",
        Err("impl Clone for S"),
    );
    check("1", "static N: u8 = 1;", "", Err("static N added"));
    check("1", "mod inner {}", "", Err("mod inner added"));
    check(
        "1",
        "macro_rules! two { () => {} }",
        "",
        Err("macro two! added"),
    );
    check(
        "1",
        "fn two() { static N: u8 = 1; }",
        "",
        Err("fn two declares static N"),
    );
    check("1", "#[instrument] fn two() {}", "", Err("an attribute"));
    check("1", "const _: () = ();", "", Err("const _ added"));
}

/// Macros of other crates mention names that stand nowhere in the crate.
#[test]
fn what_macros_of_other_crates_may_mean() {
    let pattern = |name: &str| format!("a pattern of a macro may mean `{name}`");
    for (text, name) in [
        ("const left_val: u8 = 1;", "left_val"),
        ("struct left_val;", "left_val"),
        ("struct _tmp(u8);", "_tmp"),
        ("type tmp = u8;", "tmp"),
    ] {
        check("1", text, "", Err(&pattern(name)));
    }
    check("1", "fn left_val() {}", "", Ok(&["left_val"]));
    check("1", "const Left: u8 = 1;", "", Ok(&["Left"]));
    check("1", "fn size_of() {}", "", Err("macros may mean `size_of`"));
    check(
        "1",
        "use other::vec;",
        "",
        Err("macros may mean `other::vec`"),
    );
    check("1", "use std::env;", "", Ok(&["env"]));
}

/// What they mention meant something before: what a glob brings, or an import that is there no
/// more.
#[test]
fn what_macros_may_have_meant() {
    let glob = "use outer::prelude::*;";
    let (asserts, calls) = ("fn g() { assert_eq!(1, 1) }", "fn g() { outer::of!(1) }");
    let with = |text: &str| format!("{glob} {text}");
    let may_mean = |what: &str| Err(what.to_owned());
    let two = |open: &str, other: &str, expected: Result<(), String>| {
        let expected = expected.as_ref().map(|()| &["Two"][..]).map_err(|e| &**e);
        check(
            "Two::new()",
            &format!("{open} struct Two;"),
            other,
            expected,
        );
    };
    two("pub", calls, Ok(()));
    two("pub", &with(asserts), Ok(()));
    two("pub", &with("use m::*; fn g() { vec![1] }"), Ok(()));
    two("pub", &with(calls), may_mean("of! (b.rs:1) may mean `Two`"));
    two(
        "pub",
        &with("#[outer] fn g() {}"),
        may_mean("#[outer] (b.rs:1)"),
    );
    two(
        "pub",
        &with("#[derive(Debug, outer::Of)] struct A;"),
        may_mean("derive(Of)"),
    );
    two(
        "pub",
        &with("#[derive(Debug, Serialize)] #[serde(skip)] struct A;"),
        Ok(()),
    );
    two(
        "pub",
        &with("use outer::vec; fn g() { vec![1] }"),
        may_mean("vec! (b.rs:1)"),
    );
    two(
        "pub",
        &with("macro_rules! own { () => { 1 } } fn g() { own!() }"),
        Ok(()),
    );
    // A glob of the crate's own leads to it; a private item isn't seen from there.
    let own = "pub mod prelude { pub use outer::*; } use self::prelude::*; fn g() { of!() }";
    two("pub", own, may_mean("of! (b.rs:1)"));
    let old = "mod a { fn f() {} } fn g() {}";
    let new = "mod a { fn f() { Two } struct Two; } fn g() {}";
    assert!(additions(old, new, &with(calls)).is_ok());

    let old = format!("use std::collections::HashMap; {OLD}");
    assert!(additions(&old, &OLD.replace("one() }", "2 }"), asserts).is_ok());
    let why = additions(&old, &OLD.replace("one() }", "2 }"), calls).expect_err("a macro");
    assert!(why.contains("of! (b.rs:1) may mean `HashMap`"), "{why}");
}

#[test]
fn imports() {
    check(
        "M::new()",
        "use std::collections::HashMap as M;",
        "",
        Ok(&["M"]),
    );
    check("io::stdin()", "use std::io;", "", Ok(&["io"]));
    check(
        "A",
        "use crate::b::A;",
        "pub struct A;",
        Err("`A` stands elsewhere"),
    );
    check("A", "use other::A;", "", Err("use other::A added"));
    check("1", "use other::*;", "", Err("use other::* added"));
    check("a.read()", "use std::io::Read;", "", Ok(&["Read"]));
    check(
        "a.read()",
        "use std::io::Read as _;",
        "fn g(a: A) { a.read() }",
        Err("`read`"),
    );
    check(
        "1",
        "use std::borrow::Borrow;",
        "",
        Err("use std::borrow::Borrow added"),
    );
    check("1", "use std::os::unix::fs::MetadataExt;", "", Err("added"));
}

#[test]
fn imports_are_removed() {
    let old = format!("use std::io; use std::fmt; {OLD}");
    let new = OLD.replace("one() }", "2 }");
    assert_eq!(
        additions(&old, &new, ""),
        Ok(vec!["fmt".to_owned(), "io".to_owned()])
    );
    let used = new.replace("fn one() {}", "fn one() { io::stdin(); }");
    let old = old.replace("fn one() {}", "fn one() { io::stdin(); }");
    let why = additions(&old, &used, "").expect_err("a mention");
    assert!(why.contains("`io` stands elsewhere"), "{why}");
}

#[test]
fn what_bodies_get_to() {
    let text =
        "fn f() { two() } fn g() { 1 } fn two() { three() } fn three() { N } const N: u8 = 1;";
    let state = |text: &str| -> Vec<Fingerprint> {
        let (before, after, found) = states("fn f() {} fn g() {}", text);
        let source = Source {
            unit: 0,
            old: Some(&before),
            items: &after,
            text,
            bodies: found.changed.iter().map(|changed| changed.new).collect(),
            edits: found.indirect.iter().collect(),
        };
        let additions = Additions::of(&[source]).expect("additions");
        let functions = after.functions.iter().take(2);
        functions.map(|f| additions.reached_content(0, f)).collect()
    };
    let (first, then) = (state(text), state(&text.replace("u8 = 1", "u8 = 2")));
    assert_ne!(first[0], then[0]);
    assert_eq!(first[1], then[1]);
    assert_eq!(first, state(&text.replace("= 1", "= /* one */ 1")));
}

/// What is new in the crate 0, whose file's body changed, beside a changed crate 1.
#[track_caller]
fn between_crates(new: &str, user: &str, expected: Result<(), &str>) {
    let unit = |number: usize, old: &str, new: &str| {
        let path = format!("{number}.rs");
        let read = |text: &str| FileItems::read(text, Path::new(&path), &[]).expect("a file");
        let (before, after) = (read(old), read(new));
        let names = |file| LayoutNames::of([(number, file)]);
        let (then, now) = (names(&before), names(&after));
        let around = ProgramContext {
            unit: number,
            before: &then,
            after: &&now,
        };
        let found = diff(&before, &after, &around);
        (before, after, found)
    };
    let texts = [("fn f() {}", new), ("fn g() {}", user)];
    let read = [
        unit(0, texts[0].0, texts[0].1),
        unit(1, texts[1].0, texts[1].1),
    ];
    let sources = read.iter().enumerate();
    let sources = sources.map(|(unit, (before, after, found))| Source {
        unit,
        old: Some(before),
        items: after,
        text: texts[unit].1,
        bodies: found.changed.iter().map(|changed| changed.new).collect(),
        edits: found.indirect.iter().collect(),
    });
    let found = Additions::of(&sources.collect::<Vec<_>>());
    match (found, expected) {
        (Ok(_), Ok(())) => {}
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
}

#[test]
fn what_is_new_in_another_crate() {
    let (open, closed) = (
        "fn f() { two() } pub fn two() {}",
        "fn f() { two() } pub(crate) fn two() {}",
    );
    let elsewhere = Err("`two` stands elsewhere");
    between_crates(open, "fn g() { lib::two() }", elsewhere);
    between_crates(open, "fn g() { h() } fn h() { lib::two() }", elsewhere);
    between_crates(open, "use lib::two; fn g() { 1 }", elsewhere);
    between_crates(open, "use lib::two as h; fn g() { h() }", elsewhere);
    between_crates(open, "fn g() { three() } fn three() {}", Ok(()));
    between_crates(closed, "fn g() { two() } fn two() {}", Ok(()));
    let again = "pub use f as two; fn f() { 1 }";
    between_crates(again, "fn g() { lib::two() }", elsewhere);
    let holder = "pub struct Two; impl Two { pub fn make() {} } fn f() {}";
    between_crates(holder, "fn g() { lib::Two::make() }", Err("`Two` stands"));
}
