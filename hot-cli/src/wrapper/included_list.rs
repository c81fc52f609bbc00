//! The list of included crates, as the session hands it to the wrapper: a file beside the wrapper's
//! link.

use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};

use crate::os::files::replace_file;

/// The name of the link that cargo calls.
pub(crate) const WRAPPER: &str = "hot-include";

const FILE: &str = "include.json";

/// The included crates.
#[derive(Debug, Clone, Hash, Serialize, Deserialize)]
pub(crate) struct List {
    pub(crate) crates: Vec<Included>,
    /// Patterns of the names of functions that are left alone.
    pub(crate) skip: Vec<String>,
    /// The wrapper that was set before ours.
    pub(crate) chained: Option<PathBuf>,
}

/// One of them.
#[derive(Debug, Clone, Hash, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Included {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Its package.
    pub(crate) folder: PathBuf,
    pub(crate) cache_key: u32,
    /// Nothing but its tasks is rewritten: they carry the scope of their test.
    pub(crate) tasks_only: bool,
    /// For a package that cargo takes for unchangeable: what its files held when the cache key was
    /// made.
    pub(crate) sources: Option<u64>,
}

impl List {
    /// Writes it beside the wrapper.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        replace_file(&folder.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// Reads the list of the wrapper that runs as `own`.
    pub(crate) fn read(own: &Path) -> Result<Self> {
        let path = own.with_file_name(FILE);
        let text =
            std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}

impl Included {
    /// Fails if the files are no longer those that the cache key stands for.
    pub(crate) fn check_sources(&self) -> Result<()> {
        if self
            .sources
            .is_some_and(|then| sources(&self.folder).ok() != Some(then))
        {
            bail!(
                "the sources of `{}` changed while it was compiled: build again",
                self.name
            );
        }
        Ok(())
    }
}

/// A hash of all files of a package.
pub(crate) fn sources(folder: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in files(folder)? {
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        (path.strip_prefix(folder).unwrap_or(&path), bytes).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// The files below a folder, without what isn't the package's own and what editors leave for a
/// moment.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let name = name.to_string_lossy();
            if name.starts_with('.') || name.ends_with('~') || name == "target" {
                continue;
            }
            match kind.is_dir() {
                true => folders.push(entry.path()),
                false if kind.is_file() => {
                    found.insert(entry.path());
                }
                false => {}
            }
        }
    }
    Ok(found)
}
