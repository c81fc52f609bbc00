//! The cargo call that makes a plugin's library.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::commit;
use super::error::BuildError;
use super::install;
use super::options::BuildOptions;
use super::package::{cargo, Package};
use crate::wrapper::link::build_environment;

/// The call, not yet made.
#[derive(Debug)]
pub(crate) struct Call {
    manifest: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// What cargo says when it has compiled something.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl Call {
    pub(crate) fn new(package: &Package, options: &BuildOptions) -> Result<Self, BuildError> {
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
        arguments.extend(options.cargo.iter().cloned());
        // What follows reaches the plugin's crate alone: the others stay the units that the host has.
        arguments.extend(
            [
                "--",
                "--cfg",
                "soft_mock_managed",
                "--check-cfg",
                "cfg(soft_mock_managed)",
            ]
            .map(Into::into),
        );
        match options.debug {
            true => arguments.push("-Cdebuginfo=2".into()),
            false => arguments.push("-Cstrip=debuginfo".into()),
        }
        let mut environment = Vec::new();
        if options.patchable {
            environment = build_environment(&[cargo()]).map_err(BuildError::Patchable)?;
        }
        if let Some(commit) = commit::of(&package.folder) {
            environment.push(("SOFT_MOCK_NOTE".into(), commit.into()));
        }
        if let Some(prefix) = &options.live_prefix {
            environment.push(("SOFT_MOCK_LIVE_PREFIX".into(), prefix.into()));
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
        let mut command = Command::new(cargo());
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)));
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(BuildError::NoCargo)?;
        let mut messages = String::new();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                let line = line.map_err(|error| BuildError::Answer(error.to_string()))?;
                messages.push_str(&line);
                messages.push('\n');
            }
        }
        let status = child.wait().map_err(BuildError::NoCargo)?;
        if options.leave_temps {
            self.leave(&messages)?;
        }
        if !status.success() {
            // What is wrong cargo has said itself.
            return Err(BuildError::Cargo {
                command: self.text(),
                status,
                output: String::new(),
            });
        }
        self.library(&messages)
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

    fn library(&self, messages: &str) -> Result<PathBuf, BuildError> {
        let made = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Message>(line).ok())
            .filter(|message| {
                message.reason == "compiler-artifact" && message.manifest_path == self.manifest
            });
        let mut libraries = made.flat_map(|message| message.filenames);
        let library = libraries.rfind(|file| file.extension() == Some(OsStr::new("so")));
        library.ok_or_else(|| BuildError::Answer("it names no library".to_owned()))
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
        let mut words: Vec<String> = Vec::new();
        if !self.environment.is_empty() {
            words.push("env".to_owned());
        }
        words.extend(self.environment.iter().map(|(key, value)| {
            format!(
                "{}={}",
                key.to_string_lossy(),
                quote(&value.to_string_lossy())
            )
        }));
        words.push(quote(&cargo().to_string_lossy()));
        words.extend(
            self.arguments
                .iter()
                .map(|argument| quote(&argument.to_string_lossy())),
        );
        words.join(" ")
    }
}

/// Lets cargo check a generated crate.
pub(crate) fn check(manifest: &Path, options: &BuildOptions) -> Result<(), BuildError> {
    let mut command = Command::new(cargo());
    command.args(["check", "--manifest-path"]).arg(manifest);
    if !options.verbose {
        command.arg("--quiet");
    }
    let status = command
        .args(&options.cargo)
        .status()
        .map_err(BuildError::NoCargo)?;
    match status.success() {
        true => Ok(()),
        false => Err(BuildError::Cargo {
            command: format!("{command:?}"),
            status,
            output: String::new(),
        }),
    }
}

fn quote(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,+@".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
