//! The list of included crates, as the session hands it to the wrapper: a file beside the wrapper's link.

use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};

use super::mark;

/// The name of the link that cargo calls.
pub(crate) const WRAPPER: &str = "hot-include";

/// The variable with what was set for `RUSTC_WRAPPER` before; empty if nothing was.
pub(crate) const BEFORE: &str = "HOT_RUSTC_WRAPPER_BEFORE";

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
    pub(crate) mark: u32,
    /// For a package that cargo takes for unchangeable: what its files held when the mark was made.
    pub(crate) sources: Option<u64>,
}

impl List {
    /// Writes it beside the wrapper.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        crate::unit::replace_file(&folder.join(FILE), &serde_json::to_vec_pretty(self)?)
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
    /// Fails if the files are no longer those that the mark stands for.
    pub(crate) fn check_sources(&self) -> Result<()> {
        if self
            .sources
            .is_some_and(|then| mark::sources(&self.folder).ok() != Some(then))
        {
            bail!(
                "the sources of `{}` changed while it was compiled: build again",
                self.name
            );
        }
        Ok(())
    }
}
