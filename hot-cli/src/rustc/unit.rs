//! A unit: one rustc call of a workspace member that we know how to repeat, and where its files
//! lie.
//!
//! ```text
//! <target>/<profile>/.hot/<crate>-<hash>/
//!     unit.json     this record, written when the crate was compiled
//!     sources/…     the user's files as they were compiled, below their absolute paths
//!     shadow/…      the same files rewritten, everything else as links
//!     twin/…        what plugins are compiled against, made when it is first needed
//!     again         cargo takes it for a source: its time says whether the crate has to be built again
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use soft_mock_rewriter::syntax::CompiledAs;

use super::args::RustcArgs;
use super::beside::DataFiles;
use super::inputs::{inputs, Input, Role};
use super::optimisation;
use crate::os::files::{hash_of, replace_file, replace_with_mode, Stamp};

/// Why a crate has no sites that uses one that has.
pub(crate) const NOT_INCLUDED: &str = "it is not included";

/// What a unit is compiled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnitKind {
    /// A library.
    Lib,
    /// A program, compiled as a library and a generated main.
    Bin,
    /// A managed plugin, compiled as a library and a generated root.
    Plugin,
    /// A test harness.
    Test,
    /// A proc-macro crate: left as it is, but its changes concern whoever uses it.
    Macro,
}

/// The record of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) crate_name: String,
    pub(crate) kind: UnitKind,
    /// Identifies this build of the crate inside a program.
    pub(crate) id: u64,
    /// The compiler that cargo named, and a wrapper that was set before ours.
    pub(crate) rustc: PathBuf,
    pub(crate) chained: Option<PathBuf>,
    /// The first line of `rustc -V`.
    pub(crate) version: String,
    /// The arguments that cargo gave.
    pub(crate) args: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) env: BTreeMap<String, String>,
    /// The root file.
    pub(crate) root: PathBuf,
    /// It is rewritten for tests.
    #[serde(default)]
    pub(crate) mocks: bool,
    /// And only those functions for mocks that its sources name.
    #[serde(default)]
    pub(crate) only_named: bool,
    /// The files that were rewritten.
    pub(crate) sources: Vec<PathBuf>,
    /// Everything else that decides what is compiled.
    pub(crate) inputs: BTreeMap<PathBuf, Input>,
    /// Names of sites without a type id, and of functions without a site: the compiler refuses
    /// them, or their code can't be called through one.
    pub(crate) untyped: BTreeSet<String>,
    pub(crate) without: BTreeSet<String>,
    /// Patterns of the names of functions that the user wants left alone.
    #[serde(default)]
    pub(crate) skip: Vec<String>,
    /// Lines with closures that don't carry the scope of their test: the compiler refuses them.
    #[serde(default)]
    pub(crate) uncarried: BTreeSet<(PathBuf, usize)>,
    /// Where those functions stand that the compiler refused.
    #[serde(default)]
    pub(crate) refused: BTreeMap<String, PathBuf>,
    /// Names of functions without a site because the optimiser inlines them.
    #[serde(default)]
    pub(crate) inlined: BTreeSet<String>,
    /// Why the crate was compiled as it is, without sites.
    pub(crate) unmodified: Option<String>,
    /// Crates that it uses may be optimised although it isn't.
    pub(crate) optimisation_differs: bool,
    /// The build of `hot` that compiled it.
    #[serde(default)]
    pub(crate) built_by: u64,
    /// The folder of a package from a registry or from git: cargo takes its sources for
    /// unchangeable.
    #[serde(default)]
    pub(crate) immutable_source: Option<PathBuf>,
}

/// The folder with the records of all units in a profile's folder; cargo puts no file of such a
/// name there.
pub(crate) fn records(profile: &Path) -> PathBuf {
    profile.join(".hot")
}

/// Makes the file in a unit's folder that cargo takes for a source, as old as can be: the crate was
/// just built.
pub(crate) fn record_built(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("again");
    replace_file(&path, b"")?;
    set_time(&path, SystemTime::UNIX_EPOCH)?;
    Ok(path)
}

/// Has cargo build the crate again, whatever the times of its sources say: those of a file from an
/// archive, or of one that was saved when the clock was wrong, lie before the last build.
pub(crate) fn build_again(folder: &Path) -> Result<()> {
    let built = std::fs::metadata(folder.join("unit.json")).and_then(|meta| meta.modified());
    let now = SystemTime::now();
    let time = built.map_or(now, |built| built.max(now));
    set_time(&folder.join("again"), time + Duration::from_secs(1))
}

fn set_time(path: &Path, time: SystemTime) -> Result<()> {
    let set = || File::options().write(true).open(path)?.set_modified(time);
    set().with_context(|| format!("can't set the time of {}", path.display()))
}

impl Unit {
    /// What its crate is compiled as.
    pub(crate) fn compiled_as(&self) -> CompiledAs {
        match self.kind {
            UnitKind::Test => CompiledAs::Harness,
            UnitKind::Lib | UnitKind::Bin | UnitKind::Plugin | UnitKind::Macro => CompiledAs::Crate,
        }
    }

    /// The folder of the unit with the given output file stem.
    pub(crate) fn folder(out_dir: &Path, stem: &str) -> PathBuf {
        records(out_dir.parent().unwrap_or(out_dir)).join(stem)
    }

    /// Reads the record in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("unit.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("no record of a unit at {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; run `cargo clean`", path.display()))
    }

    /// A program without files, for tests.
    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self {
            crate_name: "app".to_owned(),
            kind: UnitKind::Bin,
            id: 1,
            rustc: PathBuf::new(),
            chained: None,
            version: String::new(),
            args: Vec::new(),
            cwd: PathBuf::new(),
            env: BTreeMap::new(),
            root: PathBuf::new(),
            mocks: false,
            only_named: false,
            sources: Vec::new(),
            inputs: BTreeMap::new(),
            untyped: BTreeSet::new(),
            uncarried: BTreeSet::new(),
            refused: BTreeMap::new(),
            without: BTreeSet::new(),
            skip: Vec::new(),
            inlined: BTreeSet::new(),
            unmodified: None,
            built_by: 0,
            optimisation_differs: false,
            immutable_source: None,
        }
    }

    /// Writes the record.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        // It holds the environment of the call, and that may hold secrets.
        replace_with_mode(&folder.join("unit.json"), text.as_bytes(), 0o600)
    }

    /// An eligible function of the crate has no site all the same: see `without` and `inlined`.
    pub(crate) fn is_without_site(&self, name: &str) -> bool {
        self.without.contains(name) || self.inlined.contains(name)
    }

    /// Whether it is a dependency without sites that uses others which have some.
    pub(crate) fn is_not_included(&self) -> bool {
        self.kind == UnitKind::Lib && self.unmodified.as_deref() == Some(NOT_INCLUDED)
    }

    /// The folder of its package.
    pub(crate) fn package(&self) -> &Path {
        let named = self.env.get("CARGO_MANIFEST_DIR");
        named.map_or(&self.cwd, |folder| Path::new(folder))
    }

    /// The metadata with which its library is compiled.
    pub(crate) fn library_metadata(&self) -> String {
        let call = self.rustc_args();
        match self.kind {
            UnitKind::Bin | UnitKind::Plugin => call.program_metadata(),
            UnitKind::Lib | UnitKind::Test | UnitKind::Macro => {
                call.codegen("metadata").unwrap_or("").to_owned()
            }
        }
    }

    pub(crate) fn rustc_args(&self) -> RustcArgs {
        RustcArgs::new(self.args.clone())
    }

    /// The unit without optimisation, which puts together what names have kept apart.
    pub(crate) fn without_optimisation(&self) -> Self {
        Self {
            args: self.rustc_args().without_optimisation().all,
            ..self.clone()
        }
    }

    /// Records what decides about the crate beside its rewritten sources; `read` is what the
    /// compiler read, and `data` what may be values in it.
    pub(crate) fn record_inputs(&mut self, read: &[PathBuf], data: &DataFiles) {
        self.inputs = inputs(self, read, data);
        self.optimisation_differs = optimisation::may_differ(self);
    }

    /// The sources of a crate that was compiled as it is, with what they held then.
    pub(crate) fn sources_read(&self) -> Vec<(&PathBuf, String)> {
        let is_source = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
        let read = self.inputs.iter();
        let read = read.filter(|(path, input)| input.role == Role::Read && is_source(path));
        let texts = read.filter_map(|(path, input)| {
            let text = std::fs::read_to_string(path).ok()?;
            (hash_of(text.as_bytes()) == input.hash).then_some((path, text))
        });
        texts.collect()
    }

    /// The folders of which the build script wants to know all files.
    pub(crate) fn folders_of_build_script(&self) -> impl Iterator<Item = &Path> {
        let folders = self.inputs.iter();
        let folders = folders.filter(|(_, input)| input.role == Role::FolderOfBuildScript);
        folders.map(|(path, _)| path.as_path())
    }

    /// Whether a file that wasn't there lies in one of them. Sources are rather new modules.
    pub(crate) fn is_new_for_build_script(&self, path: &Path) -> bool {
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let mut folders = self.folders_of_build_script();
        folders
            .any(|folder| path.starts_with(folder) && !(is_source && self.root.starts_with(folder)))
    }

    /// The unit of the program that cargo has put at `path`, if there is a record of one: the file
    /// is a link to the compiler's.
    pub(crate) fn of_program(path: &Path) -> Option<PathBuf> {
        let stamp = Stamp::of(path)?;
        let profiles = path.ancestors().skip(1).take(2);
        let folders =
            profiles.filter_map(|profile| Some((profile, records(profile).read_dir().ok()?)));
        let mut units = folders.flat_map(|(profile, folder)| {
            let units = folder.flatten().map(|unit| unit.path());
            units.map(move |unit| (profile, unit))
        });
        let is_its = |profile: &Path, unit: &Path| {
            let compiled = |folder: &str| Some(profile.join(folder).join(unit.file_name()?));
            let mut compiled = ["deps", "examples"].into_iter().filter_map(compiled);
            compiled.any(|file| Stamp::of(&file) == Some(stamp))
        };
        let (_, unit) = units.find(|(profile, unit)| is_its(profile, unit))?;
        unit.join("unit.json").is_file().then_some(unit)
    }

    /// The unit that a library file belongs to, if there is a record of one.
    pub(crate) fn of_library(path: &Path) -> Option<PathBuf> {
        let stem = path.file_stem()?.to_str()?.strip_prefix("lib")?;
        let folder = Self::folder(path.parent()?, stem);
        folder.join("unit.json").is_file().then_some(folder)
    }
}
