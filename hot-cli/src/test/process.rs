//! One process that runs a test: started, waited for, killed when its time is over.
//!
//! Knows nothing of what it prints. It gets a process group of its own, so that it can be killed
//! with all that it started and nobody else is; and files for its output, so that what it leaves
//! running keeps nobody waiting.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::process::{kill_process_group, pidfd_open, Pid, PidfdFlags, Signal};

use super::launch::Launch;
use super::verdict::Ended;
use crate::os::process::Cancel;

/// How long somebody waits for a test.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    pub(super) timeout: Duration,
    /// Called once, when it has taken this long.
    pub(super) slow: (Duration, &'a (dyn Fn() + Sync)),
}

/// Somebody who waits.
pub(super) struct Waiting<'a> {
    patience: Patience<'a>,
    began: Instant,
    told: bool,
}

/// Whether they go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    GoOn,
    /// The time is over.
    Over,
    Cancelled,
}

impl<'a> Patience<'a> {
    /// How often it is looked whether a test is still wanted.
    pub(super) const LOOK: Duration = Duration::from_millis(50);

    pub(super) fn begin(self) -> Waiting<'a> {
        Waiting {
            patience: self,
            began: Instant::now(),
            told: false,
        }
    }
}

impl Waiting<'_> {
    pub(super) fn on(&mut self, cancel: &Cancel) -> Wait {
        let elapsed = self.began.elapsed();
        let (slow, tell) = self.patience.slow;
        if cancel.is_cancelled() {
            return Wait::Cancelled;
        }
        if elapsed > self.patience.timeout {
            return Wait::Over;
        }
        if elapsed > slow && !std::mem::replace(&mut self.told, true) {
            tell();
        }
        Wait::GoOn
    }
}

/// A process to run.
pub(super) struct Run<'a> {
    pub(super) launch: &'a Launch,
    pub(super) args: &'a [OsString],
    /// Variables of ours, beside those of the launch.
    pub(super) variables: &'a [(OsString, OsString)],
    pub(super) patience: Patience<'a>,
}

impl Run<'_> {
    /// Runs it to its end. None: it was cancelled.
    pub(super) fn to_end(&self, cancel: &Cancel) -> Result<Option<Ended>> {
        let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut command = Command::new(&self.launch.executable);
        command
            .args(self.args)
            .env_clear()
            .envs(&self.launch.env)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.launch.folder)
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?)
            .process_group(0);
        let failed = || format!("can't start {}", self.launch.executable.display());
        let mut child = command.spawn().with_context(failed)?;
        let Some(status) = self.wait(&mut child, cancel)? else {
            return Ok(None);
        };
        Ok(Some(Ended {
            status,
            stdout: text(&mut stdout)?,
            stderr: text(&mut stderr)?,
        }))
    }

    fn wait(
        &self,
        child: &mut Child,
        cancel: &Cancel,
    ) -> Result<Option<Result<ExitStatus, Duration>>> {
        let pid = Pid::from_child(child);
        let descriptor = pidfd_open(pid, PidfdFlags::empty())?;
        let limit = Timespec::try_from(Patience::LOOK)?;
        let mut waits = self.patience.begin();
        loop {
            let mut wanted = [PollFd::new(&descriptor, PollFlags::IN)];
            match poll(&mut wanted, Some(&limit)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = child.try_wait()? {
                return Ok(Some(Ok(status)));
            }
            let wait = waits.on(cancel);
            if wait != Wait::GoOn {
                // Not waited for yet, so the number is still that of its group.
                let _ = kill_process_group(pid, Signal::KILL);
                child.wait()?;
                return Ok((wait == Wait::Over).then_some(Err(self.patience.timeout)));
            }
        }
    }
}

/// What was written to a file.
pub(super) fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
