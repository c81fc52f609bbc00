//! The cargo call that makes a plugin's library.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use soft_mock_abi::build::{LIVE_PREFIX, MANAGED, NOTE};

use super::commit;
use super::error::BuildError;
use super::install;
use super::options::BuildOptions;
use super::package::Package;
use crate::cargo::artifacts::shared_library;
use crate::cargo::program;
use crate::cargo::tree::Scope;
use crate::os::process::{typed, Process};
use crate::wrapper::link::build_environment;

/// The call, not yet made.
#[derive(Debug)]
pub(crate) struct Call {
    manifest: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Call {
    pub(crate) fn new(
        package: &Package,
        options: &BuildOptions,
        scope: Scope,
    ) -> Result<Self, BuildError> {
        let mut arguments: Vec<OsString> = [
            "rustc",
            "--lib",
            "--crate-type",
            "cdylib",
            "--manifest-path",
        ]
        .map(Into::into)
        .into();
        arguments.push(package.manifest.clone().into());
        arguments.push("--message-format=json-render-diagnostics".into());
        match options.verbose {
            true => arguments.push("--verbose".into()),
            false => arguments.push("--quiet".into()),
        }
        arguments.extend(scope.flags().iter().map(OsString::from));
        arguments.extend(options.cargo.iter().cloned());
        // What follows reaches the plugin's crate alone: the others stay the units that the host
        // has.
        let known = format!("cfg({MANAGED})");
        arguments.extend(["--", "--cfg", MANAGED, "--check-cfg", &known].map(Into::into));
        match options.debug {
            true => arguments.push("-Cdebuginfo=2".into()),
            false => arguments.push("-Cstrip=debuginfo".into()),
        }
        let mut environment = Vec::new();
        if options.patchable {
            environment = build_environment(&[program()]).map_err(BuildError::Patchable)?;
        }
        environment.extend(
            scope
                .environment()
                .map(|(key, value)| (key.into(), value.into())),
        );
        if let Some(commit) = commit::of(&package.folder) {
            environment.push((NOTE.into(), commit.into()));
        }
        if let Some(prefix) = &options.live_prefix {
            environment.push((LIVE_PREFIX.into(), prefix.into()));
        }
        Ok(Self {
            manifest: package.manifest.clone(),
            arguments,
            environment,
        })
    }

    /// Makes the call; returns the library.
    pub(crate) fn run(&self, options: &BuildOptions) -> Result<PathBuf, BuildError> {
        if options.verbose {
            eprintln!("hot: {}", self.text());
        }
        let mut process = Process::new(program())
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .inherit_stderr();
        let output = process.output()?;
        let messages = String::from_utf8_lossy(&output.stdout);
        if options.leave_temps {
            self.leave(&messages)?;
        }
        // What is wrong cargo has said itself.
        process.check(&output)?;
        let library = shared_library(&messages, &self.manifest);
        library.ok_or_else(|| BuildError::Answer("it names no library".to_owned()))
    }

    /// Writes the call down as a script, instead of making it.
    pub(crate) fn write_down(
        &self,
        package: &Package,
        folder: &Path,
    ) -> Result<PathBuf, BuildError> {
        let script = folder.join(format!("{}.build.sh", package.name));
        let text = format!(
            "#!/bin/sh\n# Makes the library of plugin `{}`. A host loads it when `hot seal FILE` has sealed it.\nexec {}\n",
            package.name,
            self.text()
        );
        install::write(&script, text.as_bytes())?;
        Ok(script)
    }

    fn leave(&self, messages: &str) -> Result<(), BuildError> {
        let folder = tempfile::Builder::new().prefix("hot-build-").tempdir();
        let folder = folder.map_err(BuildError::io(std::env::temp_dir()))?.keep();
        install::write(
            &folder.join("command.sh"),
            format!("#!/bin/sh\nexec {}\n", self.text()).as_bytes(),
        )?;
        install::write(&folder.join("cargo-messages.json"), messages.as_bytes())?;
        eprintln!("hot: temporary files are in {}", folder.display());
        Ok(())
    }

    /// The call as one would type it.
    fn text(&self) -> String {
        let cargo = program();
        let words = std::iter::once(&cargo).chain(&self.arguments);
        typed(&self.environment, words.map(OsString::as_os_str))
    }
}

/// Lets cargo check a generated crate.
pub(crate) fn check(manifest: &Path, options: &BuildOptions) -> Result<(), BuildError> {
    let quiet = (!options.verbose).then_some("--quiet");
    let mut process = Process::new(program())
        .args(["check", "--manifest-path"])
        .arg(manifest)
        .args(quiet)
        .args(&options.cargo)
        .inherit_stderr();
    process.stdout()?;
    Ok(())
}
