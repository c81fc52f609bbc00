//! Functions of micro-crates, as they are really written and compiled, compared with those of their
//! crate.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use soft_mock_compiled::meaning::{Function, Meaning, Own};
use soft_mock_rewriter::analysis::{Declaration, FileItems};
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options, Output, PrologueCheck};
use soft_mock_rewriter::patch_source::{patch_source, PatchFunction, PatchRequest, PatchedCrate};
use soft_mock_rewriter::syntax::{CrateTree, Edition};
use soft_mock_rewriter::whole_crate::prepare;

const FLAGS: [&str; 5] = [
    "--crate-name=app",
    "--edition=2021",
    "-Csymbol-mangling-version=v0",
    "--cap-lints=allow",
    "-Awarnings",
];

fn rustc(folder: &Path, args: &[&str]) {
    let status = Command::new("rustc")
        .args(FLAGS)
        .args(args)
        .current_dir(folder)
        .status();
    assert!(status.expect("rustc").success(), "{args:?}");
}

/// Writes the crate `app`, rewritten, to a folder of its own, which shows in no path.
fn write(folder: &Path, source: &str, output: Output) {
    let root = Path::new("/lib.rs");
    let read = &mut |_: &Path| Ok(source.to_owned());
    let tree = CrateTree::load(root, read).expect("a tree");
    let mut options = Options {
        output,
        edition: Edition::parse("2021"),
        facts: CrateIdentity {
            name: "app".to_owned(),
            ..CrateIdentity::default()
        },
        check: PrologueCheck::Assembly,
        ..Options::default()
    };
    let mut rewritten = rewrite(&tree, &options);
    if output == Output::Program {
        let prepared = prepare(tree, "app", &rewritten.functions, &|_| false).expect("Rust");
        options.without.extend(prepared.without);
        rewritten = rewrite(&prepared.tree, &options);
    }
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("lib.rs"), &rewritten.files[0].1).expect("a source");
}

/// What is found of each function of a crate that has a site, by its name.
fn meanings(source: &str) -> Vec<(String, Meaning)> {
    edited(source, source)
}

/// The same for functions that were there before; others are new beside them.
fn edited(before: &str, source: &str) -> Vec<(String, Meaning)> {
    compared(before, source, false)
}

/// `sites`: what is new has sites as well, if it is a function that has one in its crate.
fn compared(before: &str, source: &str, sites: bool) -> Vec<(String, Meaning)> {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path();
    write(&place.join("own"), source, Output::Program);
    let own = [
        "own/lib.rs",
        "--crate-type=rlib",
        "-Cmetadata=ab",
        "-Clink-dead-code",
    ];
    let settings = [
        "-Cdebuginfo=2",
        "-Cincremental=cache",
        "--remap-path-prefix=own/=/",
    ];
    rustc(place, &[&own[..], &settings].concat());
    write(&place.join("twin"), before, Output::Twin);
    let twin = ["twin/lib.rs", "--crate-type=lib", "-Cmetadata=ab"];
    rustc(
        place,
        &[&twin[..], &["--emit=metadata,mir=/dev/null"]].concat(),
    );

    let items = FileItems::read(source, Path::new("/lib.rs"), &[]).expect("a file");
    let items = [Arc::new(items)];
    let known = FileItems::read(before, Path::new("/lib.rs"), &[]).expect("a file");
    let all = items[0].functions.iter().enumerate();
    let (old, new): (Vec<_>, Vec<_>) = all
        .filter(|(_, function)| function.kind.is_ok())
        .partition(|(_, function)| known.functions.iter().any(|f| f.name == function.name));
    let function = |function, added| PatchFunction {
        file: 0,
        function,
        not_send: false,
        typed: true,
        added,
    };
    let with_site = new.iter().filter(|_| sites);
    let with_site = with_site.map(|(at, _)| function(*at, true));
    let functions = old.into_iter().map(|(at, _)| function(at, false));
    let functions: Vec<PatchFunction> = functions.chain(with_site).collect();
    let additions: Vec<_> = new
        .into_iter()
        .map(|(function, _)| (0, Declaration::Function(function)))
        .collect();
    let patch = patch_source(&PatchRequest {
        options: &PatchedCrate {
            crate_name: "app".to_owned(),
            edition: Edition::E2021,
            unit: 7,
            rustc: "rustc 1".to_owned(),
        },
        files: &items,
        text: &|_| Some(source),
        hidden: &[],
        functions: &functions,
        additions: &additions,
        shown: &|path| path.display().to_string(),
    })
    .expect("sources");
    for (path, text) in &patch.files {
        let path = place.join("micro").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a source");
    }
    let root = Path::new("micro").join(&patch.files[0].0);
    let twin = format!("--extern=__hot_host={}/libapp.rmeta", place.display());
    let micro = [
        "--crate-type=lib",
        "--emit=obj=micro.o",
        "-Cmetadata=cd",
        &twin,
    ];
    let settings = [
        "-Ccodegen-units=1",
        "-Cno-prepopulate-passes",
        "-Clink-dead-code",
        "--remap-path-prefix=micro/=/",
    ];
    rustc(
        place,
        &[&[root.to_str().expect("text")], &micro[..], &settings].concat(),
    );

    let library = std::fs::read(place.join("libapp.rlib")).expect("a library");
    let object = std::fs::read(place.join("micro.o")).expect("an object");
    let names = patch.functions.iter().enumerate();
    let all: Vec<Function<'_>> = names
        .map(|(position, entry)| Function {
            position,
            name: &entry.name,
            line: entry.line,
        })
        .collect();
    let own = Own::read(&library).expect("a library");
    let found = own.compare(&object, &all).expect("compared");
    let names = patch.functions.iter().map(|entry| entry.name.clone());
    names.zip(found).collect()
}

/// What differs in a function: what it refers to alone, and in its crate.
#[track_caller]
fn difference(source: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let all = meanings(source);
    let found = all.into_iter().find(|(function, _)| function == name);
    match found {
        Some((_, Meaning::Other(found))) => (found.alone, found.in_crate),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_text_means_the_same() {
    let source = "
use std::collections::BTreeMap;
use std::fmt;
pub static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
const LIMIT: u64 = 70_000;
#[derive(Clone, Debug, PartialEq)]
pub struct Store { pub names: BTreeMap<String, u64>, first: [u16; 3] }
pub trait Shape { fn corners(&self) -> u32 { 4 } fn name(&self) -> String; }
impl Shape for Store {
    fn name(&self) -> String { format!(\"{self:?} of {}\", self.corners()) }
}
impl Store {
    pub fn get(&self, (key, other): (&str, u8)) -> u64 {
        let found = self.names.get(key).copied().filter(|n| *n > LIMIT);
        found.unwrap_or_else(|| u64::from(self.first[usize::from(other)]))
    }
    pub fn boxed(self) -> Box<dyn Shape> { Box::new(self) }
    pub fn put(&mut self, key: String) -> Result<u64, String> {
        CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if key.is_empty() { return Err(\"empty\".to_owned()); }
        Ok(*self.names.entry(key).or_insert(LIMIT + 5).max(&mut 3))
    }
}
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(\"Store\").field(\"names\", &self.names).field(\"first\", &self.first).finish()
    }
}
impl Drop for Store { fn drop(&mut self) { println!(\"gone\") } }
fn twice<T: Copy + std::ops::Add<Output = T>>(n: T) -> T { n + n }
pub fn doubled(n: i16) -> i16 { twice(n) + 300 }
pub fn chosen(n: u32) -> &'static str { match n { 0 => \"none\", 1 => \"one\", 2 => \"two\", 3 => \"three\", 4 => \"four\", _ => \"many\" } }
pub fn fails(n: u32) -> u32 { assert!(n > 300, \"small\"); n.checked_mul(7).expect(\"no room\") }
pub fn again(n: u32) -> u32 { if n == 0 { 0 } else { again(n - 1) + 9 } }
pub async fn later(n: u32) -> u32 { let add = |m: u32| m + 77; add(again(n)) }
pub async fn much_later(store: Store) -> u64 { later(5).await; store.get((\"a\", 1)) }
pub mod inner {
    use super::*;
    pub fn outer(n: u32) -> Vec<String> { (0..n).map(|n| format!(\"{}\", super::again(n) + 1000)).collect() }
}
";
    let all = meanings(source);
    assert_eq!(all.len(), 13, "{all:?}");
    for (name, meaning) in all {
        assert_eq!(meaning, Meaning::Same, "{name}");
    }
}

#[test]
fn what_a_macro_makes_hides_what_a_glob_brings() {
    let source = "
pub mod other { pub fn helper() -> u32 { 7 } pub const LIMIT: u32 = 7000; }
pub mod a {
    use crate::other::*;
    macro_rules! make { () => { fn helper() -> u32 { 1 } const LIMIT: u32 = 5000; } }
    make!();
    pub fn called() -> u32 { helper() }
    pub fn limited() -> u32 { LIMIT }
}
";
    let (alone, own) = difference(source, "app::a::called");
    assert_eq!(
        (&*alone, &*own),
        (
            &["app::other::helper".to_owned()][..],
            &["app::a::helper".to_owned()][..]
        )
    );
    let (alone, own) = difference(source, "app::a::limited");
    assert_eq!(
        (&*alone, &*own),
        (
            &["the number 0x1b58".to_owned()][..],
            &["the number 0x1388".to_owned()][..]
        )
    );
}

#[test]
fn a_method_that_nothing_shows_comes_before_that_of_another_type() {
    let source = "
pub struct Ring { pub inner: Vec<u32> }
impl std::ops::Deref for Ring { type Target = Vec<u32>; fn deref(&self) -> &Vec<u32> { &self.inner } }
macro_rules! make { ($name:ident) => { impl Ring { fn $name(&self) -> usize { 1 } } } }
make!(len);
pub fn count(ring: &Ring) -> usize { ring.len() }
pub fn each(ring: &Ring) -> usize { [1].iter().map(|_| ring.len()).sum() }
";
    for name in ["app::count", "app::each"] {
        let (alone, own) = difference(source, name);
        assert!(
            alone.contains(&"<alloc::vec::Vec<u32>>::len".to_owned()),
            "{alone:?}"
        );
        assert_eq!(own, ["<app::Ring>::len"]);
    }
}

#[test]
fn what_is_new_beside_a_function_is_compared_with_it() {
    let before = "
pub mod other { pub fn helper() -> u32 { 7 } }
pub mod a {
    use crate::other::*;
    macro_rules! make { () => { fn helper() -> u32 { 1 } } }
    make!();
    pub struct S;
    pub fn first() -> u32 { 500 }
    pub fn second() -> u32 { 600 }
    impl S { pub fn third(&self) -> u32 { 700 } }
}
";
    let after = before
        .replace(
            "500 }",
            "fine() + 501 }\n    fn fine() -> u32 { [70].iter().map(|n| n + 80).sum() }",
        )
        .replace(
            "600 }",
            "wrong() + 601 }\n    fn wrong() -> u32 { helper() + 90 }",
        )
        .replace(
            "700 }",
            "self.new() + 701 }\n    fn new(&self) -> u32 { 1234 }",
        );
    let found = edited(before, &after);
    let same = |name: &str| found.iter().any(|(n, m)| n == name && *m == Meaning::Same);
    assert!(
        same("app::a::first") && same("app::a::S::third"),
        "{found:?}"
    );
    let wrong = found.iter().find(|(name, _)| name == "app::a::second");
    let Some((_, Meaning::Other(wrong))) = wrong else {
        panic!("{found:?}");
    };
    assert_eq!(wrong.alone, ["app::other::helper"]);
    assert_eq!(wrong.in_crate, ["app::a::helper"]);
}

/// What leads to a new function goes by way of its site; what it means is what its body does.
#[test]
fn new_functions_with_sites() {
    let before = "
pub struct S;
pub mod other { pub fn helper() -> u32 { 7 } }
pub mod a {
    use crate::other::*;
    macro_rules! make { () => { fn helper() -> u32 { 1 } } }
    make!();
    pub fn first() -> u32 { 1 }
    pub async fn second() -> u32 { 1 }
}
";
    let new = "
    fn right(n: u32) -> u32 { n + 2 }
    fn wrong() -> u32 { helper() }
    async fn later(n: u32) -> u32 { right(n) + 3 }
    impl crate::S { fn method(&self) -> u32 { 4 } fn again(n: u32) -> u32 { if n == 0 { 0 } else { Self::again(n - 1) + 9 } } }
";
    let called = "{ let s = crate::S; s.method() + crate::S::again(2) + right(1) + wrong() }";
    let source = before
        .replace(
            "first() -> u32 { 1 }",
            &format!("first() -> u32 {called}{new}"),
        )
        .replace(
            "second() -> u32 { 1 }",
            "second() -> u32 { later(5).await }",
        );
    let found = compared(before, &source, true);
    assert_eq!(found.len(), 7 + 1, "{found:?}");
    for (name, meaning) in found {
        match &*name {
            "app::a::wrong" => assert!(matches!(meaning, Meaning::Other(_)), "{meaning:?}"),
            _ => assert_eq!(meaning, Meaning::Same, "{name}"),
        }
    }
}

#[test]
fn what_has_no_code_is_not_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lib.rs"), "pub fn f() {}").expect("a source");
    rustc(folder.path(), &["lib.rs", "--crate-type=rlib"]);
    rustc(
        folder.path(),
        &["lib.rs", "--crate-type=lib", "--emit=obj=f.o"],
    );
    let library = std::fs::read(folder.path().join("libapp.rlib")).expect("a library");
    let object = std::fs::read(folder.path().join("f.o")).expect("an object");
    let own = Own::read(&library).expect("a library");
    let function = Function {
        position: 0,
        name: "app::f",
        line: 1,
    };
    let found = own.compare(&object, &[function]).expect("compared");
    assert!(matches!(&found[..], [Meaning::Unknown(_)]), "{found:?}");
    assert!(own.compare(b"no object", &[]).is_err());
}

#[test]
fn functions_of_one_name_in_one_body_are_compared_one_by_one() {
    let source = "
pub mod other { pub fn plus() -> u32 { 7 } pub fn times() -> u32 { 8 } }
pub mod a {
    use crate::other::*;
    macro_rules! make { () => { fn plus() -> u32 { times() } } }
    make!();
    macro_rules! through { ($f:path) => {{ fn nested() -> u32 { $f() } nested() }} }
    pub fn both() -> u32 { through!(plus) + through!(times) }
}
";
    let (alone, own) = difference(source, "app::a::both");
    assert_eq!(alone, ["app::other::plus"]);
    assert_eq!(own, ["app::a::plus"]);
}
