//! A program that runs under `hot` or plain cargo, and the lines that it prints.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use rustix::process::{kill_process_group, Pid, Signal};

/// A running program. Dropping it ends the program.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Running {
    /// Starts `command` with its errors in the file `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {:?}", command.get_program()))?;
        let output = child.stdout.take().context("the program has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            lines,
            log: log.to_owned(),
        })
    }

    /// The first line for which `wanted` has an answer.
    pub(crate) fn wait<T>(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + limit;
        while let Ok(line) = self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            if let Some(answer) = wanted(&line) {
                return Ok(answer);
            }
        }
        bail!(
            "no answer from the program; the end of what was said:\n{}",
            self.tail()
        )
    }

    /// What `wanted` makes of the lines that have come.
    pub(crate) fn so_far<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Vec<T> {
        self.lines
            .try_iter()
            .filter_map(|line| wanted(&line))
            .collect()
    }

    /// Forgets the lines that have come so far.
    pub(crate) fn drain(&self) {
        while self.lines.try_recv().is_ok() {}
    }

    /// The number of the process that was started.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What was written to stderr so far.
    pub(crate) fn errors(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn tail(&self) -> String {
        let text = self.errors();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            for signal in [Signal::INT, Signal::KILL] {
                // The group may be gone already.
                let _ = kill_process_group(group, signal);
                let end = Instant::now() + Duration::from_secs(3);
                while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        // Nothing is left to be done about a child that can't be waited for.
        let _ = self.child.wait();
    }
}
