//! What cargo says of a project: its packages, their targets, and what they depend on.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::os;
use crate::os::process::{Process, ProcessError};

/// Whom to ask, and for what.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) cargo: OsString,
    /// `+toolchain`.
    pub(crate) toolchain: Option<&'a OsStr>,
    /// The project; none: that of this folder.
    pub(crate) manifest: Option<&'a Path>,
    /// Options that decide which packages and versions the graph has.
    pub(crate) options: Vec<&'a OsStr>,
    /// All packages that are needed, not those of the workspace alone.
    pub(crate) dependencies: bool,
}

/// Why cargo doesn't tell.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("cargo's answer can't be read: {0}")]
    Answer(#[from] cargo_metadata::Error),
}

impl<'a> Query<'a> {
    /// The packages of a workspace.
    pub(crate) fn workspace(manifest: Option<&'a Path>) -> Self {
        Self {
            cargo: super::program(),
            toolchain: None,
            manifest,
            options: Vec::new(),
            dependencies: false,
        }
    }

    /// Asks cargo.
    pub(crate) fn ask(&self) -> Result<Metadata, MetadataError> {
        let mut process = Process::new(&self.cargo).args(self.toolchain).args([
            "metadata",
            "--format-version",
            "1",
        ]);
        process = match self.dependencies {
            false => process.arg("--no-deps"),
            // What is there for other systems alone is no part of any program that can be patched.
            // Packages may have to be fetched, which cargo tells meanwhile.
            true => process
                .args(["--filter-platform", os::TARGET])
                .inherit_stderr(),
        };
        if let Some(manifest) = self.manifest {
            process = process.arg("--manifest-path").arg(manifest);
        }
        let answer = process.args(&self.options).stdout()?;
        Ok(MetadataCommand::parse(answer)?)
    }
}
