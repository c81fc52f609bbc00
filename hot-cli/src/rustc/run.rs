//! Repeating a unit's rustc call for our own purposes.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use super::args::RustcArgs;
use super::unit::Unit;

/// Stops compilers that run for a plan that a newer one has replaced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    running: Vec<u32>,
}

impl Cancel {
    /// Kills what runs and lets nothing else start.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        for pid in state.running.drain(..) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
                // The compiler may have ended by itself.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        let mut state = self.lock();
        if state.cancelled {
            return Err(Cancelled.into());
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("can't start {program}"))?;
        state.running.push(child.id());
        Ok(child)
    }

    fn finished(&self, pid: u32) {
        self.lock().running.retain(|running| *running != pid);
    }
}

/// A newer change made the result useless.
#[derive(Debug, thiserror::Error)]
#[error("replaced by a newer change")]
pub(crate) struct Cancelled;

/// How a compiler ended.
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) stderr: String,
}

/// Runs the unit's compiler with other arguments, in the unit's folder and environment.
pub(crate) fn run(
    rustc: &Path,
    unit: &Unit,
    args: &RustcArgs,
    cancel: &Cancel,
) -> Result<Finished> {
    let mut command = Command::new(rustc);
    command
        .args(&args.all)
        .current_dir(&unit.cwd)
        .env_clear()
        .envs(&unit.env)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    finish(&mut command, cancel)
}

/// Runs any command to its end and collects what it says.
pub(crate) fn finish(command: &mut Command, cancel: &Cancel) -> Result<Finished> {
    let child = cancel.spawn(command)?;
    let pid = child.id();
    let output = child.wait_with_output();
    cancel.finished(pid);
    if cancel.is_cancelled() {
        return Err(Cancelled.into());
    }
    let output = output?;
    Ok(Finished {
        success: output.status.success(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The first line of rustc's output that names an error, and where it is.
pub(crate) fn first_error(stderr: &str) -> String {
    let mut lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    let what = lines.next().unwrap_or("rustc failed");
    match lines
        .next()
        .filter(|line| line.trim_start().starts_with("-->"))
    {
        Some(place) => format!("{what} {}", place.trim()),
        None => what.to_owned(),
    }
}
