//! Real crates: compiled as the wrapper does, patched while they run.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use soft_mock_rewriter::Output;

use super::*;
use crate::build::object::dynamic_symbols;
use crate::toolchain;
use crate::unit::{below, UnitKind};
use crate::wrapper::shadow;

// It is private to the wrapper.
#[allow(clippy::duplicate_mod)]
#[path = "../../wrapper/unhide.rs"]
mod unhide;

const LIB: &str = include_str!("fixture/lib.rs");
const DEP: &str = include_str!("fixture/dep.rs");
const MAIN: &str = include_str!("fixture/main.rs");

struct Project {
    dir: tempfile::TempDir,
    unit: Unit,
    rustc: PathBuf,
    linker: Option<PathBuf>,
    symbols: DynamicSymbols,
    number: Cell<u64>,
}

impl Project {
    fn new(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().to_owned();
        for (name, text) in [("lib.rs", LIB), ("dep.rs", DEP), ("main.rs", MAIN)] {
            std::fs::write(root.join(name), text).expect("a source");
            let copy = below(&root.join("unit/sources"), &root.join(name));
            crate::unit::replace_file(&copy, text.as_bytes()).expect("a source");
        }
        let rustc = toolchain::real_rustc(Path::new("rustc")).expect("a compiler");
        let args = [
            "--crate-name",
            "app",
            "--edition=2021",
            "lib.rs",
            "--crate-type",
            "lib",
        ];
        let own = [
            "--emit=link",
            "-C",
            "metadata=ab",
            "--out-dir",
            ".",
            "--extern",
            "dep=libdep.rlib",
        ];
        let args = args
            .iter()
            .chain(&own)
            .chain(flags)
            .map(|arg| (*arg).to_owned());
        let unit = Unit {
            crate_name: "app".to_owned(),
            kind: UnitKind::Lib,
            id: 7,
            rustc: rustc.clone(),
            chained: None,
            version: "rustc".to_owned(),
            args: args.collect(),
            cwd: root.clone(),
            env: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())]),
            root: root.join("lib.rs"),
            sources: Vec::new(),
            inputs: BTreeMap::new(),
            no_std: false,
            mocks: false,
            untyped: BTreeSet::new(),
            without: BTreeSet::new(),
            inlined: BTreeSet::new(),
            unmodified: None,
        };
        let linker = toolchain::bundled_linker(&rustc);
        let mut project = Self {
            dir,
            unit,
            rustc,
            linker,
            symbols: DynamicSymbols::default(),
            number: Cell::new(0),
        };
        project.compile(flags);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn rustc(&self, args: &[&str]) {
        let status = Command::new(&self.rustc)
            .args(args)
            .current_dir(self.dir.path())
            .status();
        assert!(status.expect("rustc").success());
    }

    fn compile(&mut self, flags: &[&str]) {
        let dep = [
            "--crate-name",
            "dep",
            "--edition=2021",
            "dep.rs",
            "--crate-type",
            "lib",
        ];
        self.rustc(&[&dep[..], flags].concat());
        let read = |path: &Path| std::fs::read_to_string(path);
        let tree = shadow::tree(&self.unit.root, &read).expect("a tree");
        let shadow_root = self.path("shadow");
        shadow::write(&self.unit, &tree, Output::Program, &shadow_root).expect("a shadow");
        let mut args = self
            .unit
            .rustc_args()
            .with_input(&below(&shadow_root, &self.unit.root));
        args.push(&[
            "-C",
            "symbol-mangling-version=v0",
            "-C",
            "link-dead-code",
            "--cap-lints",
            "allow",
        ]);
        args.push(
            &shadow::remap(&shadow_root, &self.unit.cwd)
                .each_ref()
                .map(String::as_str),
        );
        self.rustc(&args.all.iter().map(String::as_str).collect::<Vec<_>>());
        unhide::unhide(&self.path("libapp.rlib")).expect("visible symbols");
        let main = [
            "--edition=2021",
            "main.rs",
            "--extern",
            "app=libapp.rlib",
            "-L",
            "dependency=.",
        ];
        self.rustc(&[&main[..], &["-C", "link-arg=-Wl,--export-dynamic"], flags].concat());
        self.symbols = dynamic_symbols(&self.path("main")).expect("symbols");
    }

    fn build(&self, text: &str) -> Result<Spread, WholeError> {
        self.build_with(text, &[], self.linker.as_deref())
    }

    fn build_with(
        &self,
        text: &str,
        earlier: &[SpreadPlugin],
        linker: Option<&Path>,
    ) -> Result<Spread, WholeError> {
        self.number.set(self.number.get() + 1);
        build(&SpreadRequest {
            units: &[SpreadUnit {
                unit: &self.unit,
                folder: &self.path("unit"),
                edited: Some(&|_| Ok(text.to_owned())),
            }],
            rustc: &self.rustc,
            linker,
            program: &self.symbols,
            libraries: &[self.dir.path().to_owned()],
            earlier,
            only_bodies: true,
            output: self.dir.path(),
            number: self.number.get(),
            cancel: &Cancel::default(),
        })
    }

    /// What the program prints; of each plugin the functions that `wanted` names are installed.
    fn run(&self, plugins: &[SpreadPlugin], wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut arguments = Vec::new();
        for plugin in plugins {
            arguments.push(format!("+{}", plugin.path.display()));
            for (k, function) in plugin.functions.iter().enumerate() {
                if wanted(&function.name) {
                    arguments.push(format!("{}=__soft_mock_patch_{k}", function.name));
                }
            }
        }
        let output = Command::new(self.path("main"))
            .args(arguments)
            .output()
            .expect("the program");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{:?}\n{text}\n{errors}",
            output.status
        );
        text.lines().map(str::to_owned).collect()
    }
}

/// What the new code must have done: with the state that the old code left behind.
const EXPECTED: &str = "\
new shared_static 3 2
new raw_static 3
new local_static 102
new thread_locals [1, 2] 8 3
new private 2 2 2
new add 5
new closures [11, 9, 7]
new local_type [Local { n: 2 }, Local { n: 2 }] 402
new catches failed 3 2 2
new factorial 48
new caller 22
new constant one line 2
new shown <3/2>
new small 5 2 8 6 8
new waits x 10012 32";

fn edited() -> String {
    LIB.replace("/*n*/1", "2").replace("/*i*/0", "1")
}

/// The functions that hold something to edit, and none that doesn't.
const ALL: [&str; 19] = [
    "<app::Shown as fmt::Display>::fmt",
    "app::callee",
    "app::caller",
    "app::catches",
    "app::closures",
    "app::constant",
    "app::factorial",
    "app::fails",
    "app::local_static",
    "app::local_type",
    "app::logs",
    "app::owner::Outer::add",
    "app::owner::Outer::inlined",
    "app::owner::Outer::private",
    "app::owner::Outer::slow",
    "app::raw_static",
    "app::shared_static",
    "app::thread_locals",
    "app::waits",
];

fn names(spread: &Spread) -> Vec<&str> {
    let functions = spread.plugins.iter().flat_map(|plugin| &plugin.functions);
    let mut names: Vec<&str> = functions
        .map(|function| function.name.as_str())
        // Where code is optimised, it holds what it calls.
        .filter(|name| *name != "app::run")
        .collect();
    names.sort();
    names
}

fn new_lines(lines: &[String]) -> String {
    let new = lines.iter().filter(|line| line.starts_with("new "));
    new.map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn check_all(project: &Project, linker: Option<&Path>) {
    let built = project
        .build_with(&edited(), &[], linker)
        .expect("a plugin");
    assert_eq!(names(&built), ALL);
    let lines = project.run(&built.plugins, |_| true);
    assert_eq!(new_lines(&lines), EXPECTED);
    // Another thread has data of its own.
    assert!(
        lines.contains(&"thread thread_locals [2] 7 2".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn new_code_runs_with_the_state_of_the_program() {
    let project = Project::new(&["-C", "debuginfo=2"]);
    let same = project.build(LIB).expect("a comparison");
    assert!(same.plugins.is_empty() && same.kept.is_empty(), "{same:?}");
    check_all(&project, project.linker.as_deref());
    check_all(&project, None);

    // New code calls what is installed, not what it was compiled with.
    let built = project.build(&edited()).expect("a plugin");
    let lines = project.run(&built.plugins, |name| name == "app::caller");
    assert!(lines.contains(&"new caller 12".to_owned()), "{lines:?}");
}

fn refusal(project: &Project, edits: &[(&str, &str)]) -> String {
    match project.build(&replaced(edits)) {
        Err(WholeError::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

fn replaced(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(LIB.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

#[test]
fn a_change_spreads_to_what_has_a_site() {
    let project = Project::new(&[]);
    let changed = |edits: &[(&str, &str)]| {
        let built = project.build(&replaced(edits)).expect("a plugin");
        names(&built).join(" ")
    };
    // A generic function, a constant, a macro, a default method, a signature, a line that moves.
    assert_eq!(
        changed(&[("f(value)", "{ COUNT.load(Relaxed); f(value) }")]),
        "app::closures"
    );
    assert_eq!(changed(&[("BASE: u32 = 1", "BASE: u32 = 2")]), "app::based");
    assert_eq!(changed(&[("$n + 1", "$n + 2")]), "app::by_macro");
    assert_eq!(
        changed(&[("self.size() + 0", "self.size() + 7")]),
        "app::sized"
    );
    assert_eq!(
        changed(&[
            ("fn add_one(n: u32)", "fn add_one(n: u64)"),
            ("n + 1 //", "n as u32 + 2 //"),
            ("add_one(5)", "add_one(1 << 33)"),
        ]),
        "app::adds"
    );
    assert_eq!(changed(&[("fn callee()", "\n\nfn callee()")]), "");
    let reason = refusal(&project, &[("        4\n", "        5\n")]);
    assert_eq!(reason, "`<app::Square as app::Shape>::corners` has no site, and a vtable or a table of functions may still lead to its old code");
}

#[test]
fn new_things_come_along_and_statics_stay() {
    let project = Project::new(&[]);
    let first = replaced(&[
        ("fn callee() -> u32 {\n    /*n*/1", "fn callee() -> u32 {\n    added()"),
        ("fn based() -> u32 {\n", "fn based() -> u32 {\n    NOTES.with(|n| n.set(n.get() + 1));\n"),
        ("const BASE", "static CALLS: AtomicU32 = AtomicU32::new(40);
            thread_local! { static NOTES: Cell<u32> = const { Cell::new(0) }; }
            struct Named(&'static str);
            impl Shape for Named { fn corners(&self) -> u32 { self.0.len() as u32 } }
            impl From<Named> for u32 { fn from(named: Named) -> u32 { named.corners() } }
            impl fmt::Display for Square { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(\"square\") } }
            mod deep { pub(super) fn one<T: Default + Into<u32>>() -> u32 { T::default().into() } }
            fn added() -> u32 {
                let boxed: Box<dyn std::any::Any> = Box::new(Named(\"abc\"));
                let same = boxed.downcast_ref::<Named>().is_some() as u32;
                CALLS.fetch_add(same, Relaxed) + deep::one::<u8>() + u32::from(Named(\"ab\")) + Square.to_string().len() as u32
            }
            const BASE"),
    ]);
    let one = project.build(&first).expect("a plugin");
    assert_eq!(names(&one), ["app::based", "app::callee"]);
    let lines = project.run(&one.plugins, |_| true);
    assert!(lines.contains(&"new caller 481".to_owned()), "{lines:?}");
    // The next patch: the same static and thread-local, which have gone on counting.
    let second = first
        .replace("named.corners()", "named.corners() + 100")
        .replace(
            "BASE: u32 = 1",
            "BASE: u32 = NOTES_BASE; const NOTES_BASE: u32 = 3",
        );
    let two = project
        .build_with(&second, &one.plugins, project.linker.as_deref())
        .expect("a plugin");
    assert_eq!(names(&two), ["app::based", "app::callee"]);
    let both = [one.plugins, two.plugins].concat();
    let lines = project.run(&both, |_| true);
    assert!(lines.contains(&"new caller 1481".to_owned()), "{lines:?}");
}

#[test]
fn optimised_code_too() {
    let project = Project::new(&["-O", "-C", "lto=off"]);
    check_all(&project, project.linker.as_deref());
}
