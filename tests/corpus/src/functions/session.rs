//! A program under `hot`: what `hot` says after an edit, compared with the memory of the program.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use rustix::process::{kill_process_group, Pid, Signal};
use serde_json::Value;
use soft_mock_tests::{environment, hot};

use super::mark::Body;
use super::memory::{Memory, Site};
use super::projects::Project;
use super::Outcome;
use crate::package::{in_project, target};

const START: Duration = Duration::from_secs(900);
/// Compiling a large crate whole takes some time on a busy machine.
const ANSWER: Duration = Duration::from_secs(300);
/// How often it is looked whether `hot` compiles.
const TICK: Duration = Duration::from_millis(500);
/// So many times in a row without a compiler and without a word, and there won't be an answer.
const SILENCE: usize = 10;

pub(crate) struct Session {
    // Both stay open and untouched: the program waits for them. They go first, so that it can end.
    _stdin: Option<ChildStdin>,
    _stdout: Option<ChildStdout>,
    group: Group,
    lines: Receiver<String>,
    memory: Memory,
    patched: Vec<Site>,
    whole: bool,
}

impl Session {
    /// Starts the project and waits until the program runs and can be patched.
    pub(crate) fn start(project: &Project, folder: &Path) -> Result<Self> {
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
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let group = Group(child);
        let pid = wait_for_start(&lines)?;
        let memory = Memory::of(pid)?;
        Ok(Self {
            _stdin: stdin,
            _stdout: stdout,
            group,
            lines,
            memory,
            patched: Vec::new(),
            whole: false,
        })
    }

    /// The project's files that were compiled into the program or a library of it.
    pub(crate) fn compiled_files(&self) -> Result<Vec<PathBuf>> {
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
        Ok(fs::read_link(format!("/proc/{}/cwd", self.group.0.id()))?)
    }

    /// What `hot` says to an edit that was saved just now, and whether it is true.
    pub(crate) fn outcome(&mut self, body: &Body, number: u64) -> Outcome {
        let mut why = String::new();
        self.whole = false;
        loop {
            let line = match self.next_line() {
                Next::Line(line) => line,
                Next::Idle if why.is_empty() => return Outcome::Silent,
                Next::Idle => return Outcome::NoEdit(why),
                Next::Ended => return Outcome::Crashed("`hot` ended".into()),
            };
            self.whole |= line.contains("is compiled whole");
            if line.contains("hot: patched ") || line.contains("won't be called again") {
                return self.look(&line, body, number);
            }
            if line.contains("the edit doesn't compile")
                || line.contains("waiting for the next save")
            {
                return Outcome::NoEdit(why);
            }
            if line.contains("the old code runs on") {
                return Outcome::Rude(why);
            }
            // Not what is said of times and twins.
            if why.is_empty() && (line.contains(".rs:") || line.starts_with("error")) {
                why = reason(&line);
            }
        }
    }

    /// The next line of `hot`, which says nothing while it compiles.
    fn next_line(&self) -> Next {
        let start = Instant::now();
        let (mut idle, mut used) = (0, self.processor_time());
        while idle < SILENCE && start.elapsed() < ANSWER {
            match self.lines.recv_timeout(TICK) {
                Ok(line) => return Next::Line(line),
                Err(RecvTimeoutError::Disconnected) => return Next::Ended,
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.processor_time();
                    let works = now > used + 1 || self.compilers() > 0;
                    idle = if works { 0 } else { idle + 1 };
                    used = now;
                }
            }
        }
        Next::Idle
    }

    /// What `hot` itself has used, in the kernel's ticks of a hundredth of a second.
    fn processor_time(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.group.0.id()));
        let text = text.unwrap_or_default();
        // Behind the name, which may hold anything: state, …, and as numbers 12 and 13 the times.
        let (_, rest) = text.rsplit_once(')').unwrap_or_default();
        let words = rest.split_ascii_whitespace().skip(11).take(2);
        words.filter_map(|word| word.parse::<u64>().ok()).sum()
    }

    /// How many children `hot` has besides the user's command.
    fn compilers(&self) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.group.0.id()));
        let children: usize = tasks
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
            .map(|list| list.split_ascii_whitespace().count())
            .sum();
        children.saturating_sub(1)
    }

    /// Whether the whole crate was compiled for the last edit.
    pub(crate) fn compiled_whole(&self) -> bool {
        self.whole
    }

    fn look(&mut self, line: &str, body: &Body, number: u64) -> Outcome {
        let place = format!("({}:{})", body.file.display(), body.line);
        let own = line.contains(&place);
        match self.check(line, number) {
            Ok(()) if own => Outcome::Seen,
            Ok(()) => Outcome::SeenInCallers,
            Err(_) if matches!(self.group.0.try_wait(), Ok(Some(_))) => {
                Outcome::Crashed(line.to_owned())
            }
            Err(error) => Outcome::Unseen(format!("{error:#}: {line}")),
        }
    }

    /// Every function that the line names must lead to code with the number.
    fn check(&mut self, line: &str, number: u64) -> Result<()> {
        let names = functions(line);
        if names.is_empty() {
            bail!("no function is named");
        }
        for (name, place) in names {
            let sites: Vec<Site> = self.memory.at(&name, &place).cloned().collect();
            let mut wrong = format!("no site `{name}`");
            let mut found = false;
            for site in sites {
                match self.memory.code(&site)? {
                    Some(code) if self.memory.names(code, number)? => {
                        self.patched.push(site);
                        found = true;
                    }
                    Some(_) => wrong = format!("`{name}` leads to other code"),
                    None if !found => wrong = format!("`{name}` runs its original body"),
                    None => {}
                }
            }
            if !found {
                bail!("{wrong} {place}");
            }
        }
        Ok(())
    }

    /// After the edit was undone: waits until it is so, and says what is wrong if the original body isn't back.
    pub(crate) fn settle(&mut self, outcome: &Outcome) -> Option<String> {
        let patched = std::mem::take(&mut self.patched);
        let installed = matches!(
            outcome,
            Outcome::Seen | Outcome::SeenInCallers | Outcome::Unseen(_)
        );
        if !installed {
            std::thread::sleep(Duration::from_millis(60));
            while self.lines.try_recv().is_ok() {}
            return None;
        }
        while let Next::Line(line) = self.next_line() {
            if line.contains("hot: restored ") {
                let is_back = |site| matches!(self.memory.code(site), Ok(None));
                let wrong = || format!("not the original body: {line}");
                return (!patched.iter().all(is_back)).then(wrong);
            }
        }
        Some("it wasn't restored when the edit was undone".to_owned())
    }
}

/// Names and places in `hot: patched 5 functions in 90 ms: a::b::f (src/b.rs:7), <a::T as X>::g (src/t.rs:9) +3 more`
/// or `hot: a::main (src/main.rs:1) is running and won't be called again…`.
fn functions(line: &str) -> Vec<(String, String)> {
    let text = line.trim_start_matches("hot: ");
    let list = match text.strip_prefix("patched ") {
        Some(rest) => rest.split_once(": ").map_or("", |(_, list)| list),
        None => text.split(" is running").next().unwrap_or_default(),
    };
    let (mut found, mut start) = (Vec::new(), 0);
    for (end, _) in list.match_indices(')') {
        // Names hold brackets too: only `(file:line)` ends one.
        let part = list[start..=end].trim_start_matches([',', ' ']);
        let place = part.rsplit_once(" (").filter(|(_, place)| is_place(place));
        if let Some((name, place)) = place {
            found.push((name.to_owned(), format!("({place}")));
            start = end + 1;
        }
    }
    found
}

/// `src/a.rs:7)`
fn is_place(text: &str) -> bool {
    let line = text.trim_end_matches(')').rsplit_once(':');
    line.is_some_and(|(_, line)| {
        !line.is_empty() && line.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// What a line says behind the place that it names.
fn reason(line: &str) -> String {
    let text = line.trim_start_matches("hot: ");
    match text.split_once(".rs:") {
        Some((_, rest)) => rest
            .split_once(": ")
            .map_or(rest, |(_, why)| why)
            .to_owned(),
        None => text.to_owned(),
    }
}

/// Waits until the program joined and the twins of its crates are there; they would only slow the first edits.
fn wait_for_start(lines: &Receiver<String>) -> Result<u32> {
    let end = Instant::now() + START;
    let mut log = Vec::new();
    let mut pid = None;
    loop {
        let limit = match pid {
            None => end.saturating_duration_since(Instant::now()),
            Some(_) => Duration::from_secs(8),
        };
        match lines.recv_timeout(limit) {
            Ok(line) => {
                if let Some((_, rest)) = line.split_once("hot: pid ") {
                    let number = rest.split(' ').next().and_then(|word| word.parse().ok());
                    pid = number.filter(|_| rest.contains(" joined")).or(pid);
                }
                log.push(line);
            }
            Err(RecvTimeoutError::Timeout) => match pid {
                Some(pid) => return Ok(pid),
                None => bail!("the program doesn't start:\n{}", log.join("\n")),
            },
            Err(RecvTimeoutError::Disconnected) => bail!("`hot` ended:\n{}", log.join("\n")),
        }
    }
}

/// What comes from `hot`.
enum Next {
    Line(String),
    Idle,
    Ended,
}

/// `hot` and what it started; dropping it ends them.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            for signal in [Signal::TERM, Signal::KILL] {
                // The group may be gone already.
                let _ = kill_process_group(group, signal);
                let end = Instant::now() + Duration::from_secs(5);
                while Instant::now() < end && matches!(self.0.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        // Nothing is left to be done about a child that can't be waited for.
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[(&str, &str)]) {
        let found = functions(line);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, place)| (&**name, &**place))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn reads_what_hot_says() {
        check(
            "hot: patched 1 function in 9 ms: a::f (src/a.rs:7)",
            &[("a::f", "(src/a.rs:7)")],
        );
        let several = "hot: patched 5 functions in 12.3 s: a::f (src/a.rs:7), <a::T as From<(u8, u8)>>::g (src/t.rs:9) +3 more";
        check(
            several,
            &[
                ("a::f", "(src/a.rs:7)"),
                ("<a::T as From<(u8, u8)>>::g", "(src/t.rs:9)"),
            ],
        );
        let main = "hot: a::main (src/main.rs:1) is running and won't be called again: the edit needs a restart";
        check(main, &[("a::main", "(src/main.rs:1)")]);
        check("hot: pid 7 joined: /a", &[]);
    }

    #[test]
    fn reasons_lose_their_place() {
        assert_eq!(
            reason("hot: src/a.rs:7: body of fn f changed: it is generic"),
            "body of fn f changed: it is generic"
        );
        assert_eq!(
            reason("error[E0308]: mismatched types"),
            "error[E0308]: mismatched types"
        );
    }
}
