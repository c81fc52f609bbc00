//! How a plugin was built that can be patched: noted beside its unit, so that a session can build
//! it again where an edit can't be patched.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use soft_mock_abi::section::UNIT;
use soft_mock_compiled::library::section;

use super::error::BuildError;
use super::options::BuildOptions;
use super::package::Package;
use crate::os::files::replace_file;

const FILE: &str = "plugin.json";

/// A call of `hot build`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rebuild {
    /// The folder that it was called in.
    folder: PathBuf,
    arguments: Vec<OsString>,
}

/// Notes the call that made `library`. One without sites can't be patched, which the wrapper has
/// said.
pub(super) fn write(
    library: &Path,
    package: &Package,
    options: &BuildOptions,
) -> Result<(), BuildError> {
    let bytes = std::fs::read(library).map_err(BuildError::io(library))?;
    let Some(unit) = unit(&bytes) else {
        return Ok(());
    };
    let out = std::path::absolute(&options.out_dir).map_err(BuildError::io(&options.out_dir))?;
    let mut arguments: Vec<OsString> = vec!["build".into(), "--patchable".into()];
    if options.debug {
        arguments.push("--debug".into());
    }
    if options.workspace {
        arguments.push("--workspace".into());
    }
    if let Some(prefix) = &options.live_prefix {
        arguments.extend(["--live-prefix".into(), prefix.into()]);
    }
    arguments.extend([package.folder.clone().into(), out.into(), "--".into()]);
    arguments.extend(options.cargo.iter().cloned());
    let call = Rebuild {
        folder: std::env::current_dir().map_err(BuildError::io("."))?,
        arguments,
    };
    let text =
        serde_json::to_vec_pretty(&call).map_err(|error| BuildError::Answer(error.to_string()))?;
    replace_file(&unit.join(FILE), &text).map_err(BuildError::Patchable)
}

fn unit(library: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8(section(library, UNIT)?).ok()?;
    Some(PathBuf::from(text))
}

impl Rebuild {
    /// The call that made the plugin whose unit has this folder.
    pub(crate) fn read(unit: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(unit.join(FILE))?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// The command that makes the plugin again.
    pub(crate) fn command(&self) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Ok(command)
    }
}
