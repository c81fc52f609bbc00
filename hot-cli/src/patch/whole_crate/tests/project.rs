//! A program of two units and a foreign crate, compiled as the wrapper does, that loads plugins.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use soft_mock_rewriter::instrument::Output;

use super::super::*;
use crate::os::files::examine;
use crate::os::files::{below, edit_file};
use crate::rustc::beside::DataFiles;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::toolchain;
use crate::rustc::unit::UnitKind;
use crate::wrapper::shadow;
use soft_mock_compiled::library::dynamic_symbols;

pub(super) const LIB: &str = include_str!("../fixture/lib.rs");
pub(super) const LOW: &str = include_str!("../fixture/low.rs");
const DEP: &str = include_str!("../fixture/dep.rs");
const MAIN: &str = include_str!("../fixture/main.rs");

pub(super) struct Project {
    dir: tempfile::TempDir,
    /// `low`, and `app` that uses it.
    units: [Unit; 2],
    rustc: PathBuf,
    pub(super) linker: Option<PathBuf>,
    symbols: DynamicSymbols,
    number: AtomicU64,
}

impl Project {
    pub(super) fn new(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().to_owned();
        let files = [
            ("lib.rs", LIB),
            ("low.rs", LOW),
            ("dep.rs", DEP),
            ("main.rs", MAIN),
        ];
        for (name, text) in files {
            std::fs::write(root.join(name), text).expect("a source");
        }
        let rustc = toolchain::real_rustc(Path::new("rustc"), &Default::default(), Path::new("/"))
            .expect("a compiler");
        let linker = toolchain::bundled_linker(&rustc);
        let low = ["--extern", "dep=libdep.rlib"];
        let app = [
            "--extern",
            "dep=libdep.rlib",
            "--extern",
            "low=liblow-1.rlib",
        ];
        let mut project = Self {
            units: [
                unit(
                    &root,
                    &rustc,
                    "low",
                    "low.rs",
                    &[&low[..], &["-C", "extra-filename=-1"], flags].concat(),
                ),
                unit(&root, &rustc, "app", "lib.rs", &[&app[..], flags].concat()),
            ],
            dir,
            rustc,
            linker,
            symbols: DynamicSymbols::default(),
            number: AtomicU64::new(0),
        };
        project.compile(flags);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder of a unit.
    fn folder(&self, unit: &Unit) -> PathBuf {
        self.path(&format!("unit-{}", unit.crate_name))
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
        for unit in &self.units {
            self.compile_unit(unit);
        }
        let main = [
            "--edition=2021",
            "main.rs",
            "--extern",
            "app=libapp.rlib",
            "-L",
            "dependency=.",
        ];
        self.rustc(&[&main[..], &["-C", "link-arg=-Wl,--export-dynamic"], flags].concat());
        self.symbols = examine(&self.path("main"), dynamic_symbols).expect("symbols");
    }

    fn compile_unit(&self, unit: &Unit) {
        let text = std::fs::read(&unit.root).expect("a source");
        let copy = below(&self.folder(unit).join("sources"), &unit.root);
        crate::os::files::replace_file(&copy, &text).expect("a source");
        let read = |path: &Path| std::fs::read_to_string(path);
        let tree = shadow::tree(unit, &read).expect("a tree");
        let shadow_root = self.folder(unit).join("shadow");
        shadow::write(
            unit,
            (&tree, &DataFiles::new()),
            Output::Program,
            &shadow_root,
        )
        .expect("a shadow");
        let root = below(&shadow_root, &unit.root);
        let places = Places {
            root: &root.to_string_lossy(),
            shadow: Some((&shadow_root, &unit.cwd)),
            ..Places::default()
        };
        let args = Call::Library.args(&unit.rustc_args(), &places);
        self.rustc(&args.all.iter().map(String::as_str).collect::<Vec<_>>());
        let stem = unit.rustc_args().stem().expect("a stem");
        let library = self.path(&format!("lib{stem}.rlib"));
        let unhide = |bytes: &mut Vec<u8>| Ok(soft_mock_compiled::visibility::unhide(bytes)? > 0);
        edit_file(&library, unhide).expect("visible symbols");
    }

    pub(super) fn build(&self, text: &str) -> Result<WholeCratePatch, WholeCrateError> {
        self.build_with(&[("app", text)], &[], self.linker.as_deref())
    }

    /// `edits`: the new texts of units.
    pub(super) fn build_with(
        &self,
        edits: &[(&str, &str)],
        earlier: &[WholeCratePlugin],
        linker: Option<&Path>,
    ) -> Result<WholeCratePatch, WholeCrateError> {
        self.with_request(edits, earlier, linker, build)
    }

    /// The same for what is done with the request.
    pub(super) fn with_request<T>(
        &self,
        edits: &[(&str, &str)],
        earlier: &[WholeCratePlugin],
        linker: Option<&Path>,
        act: impl FnOnce(&Request<'_>) -> T,
    ) -> T {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        let folders = self.units.each_ref().map(|unit| self.folder(unit));
        let compiled = folders.each_ref().map(|folder| {
            let sources = folder.join("sources");
            move |path: &Path| std::fs::read_to_string(below(&sources, path))
        });
        let new = self.units.each_ref().map(|unit| {
            let edit = edits.iter().find(|(name, _)| *name == unit.crate_name);
            edit.map(|(_, text)| move |_: &Path| Ok((*text).to_owned()))
        });
        let beside = Beside::default();
        // The order doesn't matter.
        let units = [1, 0].map(|position: usize| UnitSources {
            unit: &self.units[position],
            folder: &folders[position],
            compiled: State {
                read: &compiled[position],
                beside: &beside,
            },
            edited: new[position].as_ref().map(|read| State {
                read,
                beside: &beside,
            }),
        });
        let crates = self.units.iter().map(|unit| unit.crate_name.clone());
        let crates = crates.collect();
        act(&Request {
            brought: &BTreeMap::new(),
            only_closures: Some(&HashSet::new()),
            units: &units,
            rustc: &self.rustc,
            linker,
            program: &self.symbols,
            exported: &ProgramSymbols::new(&self.symbols, &crates),
            library: None,
            libraries: &[self.dir.path().to_owned()],
            earlier,
            left: &[],
            edits: &Edits {
                only_bodies: true,
                ..Edits::default()
            },
            output: self.dir.path(),
            number,
            cancel: &Cancel::default(),
        })
    }

    /// What the program prints; of each plugin the functions that `wanted` names are installed.
    pub(super) fn run(
        &self,
        plugins: &[WholeCratePlugin],
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut arguments = Vec::new();
        for plugin in plugins {
            arguments.push(format!("+{}", plugin.path.display()));
            for (k, function) in plugin.functions.iter().enumerate() {
                if wanted(&function.name) {
                    arguments.push(format!(
                        "{}={}",
                        function.name,
                        soft_mock_abi::symbol::patch(k)
                    ));
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

fn unit(root: &Path, rustc: &Path, name: &str, file: &str, flags: &[&str]) -> Unit {
    let args = [
        "--crate-name",
        name,
        "--edition=2021",
        file,
        "--crate-type",
        "lib",
    ];
    let own = ["--emit=link", "-C", "metadata=ab", "--out-dir", "."];
    let args = args
        .iter()
        .chain(&own)
        .chain(flags)
        .map(|arg| (*arg).to_owned());
    Unit {
        crate_name: name.to_owned(),
        kind: UnitKind::Lib,
        id: 7,
        rustc: rustc.to_owned(),
        version: crate::rustc::toolchain::version(rustc).expect("a compiler"),
        args: args.collect(),
        cwd: root.to_owned(),
        env: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())]),
        root: root.join(file),
        ..Unit::empty()
    }
}
