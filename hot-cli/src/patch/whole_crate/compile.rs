//! Compiles a unit's crate as it is now, or as it was when the program was built.
//!
//! Both with the same flags and the same preparation, one after the other with the same incremental
//! cache: what differs in the code differs in the sources. A crate is compiled against the
//! others as they were compiled here.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use soft_mock_rewriter::analysis::FunctionInfo;
use soft_mock_rewriter::instrument::{rewrite, Output};
use soft_mock_rewriter::syntax::{CrateTree, SourceNames};
use soft_mock_rewriter::whole_crate::prepare;

use super::{archive, last, Request, State, WholeCrateError};
use crate::os::files::{below, replace_file};
use crate::os::turns::turn;
use crate::rustc::beside::Beside;
use crate::rustc::dep_info::Reading;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::run;
use crate::rustc::unit::{Unit, UnitKind};
use crate::wrapper::{columns, shadow};

/// How debug information is compressed, where unstable options are known. Layouts are read in it.
const COMPRESSION: &str = "debuginfo-compression";

/// The incremental cache, in a unit's folder.
const INCREMENTAL: &str = "whole/incremental";

/// The folder that rustc writes to, whatever is compiled: with another one it makes all machine
/// code anew, since debug information can name files beside the library.
const OUTPUT: &str = "whole/output";

/// A compiled crate.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) library: PathBuf,
    /// All names in them.
    pub(super) names: Arc<SourceNames>,
    /// All functions of its sources.
    pub(super) functions: Vec<FunctionInfo>,
    /// Async functions that can't be replaced, and why.
    pub(super) attached: BTreeMap<String, String>,
    /// Files that macros include, with hashes of what they held.
    pub(super) included: BTreeMap<PathBuf, u64>,
}

/// What is noted beside a finished baseline: what it was made from.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Note {
    unit: u64,
    hot: u64,
    against: Vec<u64>,
}

/// The file names of the libraries that take the place of others, by those libraries' stems.
pub(super) type InPlaceOf = BTreeMap<String, PathBuf>;

/// One crate to compile.
pub(super) struct Crate<'a> {
    pub(super) unit: &'a Unit,
    pub(super) folder: &'a Path,
    pub(super) state: State<'a>,
    pub(super) libraries: &'a InPlaceOf,
    /// Names and signatures of functions that plugins have brought.
    pub(super) brought: &'a BTreeSet<(String, String)>,
}

impl Crate<'_> {
    /// Compiles what edits are compared with, unless it was before. `against`: the units that it
    /// uses.
    pub(super) fn baseline(
        &self,
        request: &Request<'_>,
        against: Vec<u64>,
    ) -> Result<PathBuf, WholeCrateError> {
        let turn = self.turn();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.folder.join("whole/base");
        let library = self.library(&place);
        let path = place.join("base.json");
        let note = Note {
            unit: self.unit.id,
            hot: crate::os::own_build()?.1,
            against,
        };
        let known = std::fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        if known.as_ref() == Some(&note) && library.is_file() {
            return Ok(library);
        }
        remove(&path)?;
        let compiled = self.compile(request, &place)?;
        let text = serde_json::to_vec(&note).map_err(anyhow::Error::from)?;
        replace_file(&path, &text)?;
        Ok(compiled.library)
    }

    /// Compiles the crate as a micro-crate is to be compared with it: without optimisation.
    pub(super) fn compile_to_compare(
        &self,
        request: &Request<'_>,
    ) -> Result<PathBuf, WholeCrateError> {
        let turn = self.turn();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.folder.join("whole/own");
        let compiled = match self.unit.rustc_args().is_optimised() {
            // With the cache that is there.
            false => self.compile(request, &place)?,
            true => {
                let plain = Crate {
                    unit: &self.unit.without_optimisation(),
                    ..*self
                };
                plain.compile_with(request, &place, "whole/incremental-plain")?
            }
        };
        Ok(compiled.library)
    }

    /// Compiles the crate into `place`.
    fn compile(&self, request: &Request<'_>, place: &Path) -> Result<Compiled, WholeCrateError> {
        self.compile_with(request, place, INCREMENTAL)
    }

    /// Compiles the crate into `place`, unless just this was compiled last. `against`: what stands
    /// for the crates that it uses; returned with the same for this one.
    pub(super) fn compile_anew(
        &self,
        request: &Request<'_>,
        place: &Path,
        against: &[u64],
    ) -> Result<(Arc<Compiled>, u64), WholeCrateError> {
        let tree = shadow::tree(self.unit, self.state.read)?;
        let made_from = self.made_from(&tree, against);
        let turn = self.turn();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last::get(place, made_from) {
            return Ok((last, made_from));
        }
        last::forget(place);
        let compiled = Arc::new(self.compile_tree(request, tree, place, INCREMENTAL)?);
        last::put(place, made_from, &compiled);
        Ok((compiled, made_from))
    }

    /// A unit is compiled in one way after the other: all use the same folders.
    fn turn(&self) -> Arc<Mutex<()>> {
        turn(&self.folder.join("whole"))
    }

    /// Stands for all that it is compiled from, but for what macros read.
    fn made_from(&self, tree: &CrateTree, against: &[u64]) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.unit.id, against, self.brought).hash(&mut hasher);
        for file in &tree.files {
            (&file.path, &file.text).hash(&mut hasher);
        }
        let Beside { data, variables } = self.state.beside;
        (data, variables).hash(&mut hasher);
        hasher.finish()
    }

    fn compile_with(
        &self,
        request: &Request<'_>,
        place: &Path,
        incremental: &str,
    ) -> Result<Compiled, WholeCrateError> {
        let tree = shadow::tree(self.unit, self.state.read)?;
        self.compile_tree(request, tree, place, incremental)
    }

    fn compile_tree(
        &self,
        request: &Request<'_>,
        tree: CrateTree,
        place: &Path,
        incremental: &str,
    ) -> Result<Compiled, WholeCrateError> {
        if let Some(error) = tree.errors.first() {
            return Err(WholeCrateError::Compile {
                stderr: error.to_string(),
            });
        }
        let functions = rewrite(&tree, &shadow::options(self.unit, Output::Program)).functions;
        let is_brought = |function: &FunctionInfo| {
            let mut brought = self.brought.iter();
            brought
                .any(|(name, signature)| *name == function.name && *signature == function.signature)
        };
        let source = prepare(tree, &self.unit.crate_name, &functions, &is_brought);
        let source = source.map_err(|error| WholeCrateError::Refused {
            reason: format!("the prepared file is no Rust: {error}"),
        })?;
        let shadow_root = self.folder.join("whole/shadow");
        let Beside { data, .. } = self.state.beside;
        let mut prepared = self.unit.clone();
        prepared.without.extend(source.without);
        let rewritten = shadow::write(
            &prepared,
            (&source.tree, data),
            Output::Program,
            &shadow_root,
        )?;
        let library = self.library(place);
        remove(&library)?;
        let output = self.folder.join(OUTPUT);
        for folder in [place, &output] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("can't create {}", folder.display()))?;
        }
        let reading = Reading {
            unit: self.unit,
            shadow: &shadow_root,
            began: SystemTime::now(),
        };
        self.rustc(request, [&output, &library], &shadow_root, incremental)?;
        let is_source = |path: &Path| source.tree.files.iter().any(|file| file.path == path);
        let stem = self.unit.rustc_args().stem().unwrap_or_default();
        let included = reading.included(&output.join(format!("{stem}.d")), &is_source)?;
        if !self.is_harness() {
            std::fs::rename(self.library(&output), &library)
                .with_context(|| format!("can't move a library to {}", library.display()))?;
        }
        columns::restore(&library, &prepared.cwd, &rewritten.columns)?;
        Ok(Compiled {
            library,
            names: Arc::new(source.names),
            functions,
            attached: source.attached,
            included,
        })
    }

    /// Rustc makes no library of it.
    fn is_harness(&self) -> bool {
        self.unit.kind == UnitKind::Test
    }

    fn library(&self, place: &Path) -> PathBuf {
        let stem = self.unit.rustc_args().stem().unwrap_or_default();
        place.join(format!("lib{stem}.rlib"))
    }

    fn rustc(
        &self,
        request: &Request<'_>,
        [output, library]: [&Path; 2],
        shadow_root: &Path,
        incremental: &str,
    ) -> Result<(), WholeCrateError> {
        let unit = self.unit;
        let root = below(shadow_root, &unit.root);
        let incremental = self.folder.join(incremental);
        let call = match self.is_harness() {
            true => Call::WholeHarness,
            false => Call::WholeCrate,
        };
        let mut args = call.args(
            &unit.rustc_args().with_libraries(self.libraries),
            &Places {
                root: &root.to_string_lossy(),
                out_dir: &output.to_string_lossy(),
                metadata: &unit.library_metadata(),
                incremental: &incremental.to_string_lossy(),
                shadow: Some((shadow_root, &unit.cwd)),
                ..Places::default()
            },
        );
        if args.all.iter().any(|arg| arg.contains(COMPRESSION)) {
            args.push(&[&format!("-Z{COMPRESSION}=none")]);
        }
        let mut unit = self.state.beside.unit(unit);
        if self.is_harness() {
            archive::in_place_of_program(library, &mut args, &mut unit)?;
        }
        let finished = run::run(request.rustc, &unit, &args, request.cancel)?;
        match finished.success {
            true => Ok(()),
            false => Err(WholeCrateError::Compile {
                stderr: finished.stderr,
            }),
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
