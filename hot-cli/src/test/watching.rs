//! The loop of `hot test`: a save, a key, the end of a round.
//!
//! Knows nothing of how tests are built, run and told. A round runs on a thread of its own and is
//! cancelled by whatever asks for another one.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};

use super::events::{Event, Signals};
use super::meanwhile::{Meanwhile, Written};
use super::places::is_manifest;
use super::report::Report;
use super::round::{Also, Ask, Build, Outcome, Project};
use super::warm_up::Warming;
use crate::exit;
use crate::os::process::Cancel;
use crate::session::keys::{Key, KeyEvent, Keys, Typed};
use crate::watch::{WatchEvent, Watcher};

/// The session.
struct Watching {
    report: Arc<Report>,
    events: Sender<Event>,
    watcher: Watcher,
    /// Cargo's own folder.
    target: PathBuf,
    keys: Option<Keys>,
    signals: Signals,
    /// None while a round has it.
    project: Option<Box<Project>>,
    running: Cancel,
    /// What is to be done next.
    next: Ask,
    /// What the last rounds did not come to: a build that failed or was cancelled.
    owed: Ask,
    /// The files that the binaries were built from.
    inputs: BTreeSet<PathBuf>,
    /// Those of them that patches are made of.
    sources: BTreeSet<PathBuf>,
    /// Files that look like sources and that nothing was built from so far: what is built next
    /// tells whether they are.
    unclear: BTreeSet<PathBuf>,
    /// Those of them that were written in a round: what is built after it tells.
    later: Later,
    /// Those that were written while tests ran, and that nothing was built from then.
    looked_at: BTreeSet<PathBuf>,
    meanwhile: Arc<Meanwhile>,
    /// What was written while tests ran, until it is told.
    untold: BTreeSet<PathBuf>,
    /// What is made for later patches.
    warming: Warming,
    said_that_it_waits: bool,
    /// Somebody wants to know which tests were run last.
    asks_last: bool,
    /// Those whose names hold it are run.
    filter: Option<String>,
}

/// Files that look like sources, and that were written in a round.
#[derive(Default)]
struct Later {
    before_tests: BTreeSet<PathBuf>,
    /// By tests, or by the user.
    during_tests: BTreeSet<PathBuf>,
}

/// Runs all tests, and then those that saves and keys ask for. Returns the exit code.
pub(super) fn watch(
    watched: Vec<PathBuf>,
    target: PathBuf,
    project: Project,
    report: Report,
    keys: bool,
) -> Result<u8> {
    let (events, received) = channel();
    let watcher = Watcher::start(events.clone(), false)?;
    watcher.set_extra(watched)?;
    let keys = match keys && std::io::stderr().is_terminal() {
        true => Keys::start(events.clone(), true).context("keys can't be read")?,
        false => None,
    };
    let running = Cancel::default();
    let mut watching = Watching {
        report: Arc::new(report),
        signals: Signals::telling(running.clone(), Some(events.clone()))?,
        events,
        watcher,
        target,
        keys,
        next: project.first(),
        meanwhile: Arc::clone(&project.meanwhile),
        warming: project.warming().clone(),
        project: Some(Box::new(project)),
        running,
        owed: Ask::default(),
        inputs: BTreeSet::new(),
        sources: BTreeSet::new(),
        unclear: BTreeSet::new(),
        later: Later::default(),
        looked_at: BTreeSet::new(),
        untold: BTreeSet::new(),
        said_that_it_waits: false,
        asks_last: false,
        filter: None,
    };
    watching.begin()?;
    watching.run(&received)
}

impl Watching {
    fn run(&mut self, received: &Receiver<Event>) -> Result<u8> {
        for event in received {
            match event {
                Event::Signal => {
                    let signal = self.signals.came().unwrap_or_default();
                    self.wait_for_the_round(received);
                    return Ok(exit::of_signal(signal));
                }
                Event::Watch(WatchEvent::Failed { why }) => self.report.warn(&why),
                Event::Watch(WatchEvent::Polls { .. }) => self.report.polls(),
                Event::Watch(WatchEvent::Changed { paths, .. }) => self.saved(paths),
                Event::Key(KeyEvent::Pressed(Key::Quit)) => {
                    self.running.cancel();
                    self.wait_for_the_round(received);
                    return Ok(0);
                }
                Event::Key(key) => self.key(key),
                Event::Done(project, ask, outcome) => self.done(project, ask, outcome)?,
            }
            if self.project.is_some() && self.next != Ask::default() {
                self.begin()?;
            }
        }
        Ok(0)
    }

    /// Begins a round. Not while there is one.
    fn begin(&mut self) -> Result<()> {
        let Some(mut project) = self.project.take() else {
            return Ok(());
        };
        let ask = std::mem::take(&mut self.next).and(std::mem::take(&mut self.owed));
        project.suite.filter.clone_from(&self.filter);
        self.meanwhile.begin();
        if ask.build != Build::None {
            self.warming.saved();
        }
        self.running = Cancel::default();
        self.signals.cancels(&self.running);
        let (cancel, events) = (self.running.clone(), self.events.clone());
        let report = Arc::clone(&self.report);
        thread::Builder::new()
            .name("hot-tests".into())
            .spawn(move || {
                let outcome = project.round(ask, &report, &cancel);
                // Nobody listens any more: the session is over.
                let _ = events.send(Event::Done(project, ask, outcome));
            })?;
        Ok(())
    }

    fn saved(&mut self, paths: Vec<PathBuf>) {
        let is_input = |path: &PathBuf| self.inputs.contains(path);
        let (inputs, mut others): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.into_iter().partition(is_input);
        // Cargo doesn't mark it as a cache where it was there before.
        others.retain(|path| !path.starts_with(&self.target));
        let is_idle = self.project.is_some();
        let (built, read) = match is_idle {
            true => others.into_iter().partition(|path| concerns_build(path)),
            false => (Vec::new(), self.written_in_a_round(others)),
        };
        for path in &built {
            self.looked_at.remove(path);
            self.unclear.insert(path.clone());
        }
        let built = [inputs, built].concat();
        let mut ask = Ask::default();
        if !built.is_empty() {
            let is_known = |path: &PathBuf| self.sources.contains(path);
            ask.build = match built.iter().all(is_known) {
                true => Build::Patch,
                false => Build::Cargo,
            };
            ask.anew = !built.iter().all(|path| is_source(path));
            if built.iter().any(|path| is_manifest(path)) {
                ask.also = Also::Every;
            }
        }
        if !read.is_empty() {
            self.report.may_be_read(&read);
            ask.build = Build::Cargo;
            ask.also = Also::Every;
        }
        self.demand(ask);
    }

    /// Takes note of files that nothing was built from so far. Whatever tests may have written ends
    /// no round: theirs would never end. Returns what others have written, and tests that run may
    /// have read before.
    fn written_in_a_round(&mut self, files: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut read = Vec::new();
        for path in files {
            let may_be_built = concerns_build(&path);
            match self.meanwhile.note(&path) {
                Written::BeforeTests | Written::BeforeTestsThatRun if may_be_built => {
                    self.later.before_tests.insert(path);
                }
                Written::BeforeTests => {}
                Written::BeforeTestsThatRun => read.push(path),
                Written::DuringTests if may_be_built && !self.looked_at.contains(&path) => {
                    self.later.during_tests.insert(path);
                }
                Written::DuringTests => {
                    self.untold.insert(path);
                }
            }
        }
        read
    }

    fn key(&mut self, key: KeyEvent) {
        let also = match key {
            KeyEvent::Ready => return self.report.keys(),
            KeyEvent::Taken { .. } => return,
            KeyEvent::Typed(typed) => return self.filter(typed),
            KeyEvent::Pressed(Key::Line) => Also::Last,
            KeyEvent::Pressed(Key::All) => Also::All,
            KeyEvent::Pressed(Key::Failing) => Also::Failing,
            KeyEvent::Pressed(Key::Clear) => return self.report.clear(),
            KeyEvent::Pressed(Key::Which) => {
                self.asks_last = true;
                return self.tell_last();
            }
            KeyEvent::Pressed(_) => return self.report.keys(),
        };
        self.demand(Ask {
            also,
            ..Ask::default()
        });
    }

    /// What is typed becomes the filter when it is finished: those that match are run.
    fn filter(&mut self, typed: Typed) {
        match typed {
            Typed::So(text) => return self.report.filter_typed(&text),
            Typed::Done(text) => self.filter = Some(text).filter(|text| !text.is_empty()),
            Typed::GivenUp => return self.report.filter(self.filter.as_deref()),
        }
        self.report.filter(self.filter.as_deref());
        self.demand(Ask {
            also: match self.filter {
                Some(_) => Also::All,
                None => Also::Due,
            },
            ..Ask::default()
        });
    }

    /// Says which tests were run last, if somebody asks; while they run, nobody knows all of them.
    fn tell_last(&mut self) {
        if let Some(project) = self.project.as_ref().filter(|_| self.asks_last) {
            self.report.last(&project.suite);
            self.asks_last = false;
        }
    }

    /// What runs is cancelled for it.
    fn demand(&mut self, ask: Ask) {
        if ask != Ask::default() {
            self.next = self.next.and(ask);
            self.running.cancel();
        }
    }

    fn done(&mut self, project: Box<Project>, ask: Ask, outcome: Result<Outcome>) -> Result<()> {
        self.inputs = project.inputs();
        self.sources = project.sources();
        self.watcher.set_files(self.inputs.iter().cloned())?;
        if matches!(outcome, Ok(Outcome::Ran)) {
            project.remember(&self.report);
        }
        if matches!(outcome, Ok(Outcome::Ran)) && ask.build != Build::None {
            project.warm_up(&self.report)?;
        }
        self.project = Some(project);
        if !matches!(outcome, Ok(Outcome::Ran)) {
            // The tests themselves are due as long as they weren't run.
            self.owed = Ask {
                also: Also::None,
                ..ask
            };
        }
        let is_built = matches!(outcome, Ok(Outcome::Ran));
        match outcome {
            Ok(Outcome::Ran) => {}
            Ok(Outcome::NotBuilt(_)) => self.report.not_built(),
            Ok(Outcome::Cancelled) => {
                self.look_later();
                return Ok(());
            }
            Err(error) => self.report.error(&format!("{error:#}")),
        }
        if !std::mem::replace(&mut self.said_that_it_waits, true) {
            self.report.waits();
            if let Some(keys) = &self.keys {
                keys.want();
            }
        }
        self.tell_last();
        if is_built {
            self.look_at_unclear();
        }
        self.look_later();
        Ok(())
    }

    /// What was written in a round and looks like a source is looked at by another one.
    fn look_later(&mut self) {
        let later = std::mem::take(&mut self.later);
        let all: Vec<&PathBuf> = later
            .before_tests
            .iter()
            .chain(&later.during_tests)
            .collect();
        if !all.is_empty() {
            self.demand(Ask {
                build: Build::Cargo,
                anew: !all.into_iter().all(|path| is_source(path)),
                looks: true,
                ..Ask::default()
            });
        }
        self.looked_at.extend(later.during_tests.iter().cloned());
        self.unclear.extend(later.before_tests);
        self.unclear.extend(later.during_tests);
    }

    /// What looks like a source and isn't one is read by tests, if by anybody.
    fn look_at_unclear(&mut self) {
        let unclear = std::mem::take(&mut self.unclear).into_iter();
        let unclear = unclear.filter(|path| !self.inputs.contains(path));
        let (by_tests, mut data): (Vec<PathBuf>, Vec<PathBuf>) =
            unclear.partition(|path| self.looked_at.contains(path));
        // All tests ran for those.
        data.retain(|path| !is_manifest(path));
        self.untold.extend(by_tests);
        if !self.untold.is_empty() {
            let untold = std::mem::take(&mut self.untold);
            self.report
                .written_meanwhile(&untold.into_iter().collect::<Vec<_>>());
        }
        if !data.is_empty() {
            self.report.may_be_read(&data);
            self.demand(Ask {
                also: Also::Every,
                ..Ask::default()
            });
        }
    }

    fn wait_for_the_round(&mut self, received: &Receiver<Event>) {
        self.keys = None;
        self.warming.end();
        while self.project.is_none() {
            match received.recv() {
                Ok(Event::Done(project, ..)) => self.project = Some(project),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Whether a file decides what is built, though no binary was built from it so far.
fn concerns_build(path: &Path) -> bool {
    is_source(path)
        || path
            .extension()
            .is_some_and(|extension| extension == "toml")
        || path.file_name().is_some_and(|name| name == "Cargo.lock")
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_manifests_are_built_from() {
        for path in [
            "/a/src/x.rs",
            "/a/Cargo.toml",
            "/a/Cargo.lock",
            "/a/rust-toolchain.toml",
        ] {
            assert!(concerns_build(Path::new(path)), "{path}");
        }
        assert!(!concerns_build(Path::new("/a/tests/data.json")));
        assert!(!is_source(Path::new("/a/Cargo.toml")));
    }
}
