//! A program that runs under `hot` while its files are edited: how they are saved, and what comes
//! back.
//!
//! Knows nothing of grammars and of what would be right.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use soft_mock_tests::output::Stream;
use soft_mock_tests::process;
use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

use crate::program::LINE;
use crate::words::{words, Word};

type Files = BTreeMap<String, String>;

/// How long the first build may take on a busy machine.
const START: Duration = Duration::from_secs(300);
/// How long an answer may take while `hot` is seen to work.
const ANSWER: Duration = Duration::from_secs(120);
/// How long a line of the program may take.
const NEXT_LINE: Duration = Duration::from_secs(10);
/// How often it is looked whether `hot` works.
const TICK: Duration = Duration::from_millis(100);
/// So often in a row without work and without a word, and nothing more will be said.
const SETTLED: usize = 5;
/// The same where nothing was said at all, though something ought to be.
const SILENCE: usize = 20;

/// A session.
pub(crate) struct Running {
    session: Session,
    hot: PathBuf,
    at: usize,
    // Ends the processes that are left, after the session.
    project: Project,
}

/// What came back after a save.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    /// What `hot` and the compiler said.
    pub(crate) said: Vec<String>,
    /// The same, understood.
    pub(crate) words: Vec<Word>,
    /// A line that the program printed after that.
    pub(crate) line: Option<String>,
    /// Whether the program or `hot` ended.
    pub(crate) ended: bool,
}

impl Answer {
    pub(crate) fn has(&self, word: &Word) -> bool {
        self.words.contains(word)
    }

    fn is_final(&self) -> bool {
        let last = [
            Word::Done,
            Word::Unused,
            Word::RolledBack,
            Word::NotRolledBack,
            Word::Refused,
            Word::NoCompile,
        ];
        last.iter().any(|word| self.has(word))
    }
}

/// What is expected of an answer.
pub(crate) struct Expectation<'a> {
    /// Whether the answer is as it should be, so that nothing more needs to be waited for.
    pub(crate) is_right: &'a dyn Fn(&Answer) -> bool,
    /// Whether more than one answer may come.
    pub(crate) several: bool,
    /// Whether something has to be said.
    pub(crate) word: bool,
}

impl Running {
    /// Builds the program and waits until it runs and can be edited. Else says what came instead.
    pub(crate) fn start(hot: &Path, files: &Files, release: bool) -> Result<Self, String> {
        let mut project = Project::of_files(files);
        project.env("CARGO_TERM_COLOR", "never");
        let mut arguments = vec!["--no-restart", "cargo", "run"];
        arguments.extend(release.then_some("--release"));
        let session = project.start(hot, &arguments);
        let mut running = Self {
            session,
            hot: hot.to_owned(),
            at: 0,
            project,
        };
        let is_line = |line: &str| line.starts_with(LINE);
        let output = running.session.output();
        if output.wait(Stream::Stdout, 0, START, &is_line).is_none() {
            return Err(output.to_string());
        }
        let mut idle = 0;
        let end = Instant::now() + START;
        while idle < SETTLED && Instant::now() < end {
            sleep(TICK);
            idle = if running.works() { 0 } else { idle + 1 };
        }
        running.at = running.session.now();
        Ok(running)
    }

    /// The program's last line.
    pub(crate) fn line(&self) -> Option<String> {
        let at = self.session.now();
        let is_line = |line: &str| line.starts_with(LINE);
        let output = self.session.output();
        let (_, line) = output.wait(Stream::Stdout, at, NEXT_LINE, &is_line)?;
        Some(line)
    }

    /// Makes the files those of another state. What is said from now on is the answer.
    pub(crate) fn save(&mut self, from: &Files, to: &Files, by: Save) {
        for file in from.keys().filter(|file| !to.contains_key(*file)) {
            let _ = fs::remove_file(self.project.path(file));
        }
        for (file, text) in to
            .iter()
            .filter(|(file, text)| from.get(*file) != Some(*text))
        {
            if let Some(folder) = self.project.path(file).parent() {
                fs::create_dir_all(folder).expect("a folder of the project");
            }
            self.project.save(by, file, text);
        }
    }

    /// Forgets what was said so far.
    pub(crate) fn listen(&mut self) {
        self.at = self.session.now();
    }

    /// Runs `hot rollback` in another terminal.
    pub(crate) fn roll_back(&mut self) {
        let _ = self.project.run(&self.hot, &["rollback"]);
    }

    /// What comes back.
    pub(crate) fn answer(&mut self, expected: &Expectation<'_>) -> Answer {
        let mut answer = Answer::default();
        let mut next = self.at;
        let (start, mut idle) = (Instant::now(), 0);
        loop {
            let output = self.session.output();
            if let Some((after, line)) = output.wait(Stream::Stderr, next, TICK, &|_| true) {
                next = after;
                idle = 0;
                answer.words.extend(words(&line));
                answer.said.push(line);
                if answer.is_final() && !expected.several {
                    answer.line = self.line_after(next);
                    // What still waits is said after what is patched, and what can be had beside a
                    // refusal after that.
                    let is_last = || {
                        let more = output.wait(Stream::Stderr, next, TICK, &|_| true);
                        more.is_none() && !self.works()
                    };
                    if answer.line.is_some() && (expected.is_right)(&answer) && is_last() {
                        break;
                    }
                }
                continue;
            }
            if output.wait_for_end(Duration::ZERO) {
                answer.ended = true;
                break;
            }
            idle = if self.works() { 0 } else { idle + 1 };
            let patience = match answer.is_final() || !expected.word {
                true => SETTLED,
                false => SILENCE,
            };
            if idle > patience || start.elapsed() > ANSWER {
                answer.line = self.line_after(self.session.now());
                answer.ended = self.session.output().wait_for_end(Duration::ZERO);
                break;
            }
        }
        self.at = self.session.now();
        answer
    }

    /// A line that was begun after a position: the first one may have been begun before.
    fn line_after(&self, position: usize) -> Option<String> {
        let is_line = |line: &str| line.starts_with(LINE);
        let output = self.session.output();
        let (next, _) = output.wait(Stream::Stdout, position, NEXT_LINE, &is_line)?;
        let (_, line) = output.wait(Stream::Stdout, next, NEXT_LINE, &is_line)?;
        Some(line)
    }

    /// Whether `hot` has anything to do, beside the command that it runs.
    fn works(&self) -> bool {
        let hot = self.session.pid();
        process::is_busy(hot) || process::children(hot) > 1
    }

    /// All that was written, for a look.
    pub(crate) fn log(&self) -> String {
        let text = self.session.output().to_string();
        let shown = text.lines().filter(|line| !line.starts_with("out | S "));
        shown.map(|line| format!("{line}\n")).collect()
    }
}
