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

/// Folders of version control.
const VERSIONS: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// A workspace's folder with more than this below it holds other things, too, and they are many.
const FOLDERS_MAX: usize = 2_000;

/// Whether a file is one of cargo's.
pub(super) fn is_manifest(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    MANIFESTS.iter().any(|manifest| name == *manifest)
}

/// Whether a folder holds nothing of a project's: version control's own, or a cache.
pub(super) fn is_left_out(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    VERSIONS.iter().any(|version| name == *version) || folder.join("CACHEDIR.TAG").is_file()
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
        let root = self.is_root_watched().then(|| self.root.clone());
        let folders = self.packages.iter().cloned().chain(root);
        let all: BTreeSet<PathBuf> = folders.chain(manifests).collect();
        all.into_iter().filter(|path| path.exists()).collect()
    }

    /// Whether what is in the workspace's folder beside its packages is watched: not where that is
    /// more than a workspace.
    pub(super) fn is_root_watched(&self) -> bool {
        let is_package = |folder: &PathBuf| self.root.starts_with(folder);
        self.packages.iter().any(is_package) || has_few_folders(&self.root, &self.target)
    }

    /// The workspace's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
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

/// Whether a folder has no more than [`FOLDERS_MAX`] below it.
fn has_few_folders(folder: &Path, target: &Path) -> bool {
    let mut left = vec![folder.to_owned()];
    let mut count = 0;
    while let Some(folder) = left.pop() {
        count += 1;
        if count > FOLDERS_MAX {
            return false;
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let folders = folders.map(|entry| entry.path());
        left.extend(folders.filter(|path| path != target && !is_left_out(path)));
    }
    true
}
