//! Two compilations of a program that share the units that weren't edited: all is found in them
//! that is found where each is read by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use soft_mock_compiled::compare::{compare, Edits, Premises, Side};
use soft_mock_compiled::objects;
use soft_mock_compiled::sites::{sites, CompiledSite};
use soft_mock_compiled::world::{Kept, Piece, Target, World};
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options};
use soft_mock_rewriter::syntax::{CrateTree, Edition};

/// It calls what only the crate above it defines, and both have an instance of `twice`.
const LOW: &str = "\
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
extern \"C\" { fn callback(n: u32) -> u32; }
pub static CALLS: AtomicU32 = AtomicU32::new(1);
#[inline] pub fn twice<T: Copy + std::ops::Add<Output = T>>(n: T) -> T { n + n }
pub fn counted(n: u32) -> u32 { CALLS.fetch_add(1, Relaxed) + twice(n) }
pub const fn back(n: u32) -> u32 { n }
pub fn called(n: u32) -> u32 { asked::<u8>(n) }
#[inline(never)] pub fn asked<T>(n: u32) -> u32 { unsafe { callback(n) } }
pub fn two() -> u32 { let n = { fn one() -> u32 { 1 } one() }; n + { fn one() -> u32 { 2 } one() } }
";

const APP: &str = "\
use std::fmt::Display;
pub trait Shape { fn corners(&self) -> u32 { 4 } }
pub struct Square;
impl Shape for Square {}
#[no_mangle] pub extern \"C\" fn callback(n: u32) -> u32 { helper(&n) }
#[no_mangle] pub extern \"C\" fn unused() {}
fn helper<T: Display>(n: &T) -> u32 { n.to_string().len() as u32 + 1 }
pub fn all(n: u32) -> u32 { low::counted(n) + low::twice(n) + low::twice(1_u64) as u32 }
pub fn asks(n: u32) -> u32 { low::called(n) + low::two() }
pub fn shape() -> Box<dyn Shape> { Box::new(Square) }
";

/// Compiles a crate, rewritten, into `folder`, and returns the bytes of its library.
fn library(folder: &Path, name: &str, source: &str) -> Vec<u8> {
    let root = folder.join(format!("{name}.rs"));
    let tree = CrateTree::load(&root, &mut |_: &Path| Ok(source.to_owned())).expect("a tree");
    let options = Options {
        edition: Edition::parse("2021"),
        facts: CrateIdentity {
            name: name.to_owned(),
            ..CrateIdentity::default()
        },
        ..Options::default()
    };
    let rewritten = rewrite(&tree, &options);
    std::fs::write(&root, &rewritten.files[0].1).expect("a source");
    let status = Command::new("rustc")
        .arg(&root)
        .args([&format!("--crate-name={name}"), "--crate-type=rlib"])
        .args(["--edition=2021", "-Csymbol-mangling-version=v0", "-L."])
        .args(["-Clink-dead-code", "-Cmetadata=ab", "--cap-lints=allow"])
        .args(["-Ccodegen-units=1", "--extern=low"])
        .current_dir(folder)
        .status();
    assert!(status.expect("rustc").success(), "{source}");
    std::fs::read(folder.join(format!("lib{name}.rlib"))).expect("a library")
}

/// A program's libraries: the one that both compilations have, and that of each.
struct Libraries {
    low: Vec<u8>,
    app: [Vec<u8>; 2],
}

fn libraries(edit: (&str, &str)) -> Libraries {
    let folder = tempfile::tempdir().expect("a folder");
    let low = library(folder.path(), "low", LOW);
    assert!(APP.contains(edit.0), "{}", edit.0);
    let edited = APP.replace(edit.0, edit.1);
    let app = [APP, &edited].map(|source| library(folder.path(), "app", source));
    Libraries { low, app }
}

fn read(libraries: &[&'static [u8]]) -> World<'static> {
    let mut all = Vec::new();
    for library in libraries {
        objects::read(library, &mut all).expect("objects");
    }
    World::new(all)
}

/// All that can be asked of a piece, with nothing in it that depends on which world is asked.
fn told(side: &Side<'_, 'static>, piece: Piece) -> String {
    let world = side.world;
    let targets = world.objects[piece.0].relocations(piece.1);
    let targets = targets.map(|relocation| match world.target(piece.0, &relocation) {
        Some(Target::Piece(piece)) => (Some(piece), None),
        Some(Target::Outside(name)) => (None, Some(name.to_owned())),
        None => (None, None),
    });
    let told = (
        world.symbols_in(piece).to_vec(),
        world.path_of(piece),
        side.print(piece),
        side.used_by(piece).collect::<Vec<_>>(),
        targets.collect::<Vec<_>>(),
    );
    format!("{told:?}")
}

fn paths(world: &World<'_>) -> BTreeMap<String, Vec<Piece>> {
    let all = world.paths();
    let all: Vec<_> = all
        .map(|(path, pieces)| (path.to_string(), pieces.to_vec()))
        .collect();
    let found: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(found.len(), all.len(), "a path comes once");
    found
}

#[track_caller]
fn assert_same(one: &World<'static>, other: &World<'static>) {
    assert_eq!(paths(one), paths(other));
    let (one, other) = (Side::new(one), Side::new(other));
    let both = [&one, &other];
    let pieces: Vec<Piece> = one.world.all().collect();
    assert!(pieces.iter().copied().eq(other.world.all()));
    for piece in pieces {
        assert_eq!(told(&one, piece), told(&other, piece));
    }
    for object in one.world.objects.iter() {
        for symbol in &object.symbols {
            let [here, there] = both.map(|side| side.world.definition(symbol.name));
            assert_eq!(here, there, "{}", symbol.name);
        }
    }
    for path in paths(one.world).keys() {
        let [here, there] = both.map(|side| side.world.symbols_of(path).len());
        assert_eq!(here, there, "{path}");
    }
}

/// What compares two worlds: which functions are replaced, which statics are kept, and what of the
/// code is new. `Err`: why not.
fn compared(old: &World<'static>, new: &World<'static>) -> Result<[BTreeSet<String>; 4], String> {
    let (then, now) = (sites(old, &|_| true), sites(new, &|_| true));
    let bound = now.clone().into_iter();
    let bound = bound.filter(|(owner, site)| {
        then.get(owner).is_some_and(|then| then.has_type_of(site)) && site.is_function()
    });
    let bound: HashMap<String, CompiledSite> = bound.collect();
    let crates = HashSet::from(["app".to_owned(), "low".to_owned()]);
    let premises = Premises {
        bound: &bound,
        brought: &HashMap::new(),
        crates: &crates,
        identifiers: &HashSet::new(),
        names: &|_| true,
        declares: &|_| true,
        then: &then,
        now: &now,
        edits: &Edits::default(),
        counterparts: &HashMap::new(),
        optimised: &|_| false,
        shares_code: false,
        is_harness: false,
        late: None,
    };
    let found = compare(&Side::new(old), &Side::new(new), &premises)?;
    let paths = |all: &mut dyn Iterator<Item = &std::sync::Arc<str>>| {
        all.map(|path| path.to_string()).collect()
    };
    Ok([
        found.replaced,
        found.preserved_statics.into_keys().collect(),
        paths(&mut found.changed.iter()),
        paths(&mut found.dirty.iter()),
    ])
}

/// The functions that an edit replaces, or a part of why it is refused.
type Expected = Result<&'static [&'static str], &'static str>;

/// Edits of the upper crate.
const EDITS: [(&str, &str, Expected); 5] = [
    ("u32 { helper(&n) }", "u32 { helper(&n) }", Ok(&[])),
    // By way of the crate below, which is the same: it asks for a symbol.
    (
        "len() as u32 + 1",
        "len() as u32 + 2",
        Err("`callback` has no site"),
    ),
    // The instance that the crate below has is the only one then.
    (" + low::twice(n)", "", Ok(&["all"])),
    (
        "low::twice(1_u64) as u32",
        "low::twice(1_u8) as u32",
        Ok(&["all"]),
    ),
    ("{ 4 }", "{ 5 }", Err("corners")),
];

#[test]
fn what_is_shared_is_as_if_it_were_read_for_each() {
    for (before, after, expected) in EDITS {
        let Libraries { low, app } = libraries((before, after));
        // They live for ever, in this test.
        let kept: &Kept = Box::leak(Box::new(Kept::new(vec![low.clone()]).expect("objects")));
        assert_eq!(kept.size(), low.len());
        let low: &[u8] = low.leak();
        let app = app.map(|app| &*app.leak());
        let apart = app.map(|app| read(&[low, app]));
        let beside = app.map(|app| {
            let mut own = Vec::new();
            objects::read(app, &mut own).expect("objects");
            let all = kept.counts().iter().sum::<usize>() + own.len();
            let world = World::beside(kept.shared(), own);
            assert_eq!(world.objects.iter().count(), all);
            world
        });
        for (apart, beside) in apart.iter().zip(&beside) {
            assert_same(apart, beside);
            assert!(!apart.shares_with(beside));
        }
        let [[then, now], [old, new]] = [&apart, &beside];
        assert!(old.shares_with(new) && then.shares_with(now));
        let found = compared(then, now);
        assert_eq!(found, compared(old, new), "{after}");
        // The one way with the other.
        assert_eq!(found, compared(then, new), "{after}");
        match (expected, found) {
            (Ok(expected), Ok([replaced, ..])) => {
                let names = replaced.iter().filter_map(|path| path.rsplit("::").next());
                assert_eq!(names.collect::<Vec<_>>(), expected, "{after}");
            }
            (Err(part), Err(why)) => assert!(why.contains(part), "{why}"),
            (expected, found) => panic!("{after}: {found:?} in place of {expected:?}"),
        }
    }
}
