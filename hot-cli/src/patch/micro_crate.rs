//! Compiles the source of a micro-crate against the twin of its crate.
//!
//! Knows nothing of what stands in it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::os::process::Cancel;
use crate::program::twin::Twin;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::run;
use crate::rustc::unit::Unit;

/// A micro-crate whose source is written.
#[derive(Debug, Clone)]
pub(super) struct MicroCrate {
    /// The folder of its source, and the root file below it.
    pub(super) place: PathBuf,
    pub(super) root: PathBuf,
    /// The patch that it was made for.
    pub(super) number: u64,
}

impl MicroCrate {
    /// The file in which rustc notes what it read for an object.
    pub(super) fn dep_info(object: &Path) -> PathBuf {
        object.with_extension("d")
    }

    /// Compiles it. Returns what rustc says if it refuses.
    pub(super) fn compile(
        &self,
        rustc: &Path,
        unit: &Unit,
        twin: &Twin,
        object: &Path,
        cancel: &Cancel,
    ) -> Result<Option<String>> {
        let mut args = Call::Patch.args(
            &unit.rustc_args(),
            &Places {
                root: &self.place.join(&self.root).to_string_lossy(),
                emit: &format!(
                    "obj={},dep-info={}",
                    object.display(),
                    Self::dep_info(object).display()
                ),
                metadata: &format!("soft_mock_{}", self.number),
                shadow: Some((&self.place, &unit.cwd)),
                ..Places::default()
            },
        );
        args.push(&[
            "--extern",
            &format!("__hot_host={}", twin.metadata.display()),
        ]);
        let finished = run::run(rustc, unit, &args, cancel)?;
        Ok((!finished.success).then_some(finished.stderr))
    }
}
