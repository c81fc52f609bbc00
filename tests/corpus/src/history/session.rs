//! The project under `hot`, and what `hot` says to a save. Knows nothing of commits.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use serde_json::Value;
use soft_mock_tests::ports::free_port;
use soft_mock_tests::{environment, hot};

use super::outcome::{announces_restart, of_message, Answer, Outcome};
use super::{ask, words, Options};
use crate::process::Group;

const START: Duration = Duration::from_secs(900);
/// How long an answer may take: a restart may compile dependencies.
const ANSWER: Duration = Duration::from_secs(900);
/// How often it is looked whether `hot` works.
const TICK: Duration = Duration::from_millis(200);
/// So many times in a row without work and without a word, and there won't be an answer.
const SILENCE: usize = 8;
/// How long more words may follow an answer.
const MORE: usize = 2;

pub(super) struct Session {
    // Stays open: the program may wait for it. It goes first, so that it can end.
    _stdin: Option<ChildStdin>,
    group: Group,
    lines: Receiver<String>,
    folder: PathBuf,
    target: PathBuf,
    port: u16,
}

impl Session {
    /// Starts the project and waits until the program can be patched.
    pub(super) fn start(project: &Path, target: &Path, options: &Options) -> Result<Self> {
        let port = free_port();
        let mut command = environment::command(hot::binary());
        command
            .args(["--message-format", "json", "cargo", "run"])
            .args(words(&options.run, port))
            .current_dir(project)
            .env("PWD", project)
            .env("CARGO_TARGET_DIR", target)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().context("can't start `hot`")?;
        let stdin = child.stdin.take();
        let errors = child.stderr.take().context("no stderr")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let session = Self {
            _stdin: stdin,
            group: Group(child),
            lines,
            folder: project.to_owned(),
            target: target.to_owned(),
            port,
        };
        session.wait_for_start()?;
        Ok(session)
    }

    fn wait_for_start(&self) -> Result<()> {
        let end = Instant::now() + START;
        let mut log = Vec::new();
        while Instant::now() < end {
            match self.lines.recv_timeout(TICK) {
                Ok(line) if line.starts_with("{\"reason\":\"hot-ready\"") => return Ok(()),
                Ok(line) => log.push(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        bail!("the program doesn't start:\n{}", log.join("\n"))
    }

    /// The files that the program's crates were compiled from.
    pub(super) fn compiled_files(&self) -> Result<BTreeSet<PathBuf>> {
        let mut files = BTreeSet::new();
        for entry in std::fs::read_dir(self.target.join("debug/.hot"))? {
            let Ok(text) = std::fs::read_to_string(entry?.path().join("unit.json")) else {
                continue;
            };
            let unit: Value = serde_json::from_str(&text)?;
            let sources = unit["sources"].as_array().into_iter().flatten();
            files.extend(sources.filter_map(|path| path.as_str().map(PathBuf::from)));
        }
        Ok(files)
    }

    /// What the program answers to a probe.
    pub(super) fn ask(&self, probe: &str) -> Result<Option<String>> {
        ask(probe, self.port, &self.folder)
    }

    /// What was said until now isn't about the next save.
    pub(super) fn forget(&self) {
        while self.lines.try_recv().is_ok() {}
    }

    /// What is said to what was saved just now. Several files may be seen one after the other: then
    /// the last word counts. `counts`: there has to be one.
    pub(super) fn answer(&self, counts: bool) -> Result<Answer> {
        let end = Instant::now() + ANSWER;
        let (mut said, mut outcome, mut restarts, mut idle) = (Vec::new(), None, false, 0);
        loop {
            if Instant::now() > end {
                outcome = outcome.filter(|_| !restarts).or(Some(Outcome::Hangs));
                break;
            }
            match self.lines.recv_timeout(TICK) {
                Ok(line) => {
                    idle = 0;
                    let Ok(message) = serde_json::from_str::<Value>(&line) else {
                        continue;
                    };
                    said.extend(message["text"].as_str().map(str::to_owned));
                    restarts |= announces_restart(&message);
                    let found = of_message(&message);
                    restarts &= !matches!(found, Some(Outcome::Restarted | Outcome::NotCompiled));
                    outcome = found.or(outcome);
                }
                Err(RecvTimeoutError::Timeout) => {
                    idle += 1;
                    let answered = outcome.is_some() && !restarts;
                    // What it compiles for itself after an answer isn't waited for.
                    if !answered && self.group.works(0) {
                        idle = 0;
                    }
                    if idle >= if answered { MORE } else { SILENCE } {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    outcome = Some(Outcome::Ended);
                    break;
                }
            }
        }
        let silent = match counts {
            true => Outcome::Silent,
            false => Outcome::NothingToDo,
        };
        Ok(Answer {
            outcome: outcome.unwrap_or(silent),
            said,
        })
    }
}
