//! One round: build, find out which binaries are others now, run what is due.
//!
//! Knows nothing of saves and keys. It can be cancelled at any time; what was not run to its end
//! stays due, so the next round makes up for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;

use super::args::Wanted;
use super::binary::{Binary, Contents, Listed};
use super::build::{BuildEnd, Builder};
use super::edited::Edits;
use super::harness_args;
use super::junit;
use super::limits::Limits;
use super::living::{Living, NotPatched, Prepared};
use super::meanwhile::Meanwhile;
use super::memory::Memory;
use super::places::Places;
use super::pool::{self, Happened, Ran as TestRan};
use super::reach::{Recorder, SiteName};
use super::report::{Ran, Report};
use super::suite::{Place, Suite, Test, Tests};
use super::verdict::Verdict;
use super::warm_up::Warming;
use crate::os::process::Cancel;
use crate::rustc::unit::UnitKind;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// The files are others.
    pub(super) build: Build,
    /// How binaries are started may have changed.
    pub(super) anew: bool,
    /// What else is run, beside tests that are due.
    pub(super) also: Also,
    /// It is only looked at files that tests may have written. Where no test is due, nothing is
    /// said.
    pub(super) looks: bool,
}

/// How tests get to be what the files say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Build {
    /// They are.
    #[default]
    None,
    /// Sources that are known were saved: by patches, if that can be had.
    Patch,
    /// By cargo.
    Cargo,
}

/// Which tests are asked for by somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Also {
    #[default]
    None,
    /// Those that are due: the filter is another one.
    Due,
    /// Those that were run the last time.
    Last,
    /// Those that fail.
    Failing,
    /// All that match the filter.
    All,
    /// What any of them may read is another.
    Every,
}

impl Ask {
    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        let mut asked = [self, other]
            .into_iter()
            .filter(|ask| *ask != Self::default());
        Self {
            build: self.build.max(other.build),
            anew: self.anew || other.anew,
            also: self.also.max(other.also),
            looks: (self.looks || other.looks) && asked.all(|ask| ask.looks),
        }
    }
}

/// What tests there are, and how they are built.
pub(super) struct Project {
    builder: Builder,
    recorder: Recorder,
    contents: Contents,
    pub(super) suite: Suite,
    living: Living,
    memory: Memory,
    pub(super) meanwhile: Arc<Meanwhile>,
    /// Cargo has begun to build, and what it made isn't known yet.
    is_unfinished: bool,
    limits: Limits,
    junit: Option<PathBuf>,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything that was due was run.
    Ran,
    /// Cargo's code.
    NotBuilt(u8),
    Cancelled,
}

impl Project {
    pub(super) fn new(
        wanted: &Wanted,
        places: Places,
        limits: Limits,
        folder: &Path,
    ) -> Result<Self> {
        let lock = places.lock();
        let (memory, suite) = Memory::open(wanted, places)?;
        Ok(Self {
            memory,
            suite,
            builder: Builder::new(wanted, folder, lock)?,
            recorder: Recorder::new(folder)?,
            contents: Contents::default(),
            living: Living::default(),
            meanwhile: Arc::default(),
            is_unfinished: false,
            limits,
            junit: wanted
                .junit
                .as_deref()
                .map(std::path::absolute)
                .transpose()?,
        })
    }

    /// What the first round is asked for.
    pub(super) fn first(&self) -> Ask {
        Ask {
            build: Build::Cargo,
            anew: true,
            also: match self.memory.has_some() {
                true => Also::Due,
                false => Also::Every,
            },
            looks: false,
        }
    }

    /// The files that its binaries were built from.
    pub(super) fn inputs(&self) -> BTreeSet<PathBuf> {
        let binaries = self.suite.binaries.iter();
        binaries
            .flat_map(|tests| tests.binary.inputs.iter().cloned())
            .collect()
    }

    pub(super) fn round(&mut self, ask: Ask, report: &Report, cancel: &Cancel) -> Result<Outcome> {
        let started = Instant::now();
        self.living.begin();
        // First of all: whatever becomes of the build, they are due.
        match ask.also {
            Also::None | Also::Due => {}
            Also::Last => self.suite.demand(|test| test.last),
            Also::Failing => self.suite.demand(Test::fails),
            Also::All if self.suite.filter.is_some() => self.suite.demand(|_| true),
            Also::All | Also::Every => self.all_are_due(),
        }
        let by_reach = match self.patch(ask.build, report, cancel)? {
            Prepared::Ready => true,
            Prepared::Cancelled => return Ok(Outcome::Cancelled),
            Prepared::NotPatched(NotPatched(why)) => {
                if let Some(why) = why {
                    report.builds(&why);
                }
                match self.build(ask.anew, cancel)? {
                    Ok(all_known) => all_known,
                    Err(outcome) => return Ok(outcome),
                }
            }
        };
        let inputs = self.inputs();
        if let Some(other) = self.memory.other_data(&inputs) {
            report.may_be_read(&[other]);
            self.suite.demand_all();
        }
        let mut written = self.meanwhile.tests_begin();
        // A source that is new: cargo has built what it says, or is asked once more.
        written.retain(|path| !inputs.contains(path));
        if !written.is_empty() {
            report.may_be_read(&written);
            self.all_are_due();
        }
        report.detail(|| format!("what is to run is there after {:?}", started.elapsed()));
        let mut by_reach = by_reach && ask.also == Also::None && written.is_empty();
        let mut due = self.suite.due();
        if ask.looks && due.is_empty() {
            return Ok(Outcome::Ran);
        }
        self.suite.begin();
        if self.run(&due, report, cancel)? == Outcome::Cancelled {
            return Ok(Outcome::Cancelled);
        }
        // A test that has started its own file in a patched binary has run something else.
        if !self.suite.due().is_empty() {
            report.builds("tests have started other processes");
            match self.build(ask.anew, cancel)? {
                Ok(all_known) => by_reach &= all_known,
                Err(outcome) => return Ok(outcome),
            }
            due.extend(self.suite.due());
            due.sort_unstable();
            due.dedup();
            if self.run(&self.suite.due(), report, cancel)? == Outcome::Cancelled {
                return Ok(Outcome::Cancelled);
            }
        }
        self.living.ran();
        let elapsed = started.elapsed();
        report.ran(&Ran {
            places: &due,
            by_reach,
            suite: &self.suite,
            elapsed,
        });
        if let Some(path) = &self.junit {
            junit::write(&self.suite, elapsed, path)?;
        }
        Ok(Outcome::Ran)
    }

    /// What any test may read is another: it counts as it is now, once all have run.
    fn all_are_due(&mut self) {
        self.memory.all_run();
        self.suite.demand_all();
    }

    /// Keeps what is known of the tests, for the next run.
    pub(super) fn remember(&self, report: &Report) {
        let differ = |tests: &_| self.living.differ(tests);
        if let Err(error) = self.memory.write(&self.suite, differ) {
            report.detail(|| format!("nothing is remembered of this run: {error:#}"));
        }
    }

    /// Has cargo build. Whether it is known of all binaries that are others what differs.
    fn build(&mut self, anew: bool, cancel: &Cancel) -> Result<Result<bool, Outcome>> {
        self.living.warming.end();
        // What is compared was read before.
        let known = self.living.end(&mut self.suite);
        self.is_unfinished = true;
        let binaries = self.suite.binaries.iter();
        let edits = Edits::of(binaries.flat_map(|tests| &tests.binary.units));
        drop(known);
        let (tests, programs) = match self.builder.build(anew, cancel)? {
            BuildEnd::Failed(code) => return Ok(Err(Outcome::NotBuilt(code))),
            BuildEnd::Cancelled => return Ok(Err(Outcome::Cancelled)),
            BuildEnd::Made { tests, programs } => (tests, programs),
        };
        let mut binaries = Vec::new();
        for (launch, made) in tests {
            let contents = &mut self.contents;
            binaries.push(Binary::of(launch, &made, &programs, contents)?);
        }
        let Some(all_known) = self.replace(binaries, &edits, cancel)? else {
            return Ok(Err(Outcome::Cancelled));
        };
        self.is_unfinished = false;
        Ok(Ok(all_known))
    }

    /// Has the tests that are due be what the files say, without cargo.
    fn patch(&mut self, build: Build, report: &Report, cancel: &Cancel) -> Result<Prepared> {
        if self.is_unfinished || build == Build::Cargo {
            return Ok(Prepared::NotPatched(NotPatched(None)));
        }
        if build == Build::Patch {
            if let Err(not) = self.living.follow(&mut self.suite) {
                return Ok(Prepared::NotPatched(not));
            }
        }
        let prepared = self.living.prepare(&mut self.suite, &self.recorder, cancel);
        for note in self.living.notes() {
            report.detail(|| note);
        }
        prepared
    }

    /// What the next patches would have to wait for, and what is made of it.
    pub(super) fn warm_up(&self, report: &Arc<Report>) -> Result<()> {
        let work = self.living.warm_up(&self.suite);
        self.living.warming.start(work, report)
    }

    /// What is being made of it.
    pub(super) fn warming(&self) -> &Warming {
        &self.living.warming
    }

    /// Takes note of the binaries as they are now. Whether it is known of all that are others what
    /// differs; none: it was cancelled, and nothing is noted.
    fn replace(
        &mut self,
        binaries: Vec<Binary>,
        edits: &Edits,
        cancel: &Cancel,
    ) -> Result<Option<bool>> {
        let mut all_known = true;
        let mut new = Vec::new();
        for binary in binaries {
            new.push(match self.known(&binary) {
                Some(known) if known.binary.is_same_file(&binary) => known.beside(binary),
                known => {
                    let Some(listed) =
                        binary.listed(&self.recorder, self.limits.timeout, cancel)?
                    else {
                        return Ok(None);
                    };
                    let differ = known.and_then(|known| differ(known, &binary, &listed, edits));
                    all_known &= differ.is_some();
                    Tests::new(binary, listed, known, differ.as_ref())
                }
            });
        }
        self.suite.binaries = new;
        Ok(Some(all_known))
    }

    fn known(&self, binary: &Binary) -> Option<&Tests> {
        let mut binaries = self.suite.binaries.iter();
        binaries.find(|tests| tests.binary.launch.executable == binary.launch.executable)
    }

    /// Whether it counts what came of a test: what a patched binary can't tell is run again.
    fn counts(&self, tests: &Tests, ran: &TestRan) -> bool {
        ran.reach.is_some() || ran.verdict != Verdict::Passed || !self.living.patches(tests)
    }

    /// Runs these tests. What a patched binary can't tell stays due.
    fn run(&mut self, due: &[Place], report: &Report, cancel: &Cancel) -> Result<Outcome> {
        let mut ended = Vec::new();
        let result = pool::run(
            &self.suite,
            due,
            &self.recorder,
            self.limits,
            cancel,
            |happened| match happened {
                Happened::Slow(place) => report.slow(self.suite.get(place), self.limits.slow),
                Happened::Ended(place, ran) => {
                    let (tests, test) = self.suite.get(place);
                    if self.counts(tests, &ran) {
                        report.ended((tests, test), &ran);
                    }
                    let shows = harness_args::shows_output(&tests.binary.launch.args);
                    if ran.verdict == Verdict::Passed {
                        if ran.retries > 0 {
                            report.flaky((tests, test), ran.retries);
                        }
                        if shows {
                            report.output((tests, test), &ran.output);
                        }
                    }
                    ended.push((place, ran));
                }
            },
        );
        for (place, ran) in ended {
            if !self.counts(self.suite.get(place).0, &ran) {
                continue;
            }
            self.suite.ended(place, ran.verdict, ran.reach);
            self.suite.took(place, ran.took);
        }
        result?;
        Ok(match cancel.is_cancelled() {
            true => Outcome::Cancelled,
            false => Outcome::Ran,
        })
    }

    /// The sources that patches are made of: no macro's, and none that something else reads too.
    pub(super) fn sources(&self) -> BTreeSet<PathBuf> {
        let binaries = self.suite.binaries.iter();
        let units = binaries.flat_map(|tests| &tests.binary.units);
        let (mut sources, mut read) = (BTreeSet::new(), BTreeSet::new());
        for (_, unit) in units {
            match unit.kind {
                UnitKind::Macro => read.extend(&unit.sources),
                _ if unit.unmodified.is_some() => read.extend(&unit.sources),
                _ => sources.extend(&unit.sources),
            }
            read.extend(unit.inputs.keys());
        }
        let sources = sources.difference(&read);
        sources.copied().cloned().collect()
    }

    /// Whether all tests passed when they were last run.
    pub(super) fn is_green(&self) -> bool {
        self.suite.places(Test::fails).is_empty() && self.suite.due().is_empty()
    }
}

/// The functions that differ in a binary that was built anew, if nothing else does and it is known
/// who enters them.
fn differ(
    known: &Tests,
    binary: &Binary,
    listed: &Listed,
    edits: &Edits,
) -> Option<BTreeSet<SiteName>> {
    let differ = edits.between(&known.binary.units, &binary.units)?;
    let (old, new) = (known.sites.as_ref()?, listed.sites.as_ref()?);
    let is_known = old.have(&differ) && new.have(&differ);
    (is_known && known.binary.launch == binary.launch).then_some(differ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_adds_up() {
        let save = Ask {
            build: Build::Patch,
            ..Ask::default()
        };
        let all = Ask {
            also: Also::All,
            ..Ask::default()
        };
        let failing = Ask {
            also: Also::Failing,
            ..Ask::default()
        };
        let both = save.and(failing).and(all);
        assert_eq!((both.build, both.also), (Build::Patch, Also::All));
        let look = Ask {
            build: Build::Cargo,
            looks: true,
            ..Ask::default()
        };
        assert!(look.and(look).looks && Ask::default().and(look).looks);
        assert!(!look.and(save).looks && !Ask::default().and(save).looks);
    }
}
