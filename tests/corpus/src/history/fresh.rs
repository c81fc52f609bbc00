//! A commit as it is built by cargo alone, and what its program answers. Knows nothing of `hot`.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use soft_mock_tests::environment;
use soft_mock_tests::ports::free_port;

use super::commits::Repository;
use super::session::Session;
use super::{ask, words, Options};
use crate::process::Group;

/// How long a program may take until it answers.
const START: Duration = Duration::from_secs(20);

/// How often both are asked before they differ.
const ATTEMPTS: usize = 3;

pub(super) struct Fresh {
    repository: Repository,
    target: PathBuf,
    run: String,
    probe: Option<String>,
}

impl Fresh {
    pub(super) fn new(from: &Path, place: &Path, options: &Options) -> Result<Self> {
        Ok(Self {
            repository: Repository::copy(from, &place.join("fresh"))?,
            target: place.join("fresh-target"),
            run: options.run.clone(),
            probe: options.probe.clone(),
        })
    }

    /// Whether a commit compiles.
    pub(super) fn compiles(&self, commit: &str) -> Result<bool> {
        self.repository.check_out(commit)?;
        let words = words(&self.run, 0);
        let own = words.iter().take_while(|word| *word != "--");
        let output = self
            .cargo()
            .arg("build")
            .args(own)
            .output()
            .context("can't start cargo")?;
        Ok(output.status.success())
    }

    /// What a program that runs answers, and what a commit's own does, if that isn't the same.
    pub(super) fn differs(
        &self,
        commit: &str,
        session: &Session,
    ) -> Result<Option<(String, String)>> {
        let Some(probe) = &self.probe else {
            return Ok(None);
        };
        if !self.compiles(commit)? {
            return Ok(None);
        }
        let port = free_port();
        let child = self
            .cargo()
            .arg("run")
            .args(words(&self.run, port))
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("can't start cargo")?;
        let _group = Group(child);
        let end = Instant::now() + START;
        let folder = self.repository.folder();
        while ask(probe, port, folder)?.is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(100));
        }
        let answer = |answer: Option<String>| answer.unwrap_or_else(|| "nothing".to_owned());
        // What time decides about may differ once.
        let mut found = None;
        for _ in 0..ATTEMPTS {
            let fresh = answer(ask(probe, port, folder)?);
            let running = answer(session.ask(probe)?);
            if running == fresh {
                return Ok(None);
            }
            found = Some((running, fresh));
        }
        Ok(found)
    }

    fn cargo(&self) -> Command {
        let mut command = environment::command("cargo");
        command
            .current_dir(self.repository.folder())
            .env("PWD", self.repository.folder())
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}
