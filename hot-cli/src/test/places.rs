//! Where the project's files are: its packages, the workspace around them, and what cargo makes.
//!
//! Knows nothing of what is done with them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::args::Wanted;
use crate::cargo;
use crate::cargo::command_line::CargoCommand;

/// Cargo's files: it knows what they mean for a build, and tests may read them too.
const MANIFESTS: [&str; 2] = ["Cargo.toml", LOCK];

const LOCK: &str = "Cargo.lock";

/// Whether a file is one of cargo's.
pub(super) fn is_manifest(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    MANIFESTS.iter().any(|manifest| name == *manifest)
}

/// The folders of a project.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Of the packages that the user can edit: a test may read anything in them.
    packages: BTreeSet<PathBuf>,
    root: PathBuf,
    pub(super) target: PathBuf,
}

impl Places {
    pub(super) fn of(wanted: &Wanted) -> Result<Self> {
        let program = cargo::program();
        let words: Vec<OsString> = wanted
            .toolchain
            .iter()
            .cloned()
            .chain(std::iter::once("test".into()))
            .chain(wanted.cargo.iter().cloned())
            .collect();
        let command = CargoCommand::of(&program, &words);
        let command =
            command.with_context(|| format!("{} is not cargo", program.to_string_lossy()))?;
        let metadata = command.metadata().context("cargo can't read the project")?;
        let packages = metadata.packages.into_iter();
        let own = packages.filter(|package| package.source.is_none());
        let folders =
            own.filter_map(|package| package.manifest_path.parent().map(|folder| folder.into()));
        Ok(Self {
            packages: folders.collect(),
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
        })
    }

    /// What is watched.
    pub(super) fn watched(&self) -> Vec<PathBuf> {
        let manifests = MANIFESTS.map(|name| self.root.join(name));
        let all: BTreeSet<PathBuf> = self.packages.iter().cloned().chain(manifests).collect();
        all.into_iter().filter(|path| path.exists()).collect()
    }

    /// Cargo's lock file, whether there is one or not.
    pub(super) fn lock(&self) -> PathBuf {
        self.root.join(LOCK)
    }

    /// The folders below which all files are, each once.
    pub(super) fn folders(&self) -> Vec<&PathBuf> {
        let all = || self.packages.iter().chain([&self.root]);
        let is_inside =
            |folder: &PathBuf| all().any(|other| folder != other && folder.starts_with(other));
        let outermost: BTreeSet<&PathBuf> = all().filter(|folder| !is_inside(folder)).collect();
        outermost.into_iter().collect()
    }
}
