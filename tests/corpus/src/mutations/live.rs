//! `hot test` on a project, and what it answers to a save. Knows its words.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, Result};
use soft_mock_tests::{environment, hot};

use crate::package::in_project;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// A session. It ends with this.
pub(super) struct Live {
    child: Child,
    stdout: Written,
    stderr: Written,
}

/// What it said to a save.
pub(super) enum Answer {
    /// The files don't compile.
    NotBuilt,
    Ran {
        said: String,
        /// By their names, that of the crate first.
        failing: BTreeSet<String>,
    },
}

/// A file that grows, and how much of it was read.
struct Written {
    path: PathBuf,
    read: usize,
}

impl Written {
    fn new(path: PathBuf) -> Result<(Self, File)> {
        let file = File::create(&path)?;
        Ok((Self { path, read: 0 }, file))
    }

    /// What has come since it was last taken.
    fn new_text(&self) -> Result<String> {
        let bytes = fs::read(&self.path)?;
        Ok(String::from_utf8_lossy(&bytes[self.read..]).into_owned())
    }

    fn take(&mut self) -> Result<String> {
        let text = self.new_text()?;
        self.read = fs::metadata(&self.path)?.len() as usize;
        Ok(text)
    }
}

impl Live {
    /// Started, with all tests run once.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let beside = |name: &str| folder.with_extension(name);
        let (stdout, out) = Written::new(beside("out"))?;
        let (stderr, err) = Written::new(beside("err"))?;
        let mut command = in_project(environment::command(hot::binary()), folder);
        command
            .args(["test", "--no-keys", "--timeout", "60"])
            .stdout(out)
            .stderr(err);
        let mut live = Self {
            child: command.spawn()?,
            stdout,
            stderr,
        };
        live.wait(|line| line.contains("hot: waiting for saves"))?;
        Ok(live)
    }

    /// What it says to a save.
    pub(super) fn answer(&mut self) -> Result<Answer> {
        let said = self.wait(|line| is_not_built(line) || is_summary(line))?;
        // Failures are written before the line.
        let text = self.stdout.take()?;
        Ok(match is_not_built(&said) {
            true => Answer::NotBuilt,
            false => Answer::Ran {
                failing: failing(&text),
                said,
            },
        })
    }

    fn wait(&mut self, is_it: impl Fn(&str) -> bool) -> Result<String> {
        let began = Instant::now();
        loop {
            let text = self.stderr.new_text()?;
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(line) = whole.lines().find(|line| is_it(line)) {
                let line = line.to_owned();
                self.stderr.take()?;
                return Ok(line);
            }
            if self.child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                bail!("`hot test` gave no answer:\n{text}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            // So that it ends what it has started.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn is_not_built(line: &str) -> bool {
    line.starts_with("hot: not built")
}

fn is_summary(line: &str) -> bool {
    let ends = [
        " reaches it",
        " reach it",
        " tests",
        " test",
        " is concerned",
    ];
    let before = line.split([':', '(']).nth(1).unwrap_or_default();
    let counts = line.starts_with("hot: ") && line.contains(" (");
    counts && ends.iter().any(|end| before.trim_end().ends_with(end))
}

/// The tests in the last list of failures.
fn failing(stdout: &str) -> BTreeSet<String> {
    let list = stdout
        .rsplit_once("\nfailures:\n")
        .map_or("", |(_, list)| list);
    let names = list.lines().map_while(|line| line.strip_prefix("    "));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood() {
        for line in [
            "hot: 12 of 418 tests reach it: 12 passed (86 ms)",
            "hot: none of 8 tests reaches it (1.9 s)",
            "hot: 8 tests: 7 passed, 1 FAILED (2.3 s); still failing: a::b",
            "hot: none of 8 tests is concerned (1.9 s)",
        ] {
            assert!(is_summary(line), "{line}");
        }
        assert!(!is_summary("hot: waiting for saves (doc tests aren't run)"));
        let list = "\nfailures in x:\n\n---- a ----\n\nfailures:\n    krate::a::b\n    it::c\n\n";
        let expected = ["krate::a::b", "it::c"].map(str::to_owned);
        assert_eq!(failing(list), BTreeSet::from(expected));
        assert!(failing("").is_empty());
    }
}
