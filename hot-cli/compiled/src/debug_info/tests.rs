//! A program compiled twice, with one thing edited.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Difference, Reader};
use crate::objects;

const PROGRAM: &str = include_str!("tests/program.rs");

/// Compilations of a program.
struct Program {
    dir: tempfile::TempDir,
    flags: Vec<&'static str>,
    built: Vec<u8>,
    number: std::cell::Cell<usize>,
}

impl Program {
    fn new(flags: &[&'static str]) -> Self {
        let mut program = Self {
            dir: tempfile::tempdir().expect("a folder"),
            flags: flags.to_vec(),
            built: Vec::new(),
            number: std::cell::Cell::new(0),
        };
        program.built = program.compile(PROGRAM);
        program
    }

    fn compile(&self, source: &str) -> Vec<u8> {
        self.number.set(self.number.get() + 1);
        let dir: PathBuf = self.dir.path().join(self.number.get().to_string());
        std::fs::create_dir(&dir).expect("a folder");
        std::fs::write(dir.join("app.rs"), source).expect("a source");
        let library = dir.join("libapp.rlib");
        rustc(&dir, &self.flags);
        std::fs::read(library).expect("a library")
    }

    /// What differs after all edits.
    fn edit<'e>(&self, edits: impl IntoIterator<Item = &'e (&'e str, &'e str)>) -> Vec<String> {
        let source = edits
            .into_iter()
            .fold(PROGRAM.to_owned(), |text, (old, new)| {
                assert!(text.contains(old), "{old}");
                text.replacen(old, new, 1)
            });
        differences(&self.built, &self.compile(&source))
    }

    /// Each edit must be found, whatever else is edited.
    fn finds(&self, expected: &[Edit<'_>]) {
        let found = self.edit(expected.iter().flat_map(|(edits, _)| *edits));
        for (edits, expected) in expected {
            assert!(
                found.iter().any(|found| found == expected),
                "{edits:?}: not {expected:?} in {found:#?}"
            );
        }
    }
}

/// An edit, and what is to be said about it.
type Edit<'e> = (&'e [(&'e str, &'e str)], &'e str);

fn rustc(dir: &Path, flags: &[&str]) {
    let status = Command::new("rustc")
        .args([
            "--crate-name",
            "app",
            "--crate-type",
            "rlib",
            "--edition",
            "2018",
            "app.rs",
        ])
        .args([
            "--cap-lints",
            "allow",
            "-C",
            "metadata=1",
            "-C",
            "link-dead-code",
        ])
        .args(["-C", "symbol-mangling-version=v0", "-C", "debuginfo=2"])
        .args(flags)
        .current_dir(dir)
        .status();
    assert!(status.expect("rustc").success());
}

fn differences(old: &[u8], new: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(HashSet::from(["app".to_owned()]));
    let (mut before, mut now) = (Vec::new(), Vec::new());
    objects::read(old, &mut before).expect("objects");
    objects::read(new, &mut now).expect("objects");
    let old = reader.read(&before).expect("debug information");
    let new = reader
        .read_like(&now, (&old, &before))
        .expect("debug information");
    let found = reader.compare(&[&old], &[&new]);
    found
        .into_iter()
        .map(|Difference { what, .. }| what)
        .collect()
}

/// Another thing behind the same text: by a glob, an alias, an associated type, a macro.
const HIDDEN_BY_NAMES: &[Edit<'_>] = &[
    (
        &[("crate::a::*", "crate::b::*")],
        "static app::VALUES: Mutex<Vec<app::b::Val>>, was Mutex<Vec<app::a::Val>>",
    ),
    (
        &[("Number = u8", "Number = i8")],
        "thread-local app::EAGER: Cell<i8>, was Cell<u8>",
    ),
    (
        &[("hidden: u32", "hidden: i32")],
        "static app::hidden::HIDDEN: Mutex<Option<i32>>, was Mutex<Option<u32>>",
    ),
    (
        &[(
            "impl Marked for Chosen {}",
            "impl Kind for Chosen { type Out = i32; fn make() -> i32 { 7 } }",
        )],
        "static app::KEPT: Mutex<Vec<i32>>, was Mutex<Vec<u32>>",
    ),
    (
        &[("/*constant*/", "const LEN: usize = 5;")],
        "struct app::own::Table: field rows: [u32; 5], was [u32; 4]",
    ),
    (
        &[("made!(Made, u32)", "made!(Made, i32)")],
        "struct app::Made: field value: i32, was u32",
    ),
    (
        &[("cached!(u32", "cached!(i32")],
        "struct app::caches::Slot: field value: i32, was u32",
    ),
];

const LAYOUTS: &[Edit<'_>] = &[
    (
        &[("    Start,\n", ""), ("Event::Start => 1,", "")],
        "enum app::Event: variant Start is gone",
    ),
    (
        &[("Key(u8)", "Key(i8)")],
        "variant app::Event::Key: field 0: i8, was u8",
    ),
    (
        &[("    Off,\n    On(u8),", "    On(u8),\n    Off,")],
        "enum app::Switch: variant On: discriminant 0, was discriminant 1",
    ),
    (
        &[("Low = 1", "Low = 3")],
        "enum app::Level: variant Low: 3, was 1",
    ),
    (
        &[("pub word: u32", "pub word: u32, pub wide: u64")],
        "union app::Bits: field wide is new",
    ),
    (
        &[(
            "    pub first: u32,\n    pub second: u32,\n",
            "    pub second: u32,\n    pub first: u32,\n",
        )],
        "struct app::Ordered: field second at 0, was at 4",
    ),
    (
        &[(
            "repr(C)]\npub struct Packed",
            "repr(C, packed)]\npub struct Packed",
        )],
        "struct app::Packed: size: 5, was 8",
    ),
    (
        &[
            ("on_key: fn(u8) -> u8", "on_key: fn(i8) -> u8"),
            ("on_key)(1)", "on_key)(-1)"),
        ],
        "struct app::Callbacks: field on_key: fn(i8) -> u8, was fn(u8) -> u8",
    ),
    // Types of one name, in bodies.
    (
        &[("n: u16", "n: i16")],
        "struct app::local::Local: field n: i16, was u16",
    ),
    (
        &[
            ("Inside(u8)", "Inside(i8)"),
            ("Inside(self.0)", "Inside(1)"),
        ],
        "struct app::in_method::Inside: field 0: i8, was u8",
    ),
    (
        &[("/*block*/", "{ struct One(u64); keep(One(3)); }")],
        "there are several types `app::one::One`, and which is which can't be told",
    ),
    (
        &[
            ("marker: u8", "marker: i8"),
            ("visit(&self) -> u8", "visit(&self) -> i8"),
        ],
        "struct app::_::Visitor: field marker: i8, was u8",
    ),
];

const DROPS_AND_VTABLES: &[Edit<'_>] = &[
    (
        &[(
            "/*drop*/",
            "impl Drop for Made { fn drop(&mut self) { keep(1); } }",
        )],
        "`app::Made` has a `Drop` now, and had none",
    ),
    (
        &[(
            "/*generic drop*/",
            "impl<T> Drop for Generic<T> { fn drop(&mut self) { keep(1); } }",
        )],
        "vtable of <app::Generic<app::Made> as Any>: drops its value: `yes`, was `no`",
    ),
    (
        &[(
            "impl Drop for Quiet {\n    fn drop(&mut self) {\n        keep(self.0);\n    }\n}",
            "",
        )],
        "`app::Quiet` has a `Drop` no more",
    ),
    (
        &[("/*method*/", "fn first(&self) -> u8 { 1 }")],
        "`dyn app::Greet` has another number of methods",
    ),
    (
        &[(
            "    fn up(&self) -> u8;\n    fn down(&self) -> u8;\n",
            "    fn down(&self) -> u8;\n    fn up(&self) -> u8;\n",
        )],
        "vtable of <app::Loud as app::Moves>: method 1: `down`, was `up`",
    ),
];

const CLOSURES_AND_FUTURES: &[Edit<'_>] = &[(
    &[(
        "/*kept future*/",
        "let y = x + 1; ready(()).await; keep(y);",
    )],
    "what app::keeps::{async_block_env} holds: variant 4 is new",
)];

/// Edits that change nothing of what may live on: of bodies, additions, and what is not used any
/// more.
const HARMLESS: &[(&str, &str)] = &[
    ("/*closure*/", "let one = || 1; one();"),
    ("self.0 + 5", "self.0 + 6"),
    ("x + n", "x + n + m as u32"),
    (
        "let m = n as u8;",
        "let one = || 3; let m = one() + n as u8;",
    ),
    (
        "/*await*/",
        "let big = [x; 100]; ready(()).await; drop(big);",
    ),
    ("take()", "let one = || 1; one() + take()"),
    (
        "/*drop*/",
        "
        pub struct More(u8);
        impl Drop for More { fn drop(&mut self) {} }
        impl Greet for More { fn hello(&self) -> u8 { 2 } fn other(&self) -> u8 { 3 } }
        pub static MORE: Mutex<Vec<More>> = Mutex::new(Vec::new());
        pub fn more() -> Box<Greet> { Box::new(More(1)) }
        impl Made { pub fn local(&self) { struct Inside(u64); keep(Inside(3)); } }
        thread_local! { static NEW: Cell<u8> = Cell::new(1); }
        pub fn counts() -> u8 { NEW.with(Cell::get) }
        const _: () = {
            pub struct Visitor { other: u32 }
            impl Visitor { pub fn visit(&self) -> u32 { self.other } }
        };",
    ),
    ("    cached!(u32, 7);\n", ""),
    ("fn in_method", "fn not_in_method"),
    // What a macro declares in a future.
    (
        "Disabled,\n            }",
        "Disabled, Second(T),\n            }",
    ),
    // What a derive declares for a call of its own.
    (
        "First,\n        Other,",
        "Ignored = 7, First,\n        Other,",
    ),
];

fn check(flags: &[&'static str]) {
    let program = Program::new(flags);
    program.finds(HIDDEN_BY_NAMES);
    program.finds(LAYOUTS);
    program.finds(DROPS_AND_VTABLES);
    program.finds(CLOSURES_AND_FUTURES);
    assert_eq!(program.edit([]), Vec::<String>::new());
    assert_eq!(program.edit(HARMLESS), Vec::<String>::new());
}

#[test]
fn without_optimisation() {
    check(&[]);
}

#[test]
fn with_optimisation() {
    check(&["-C", "opt-level=3"]);
}

#[test]
fn newer_debug_information_and_several_objects() {
    check(&["-C", "dwarf-version=5", "-C", "codegen-units=4"]);
}

#[test]
fn types_in_units_of_their_own() {
    for version in ["dwarf-version=4", "dwarf-version=5"] {
        let program = Program::new(&["-C", version, "-C", "llvm-args=-generate-type-units"]);
        program.finds(HIDDEN_BY_NAMES);
        assert_eq!(program.edit(HARMLESS), Vec::<String>::new());
    }
}

#[test]
fn a_library_without_debug_information_is_an_error() {
    let program = Program::new(&["-C", "debuginfo=0"]);
    let mut read = Vec::new();
    objects::read(&program.built, &mut read).expect("objects");
    let mut reader = Reader::new(HashSet::from(["app".to_owned()]));
    let error = reader.read(&read).expect_err("nothing to compare");
    assert!(
        error.to_string().contains("no debug information"),
        "{error}"
    );
}

#[test]
fn causes_come_before_what_follows_from_them() {
    let program = Program::new(&[]);
    let first = |edit: &Edit<'_>| program.edit(edit.0).into_iter().next();
    for edit in [&HIDDEN_BY_NAMES[4], &DROPS_AND_VTABLES[0]] {
        assert_eq!(first(edit).as_deref(), Some(edit.1));
    }
}

/// Which of two types of one name is which is told by their order.
#[test]
fn types_of_one_name_that_exchange_their_forms() {
    let program = Program::new(&["-Cdebuginfo=2"]);
    let of = |first: &str, second: &str| {
        let make = |ty: &str| {
            format!("{{ #[derive(Debug)] struct One({ty}); keep.push(Box::new(One(1))); }}")
        };
        let source = format!(
            "pub fn fill(keep: &mut Vec<Box<dyn std::fmt::Debug>>) {{ {} {} }}",
            make(first),
            make(second)
        );
        program.compile(&source)
    };
    let built = of("u8", "u64");
    assert_eq!(differences(&built, &of("u8", "u64")), Vec::<String>::new());
    let several = "there are several types `app::fill::One`, and which is which can't be told";
    assert_eq!(differences(&built, &of("u64", "u8")), [several]);
}
