//! A command of the user's that is run after patches and restarts: `--on-patch CMD`.
//!
//! Knows nothing of what it does. It runs in a shell, one at a time; what happens meanwhile is told
//! to the next run, all together.

use std::process::{Command, Stdio};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;

use anyhow::{Context, Result};

use crate::ui::Event as Told;

/// What of a failed command's words is shown.
const SHOWN: usize = 400;

/// What the command is told, in its environment.
const EVENT: &str = "HOT_EVENT";
const FUNCTIONS: &str = "HOT_FUNCTIONS";

/// It failed, in words.
#[derive(Debug)]
pub(crate) struct CommandFailed(pub(crate) String);

/// What happened, and to which functions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Happened {
    event: &'static str,
    functions: Vec<String>,
}

impl Happened {
    /// None: the user has nothing to do about it.
    fn of(told: &Told) -> Option<Self> {
        let (event, functions) = match told {
            Told::Patched { functions, .. } => ("patched", functions.as_slice()),
            Told::Restored { functions, .. } => ("restored", functions.as_slice()),
            Told::RolledBack { done, .. } if !done.undone.is_empty() => {
                let functions = done.functions.iter().map(|one| one.name.clone());
                return Some(Self {
                    event: "rolled-back",
                    functions: functions.collect(),
                });
            }
            Told::Restarted => ("restarted", [].as_slice()),
            _ => return None,
        };
        if functions.is_empty() && event != "restarted" {
            return None;
        }
        Some(Self {
            event,
            functions: functions.iter().map(|one| one.name.clone()).collect(),
        })
    }

    /// This, and then that.
    fn and(mut self, later: Self) -> Self {
        for function in later.functions {
            if !self.functions.contains(&function) {
                self.functions.push(function);
            }
        }
        Self {
            event: later.event,
            ..self
        }
    }
}

/// The command, as long as this lives.
pub(crate) struct OnPatch {
    happened: Sender<Happened>,
}

impl OnPatch {
    pub(crate) fn start<E: From<CommandFailed> + Send + 'static>(
        command: String,
        events: Sender<E>,
    ) -> Result<Self> {
        let (happened, received) = channel();
        thread::Builder::new()
            .name("hot-on-patch".into())
            .spawn(move || {
                while let Some(happened) = next(&received) {
                    let Err(why) = run(&command, &happened) else {
                        continue;
                    };
                    if events.send(CommandFailed(why).into()).is_err() {
                        return;
                    }
                }
            })
            .context("can't start a thread")?;
        Ok(Self { happened })
    }

    /// The user is told something.
    pub(crate) fn told(&self, event: &Told) {
        if let Some(happened) = Happened::of(event) {
            // The thread may have ended with a mistake of its own.
            let _ = self.happened.send(happened);
        }
    }
}

/// All that has happened since; waits if nothing has. None: the session ends.
fn next(received: &Receiver<Happened>) -> Option<Happened> {
    let first = received.recv().ok()?;
    Some(received.try_iter().fold(first, Happened::and))
}

fn run(command: &str, happened: &Happened) -> Result<(), String> {
    let output = Command::new("sh")
        .args(["-c", command])
        .env(EVENT, happened.event)
        .env(FUNCTIONS, happened.functions.join("\n"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{command}` can't be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(SHOWN).collect();
    Err(format!("`{command}` failed ({}): {said}", output.status))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ui::FunctionPlace;

    fn patched(names: &[&str]) -> Told {
        let function = |name: &&str| FunctionPlace {
            name: (*name).to_owned(),
            file: String::new(),
            line: 1,
        };
        Told::Patched {
            functions: names.iter().map(function).collect(),
            elapsed: Duration::ZERO,
            because: None,
            keep: Vec::new(),
        }
    }

    #[test]
    fn what_happens_meanwhile_is_told_together() {
        let (sender, received) = channel();
        for told in [
            patched(&["a", "b"]),
            patched(&[]),
            Told::Paused,
            patched(&["b", "c"]),
        ] {
            if let Some(happened) = Happened::of(&told) {
                sender.send(happened).expect("sent");
            }
        }
        let all = next(&received).expect("something");
        assert_eq!(all.functions, ["a", "b", "c"]);
        drop(sender);
        assert_eq!(next(&received), None);
    }

    #[test]
    fn a_command_that_fails_says_how() {
        let happened = Happened::of(&Told::Restarted).expect("told");
        let why = run("echo \"$HOT_EVENT went wrong\" >&2; exit 3", &happened);
        let why = why.expect_err("it failed");
        assert!(why.contains("exit status: 3"), "{why}");
        assert!(why.ends_with("): restarted went wrong"), "{why}");
        assert_eq!(run("test \"$HOT_FUNCTIONS\" = ''", &happened), Ok(()));
    }
}
