//! Compiles a unit's crate as it is now, or as it was when the program was built.
//!
//! Both with the same flags and the same preparation, one after the other with the same incremental
//! cache: what differs in the code differs in the sources. A crate is compiled against the
//! others as they were compiled here.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use soft_mock_rewriter::analysis::FunctionInfo;
use soft_mock_rewriter::instrument::{rewrite, Output};
use soft_mock_rewriter::whole_crate::prepare;

use super::{SpreadRequest, WholeError};
use crate::os::files::{below, replace_file};
use crate::rustc::run;
use crate::rustc::unit::{Unit, UnitKind};
use crate::wrapper::shadow;

/// A compiled crate.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) library: PathBuf,
    pub(super) identifiers: HashSet<String>,
    /// All functions of its sources.
    pub(super) functions: Vec<FunctionInfo>,
    /// Async functions that can't be replaced, and why.
    pub(super) attached: BTreeMap<String, String>,
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
    pub(super) read: &'a dyn Fn(&Path) -> std::io::Result<String>,
    pub(super) libraries: &'a InPlaceOf,
}

impl Crate<'_> {
    /// Compiles what edits are compared with, unless it was before. `against`: the units that it uses.
    pub(super) fn baseline(
        &self,
        request: &SpreadRequest<'_>,
        against: Vec<u64>,
    ) -> Result<PathBuf, WholeError> {
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

    /// Compiles the crate into `place`.
    pub(super) fn compile(
        &self,
        request: &SpreadRequest<'_>,
        place: &Path,
    ) -> Result<Compiled, WholeError> {
        let tree = shadow::tree(&self.unit.root, self.read)?;
        if let Some(error) = tree.errors.first() {
            return Err(WholeError::Compile {
                stderr: error.to_string(),
            });
        }
        let functions = rewrite(&tree, &shadow::options(self.unit, Output::Program)).functions;
        let source = prepare(tree, &self.unit.crate_name, &functions).map_err(|error| {
            WholeError::Refused {
                reason: format!("the prepared file is no Rust: {error}"),
            }
        })?;
        let shadow_root = self.folder.join("whole/shadow");
        let mut prepared = self.unit.clone();
        prepared.without.extend(source.without);
        shadow::write(&prepared, &source.tree, Output::Program, &shadow_root)?;
        let library = self.library(place);
        remove(&library)?;
        std::fs::create_dir_all(place).map_err(anyhow::Error::from)?;
        self.rustc(request, place, &shadow_root)?;
        Ok(Compiled {
            library,
            identifiers: source.identifiers,
            functions,
            attached: source.attached,
        })
    }

    fn library(&self, place: &Path) -> PathBuf {
        let stem = self.unit.rustc_args().stem().unwrap_or_default();
        place.join(format!("lib{stem}.rlib"))
    }

    fn rustc(
        &self,
        request: &SpreadRequest<'_>,
        place: &Path,
        shadow_root: &Path,
    ) -> Result<(), WholeError> {
        let unit = self.unit;
        let call = unit.rustc_args();
        let metadata = match unit.kind {
            UnitKind::Bin | UnitKind::Plugin => call.program_metadata(),
            UnitKind::Lib | UnitKind::Test | UnitKind::Macro => {
                call.codegen("metadata").unwrap_or("").to_owned()
            }
        };
        let mut args = call
            .compile_flags()
            .without(&[], &["debuginfo", "strip"])
            .with_libraries(self.libraries);
        args.all.retain(|arg| arg != "-g");
        args.push(&[&below(shadow_root, &unit.root).to_string_lossy()]);
        args.push(&["--crate-name", &unit.crate_name, "--crate-type", "rlib"]);
        args.push(&[
            "-C",
            &format!("metadata={metadata}"),
            "--cap-lints",
            "allow",
        ]);
        if let Some(extra) = call.codegen("extra-filename") {
            args.push(&["-C", &format!("extra-filename={extra}")]);
        }
        args.push(&["-C", "symbol-mangling-version=v0", "-C", "link-dead-code"]);
        // Optimisation across objects would drop what nothing calls, and make symbols local.
        args.push(&["-C", "debuginfo=line-tables-only", "-C", "lto=off"]);
        let incremental = self.folder.join("whole/incremental");
        args.push(&["-C", &format!("incremental={}", incremental.display())]);
        args.push(&["--emit=link", "--out-dir", &place.to_string_lossy()]);
        let [everywhere, workspace] = shadow::remap(shadow_root, &unit.cwd);
        args.push(&[&everywhere, &workspace]);
        let finished = run::run(request.rustc, unit, &args, request.cancel)?;
        match finished.success {
            true => Ok(()),
            false => Err(WholeError::Compile {
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
