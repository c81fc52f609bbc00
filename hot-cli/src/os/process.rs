//! Processes that are run to their ends: one builder, whose text is the command as one would type
//! it. What fails names the command, its status and what it said.
//!
//! Knows nothing of what is run.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A process, before it is started. Reads nothing from the terminal, and what it says is kept,
/// unless something else is asked for.
#[derive(Debug)]
pub(crate) struct Process {
    command: Command,
    /// Its environment is not ours: too long to be shown.
    own_environment: bool,
}

/// What a process came to that was to succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    /// There is no such program, or it can't be run.
    #[error("can't start `{command}`: {error}")]
    NotStarted {
        command: String,
        error: std::io::Error,
    },
    /// It failed.
    #[error("`{command}` failed ({status}){}", after_colon(.said))]
    Failed {
        command: String,
        status: ExitStatus,
        said: String,
    },
}

fn after_colon(said: &str) -> String {
    match said.trim() {
        "" => String::new(),
        said => format!(":\n{said}"),
    }
}

impl Process {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            own_environment: false,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// The folder that it is started in.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// A variable; none: it is taken away.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: Option<impl AsRef<OsStr>>) -> Self {
        match value {
            Some(value) => self.command.env(name, value),
            None => self.command.env_remove(name),
        };
        self
    }

    /// Variables beside ours.
    pub(crate) fn envs(
        mut self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Self {
        self.command.envs(variables);
        self
    }

    /// These variables in place of ours.
    pub(crate) fn environment(
        mut self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Self {
        self.command.env_clear().envs(variables);
        self.own_environment = true;
        self
    }

    /// What it says on its standard error goes where ours goes.
    pub(crate) fn inherit_stderr(mut self) -> Self {
        self.command.stderr(Stdio::inherit());
        self
    }

    /// Runs it, however it ends.
    pub(crate) fn output(&mut self) -> Result<Output, ProcessError> {
        let output = self.command.output();
        output.map_err(|error| self.not_started(error))
    }

    /// Runs it, and returns its standard output.
    pub(crate) fn stdout(&mut self) -> Result<String, ProcessError> {
        let output = self.output()?;
        self.check(&output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it, unless it is cancelled, however it ends. `Ok(None)`: it was cancelled.
    pub(crate) fn output_unless(
        &mut self,
        cancel: &Cancel,
    ) -> Result<Option<Output>, ProcessError> {
        let mut state = cancel.lock();
        if state.cancelled {
            return Ok(None);
        }
        let child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => return Err(self.not_started(error)),
        };
        let pid = child.id();
        if let (true, Some(pid)) = (
            state.in_background,
            rustix::process::Pid::from_raw(pid as i32),
        ) {
            // Its threads are started later, and inherit it. Without, it is only more in the way.
            let _ = rustix::process::setpriority_process(Some(pid), LOWEST_PRIORITY);
        }
        state.running.push(pid);
        drop(state);
        let output = child.wait_with_output();
        let mut state = cancel.lock();
        state.running.retain(|running| *running != pid);
        if state.cancelled {
            return Ok(None);
        }
        output.map(Some).map_err(|error| self.not_started(error))
    }

    /// Fails if it did.
    pub(crate) fn check(&self, output: &Output) -> Result<(), ProcessError> {
        match output.status.success() {
            true => Ok(()),
            false => Err(ProcessError::Failed {
                command: self.to_string(),
                status: output.status,
                said: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
        }
    }

    fn not_started(&self, error: std::io::Error) -> ProcessError {
        ProcessError::NotStarted {
            command: self.to_string(),
            error,
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<(&OsStr, &OsStr)> = match self.own_environment {
            true => Vec::new(),
            false => {
                let set = self.command.get_envs();
                set.filter_map(|(name, value)| Some((name, value?)))
                    .collect()
            }
        };
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        f.write_str(&typed(&variables, words))
    }
}

/// A command as one would type it.
pub(crate) fn typed<'a>(
    variables: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
    words: impl IntoIterator<Item = &'a OsStr>,
) -> String {
    let env = (!variables.is_empty()).then(|| "env".to_owned());
    let variables = variables.iter().map(|(name, value)| {
        let mut word = OsString::from(name.as_ref());
        word.push("=");
        word.push(value.as_ref());
        quoted(&word)
    });
    let words = words.into_iter().map(quoted);
    let all: Vec<String> = env.into_iter().chain(variables).chain(words).collect();
    all.join(" ")
}

fn quoted(word: &OsStr) -> String {
    // A word with a zero byte can't be typed, nor can it be an argument.
    let quoted = shlex::bytes::try_quote(word.as_bytes());
    let quoted = quoted.unwrap_or(Cow::Borrowed(word.as_bytes()));
    String::from_utf8_lossy(&quoted).into_owned()
}

/// How nice a process is that runs in the background.
const LOWEST_PRIORITY: i32 = 19;

/// Ends processes whose results something newer has made useless.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    /// Its processes make way for all others.
    in_background: bool,
    running: Vec<u32>,
    /// What is cancelled with it.
    parts: Vec<Weak<Mutex<State>>>,
}

impl Cancel {
    /// For processes that nobody waits for.
    pub(crate) fn in_background() -> Self {
        Self(Arc::new(Mutex::new(State {
            in_background: true,
            ..State::default()
        })))
    }

    /// For a part of it, which can be cancelled by itself as well.
    pub(crate) fn part(&self) -> Self {
        let mut state = self.lock();
        let part = Self(Arc::new(Mutex::new(State {
            cancelled: state.cancelled,
            in_background: state.in_background,
            ..State::default()
        })));
        state.parts.push(Arc::downgrade(&part.0));
        part
    }

    /// Kills what runs and lets nothing else start.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        for part in state.parts.drain(..).filter_map(|part| part.upgrade()) {
            Self(part).cancel();
        }
        for pid in state.running.drain(..) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
                // It may have ended by itself.
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
}

/// A newer change made the result useless.
#[derive(Debug, thiserror::Error)]
#[error("replaced by a newer change")]
pub(crate) struct Cancelled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let process = Process::new("my tool")
            .args(["--cfg", "a=\"b\"", "it's", ""])
            .env("NAME", Some("x y"));
        let text = process.to_string();
        assert_eq!(
            shlex::split(&text).expect("words"),
            ["env", "NAME=x y", "my tool", "--cfg", "a=\"b\"", "it's", ""]
        );
        let process = process.environment([("A", "b")]);
        assert!(!process.to_string().contains("NAME"), "{process}");
    }

    #[test]
    fn a_part_is_cancelled_by_itself_or_with_the_whole() {
        let whole = Cancel::default();
        let [first, second] = [whole.part(), whole.part()];
        first.cancel();
        assert!(first.is_cancelled() && !second.is_cancelled() && !whole.is_cancelled());
        let waits = second.clone();
        let waiting = std::thread::spawn(move || {
            let mut process = Process::new("sleep").args(["60"]);
            process.output_unless(&waits).expect("started").is_none()
        });
        while second.lock().running.is_empty() {
            std::thread::yield_now();
        }
        whole.cancel();
        assert!(waiting.join().expect("it ends") && second.is_cancelled());
        assert!(whole.part().is_cancelled());
    }

    #[test]
    fn what_fails_names_command_status_and_output() {
        let error = Process::new("sh")
            .args(["-c", "echo why >&2; exit 3"])
            .stdout()
            .expect_err("it fails");
        let text = error.to_string();
        assert_eq!(
            text,
            "`sh -c 'echo why >&2; exit 3'` failed (exit status: 3):\nwhy"
        );
        let error = Process::new("/no/such/program").stdout().expect_err("none");
        assert!(
            error
                .to_string()
                .starts_with("can't start `/no/such/program`: "),
            "{error}"
        );
    }

    #[test]
    fn what_is_cancelled_ends() {
        let cancel = Cancel::default();
        let other = cancel.clone();
        let waiting = std::thread::spawn(move || {
            Process::new("sleep")
                .arg("60")
                .output_unless(&other)
                .expect("started")
        });
        while cancel.lock().running.is_empty() {
            std::thread::yield_now();
        }
        cancel.cancel();
        assert!(waiting.join().expect("no panic").is_none());
        let after = Process::new("true").output_unless(&cancel);
        assert!(after.expect("not even started").is_none());
    }
}
