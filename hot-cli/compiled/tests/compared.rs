//! Crates as rustc compiles them, compared: no project, no cargo, just the bytes of libraries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use soft_mock_compiled::compare::{compare, Difference, Edits, Left, Premises, Side, WithoutSite};
use soft_mock_compiled::counterparts::{counterparts, variables, Counterpart};
use soft_mock_compiled::library::{dynamic_symbols, state};
use soft_mock_compiled::select::{
    marks, select, Fate, NewStatic, ProgramSymbols, Selected, Selection,
};
use soft_mock_compiled::sites::{self, CompiledSite};
use soft_mock_compiled::world::World;
use soft_mock_compiled::{extract, objects, symbols, visibility};
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options};
use soft_mock_rewriter::syntax::{CrateTree, Edition};

const SOURCE: &str = "\
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
pub static CALLS: AtomicU32 = AtomicU32::new(1);
const LIMIT: u32 = 10;
pub trait Shape { fn corners(&self) -> u32 { 4 } }
pub struct Square;
impl Shape for Square {}
fn twice<T: Copy + std::ops::Add<Output = T>>(n: T) -> T { n + n }
pub fn plain(n: u32) -> u32 { CALLS.fetch_add(1, Relaxed) + n }
pub fn limited(n: u32) -> u32 { n.min(LIMIT) }
pub fn capped(n: u32) -> bool { n > LIMIT }
pub fn doubled(n: u32) -> u32 { twice(n) }
pub fn shape() -> Box<dyn Shape> { Box::new(Square) }
pub fn fails(n: u32) -> u32 { assert!(n > 3, \"small\"); n }
";

/// The library of the crate `app`, rewritten, as rustc writes it.
fn library(source: &str, flags: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("lib.rs");
    let read = &mut |_: &Path| Ok(source.to_owned());
    let tree = CrateTree::load(&root, read).expect("a tree");
    let options = Options {
        edition: Edition::parse("2021"),
        facts: CrateIdentity {
            name: "app".to_owned(),
            ..CrateIdentity::default()
        },
        ..Options::default()
    };
    let rewritten = rewrite(&tree, &options);
    std::fs::write(&root, &rewritten.files[0].1).expect("a source");
    let status = Command::new("rustc")
        .args(["lib.rs", "--crate-name=app", "--crate-type=rlib"])
        .args(["--edition=2021", "-Csymbol-mangling-version=v0"])
        .args(["-Clink-dead-code", "-Cmetadata=ab", "--cap-lints=allow"])
        .args(flags)
        .current_dir(folder.path())
        .status();
    assert!(status.expect("rustc").success(), "{source}");
    std::fs::read(folder.path().join("libapp.rlib")).expect("a library")
}

/// The object of a crate of that name, as small patches are compiled.
fn object(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lib.rs"), source).expect("a source");
    let status = Command::new("rustc")
        .args([
            "lib.rs",
            "--crate-name=app",
            "--crate-type=lib",
            "-Cmetadata=cd",
        ])
        .args([
            "--edition=2021",
            "-Csymbol-mangling-version=v0",
            "-Cdebuginfo=1",
        ])
        .args(["-Ccodegen-units=1", "--emit=obj=app.o", "--cap-lints=allow"])
        .current_dir(folder.path())
        .status();
    assert!(status.expect("rustc").success(), "{source}");
    std::fs::read(folder.path().join("app.o")).expect("an object")
}

fn world(library: &[u8]) -> World<'_> {
    let mut all = Vec::new();
    objects::read(library, &mut all).expect("objects");
    World::new(all)
}

/// What `look` is given: both compilations and what is known of them.
struct Given<'a> {
    old: Side<'a, 'a>,
    new: Side<'a, 'a>,
    premises: Premises<'a>,
    sites: &'a HashMap<String, CompiledSite>,
}

/// Compiles the source as it is and edited.
fn compiled<T>(edits: &[(&str, &str)], look: impl FnOnce(&Given<'_>) -> T) -> T {
    both(SOURCE, edits, &[], &Edits::default(), look)
}

fn edited(source: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(source.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

/// Compiles a source as it is and edited.
fn both<T>(
    source: &str,
    edits: &[(&str, &str)],
    flags: &[&str],
    since: &Edits,
    look: impl FnOnce(&Given<'_>) -> T,
) -> T {
    let edited = edited(source, edits);
    // How calls are made depends on which functions share an object: with the incremental cache,
    // that stays.
    let flags = [flags, &["-Ccodegen-units=1"]].concat();
    let (old, new) = (library(source, &flags), library(&edited, &flags));
    let (old, new) = (world(&old), world(&new));
    let (then, now) = (sites::sites(&old, &|_| true), sites::sites(&new, &|_| true));
    let bound = now.iter().filter(|(owner, site)| {
        let same = then.get(*owner).is_some_and(|then| then.has_type_of(site));
        same && site.is_function()
    });
    let bound = bound.map(|(owner, site)| (owner.clone(), site.clone()));
    let bound: HashMap<String, CompiledSite> = bound.collect();
    let crates = HashSet::from(["app".to_owned()]);
    let letters = |c: char| !c.is_alphanumeric() && c != '_';
    let identifiers: HashSet<String> = edited.split(letters).map(str::to_owned).collect();
    look(&Given {
        old: Side::new(&old),
        new: Side::new(&new),
        premises: Premises {
            bound: &bound,
            brought: &HashMap::new(),
            crates: &crates,
            identifiers: &identifiers,
            names: &|name| identifiers.contains(name),
            declares: &|name| edited.contains(&format!("struct {name}")),
            then: &then,
            now: &now,
            edits: since,
            counterparts: &counterparts(
                variables(&old, &|_| None),
                variables(&new, &|_| None),
                &[],
                &|_| true,
            ),
            optimised: &|_| flags.contains(&"-O"),
            shares_code: flags.contains(&"-O"),
            is_harness: false,
            late: None,
        },
        sites: &now,
    })
}

fn difference(edits: &[(&str, &str)]) -> Result<Difference, String> {
    compiled(edits, |given| {
        compare(&given.old, &given.new, &given.premises)
    })
}

#[track_caller]
fn check(edits: &[(&str, &str)], replaced: &[&str]) {
    let found = difference(edits).expect("comparable").replaced;
    let found: BTreeSet<String> = found
        .iter()
        .map(|path| symbols::without_marks(path))
        .collect();
    let expected: BTreeSet<String> = replaced.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_differs_is_found_by_its_code() {
    check(&[], &[]);
    check(&[("Relaxed) + n }", "Relaxed) + n * 2 }")], &["app::plain"]);
    check(
        &[("LIMIT: u32 = 10", "LIMIT: u32 = 11")],
        &["app::limited", "app::capped"],
    );
    check(
        &[("{ n + n }", "{ let m = n; m + n + m }")],
        &["app::doubled"],
    );
    check(&[("\"small\"", "\"tiny\"")], &["app::fails"]);
    // Lines that move, and what nobody calls.
    check(&[("const LIMIT", "\n\n// a line\nconst LIMIT")], &[]);
    check(&[("const LIMIT", "pub struct New; const LIMIT")], &[]);
}

/// Constants of one size share a section.
#[test]
fn a_constant_is_none_of_those_beside_it() {
    let source = "pub fn text() -> &'static str { \"once\" }
        pub fn number() -> &'static u32 { &11 }
        pub fn other() -> &'static str { \"more\" }";
    let edit = [("&11", "&12")];
    let found = both(source, &edit, &[], &Edits::default(), |given| {
        compare(&given.old, &given.new, &given.premises).expect("comparable")
    });
    let replaced = found.replaced.iter();
    let replaced: Vec<String> = replaced.map(|path| symbols::without_marks(path)).collect();
    assert_eq!(replaced, ["app::number"]);
}

/// What catches a panic is code that LLVM names, into which the closure was inlined.
#[test]
fn code_that_llvm_names_is_what_it_holds() {
    let source = "pub fn caught() -> bool {
        std::panic::catch_unwind(|| { let n = 2; assert!(n < 1, \"{n}\"); }).is_ok()
    }";
    let flags = ["-Copt-level=3", "-Ccodegen-units=1"];
    let edit = [("n = 2", "n = 3")];
    let found = both(source, &edit, &flags, &Edits::default(), |given| {
        compare(&given.old, &given.new, &given.premises).expect("comparable")
    });
    assert_eq!(
        found
            .replaced
            .iter()
            .map(|path| symbols::without_marks(path))
            .collect::<Vec<_>>(),
        ["app::caught"]
    );
}

/// The column is that of a place which is part of its caller.
#[test]
fn columns_of_edited_functions_without_a_site_count() {
    let source = "#[inline(always)] fn within(n: u32) -> u32 { assert!(n > 2); n }
    pub fn outer(n: u32) -> u32 { within(n) + 1 }";
    let edit = [("{ assert!", "{ let _ = 1; assert!")];
    for (lines, expected) in [(1..=1, &["app::outer", "app::within"][..]), (2..=2, &[])] {
        let edits = Edits {
            without_site: vec![WithoutSite {
                name: "within".to_owned(),
                file: "/somewhere/lib.rs".into(),
                lines,
            }],
            ..Edits::default()
        };
        let found = both(source, &edit, &["-Copt-level=3"], &edits, |given| {
            compare(&given.old, &given.new, &given.premises).expect("comparable")
        });
        let replaced = found.replaced.iter();
        let replaced: Vec<String> = replaced.map(|path| symbols::without_marks(path)).collect();
        assert_eq!(replaced, expected);
    }
}

/// Why optimised code can't live on beside edits of `app::keep` and of a function without a site.
fn optimised(source: &str, edits: &[(&str, &str)], name: &str) -> String {
    let since = Edits {
        bodies: HashSet::from(["app::keep".to_owned()]),
        without_site: vec![WithoutSite {
            name: name.to_owned(),
            file: "/somewhere/lib.rs".into(),
            lines: 1..=1,
        }],
        ..Edits::default()
    };
    both(source, edits, &["-O"], &since, |given| {
        compare(&given.old, &given.new, &given.premises).expect_err("it differs")
    })
}

/// The compiler makes one of functions of the same content.
#[test]
fn a_pointer_to_another_function_of_the_same_content() {
    let source = "pub struct One<T>(T);
    impl<T> One<T> { pub fn add(n: u32) -> u32 { n + 8 } }
    pub struct Two<T>(T);
    impl<T> Two<T> { pub fn sum(n: u32) -> u32 { n + 8 } }
    pub static KEPT: std::sync::Mutex<Vec<fn(u32) -> u32>> = std::sync::Mutex::new(Vec::new());
    pub fn keep() {
        let mut kept = KEPT.lock().unwrap();
        kept.push(One::<u8>::add);
        kept.push(Two::<u8>::sum);
    }";
    for (name, path) in [
        ("add", "<app::One<u8>>::add"),
        ("sum", "<app::Two<u8>>::sum"),
    ] {
        let body = format!("{name}(n: u32) -> u32 {{ n + 8 }}");
        let edit = [(&*body, &*body.replace('8', "7"))];
        let why = optimised(source, &edit, name);
        assert!(why.starts_with(&format!("`{path}` has no site")), "{why}");
    }
}

/// A closure keeps the body that it was made with, but for what that calls.
#[test]
fn a_closure_of_an_edited_function_that_holds_another() {
    let source = "type Call = Box<dyn Fn(u32) -> u32 + Send>;
    pub static KEPT: std::sync::Mutex<Vec<Call>> = std::sync::Mutex::new(Vec::new());
    fn more<T: Into<u32>>(n: T) -> u32 { n.into() + 600 }
    pub fn keep() {
        let by = KEPT.lock().unwrap().len() as u32;
        KEPT.lock().unwrap().push(Box::new(move |n| n + by));
        KEPT.lock().unwrap().push(Box::new(|n: u32| more(n)));
    }";
    let more = ("600", "601");
    let changed = [more, ("as u32;", "as u32 + 1;")];
    let gone = [
        more,
        ("KEPT.lock().unwrap().push(Box::new(|n: u32| more(n)));", ""),
    ];
    for edits in [&changed[..], &gone[..]] {
        let why = optimised(source, edits, "more");
        assert!(why.contains("app::keep::{closure#1}"), "{why}");
    }
}

#[test]
fn a_static_keeps_its_value() {
    let found = difference(&[("AtomicU32::new(1)", "AtomicU32::new(2)")]).expect("comparable");
    assert_eq!(
        found.preserved_statics.into_keys().collect::<Vec<_>>(),
        ["app::CALLS"]
    );
    assert_eq!(found.replaced, BTreeSet::new());
    let refused = difference(&[
        (
            "CALLS: AtomicU32 = AtomicU32::new(1)",
            "CALLS: [AtomicU32; 2] = [const { AtomicU32::new(1) }; 2]",
        ),
        ("CALLS.fetch_add", "CALLS[1].fetch_add"),
    ]);
    assert_eq!(
        refused.expect_err("refused"),
        "the type of the variable `app::CALLS` has another size"
    );
}

#[test]
fn what_a_vtable_leads_to_is_refused() {
    let why = difference(&[("{ 4 }", "{ 5 }")]).expect_err("refused");
    assert_eq!(
        why,
        "`<app::Square as app::Shape>::corners` has no site, and a vtable or a table of functions may still lead to its old code"
    );
}

/// Things that live on: objects, pointers and closures that lead to code without a site.
const LIVING: &str = "\
use std::fmt;
use std::sync::Mutex;
pub static CALLS: Mutex<Vec<Box<dyn Fn(u32) -> u32 + Send>>> = Mutex::new(Vec::new());
pub static POINTERS: Mutex<Vec<fn(u32) -> u32>> = Mutex::new(Vec::new());
pub trait Run<A> { fn run(&self, n: u32) -> u32; }
impl<F: Fn(u32) -> u32> Run<(u32,)> for F { fn run(&self, n: u32) -> u32 { self(n) } }
impl<F: Fn(u64) -> u32> Run<(u64,)> for F { fn run(&self, n: u32) -> u32 { self(u64::from(n)) } }
fn route<A: 'static, R: Run<A> + Send + 'static>(run: R) { CALLS.lock().unwrap().push(Box::new(move |n| run.run(n))); }
pub fn handler(n: u32) -> u32 { n + 1 }
pub fn setup() { route(handler); }
pub fn generic<T: Into<u32>>(n: T) -> u32 { n.into() + 100 }
pub fn make() { CALLS.lock().unwrap().push(Box::new(|n| generic(n) + 1)); }
pub fn point() { fn inner(n: u32) -> u32 { n + 1 } POINTERS.lock().unwrap().push(inner); }
pub fn call() -> u32 { fn inner(n: u32) -> u32 { n + 7 } inner(1) }
pub struct G<T>(pub T);
impl<T: fmt::Display> fmt::Display for G<T> { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, \"G{}\", self.0) } }
pub fn text(n: u32, m: u8) -> String { format!(\"{} {} {}\", n, G(n), G(m)) }
pub fn other() -> u32 { let mut all = [3, 1, 2]; all.sort_by_key(|n| *n); all[0] }
";

/// What is said of the edits, of which these are bodies of functions; `None`: that they can be
/// patched.
#[track_caller]
fn check_living(edits: &[(&str, &str)], flags: &[&str], bodies: &[&str], expected: Option<&str>) {
    let since = Edits {
        only_bodies: bodies.len() == edits.len(),
        bodies: bodies.iter().map(|name| (*name).to_owned()).collect(),
        ..Edits::default()
    };
    let found = both(LIVING, edits, flags, &since, |given| {
        compare(&given.old, &given.new, &given.premises)
    });
    assert_eq!(found.err().as_deref(), expected, "{edits:?}");
}

#[test]
fn what_disappears_or_takes_other_arguments_may_be_alive() {
    let signature = (
        "handler(n: u32) -> u32 { n",
        "handler(n: u64) -> u32 { n as u32",
    );
    let why = "`app::handler` has another signature now, and a vtable or a table of functions may still lead to its \
               old code, through `app::route<(u32,), app::handler>::{closure#0}`";
    check_living(&[signature], &[], &[], Some(why));
    let gone = [
        ("pub fn handler", "pub fn renamed"),
        ("route(handler)", "route(renamed)"),
    ];
    let why = why.replace("has another signature now", "is gone");
    check_living(&gone, &[], &[], Some(&why));
    // One that is only called: whoever calls it becomes new.
    check_living(
        &[("fn inner(n: u32) -> u32 { n + 7 } inner(1)", "8")],
        &[],
        &["app::call"],
        None,
    );
    check_living(&[("n + 7", "n + 8")], &[], &["app::call"], None);
    let pointer = "`app::point::inner` has no site, and a pointer taken in `app::point` may still lead to its old code";
    check_living(
        &[(
            "inner(n: u32) -> u32 { n + 1 }",
            "inner(n: u32) -> u32 { n + 2 }",
        )],
        &[],
        &["app::point"],
        Some(pointer),
    );
    let gone = (
        "fn inner(n: u32) -> u32 { n + 1 } POINTERS.lock().unwrap().push(inner);",
        "",
    );
    check_living(
        &[gone],
        &[],
        &["app::point"],
        Some(&pointer.replace("has no site", "is gone")),
    );
    // A handler's body has a site.
    check_living(
        &[("{ n + 1 }\npub fn setup", "{ n + 2 }\npub fn setup")],
        &[],
        &["app::handler"],
        None,
    );
}

#[test]
fn a_closure_keeps_its_body_and_nothing_else() {
    let body = ("generic(n) + 1", "generic(n) + 2");
    let since = Edits {
        only_bodies: true,
        bodies: HashSet::from(["app::make".to_owned()]),
        ..Edits::default()
    };
    let found = both(LIVING, &[body], &[], &since, |given| {
        compare(&given.old, &given.new, &given.premises).expect("comparable")
    });
    let kept = |found: &Difference| -> Vec<(String, usize)> {
        let kept = found.keep_bodies.iter();
        kept.map(|(path, number)| (symbols::without_marks(path), *number))
            .collect()
    };
    assert_eq!(kept(&found), [("app::make".to_owned(), 0)]);
    // The first of two that were alike.
    let push = "CALLS.lock().unwrap().push(Box::new(|n| generic(n) + 1));";
    let twice = LIVING.replace(push, &push.repeat(2));
    let first = (&*push.repeat(2), &*(push.replace("+ 1", "+ 2") + push));
    let found = both(&twice, &[first], &[], &since, |given| {
        compare(&given.old, &given.new, &given.premises).expect("comparable")
    });
    assert_eq!(kept(&found), [("app::make".to_owned(), 0)]);
    // One that nobody keeps, and one whose number alone is another.
    for edit in [
        ("|n| *n", "|n| !*n"),
        ("pub fn make() {", "pub fn make() { (|| ())();"),
    ] {
        let since = Edits {
            only_bodies: true,
            bodies: HashSet::from(["app::make".to_owned(), "app::other".to_owned()]),
            ..Edits::default()
        };
        let found = both(LIVING, &[edit], &[], &since, |given| {
            compare(&given.old, &given.new, &given.premises).expect("comparable")
        });
        assert_eq!(found.keep_bodies, BTreeSet::new(), "{edit:?}");
    }
    let why = "`app::generic::<u32>` has no site, and a vtable or a table of functions may still lead to its old code, \
               through `app::make::{closure#0}`";
    check_living(&[("+ 100", "+ 200")], &[], &[], Some(why));
    check_living(&[("+ 100", "+ 200"), body], &[], &["app::make"], Some(why));
    // Where the one is part of the other, its number tells nothing: it differs, and its function
    // was not edited.
    let found = both(
        LIVING,
        &[("+ 100", "+ 200")],
        &["-O"],
        &Edits::default(),
        |given| compare(&given.old, &given.new, &given.premises),
    );
    assert!(found
        .expect_err("refused")
        .contains("app::make::{closure#0}"));
}

#[test]
fn what_format_macros_take_is_kept_by_nobody() {
    let edit = ("\"G{}\"", "\"H{}\"");
    check_living(&[edit], &[], &[], None);
    check_living(&[edit], &["-O"], &[], None);
    // A pointer that the program keeps itself.
    let kept = LIVING.replace(
        "pub fn other()",
        "static FN: Mutex<Option<fn(&G<u32>, &mut fmt::Formatter<'_>) -> fmt::Result>> = Mutex::new(None);
         pub fn keep() { *FN.lock().unwrap() = Some(<G<u32> as fmt::Display>::fmt); }
         pub fn other()",
    );
    for flags in [&[][..], &["-O"]] {
        let found = both(&kept, &[edit], flags, &Edits::default(), |given| {
            compare(&given.old, &given.new, &given.premises)
        });
        let why = found.expect_err("refused");
        assert!(
            why.ends_with("a pointer taken in `app::keep` may still lead to its old code"),
            "{why}"
        );
    }
}

/// What a later edit is told of what a patch of whole crates has left that brought all of the first
/// edits.
fn later(first: &[(&str, &str)], then: &[(&str, &str)], since: &Edits) -> Result<(), String> {
    later_in(LIVING, first, then, since)
}

fn later_in(
    source: &str,
    first: &[(&str, &str)],
    then: &[(&str, &str)],
    since: &Edits,
) -> Result<(), String> {
    let left = both(source, first, &[], &Edits::default(), |given| {
        Left::of_whole_crates(
            &given.new,
            &given.premises,
            (&|_| true, &|_, _| None),
            std::iter::empty(),
        )
    });
    both(
        source,
        &[first, then].concat(),
        &[],
        &Edits::default(),
        |given| {
            let sides = (&given.old, &given.new);
            left.check(sides, &given.premises, since, &Difference::default())
        },
    )
}

#[test]
fn what_a_patch_left_is_looked_at_by_the_next() {
    let none = Edits::default();
    let edited = Edits {
        bodies: HashSet::from(["app::make".to_owned()]),
        ..Edits::default()
    };
    assert_eq!(later(&[], &[], &none), Ok(()));
    assert_eq!(later(&[], &[("\"G{}\"", "\"H{}\"")], &none), Ok(()));
    let why = later(&[], &[("+ 100", "+ 200")], &none).expect_err("refused");
    assert_eq!(why, "`app::generic::<u32>` has no site, and a vtable or a table of functions may still lead to its old \
                     code, through `app::make::{closure#0}` (it came with an earlier patch)");
    // A closure keeps its body, if it was edited since; else something that is part of it was.
    let body = [("generic(n) + 1", "generic(n) + 2")];
    assert_eq!(later(&[], &body, &edited), Ok(()));
    assert!(later(&[], &body, &none).is_err());
    // What the patch brought, and is gone.
    let brought = [("generic(n) + 1", "generic(n as u8) + 1")];
    let back = [("generic(n as u8) + 1", "generic(n) + 1")];
    let why = later(&brought, &back, &edited).expect_err("refused");
    assert!(
        why.starts_with("`app::generic::<u8>` is gone, and "),
        "{why}"
    );
}

/// What a later edit is told of functions that a patch has left which brought them: one of the
/// crate's root, and a method.
#[test]
fn functions_that_a_patch_brought() {
    const BROUGHT: &str = "
pub struct Own;
pub trait __SoftMock1 { fn helper() -> u32; }
impl __SoftMock1 for Own { fn helper() -> u32 { 1 } }
fn helper() -> u32 { 1 }
#[no_mangle]
pub fn __soft_mock_patch_0(all: &mut Vec<fn() -> u32>) { all.push(HELPER); }
";
    let check = |helper: &str, added: &str, since: &Edits| {
        let source = BROUGHT.replace("HELPER", helper);
        let object = object(&source);
        let crates = HashSet::from(["app".to_owned()]);
        let names = vec![("__soft_mock_patch_0".to_owned(), "plain".to_owned())];
        let (left, _) = Left::of_bodies(&object, &crates, false, names).expect("an object");
        let last = "pub fn fails";
        both(
            SOURCE,
            &[(last, &format!("{added}\n{last}"))],
            &[],
            since,
            |given| {
                let sides = (&given.old, &given.new);
                left.check(sides, &given.premises, since, &Difference::default())
            },
        )
    };
    let none = Edits::default();
    let undone = Edits {
        undone: true,
        ..Edits::default()
    };
    let method = "pub struct Own; impl Own { pub fn helper() -> u32 { 2 } }";
    for (helper, added) in [
        ("helper", "pub fn helper() -> u32 { 2 }"),
        ("Own::helper", method),
    ] {
        let why = check(helper, added, &none).expect_err("another one");
        assert!(why.contains("helper` is new, and a pointer"), "{why}");
        let why = check(helper, "", &none).expect_err("none any more");
        assert!(why.contains("helper` is gone"), "{why}");
        assert_eq!(check(helper, "", &undone), Ok(()));
    }
}

#[test]
fn what_was_undone_meanwhile_stands_in_nobodys_way() {
    let undone = Edits {
        undone: true,
        ..Edits::default()
    };
    let brought = [(
        "pub fn call() -> u32 {",
        "fn brought(n: u32) -> u32 { n }
        pub fn call() -> u32 { POINTERS.lock().unwrap().push(brought);",
    )];
    let back = [(brought[0].1, brought[0].0)];
    let why = later(&brought, &back, &Edits::default()).expect_err("refused");
    assert!(why.starts_with("`app::brought` is gone, and "), "{why}");
    assert_eq!(later(&brought, &back, &undone), Ok(()));
    // It is there again, and another one.
    let again = [(brought[0].1, &*brought[0].1.replace("{ n }", "{ n + 1 }"))];
    let why = later(&brought, &again, &undone).expect_err("refused");
    assert!(why.starts_with("`app::brought` has no site, "), "{why}");
    // The program was built with it.
    let own = [(
        "fn inner(n: u32) -> u32 { n + 1 } POINTERS.lock().unwrap().push(inner);",
        "",
    )];
    let why = later(&[], &own, &undone).expect_err("refused");
    assert!(why.starts_with("`app::point::inner` is gone, "), "{why}");
}

const IMPLS: &str = "\
use std::fmt::{Debug, Write};
pub trait Shape { fn area(&self) -> u32 { 1 } }
pub struct Kept(u32);
// place
pub fn shapes() -> Vec<Box<dyn Shape>> { Vec::new() }
pub fn writers() -> Vec<Box<dyn Write>> { Vec::new() }
pub fn debugs() -> Vec<Box<dyn Debug>> { Vec::new() }
fn rate() -> u32 { 7 }
pub fn rated() -> u32 { rate() }
";

/// What is told when these edits are made, and then those.
fn withdrawn(first: &[(&str, &str)], then: &[(&str, &str)]) -> Result<(), String> {
    later_in(IMPLS, first, then, &Edits::default())
}

#[test]
fn the_code_of_an_impl_that_is_gone_with_its_type_may_live_on() {
    let declared = "struct Sq(u32);
        impl Sq { fn side(&self) -> u32 { self.0 } }
        impl Shape for Sq { fn area(&self) -> u32 { (|| self.side())() } }
        ";
    let first = [
        ("// place\n", declared),
        (
            "dyn Shape>> { Vec::new()",
            "dyn Shape>> { vec![Box::new(Sq(3))]",
        ),
    ];
    let back = [(declared, ""), ("vec![Box::new(Sq(3))]", "Vec::new()")];
    let other = [("{ 7 }", "{ 8 }")];
    assert_eq!(withdrawn(&first, &[]), Ok(()));
    assert_eq!(withdrawn(&first, &back), Ok(()));
    assert_eq!(withdrawn(&first, &[&back[..], &other].concat()), Ok(()));
    // The default applies.
    let method = [("fn area(&self) -> u32 { (|| self.side())() }", "")];
    let why = withdrawn(&first, &method).expect_err("refused");
    assert!(
        why.starts_with("`<app::Sq as app::Shape>::area` has no site, and "),
        "{why}"
    );
    // Something is called so.
    for other in [
        "mod other { pub struct Sq; }\n",
        "macro_rules! m { () => { Sq } }\n",
    ] {
        let why = withdrawn(&first, &[(declared, other), back[1]]).expect_err("refused");
        assert!(why.contains(" is gone, and "), "{why}");
    }
    // Old code that calls what is another one now.
    let calling = declared.replace("self.side())()", "self.side() + twice(rate()))()");
    let twice = "fn twice<T: Copy + std::ops::Add<Output = T>>(n: T) -> T { n + n }\nfn rate";
    let first = [("// place\n", &*calling), first[1], ("fn rate", twice)];
    let changed = [
        (&*calling, ""),
        back[1],
        ("{ n + n }", "{ let m = n; m + n + m }"),
        ("{ rate() }", "{ twice(rate()) }"),
    ];
    let why = withdrawn(&first, &changed).expect_err("refused");
    assert!(
        why.starts_with("`app::twice::<u32>` has no site, and "),
        "{why}"
    );
}

#[test]
fn the_code_of_an_impl_of_a_foreign_trait_may_live_on_when_it_is_taken_back() {
    let write =
        "impl Write for Kept { fn write_str(&mut self, _: &str) -> std::fmt::Result { Ok(()) } }\n";
    let first = [
        ("// place\n", write),
        (
            "dyn Write>> { Vec::new()",
            "dyn Write>> { vec![Box::new(Kept(3))]",
        ),
    ];
    let back = [(write, ""), ("vec![Box::new(Kept(3))]", "Vec::new()")];
    assert_eq!(withdrawn(&first, &back), Ok(()));
    // It could be there, and compiled nowhere.
    let attribute = [(write, "#[inline(always)] pub fn any() {}\n"), back[1]];
    let why = withdrawn(&first, &attribute).expect_err("refused");
    assert!(why.contains(" is gone, and "), "{why}");
    // Of a trait of one's own another impl may be meant.
    let shape = "impl Shape for Kept {}\n";
    let first = [
        ("// place\n", shape),
        (
            "dyn Shape>> { Vec::new()",
            "dyn Shape>> { vec![Box::new(Kept(3))]",
        ),
    ];
    let why = withdrawn(&first, &[(shape, ""), back[1]]).expect_err("refused");
    assert!(
        why.starts_with("`<app::Kept as app::Shape>::area` is gone, and "),
        "{why}"
    );
    // Through a reference.
    let derived = "#[derive(Debug)] struct Tk(u8);\n";
    let first = [
        ("// place\n", derived),
        (
            "dyn Debug>> { Vec::new()",
            "dyn Debug>> { vec![Box::new(Some(Tk(3)))]",
        ),
    ];
    let back = [(derived, ""), ("vec![Box::new(Some(Tk(3)))]", "Vec::new()")];
    assert_eq!(withdrawn(&first, &back), Ok(()));
}

/// What the variables in closures of `pair` are after an edit.
#[track_caller]
fn check_closures(edits: &[(&str, &str)], flags: &[&str], expected: &[&str]) {
    let source = "use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
        pub fn pair() -> u32 {
            let one = || { static N: AtomicU32 = AtomicU32::new(1); N.fetch_add(1, Relaxed) };
            let two = || { static N: AtomicU32 = AtomicU32::new(1); N.fetch_add(2, Relaxed) };
            one() + two()
        }";
    both(source, edits, flags, &Edits::default(), |given| {
        let told = |text: &str| symbols::without_marks(text).replace("app::pair::", "");
        let mut found: Vec<String> = given
            .premises
            .counterparts
            .iter()
            .map(|(path, what)| match what {
                Counterpart::Of { path: was, .. } => told(&format!("{path} of {was}")),
                other => told(&format!("{path} {other:?}")),
            })
            .collect();
        found.sort();
        assert_eq!(found, expected, "{edits:?}");
    });
}

#[test]
fn a_variable_in_a_closure_is_the_same_behind_another() {
    let of = |is: u32, was: u32| format!("{{closure#{is}}}::N of {{closure#{was}}}::N");
    let both = |first: u32, second: u32| [of(0, first), of(1, second)];
    let check = |edits: &[(&str, &str)], expected: &[String]| {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_closures(edits, &[], &expected);
    };
    check(&[], &both(0, 1));
    let before = ("let one =", "let none = || 1; none(); let one =");
    check(&[before], &[of(1, 0), of(2, 1)]);
    // Both in other code: they are told by their order, also if nothing has code of its own.
    let other = ("Relaxed)", "Relaxed) + 5");
    check(&[before, other], &[of(1, 0), of(2, 1)]);
    check_closures(&[before], &["-Copt-level=3"], &[&of(1, 0), &of(2, 1)]);
    // They change places; one of them goes.
    check(
        &[("add(1", "add(3"), ("add(2", "add(1"), ("add(3", "add(2")],
        &both(1, 0),
    );
    let one = "let one = || { static N: AtomicU32 = AtomicU32::new(1); N.fetch_add(1, Relaxed) };";
    check(&[(one, "let one = || 1;")], &[of(1, 1)]);
    check(&[(one, ""), ("one() + two", "two")], &[of(0, 1)]);
    // Another one, of another type or first value.
    let wide = one.replace("one", "wide").replace("AtomicU32", "AtomicU64");
    let after = wide.clone() + " wide(); one() + two()";
    let new = "{closure#2}::N New".to_owned();
    check(&[("one() + two()", &after)], &[of(0, 0), of(1, 1), new]);
}

/// Selects the new code of `app::plain`; the program has what the crate had before.
fn selected<T>(
    edits: &[(&str, &str)],
    brought: &[NewStatic],
    look: impl FnOnce(&Given<'_>, &Selected) -> T,
) -> T {
    compiled(edits, |given| {
        let all = given
            .old
            .world
            .objects
            .iter()
            .flat_map(|object| &object.symbols);
        let defined = all.filter(|symbol| !symbol.local && symbol.section.is_some());
        let exported = soft_mock_compiled::library::DynamicSymbols {
            is_fixed: false,
            folded: HashSet::new(),
            defined: defined.map(|symbol| symbol.name.to_owned()).collect(),
            ..Default::default()
        };
        let program = ProgramSymbols::new(&exported, given.premises.crates);
        let mut sites = given.sites.values();
        let site = sites
            .find(|site| site.name == "app::plain")
            .expect("a site");
        let selected = select(&Selection {
            world: given.new.world,
            old: given.old.world,
            program: &program,
            premises: &given.premises,
            brought,
            roots: &[site],
            late: &BTreeMap::new(),
            rebound: &|_, _| None,
            print: &|piece| given.new.print(piece),
            unchanged: &|path| given.new.is_same(&given.old, path),
            marks: [&|path| marks(&given.old, &|_| None, path), &|path| {
                marks(&given.new, &|_| None, path)
            }],
        });
        look(given, &selected.expect("code"))
    })
}

#[test]
fn new_code_is_taken_with_what_it_needs() {
    let edits = [
        ("Relaxed) + n }", "Relaxed) + COUNT.load(Relaxed) + helper(n) + limited(n) }"),
        ("const LIMIT", "static COUNT: AtomicU32 = AtomicU32::new(7); fn helper(n: u32) -> u32 { n ^ 1 } const LIMIT"),
    ];
    let brought = selected(&edits, &[], |given, selected| {
        let taken = selected
            .taken
            .values()
            .flat_map(|taken| taken.symbols.values());
        let exported: Vec<&Fate> = taken
            .clone()
            .filter(|fate| matches!(fate, Fate::Exported(_)))
            .collect();
        assert_eq!(exported, [&Fate::Exported(soft_mock_abi::symbol::patch(0))]);
        // The static that the program has is the program's; the new one comes along.
        let elsewhere = |part: &str| {
            taken
                .clone()
                .any(|fate| matches!(fate, Fate::Elsewhere(name) if name.contains(part)))
        };
        assert!(elsewhere("5CALLS") && !elsewhere("5COUNT"));
        let statics: Vec<String> = selected
            .statics
            .iter()
            .map(|new| symbols::without_marks(&new.path))
            .collect();
        assert_eq!(statics, ["app::COUNT"]);
        // What is written keeps state in the new one alone.
        let written = selected.taken.iter().flat_map(|(object, taken)| {
            let bytes = extract::write(
                &given.new.world.objects[*object],
                taken,
                &selected.outside(),
            );
            state(&bytes).expect("an object")
        });
        let written: Vec<String> = written.collect();
        assert!(written.contains(&"app::COUNT".to_owned()), "{written:?}");
        assert!(!written.contains(&"app::CALLS".to_owned()), "{written:?}");
        selected.statics.clone()
    });
    // A later patch uses the one that is there.
    selected(&edits, &brought, |_, selected| {
        assert!(selected.statics.is_empty());
        let symbol = brought[0].symbol.clone();
        assert_eq!(selected.used, BTreeSet::from([symbol]));
    });
}

/// Optimised code holds the value of what nothing writes to.
#[test]
fn what_optimised_code_holds_is_no_value_to_keep() {
    let source = "use std::sync::atomic::AtomicU32;
        static MOST: u32 = 5; pub fn over(n: u32) -> bool { n > MOST }
        static NAME: &str = \"a\"; pub fn name() -> &'static str { NAME }
        static CALLS: AtomicU32 = AtomicU32::new(1); pub fn calls() -> &'static AtomicU32 { &CALLS }";
    let check = |flags: &[&str], edit: (&str, &str), refused: bool| {
        let found = both(source, &[edit], flags, &Edits::default(), |given| {
            compare(&given.old, &given.new, &given.premises)
        });
        match found {
            Ok(found) => assert!(!refused && found.preserved_statics.len() == 1, "{found:?}"),
            Err(why) => assert!(refused && why.contains("optimised code holds"), "{why}"),
        }
    };
    for (edit, folds) in [
        (("u32 = 5", "u32 = 6"), true),
        (("\"a\"", "\"b\""), true),
        (("new(1)", "new(2)"), false),
    ] {
        check(&[], edit, false);
        check(&["-O"], edit, folds);
    }
}

#[test]
fn hidden_symbols_become_visible_once() {
    let mut library = library(SOURCE, &["-O"]);
    assert!(visibility::unhide(&mut library).expect("an archive") > 0);
    assert_eq!(visibility::unhide(&mut library).expect("an archive"), 0);
    assert!(world(&library).objects.iter().next().is_some());
}

#[test]
fn what_is_damaged_is_said() {
    let library = library(SOURCE, &[]);
    assert!(objects::read(b"no archive", &mut Vec::new()).is_err());
    assert!(visibility::unhide(&mut b"no archive".to_vec()).is_err());
    assert!(dynamic_symbols(&library[..64]).is_err());
    // Whatever is cut off or flipped: an error or objects, never a panic.
    for end in (0..library.len()).step_by(library.len() / 200 + 1) {
        let mut all = Vec::new();
        if objects::read(&library[..end], &mut all).is_ok() {
            let world = World::new(all);
            let _ = Side::new(&world);
        }
    }
}
