//! The project's test binaries, built by cargo.
//!
//! What mocks need is left out of them where nothing in the project can make any: rustc has less to
//! compile, and more bodies can be compiled alone. Cargo's lock file says so; what a build makes of
//! it is looked at afterwards, so that a dependency that came with it counts.
//!
//! Knows nothing of what tests are in them and of what they were built from.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use super::args::Wanted;
use super::launch::{self, Launch};
use crate::cargo;
use crate::cargo::artifacts::{executables, Executable};
use crate::os::process::{Cancel, Process};
use crate::wrapper::link::environment_for;
use crate::wrapper::Purpose;

/// The package that makes mocks.
const MOCKS: &str = "soft-mock";

/// Builds the test binaries of a project.
pub(super) struct Builder {
    cargo: OsString,
    /// The project's lock file.
    lock: PathBuf,
    /// What they are built for.
    purpose: Purpose,
    words: Vec<OsString>,
    /// Those for the harnesses.
    rest: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    runner: Vec<(OsString, OsString)>,
    folder: PathBuf,
    /// How cargo starts them, as it was last asked.
    known: Vec<Launch>,
}

/// What came of a build.
pub(super) enum BuildEnd {
    Made {
        /// In the order in which cargo runs them.
        tests: Vec<(Launch, Executable)>,
        /// The programs that it made for them.
        programs: Vec<PathBuf>,
    },
    /// It has said why. Its exit code.
    Failed(u8),
    Cancelled,
}

impl Builder {
    /// `folder` is a private one of ours, `lock` the project's lock file.
    pub(super) fn new(wanted: &Wanted, folder: &Path, lock: PathBuf) -> Result<Self> {
        let cargo = cargo::program();
        let mut words: Vec<OsString> = wanted.toolchain.iter().cloned().collect();
        words.push("test".into());
        words.extend(wanted.cargo.iter().cloned());
        // Where there is no lock file yet, the build writes one.
        let purpose = locked_purpose(&lock).unwrap_or(Purpose::LivingTests);
        Ok(Self {
            variables: variables(&words, purpose)?,
            lock,
            purpose,
            runner: launch::runner(folder)?,
            folder: folder.to_owned(),
            rest: wanted.harness.clone(),
            cargo,
            words,
            known: Vec::new(),
        })
    }

    /// Builds what has changed. `anew`: how the binaries are started may have changed as well.
    pub(super) fn build(&mut self, anew: bool, cancel: &Cancel) -> Result<BuildEnd> {
        let end = self.build_for_purpose(anew, cancel)?;
        let purpose = locked_purpose(&self.lock).unwrap_or(Purpose::LivingMocks);
        if purpose == self.purpose || !matches!(end, BuildEnd::Made { .. }) {
            return Ok(end);
        }
        self.variables = variables(&self.words, purpose)?;
        self.purpose = purpose;
        self.build_for_purpose(true, cancel)
    }

    fn build_for_purpose(&mut self, anew: bool, cancel: &Cancel) -> Result<BuildEnd> {
        let mut process = Process::new(&self.cargo)
            .args(&self.words)
            .args(["--no-run", "--message-format=json-render-diagnostics"])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .inherit_stderr();
        let Some(output) = process.output_unless(cancel)? else {
            return Ok(BuildEnd::Cancelled);
        };
        if !output.status.success() {
            return Ok(BuildEnd::Failed(crate::exit::of_command(output.status)));
        }
        let made = executables(&String::from_utf8_lossy(&output.stdout));
        let (tests, programs): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| made.is_test);
        if anew || !self.knows(&tests) {
            let Some(known) = self.ask(cancel)? else {
                return Ok(BuildEnd::Cancelled);
            };
            self.known = known;
        }
        let mut found = Vec::new();
        for launch in &self.known {
            let executable = tests.iter().find(|made| made.path == launch.executable);
            if let Some(executable) = executable {
                found.push((launch.clone(), executable.clone()));
            }
        }
        if found.len() != tests.len() {
            bail!(
                "cargo has built {} test binaries and runs {} of them: `hot cargo test` shows what it does",
                tests.len(),
                found.len()
            );
        }
        Ok(BuildEnd::Made {
            tests: found,
            programs: programs.into_iter().map(|made| made.path).collect(),
        })
    }

    /// The variables that the tests' own environment doesn't have from the user.
    fn ours(&self) -> Vec<OsString> {
        let variables = self.variables.iter().chain(&self.runner);
        variables.map(|(name, _)| name.clone()).collect()
    }

    fn knows(&self, tests: &[Executable]) -> bool {
        let known = self.known.iter().map(|launch| &launch.executable);
        let known: BTreeSet<&PathBuf> = known.collect();
        tests.iter().map(|made| &made.path).collect::<BTreeSet<_>>() == known
    }

    /// Has cargo run them, with us in their place.
    fn ask(&self, cancel: &Cancel) -> Result<Option<Vec<Launch>>> {
        launch::clear(&self.folder)?;
        let mut process = Process::new(&self.cargo)
            .args(&self.words)
            .arg("--")
            .args(&self.rest)
            .envs(
                self.variables
                    .iter()
                    .chain(&self.runner)
                    .map(|(name, value)| (name, value)),
            );
        let Some(output) = process.output_unless(cancel)? else {
            return Ok(None);
        };
        process
            .check(&output)
            .context("cargo doesn't say how it runs the tests")?;
        launch::read(&self.folder, &self.ours()).map(Some)
    }
}

/// The environment in which cargo builds tests for a purpose. `words`: its arguments.
fn variables(words: &[OsString], purpose: Purpose) -> Result<Vec<(OsString, OsString)>> {
    let cargo = std::iter::once("cargo".into());
    let command: Vec<OsString> = cargo.chain(words.iter().cloned()).collect();
    environment_for(&command, purpose)
}

/// What tests of a project with this lock file are built for. None: there is none that can be read.
fn locked_purpose(lock: &Path) -> Option<Purpose> {
    let lock = std::fs::read_to_string(lock).ok()?;
    Some(match may_mock(&lock) {
        true => Purpose::LivingMocks,
        false => Purpose::LivingTests,
    })
}

/// Whether a lock file names what makes mocks.
fn may_mock(lock: &str) -> bool {
    let name = format!("name = \"{MOCKS}\"");
    lock.lines().any(|line| line.trim_end() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_says_whether_anything_mocks() {
        let lock = |name: &str| {
            format!("version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \"soft\",\n]\n")
        };
        assert!(may_mock(&lock("soft-mock")));
        assert!(!may_mock(&lock("soft-mock-agent")) && !may_mock(&lock("shop")));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Cargo.lock");
        assert_eq!(locked_purpose(&path), None);
        for (name, purpose) in [
            ("soft-mock", Purpose::LivingMocks),
            ("shop", Purpose::LivingTests),
        ] {
            std::fs::write(&path, lock(name)).expect("written");
            assert_eq!(locked_purpose(&path), Some(purpose), "{name}");
        }
    }
}
