//! Real crates: compiled as the wrapper does, patched while they run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use soft_mock_rewriter::rewrite;

use super::*;
use crate::build::object::dynamic_symbols;
use crate::toolchain;
use crate::unit::UnitKind;

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
}

impl Project {
    fn new(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().to_owned();
        for (name, text) in [("lib.rs", LIB), ("dep.rs", DEP), ("main.rs", MAIN)] {
            std::fs::write(root.join(name), text).expect("a source");
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
            skip: Vec::new(),
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

    /// Functions of `text` by the names of their sites.
    fn functions(&self, text: &str, names: &[&str]) -> Vec<WholeFunction> {
        let read = |_: &Path| Ok(text.to_owned());
        let tree = shadow::tree(&self.unit.root, &read).expect("a tree");
        let known = rewrite(&tree, &shadow::options(&self.unit, Output::Program)).functions;
        let find = |name: &&str| {
            let function = known.iter().find(|function| function.name == **name);
            let function = function.unwrap_or_else(|| panic!("no function {name}"));
            WholeFunction {
                name: function.name.clone(),
                path: function.path.clone(),
                line: function.line,
                kind: function.kind.expect("a site"),
                not_send: false,
            }
        };
        names.iter().map(find).collect()
    }

    fn build(&self, text: &str, names: &[&str]) -> Result<PathBuf, WholeError> {
        self.build_with(text, names, self.linker.as_deref())
    }

    fn build_with(
        &self,
        text: &str,
        names: &[&str],
        linker: Option<&Path>,
    ) -> Result<PathBuf, WholeError> {
        let functions = self.functions(text, names);
        build(&WholeRequest {
            unit: &self.unit,
            folder: self.dir.path(),
            read: &|_| Ok(text.to_owned()),
            functions: &functions,
            rustc: &self.rustc,
            linker,
            program: &self.symbols,
            libraries: &[self.dir.path().to_owned()],
            manifest: "{\"format\":1}",
            output: &self.path("patch.so"),
            cancel: &Cancel::default(),
        })
    }

    fn run(&self, installed: &[(usize, &str)]) -> Vec<String> {
        let pairs = installed
            .iter()
            .map(|(k, name)| format!("{name}=__soft_mock_patch_{k}"));
        let output = Command::new(self.path("main"))
            .arg(self.path("patch.so"))
            .args(pairs)
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

const ALL: [&str; 18] = [
    "app::shared_static",
    "app::raw_static",
    "app::local_static",
    "app::thread_locals",
    "app::owner::Outer::private",
    "app::owner::Outer::add",
    "app::owner::Outer::inlined",
    "app::owner::Outer::slow",
    "app::closures",
    "app::local_type",
    "app::fails",
    "app::catches",
    "app::factorial",
    "app::callee",
    "app::caller",
    "app::constant",
    "app::logs",
    "app::waits",
];

const SHOWN: &str = "<app::Shown as fmt::Display>::fmt";

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
new waits x 10012 32";

fn edited() -> String {
    LIB.replace("/*n*/1", "2").replace("/*i*/0", "1")
}

fn check_all(project: &Project, linker: Option<&Path>) {
    let names = [&ALL[..], &[SHOWN]].concat();
    project
        .build_with(&edited(), &names, linker)
        .expect("a plugin");
    let installed: Vec<(usize, &str)> = names.iter().copied().enumerate().collect();
    let lines = project.run(&installed);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let new: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| line.starts_with("new "))
        .collect();
    assert_eq!(new.join("\n"), EXPECTED);
    // Another thread has data of its own.
    assert!(lines.contains(&"thread thread_locals [2] 7 2"), "{lines:?}");

    // New code calls what is installed, not what it was compiled with.
    let caller = names
        .iter()
        .position(|name| *name == "app::caller")
        .expect("caller");
    let lines = project.run(&[(caller, "app::caller")]);
    assert!(lines.contains(&"new caller 12".to_owned()), "{lines:?}");
}

fn refusal(project: &Project, old: &str, new: &str, name: &str) -> String {
    assert!(LIB.contains(old));
    match project.build(&LIB.replacen(old, new, 1), &[name]) {
        Err(WholeError::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn new_code_runs_with_the_state_of_the_program() {
    let project = Project::new(&["-C", "debuginfo=2"]);
    check_all(&project, project.linker.as_deref());
    check_all(&project, None);

    // The next edit: everything compiles anew from what is known of the last one.
    let text = LIB.replace("n * factorial(n - 1)", "n + factorial(n - 1)");
    project.build(&text, &["app::factorial"]).expect("a plugin");
    let lines = project.run(&[(0, "app::factorial")]);
    assert!(lines.contains(&"new factorial 11".to_owned()), "{lines:?}");

    // A closure before the one that holds a static: it would be another variable.
    let reason = refusal(
        &project,
        "let next =",
        "let _other = || 1; let next =",
        "app::local_static",
    );
    assert_eq!(
        reason,
        "the program does not contain the variable `app::local_static::{closure#1}::INNER`"
    );
    let sent = project.build(
        &LIB.replace(
            "super::yielded().await;",
            "let n = std::rc::Rc::new(1); super::yielded().await; drop(n);",
        ),
        &["app::owner::Outer::slow"],
    );
    assert!(
        matches!(&sent, Err(WholeError::Compile { stderr }) if stderr.contains("cannot be sent between threads safely"))
    );
    let wrong = project.build(&LIB.replace("/*i*/0", "\"0\""), &["app::constant"]);
    assert!(matches!(&wrong, Err(WholeError::Compile { stderr }) if stderr.contains("E0277")));
}

#[test]
fn optimised_code_too() {
    let project = Project::new(&["-O", "-C", "lto=off"]);
    check_all(&project, project.linker.as_deref());
}
