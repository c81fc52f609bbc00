//! A program under `hot`: what `hot` says after an edit, compared with the memory of the program.

use std::collections::{BTreeMap, BTreeSet};
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
use super::projects::Project;
use super::symbols::Symbols;
use super::words::{word, Word};
use super::{Outcome, Way};
use crate::package::{in_project, target};
use crate::process::Group;

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
    said: (usize, Vec<(String, String)>),
    /// All that `hot` said of the last edit.
    heard: Vec<String>,
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
            said: (0, Vec::new()),
            heard: Vec::new(),
        })
    }

    /// The project's files that were compiled into the program or a library of it.
    pub(super) fn compiled_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(target(&self.folder()?).join("debug/.hot"))? {
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

    /// Whether the program has a site for this function.
    pub(super) fn has_site(&self, body: &Body) -> bool {
        let sites = 0..self.memory.sites.len();
        body.function != "main" && sites.into_iter().any(|site| self.is_at(site, body))
    }

    fn is_at(&self, site: usize, body: &Body) -> bool {
        let place = format!("({}:{})", body.file.display(), body.line);
        self.memory
            .is_at(&site, &self.memory.sites[site].name, &place)
    }

    /// What `hot` says to what was saved just now, and what it has compiled for it. Several files
    /// may be seen one after the other: then the last word counts.
    pub(super) fn verdict(&mut self, single: bool) -> (Verdict, Way) {
        let mut said = Said::default();
        self.heard.clear();
        while said.verdict.is_none() || !single {
            let line = match self.next_line(if said.verdict.is_some() { 2 } else { SILENCE }) {
                Next::Line(line) => line,
                Next::Idle => break,
                Next::Ended => {
                    let why = format!("`hot` ended: {}", said.last);
                    return (Verdict::Crashed(why), said.way);
                }
            };
            self.heard.push(line.clone());
            said.take(line);
        }
        if self.memory.has_ended() {
            let why = format!("the program ended: {}", said.last);
            return (Verdict::Crashed(why), said.way);
        }
        self.said = said.patched;
        let verdict = said.verdict.unwrap_or(match said.why.is_empty() {
            true => Verdict::Silent,
            false => Verdict::NoEdit(said.why),
        });
        (verdict, said.way)
    }

    /// All that `hot` said of the last edit, and says of it until a line holds `text`; none if that
    /// isn't said.
    pub(super) fn heard_until(&mut self, text: &str) -> Option<&[String]> {
        const LIMIT: Duration = Duration::from_secs(600);
        let end = Instant::now() + LIMIT;
        let mut idle = 0;
        while !self.heard.iter().any(|line| line.contains(text)) {
            let left = end.saturating_duration_since(Instant::now());
            // It waits for a quiet moment first.
            if left.is_zero() || idle > 4 * SILENCE {
                return None;
            }
            match self.next_line(SILENCE) {
                Next::Line(line) => self.heard.push(line),
                Next::Idle => idle += SILENCE,
                Next::Ended => return None,
            }
        }
        while let Next::Line(line) = self.next_line(2) {
            self.heard.push(line);
        }
        Some(&self.heard)
    }

    pub(super) fn heard(&self) -> &[String] {
        &self.heard
    }

    /// The next line of `hot`, which says nothing while it compiles.
    fn next_line(&self, silence: usize) -> Next {
        let (start, mut idle) = (Instant::now(), 0);
        while idle < silence && start.elapsed() < ANSWER {
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

    /// After *patched*: as many sites as `hot` says, and those that it names, must lead to
    /// libraries, and each of these must hold one of the numbers. Says for each function
    /// whether its own site leads to a library with its number, or, if it has none, whether one
    /// holds the number.
    pub(super) fn found(&self, group: &[Body], numbers: &[u64]) -> Result<Vec<Option<Outcome>>> {
        let hooked = self.memory.hooked()?;
        let (count, named) = &self.said;
        if named.is_empty() || hooked.len() < *count {
            bail!("{} sites lead elsewhere, not {count}", hooked.len());
        }
        for (name, place) in named {
            let is_it = |(site, _): &(usize, u64)| self.memory.is_at(site, name, place);
            if !hooked.iter().any(is_it) {
                bail!("`{name}` {place} runs its original body");
            }
        }
        let mut libraries: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut leads = Vec::new();
        for (site, code) in &hooked {
            let library = self.memory.library(*code)?;
            if !libraries.contains_key(&library) {
                let held = self.memory.names(&library, numbers)?;
                if held.is_empty() {
                    bail!("{library} holds none of the edits");
                }
                libraries.insert(library.clone(), held);
            }
            leads.push((*site, library));
        }
        let outcome = |(body, number): (&Body, &u64)| {
            let mut own = leads.iter().filter(|(site, _)| self.is_at(*site, body));
            let holds = |library: &String| libraries[library].contains(number);
            if own.any(|(_, library)| holds(library)) {
                return Ok(Some(Outcome::Seen));
            }
            if self.has_site(body) {
                bail!("the site of {} doesn't lead to the edit", body.name());
            }
            let anywhere = libraries.values().any(|held| held.contains(number));
            Ok(anywhere.then_some(Outcome::SeenInCallers))
        };
        group.iter().zip(numbers).map(outcome).collect()
    }

    /// `hot` says that nothing that runs uses the function: is there code of it?
    pub(super) fn unused(&self, body: &Body) -> Outcome {
        let mut parts = body.function.rsplit("::");
        let name = parts.next().unwrap_or_default();
        match self.symbols.code_of(name, parts.next()) {
            None => Outcome::Unused,
            Some(code) => Outcome::UnusedCode(code.to_owned()),
        }
    }

    /// After the edit was undone: waits until no site leads elsewhere any more, and says so if one
    /// still does when `hot` has nothing left to do. Several files may be seen one after the
    /// other.
    pub(super) fn settle(&mut self, verdict: &Verdict) -> Option<String> {
        if !matches!(verdict, Verdict::Patched | Verdict::Wrong(_)) {
            std::thread::sleep(Duration::from_millis(60));
            while self.group.works(self.memory.pid()) {
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        let mut last = String::new();
        loop {
            let left = match self.memory.hooked() {
                Ok(left) => left.len(),
                Err(error) => return Some(format!("{error:#}")),
            };
            if left == 0 {
                while self.lines.try_recv().is_ok() {}
                return None;
            }
            match self.next_line(SILENCE) {
                Next::Line(line) => last = line,
                Next::Idle | Next::Ended => {
                    return Some(format!("{left} sites lead elsewhere still: {last}"));
                }
            }
        }
    }
}

/// What became of what was saved.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Patched,
    Unused,
    Rude(String),
    /// It doesn't compile.
    NoEdit(String),
    /// `hot` says nothing.
    Silent,
    /// It isn't as `hot` says.
    Wrong(String),
    Crashed(String),
}

/// What `hot` has said since a save.
struct Said {
    verdict: Option<Verdict>,
    way: Way,
    why: String,
    last: String,
    /// How many functions were patched, and some of them by name.
    patched: (usize, Vec<(String, String)>),
}

impl Default for Said {
    fn default() -> Self {
        Self {
            verdict: None,
            way: Way::Small,
            why: String::new(),
            last: String::new(),
            patched: (0, Vec::new()),
        }
    }
}

impl Said {
    fn take(&mut self, line: String) {
        let verdict = match word(&line) {
            Word::Patched {
                count,
                named,
                indirect,
            } => {
                if indirect {
                    self.way = Way::Spread;
                }
                self.patched = (count, named);
                Some(Verdict::Patched)
            }
            Word::Once(_) if self.verdict.is_some() => None,
            Word::Once(_) => Some(Verdict::Rude("it is running and called once".into())),
            Word::Unused => Some(Verdict::Unused),
            Word::NoEdit => Some(Verdict::NoEdit(self.why.clone())),
            Word::Rude => Some(Verdict::Rude(self.why.clone())),
            Word::Whole => {
                self.way = Way::Whole;
                None
            }
            // Not what is said of times and twins.
            Word::Reason(reason) => {
                self.why = reason;
                None
            }
            Word::Restored | Word::Other => None,
        };
        self.verdict = verdict.or(self.verdict.take());
        self.last = line;
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
