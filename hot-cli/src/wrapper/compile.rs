//! One unit from cargo's call to its output files.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::SystemTime;

use anyhow::{bail, Context, Result};
use soft_mock_compiled::visibility::unhide;
use soft_mock_rewriter::analysis::{inlined, tracked};
use soft_mock_rewriter::instrument::{Output, Rewritten};
use soft_mock_rewriter::syntax::{plain_path, CrateTree};

use super::cargo_call::{exit_code, CargoCall, Notices};
use super::included_list::{Included, List};
use super::{
    builds, columns, diagnostics, linker, mocking, refusals, shadow, std_calls, stub, test_linker,
    track_caller, Purpose,
};
use crate::config::settings;
use crate::exit;
use crate::os::files::{below, edit_file, removed, replace_file};
use crate::rustc::args::RustcArgs;
use crate::rustc::beside::{data_files, DataFiles};
use crate::rustc::dep_info;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::unit::{record_built, Unit, UnitKind, NOT_INCLUDED};

/// How often a rewritten crate is compiled before it is built as it is.
const ATTEMPTS: usize = 4;

/// How many saves a compilation begins anew for.
const SAVES: usize = 3;

pub(crate) struct Compilation {
    call: CargoCall,
    args: RustcArgs,
    kind: UnitKind,
    folder: PathBuf,
    /// The crate is no member of the workspace.
    included: Option<ForeignCrate>,
}

/// What is different in a crate that is no member of the workspace.
#[derive(Debug)]
struct ForeignCrate {
    /// Patterns of the names of functions that the user wants left alone.
    skip: Vec<String>,
    /// The package, if cargo takes its sources for unchangeable.
    immutable_source: Option<PathBuf>,
}

/// How the compilation of a rewritten crate ended.
enum Outcome {
    Built,
    /// rustc refused it; its diagnostics.
    Refused(Vec<String>),
}

/// Builds a crate as it is, and records why.
pub(crate) fn unmodified(
    call: &CargoCall,
    args: &RustcArgs,
    kind: UnitKind,
    reason: String,
) -> ExitCode {
    let compilation = Compilation::new(call.clone(), args.clone(), kind);
    compilation.original(compilation.as_it_is(), reason)
}

impl Compilation {
    pub(crate) fn new(call: CargoCall, args: RustcArgs, kind: UnitKind) -> Self {
        let folder = match (args.out_dir(), args.stem()) {
            (Some(out_dir), Some(stem)) => Unit::folder(&absolute(&out_dir), &stem),
            _ => PathBuf::new(),
        };
        Self {
            call,
            args,
            kind,
            folder,
            included: None,
        }
    }

    /// The same for a crate that is rewritten although it is no member of the workspace.
    pub(super) fn included(mut self, list: &List, included: &Included) -> Self {
        self.included = Some(ForeignCrate {
            skip: list.skip.clone(),
            immutable_source: included.sources.map(|_| included.folder.clone()),
        });
        self
    }

    /// Compiles a crate as it is, and records that it uses what has sites. Its own changes concern
    /// nobody: cargo wouldn't look at them either.
    pub(super) fn not_included(&self) -> ExitCode {
        let status = self.as_it_is();
        if status.as_ref().is_ok_and(ExitStatus::success) {
            let record = self.unit().and_then(|mut unit| {
                unit.unmodified = Some(NOT_INCLUDED.to_owned());
                unit.write(&self.folder)
            });
            if let Err(error) = record {
                eprintln!("hot: {error:#}");
                return ExitCode::from(exit::NOT_COMPILED);
            }
        }
        exit_code(status)
    }

    pub(crate) fn run(self) -> ExitCode {
        // A test harness leaves no record by which it could be known.
        if self.kind != UnitKind::Test {
            let name = self.args.value("--crate-name");
            builds::tell(&self.folder, name.unwrap_or_default());
        }
        let mut saves = 0..SAVES;
        loop {
            let begun = SystemTime::now();
            let Err(error) = self.rewritten() else {
                return ExitCode::SUCCESS;
            };
            // If this works, it was the rewriting that failed, or what didn't compile is gone with
            // a save since.
            let status = self.as_it_is();
            let works = status.as_ref().is_ok_and(ExitStatus::success);
            if !works || !self.is_saved_since(begun) || saves.next().is_none() {
                return self.original(status, format!("{error:#}"));
            }
        }
    }

    /// Has the crate compiled as cargo asked for it.
    fn as_it_is(&self) -> io::Result<ExitStatus> {
        self.call.command().args(&self.args.all).status()
    }

    /// Whether what was compiled was saved after that.
    fn is_saved_since(&self, begun: SystemTime) -> bool {
        let read = dep_info::read(&self.dep_info(&self.out_dir())).unwrap_or_default();
        let saved = |path: &PathBuf| std::fs::metadata(path).and_then(|file| file.modified());
        let mut read = read.iter();
        read.any(|path| saved(path).is_ok_and(|at| at > begun))
    }

    /// The crate was compiled as cargo asked for it, since this was in the way of anything else.
    fn original(&self, status: io::Result<ExitStatus>, reason: String) -> ExitCode {
        if status.as_ref().is_ok_and(ExitStatus::success) {
            let name = self.args.value("--crate-name").unwrap_or("?");
            if matches!(self.kind, UnitKind::Lib | UnitKind::Bin | UnitKind::Plugin) {
                eprintln!("hot: crate `{name}` is built unmodified and can't be patched: {reason}");
            } else if self.kind == UnitKind::Test {
                eprintln!(
                    "hot: the tests `{name}` are built unmodified, so functions of their own, and those of std that \
                     they call by themselves, can't be mocked: {reason}"
                );
            }
            let record = self.unit().and_then(|mut unit| {
                unit.unmodified = Some(reason);
                let read = dep_info::read(&self.dep_info(&self.out_dir()))?;
                unit.record_inputs(&read, &DataFiles::new());
                self.watched(&unit)?;
                let texts = unit.sources_read();
                self.keep_sources(texts.iter().map(|(path, text)| (*path, text.as_bytes())))?;
                unit.write(&self.folder)
            });
            if let Err(error) = record {
                eprintln!("hot: {error:#}");
            }
        }
        exit_code(status)
    }

    /// Rewrites and compiles, leaving out what the compiler refuses.
    fn rewritten(&self) -> Result<()> {
        let mut unit = self.unit()?;
        if self.folder.as_os_str().is_empty() {
            bail!("cargo named no output folder");
        }
        // This process ends when the crate is compiled, and to free a tree takes its time.
        let tree = shadow::tree(&unit, &|path| std::fs::read_to_string(path))?;
        let tree = ManuallyDrop::new(tree);
        if let Some(error) = tree.errors.first() {
            bail!("{error}");
        }
        unit.sources = tree.files.iter().map(|file| file.path.clone()).collect();
        unit.skip = match &self.included {
            Some(foreign) => settings::meant_for(&unit.crate_name, foreign.skip.clone()),
            None => settings::read(&unit.crate_name, unit.package())?,
        };
        let data = data_files(&tree);
        unit.id = self.identify(&unit, &tree, &data);
        if !unit.mocks {
            // A mock is called with what the function is called with. A patch may be the function
            // itself.
            let elsewhere = track_caller::tracking(&self.args, &unit.cwd);
            let tracked = tracked(&tree, &unit.crate_name, &elsewhere);
            unit.without.extend(tracked);
            if self.args.is_optimised() {
                unit.inlined.extend(inlined(&tree, &unit.crate_name));
            }
        }
        refusals::take_over(&mut unit, &tree, &self.folder);
        let shadow_root = self.folder.join("shadow");
        let mut lines = Vec::new();
        for _ in 0..ATTEMPTS {
            let rewritten = shadow::write(&unit, (&tree, &data), Output::Program, &shadow_root)?;
            match self.compile(&unit, &shadow_root, &rewritten)? {
                Outcome::Built => return self.record(unit, &tree, data),
                Outcome::Refused(said) => lines = said,
            }
            if !refusals::leave_out(&mut unit, &lines, &rewritten) {
                break;
            }
        }
        let why = diagnostics::first_error(&lines);
        bail!(
            "it does not compile with prologues: {}",
            why.unwrap_or_default()
        )
    }

    /// Lets cargo watch what the compiler doesn't know of.
    fn watched(&self, unit: &Unit) -> Result<()> {
        let mut files = self.settings(unit);
        files.push(record_built(&self.folder)?);
        dep_info::add(&self.dep_info(&self.out_dir()), &files)
    }

    fn record(&self, mut unit: Unit, tree: &CrateTree, mut data: DataFiles) -> Result<()> {
        let from = self.dep_info(&self.output_folder());
        for path in dep_info::read(&from)? {
            // A macro has read the file itself, and not the copy: it isn't known what it made of
            // it.
            data.remove(&plain_path(&unit.cwd.join(path)));
        }
        let shadow_root = self.folder.join("shadow");
        let read = dep_info::fix(&from, &self.dep_info(&self.out_dir()), &shadow_root)?;
        self.watched(&unit)?;
        unit.record_inputs(&read, &data);
        // Who reads the record before and after something else knows that all of it was of one
        // build.
        removed(std::fs::remove_file(self.folder.join("unit.json")))?;
        let texts = tree.files.iter();
        let texts = texts.map(|file| (&file.path, file.text.as_bytes()));
        let data = data.iter().map(|(path, bytes)| (path, &bytes[..]));
        self.keep_sources(texts.chain(data))?;
        unit.write(&self.folder)
    }

    /// Keeps copies of what is compiled.
    fn keep_sources<'f>(&self, files: impl Iterator<Item = (&'f PathBuf, &'f [u8])>) -> Result<()> {
        let sources = self.folder.join("sources");
        removed(std::fs::remove_dir_all(&sources))?;
        for (path, bytes) in files {
            replace_file(&below(&sources, path), bytes)?;
        }
        Ok(())
    }

    fn compile(&self, unit: &Unit, shadow_root: &Path, rewritten: &Rewritten) -> Result<Outcome> {
        let root = below(shadow_root, &unit.root);
        let (call, metadata) = match self.kind {
            UnitKind::Bin | UnitKind::Plugin => (Call::Program, self.args.program_metadata()),
            UnitKind::Test if self.is_patched() => (Call::LivingTests, String::new()),
            UnitKind::Test => (Call::Tests, String::new()),
            UnitKind::Lib | UnitKind::Macro => (Call::Library, String::new()),
        };
        let mut args = call.args(
            &self.args,
            &Places {
                root: &root.to_string_lossy(),
                out_dir: &self.folder.to_string_lossy(),
                metadata: &metadata,
                shadow: Some((shadow_root, &unit.cwd)),
                ..Places::default()
            },
        );
        let variables = match self.kind {
            UnitKind::Test => {
                args.push(&["-C", "link-arg=-Wl,--export-dynamic"]);
                let surroundings = unit.mocks.then(|| self.surroundings(unit, rewritten));
                let patched = self.is_patched();
                test_linker::between(&mut args, &self.folder, surroundings, patched)?
            }
            _ => Vec::new(),
        };
        let notices = match self.kind {
            UnitKind::Lib => Notices::ToCargo,
            _ => Notices::Dropped,
        };
        let (status, lines) = self.call.run(&args, variables, notices)?;
        if !status.success() {
            return Ok(Outcome::Refused(lines));
        }
        for line in lines {
            writeln!(std::io::stderr(), "{line}")?;
        }
        match self.kind {
            UnitKind::Lib => self.finish(&self.library(&self.out_dir()), unit, rewritten)?,
            UnitKind::Bin | UnitKind::Plugin => {
                self.finish(&self.library(&self.folder), unit, rewritten)?;
                self.link(unit)?;
            }
            UnitKind::Test | UnitKind::Macro => {}
        }
        Ok(Outcome::Built)
    }

    /// What is done to a library that was compiled.
    fn finish(&self, library: &Path, unit: &Unit, rewritten: &Rewritten) -> Result<()> {
        edit_file(library, |bytes| {
            let mut changed = unit.mocks && {
                let around = self.surroundings(unit, rewritten);
                std_calls::in_library(library, bytes, &around)
            };
            // The program exports them, and plugins find what it has.
            changed |= unhide(bytes)
                .with_context(|| format!("can't read the symbols of {}", library.display()))?
                > 0;
            changed |= columns::restore_in(bytes, &unit.cwd, &rewritten.columns)
                .with_context(|| format!("can't read the places in {}", library.display()))?;
            Ok(changed)
        })
    }

    fn is_patched(&self) -> bool {
        Purpose::of_this_process().patches_harnesses()
    }

    fn surroundings(&self, unit: &Unit, rewritten: &Rewritten) -> std_calls::Surroundings {
        std_calls::Surroundings::new(&self.args, unit, &self.out_dir(), &rewritten.functions)
    }

    /// Compiles the generated main and links the program.
    fn link(&self, unit: &Unit) -> Result<()> {
        let folder = self.folder.to_string_lossy();
        let (source, text) = match self.kind {
            UnitKind::Plugin => ("plugin.rs", stub::plugin_source(&folder)),
            _ => ("main.rs", stub::source(&folder)),
        };
        let source = self.folder.join(source);
        replace_file(&source, text.as_bytes())?;
        let library = self.library(&self.folder);
        let mut args = Call::Root.args(
            &self.args,
            &Places {
                root: &source.to_string_lossy(),
                ..Places::default()
            },
        );
        args.push(&[
            "--extern",
            &format!("{}={}", stub::PROGRAM, library.display()),
        ]);
        let linker = match self.kind {
            UnitKind::Plugin => vec![linker::exporting(&mut args, &self.folder)?],
            _ => {
                args.push(&["-C", "link-arg=-Wl,--export-dynamic"]);
                Vec::new()
            }
        };
        let (status, lines) = self.call.run(&args, linker, Notices::Dropped)?;
        if status.success() {
            return Ok(());
        }
        let why = diagnostics::first_error(&lines);
        bail!(
            "`{}` does not link with the generated root: {}",
            unit.crate_name,
            why.unwrap_or_else(|| lines.join("\n"))
        )
    }

    /// The manifests that say how the crate is rewritten. What they say of one that is included
    /// decides about its mark.
    fn settings(&self, unit: &Unit) -> Vec<PathBuf> {
        match self.included {
            Some(_) => Vec::new(),
            None => settings::files(unit.package()),
        }
    }

    fn unit(&self) -> Result<Unit> {
        let cwd = std::env::current_dir()?;
        let input = self.args.input().context("no root file")?;
        Ok(Unit {
            crate_name: self
                .args
                .value("--crate-name")
                .unwrap_or_default()
                .to_owned(),
            kind: self.kind,
            id: 0,
            rustc: self.call.rustc.clone(),
            chained: self.call.chained.clone(),
            version: crate::rustc::toolchain::version(&self.call.rustc)?,
            args: self.args.all.clone(),
            root: cwd.join(input),
            mocks: Purpose::of_this_process().mocks(self.kind),
            only_named: self.kind == UnitKind::Test
                && !self.is_patched()
                && !mocking::others_mock(&self.args),
            cwd,
            env: crate::rustc::toolchain::recorded_environment(),
            sources: Vec::new(),
            inputs: BTreeMap::new(),
            untyped: BTreeSet::new(),
            without: BTreeSet::new(),
            skip: Vec::new(),
            inlined: BTreeSet::new(),
            uncarried: BTreeSet::new(),
            refused: BTreeMap::new(),
            unmodified: None,
            built_by: crate::os::own_build()?.1,
            optimisation_differs: false,
            immutable_source: self
                .included
                .as_ref()
                .and_then(|foreign| foreign.immutable_source.clone()),
        })
    }

    /// The same for the same sources and flags, another for any other build.
    fn identify(&self, unit: &Unit, tree: &CrateTree, data: &DataFiles) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&unit.crate_name, &unit.version, &unit.args, &unit.skip).hash(&mut hasher);
        for file in &tree.files {
            (&file.path, &file.text).hash(&mut hasher);
        }
        data.hash(&mut hasher);
        hasher.finish()
    }

    fn out_dir(&self) -> PathBuf {
        absolute(&self.args.out_dir().unwrap_or_default())
    }

    /// Where rustc was told to write.
    fn output_folder(&self) -> PathBuf {
        match self.kind {
            UnitKind::Bin | UnitKind::Plugin => self.folder.clone(),
            UnitKind::Lib | UnitKind::Test | UnitKind::Macro => self.out_dir(),
        }
    }

    fn library(&self, folder: &Path) -> PathBuf {
        folder.join(format!("lib{}.rlib", self.args.stem().unwrap_or_default()))
    }

    fn dep_info(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.d", self.args.stem().unwrap_or_default()))
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
