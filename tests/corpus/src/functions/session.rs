//! A program under `hot`: what `hot` says after an edit, compared with the memory of the program.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use serde_json::Value;
use soft_mock_tests::{environment, hot};

use super::mark::Body;
use super::memory::Memory;
use super::process::Group;
use super::projects::Project;
use super::symbols::Symbols;
use super::words::{word, Word};
use super::{Outcome, Way};
use crate::package::{in_project, target};

const START: Duration = Duration::from_secs(900);
/// Compiling a large crate whole takes some time on a busy machine.
const ANSWER: Duration = Duration::from_secs(300);
/// How often it is looked whether `hot` works.
const TICK: Duration = Duration::from_millis(200);
/// So many times in a row without work and without a word, and there won't be an answer.
const SILENCE: usize = 8;

pub(super) struct Session {
    // Both stay open and untouched: the program waits for them. They go first, so that it can end.
    _stdin: Option<ChildStdin>,
    _stdout: Option<ChildStdout>,
    group: Group,
    lines: Receiver<String>,
    memory: Memory,
    symbols: Symbols,
    way: Way,
}

impl Session {
    /// Starts the project and waits until the program runs and can be patched.
    pub(super) fn start(project: &Project, folder: &Path) -> Result<Self> {
        let mut command = in_project(environment::command(hot::binary()), folder);
        command
            .args(["--verbose", "--no-restart", "cargo"])
            .args(project.run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().context("can't start `hot`")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let errors = child.stderr.take().context("no stderr")?;
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.with_extension("log"))?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                // It is for those who look into what happened.
                let _ = writeln!(log, "{line}");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let group = Group(child);
        let pid = wait_for_start(&lines, &group)?;
        Ok(Self {
            _stdin: stdin,
            _stdout: stdout,
            group,
            lines,
            memory: Memory::of(pid)?,
            symbols: Symbols::of(&fs::read_link(format!("/proc/{pid}/exe"))?)?,
            way: Way::Small,
        })
    }

    /// The project's files that were compiled into the program or a library of it.
    pub(super) fn compiled_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(target(&self.folder()?).join("debug/hot"))? {
            let Ok(text) = fs::read_to_string(entry?.path().join("unit.json")) else {
                continue;
            };
            let unit: Value = serde_json::from_str(&text)?;
            let cwd = unit["cwd"].as_str().unwrap_or_default();
            let is_ours = self.folder().is_ok_and(|folder| folder == Path::new(cwd));
            if is_ours && unit["mocks"] != true && unit["kind"] != "test" {
                let sources = unit["sources"].as_array().into_iter().flatten();
                files.extend(sources.filter_map(|path| path.as_str().map(PathBuf::from)));
            }
        }
        files.sort();
        files.dedup();
        files.retain(|file| file.file_name() != Some("waiting.rs".as_ref()));
        Ok(files)
    }

    fn folder(&self) -> Result<PathBuf> {
        Ok(fs::read_link(format!("/proc/{}/cwd", self.group.pid()))?)
    }

    /// What `hot` says to an edit that was saved just now, and whether it is true.
    pub(super) fn outcome(&mut self, body: &Body, number: u64) -> Outcome {
        let mut why = String::new();
        self.way = Way::Small;
        loop {
            let line = match self.next_line() {
                Next::Line(line) => line,
                Next::Idle if why.is_empty() => return Outcome::Silent,
                Next::Idle => return Outcome::NoEdit(why),
                Next::Ended => return Outcome::Crashed("`hot` ended".into()),
            };
            match word(&line) {
                Word::Patched {
                    count,
                    named,
                    spread,
                } => {
                    if spread {
                        self.way = Way::Spread;
                    }
                    return self.look(&line, count, &named, body, number);
                }
                Word::Once(_) => return Outcome::Rude("it is running and called once".into()),
                Word::Unused => return self.unused(body),
                Word::NoEdit => return Outcome::NoEdit(why),
                Word::Rude => return Outcome::Rude(why),
                Word::Whole => self.way = Way::Whole,
                // Not what is said of times and twins.
                Word::Reason(reason) if why.is_empty() => why = reason,
                Word::Reason(_) | Word::Restored | Word::Other => {}
            }
        }
    }

    /// The next line of `hot`, which says nothing while it compiles.
    fn next_line(&self) -> Next {
        let (start, mut idle) = (Instant::now(), 0);
        while idle < SILENCE && start.elapsed() < ANSWER {
            match self.lines.recv_timeout(TICK) {
                Ok(line) => return Next::Line(line),
                Err(RecvTimeoutError::Disconnected) => return Next::Ended,
                Err(RecvTimeoutError::Timeout) => {
                    idle = match self.group.works(self.memory.pid()) {
                        true => 0,
                        false => idle + 1,
                    };
                }
            }
        }
        Next::Idle
    }

    /// How the last edit was compiled.
    pub(super) fn way(&self) -> Way {
        self.way
    }

    fn look(
        &mut self,
        line: &str,
        count: usize,
        named: &[(String, String)],
        body: &Body,
        number: u64,
    ) -> Outcome {
        match self.check(count, named, body, number) {
            Ok(true) => Outcome::Seen,
            Ok(false) => Outcome::SeenInCallers,
            Err(_) if self.group.has_ended() => Outcome::Crashed(line.to_owned()),
            Err(error) => Outcome::Unseen(format!("{error:#}: {line}")),
        }
    }

    /// As many sites as `hot` says, and those that it names, must lead to libraries, each of which holds the
    /// number. Says whether the function's own site is one of them.
    fn check(
        &self,
        count: usize,
        named: &[(String, String)],
        body: &Body,
        number: u64,
    ) -> Result<bool> {
        let hooked = self.memory.hooked()?;
        if named.is_empty() || hooked.len() < count {
            bail!("{} sites lead elsewhere", hooked.len());
        }
        for (name, place) in named {
            let is_it = |(site, _): &&(_, u64)| self.memory.is_at(site, name, place);
            if !hooked.iter().any(|found| is_it(&found)) {
                bail!("`{name}` {place} runs its original body");
            }
        }
        let libraries: BTreeSet<String> = hooked
            .iter()
            .map(|(_, code)| self.memory.library(*code))
            .collect::<Result<_>>()?;
        for library in libraries {
            if !self.memory.names(&library, number)? {
                bail!("{library} doesn't hold the edit");
            }
        }
        let place = format!("({}:{})", body.file.display(), body.line);
        let own = |site| {
            self.memory
                .is_at(site, &self.memory.sites[*site].name, &place)
        };
        Ok(hooked.iter().any(|(site, _)| own(site)))
    }

    /// `hot` says that nothing that runs uses the function: is there code of it?
    fn unused(&self, body: &Body) -> Outcome {
        let mut parts = body.function.rsplit("::");
        let name = parts.next().unwrap_or_default();
        match self.symbols.code_of(name, parts.next()) {
            None => Outcome::Unused,
            Some(code) => Outcome::UnusedCode(code.to_owned()),
        }
    }

    /// After the edit was undone: waits until it is so, and says what is wrong if an original body isn't back.
    pub(super) fn settle(&mut self, outcome: &Outcome) -> Option<String> {
        let installed = matches!(
            outcome,
            Outcome::Seen | Outcome::SeenInCallers | Outcome::Unseen(_)
        );
        if !installed {
            std::thread::sleep(Duration::from_millis(60));
            while self.group.works(self.memory.pid()) {
                std::thread::sleep(Duration::from_millis(30));
            }
            while self.lines.try_recv().is_ok() {}
            return None;
        }
        while let Next::Line(line) = self.next_line() {
            if word(&line) == Word::Restored {
                return match self.memory.hooked() {
                    Ok(left) if left.is_empty() => None,
                    Ok(left) => Some(format!("{} sites lead elsewhere: {line}", left.len())),
                    Err(error) => Some(format!("{error:#}")),
                };
            }
        }
        Some("it wasn't restored when the edit was undone".to_owned())
    }
}

/// What comes from `hot`.
enum Next {
    Line(String),
    Idle,
    Ended,
}

/// Waits until the program joined and what is compiled in the background is there.
fn wait_for_start(lines: &Receiver<String>, group: &Group) -> Result<u32> {
    let end = Instant::now() + START;
    let mut log = Vec::new();
    let mut pid = None;
    let mut idle = 0;
    while Instant::now() < end && idle < SILENCE {
        match lines.recv_timeout(TICK) {
            Ok(line) => {
                if let Some((_, rest)) = line.split_once("hot: pid ") {
                    let number = rest.split(' ').next().and_then(|word| word.parse().ok());
                    pid = number.filter(|_| rest.contains(" joined")).or(pid);
                }
                log.push(line);
            }
            Err(RecvTimeoutError::Timeout) => match pid {
                Some(pid) if !group.works(pid) => idle += 1,
                _ => idle = 0,
            },
            Err(RecvTimeoutError::Disconnected) => bail!("`hot` ended:\n{}", log.join("\n")),
        }
    }
    pid.with_context(|| format!("the program doesn't start:\n{}", log.join("\n")))
}
