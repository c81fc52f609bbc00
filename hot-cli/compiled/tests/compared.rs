//! Crates as rustc compiles them, compared: no project, no cargo, just the bytes of libraries.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use soft_mock_compiled::compare::{compare, Difference, Premises, Side};
use soft_mock_compiled::library::{dynamic_symbols, state};
use soft_mock_compiled::select::{select, Fate, NewStatic, ProgramSymbols, Selected, Selection};
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
    let edited = edits.iter().fold(SOURCE.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    });
    let (old, new) = (library(SOURCE, &[]), library(&edited, &[]));
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
            crates: &crates,
            identifiers: &identifiers,
            only_bodies: false,
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

#[test]
fn a_static_keeps_its_value() {
    let found = difference(&[("AtomicU32::new(1)", "AtomicU32::new(2)")]).expect("comparable");
    assert_eq!(
        found.preserved_statics,
        BTreeSet::from(["app::CALLS".to_owned()])
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
            program: &program,
            premises: &given.premises,
            brought,
            roots: &[site],
            print: &|piece| given.new.print(piece),
            unchanged: &|path| given.new.is_same(&given.old, path),
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
            let bytes = extract::write(&given.new.world.objects[*object], taken);
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

#[test]
fn hidden_symbols_become_visible_once() {
    let mut library = library(SOURCE, &["-O"]);
    assert!(visibility::unhide(&mut library).expect("an archive") > 0);
    assert_eq!(visibility::unhide(&mut library).expect("an archive"), 0);
    assert!(!world(&library).objects.is_empty());
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
