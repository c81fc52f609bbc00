//! One round: build, find out which binaries are others now, run what is due.
//!
//! Knows nothing of saves and keys. It can be cancelled at any time; what was not run to its end
//! stays due, so the next round makes up for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::args::Wanted;
use super::binary::{Binary, Contents, Listed};
use super::build::{Build, Builder};
use super::edited::Edits;
use super::harness_args;
use super::pool::{self, Happened};
use super::reach::{Recorder, SiteName};
use super::report::{Ran, Report};
use super::suite::{Suite, Test, Tests};
use super::verdict::Verdict;
use crate::os::process::Cancel;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// The files are others: build.
    pub(super) build: bool,
    /// How binaries are started may have changed.
    pub(super) anew: bool,
    /// What else is run, beside tests that are due.
    pub(super) also: Also,
}

/// Which tests are asked for by somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Also {
    #[default]
    None,
    /// Those that were run the last time.
    Last,
    /// Those that fail.
    Failing,
    All,
}

impl Ask {
    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            build: self.build || other.build,
            anew: self.anew || other.anew,
            also: self.also.max(other.also),
        }
    }
}

/// What tests there are, and how they are built.
pub(super) struct Project {
    builder: Builder,
    recorder: Recorder,
    contents: Contents,
    pub(super) suite: Suite,
    timeout: Duration,
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
    pub(super) fn new(wanted: &Wanted, folder: &Path) -> Result<Self> {
        Ok(Self {
            builder: Builder::new(wanted, folder)?,
            recorder: Recorder::new(folder)?,
            contents: Contents::default(),
            suite: Suite::default(),
            timeout: wanted.timeout,
        })
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
        // First of all: whatever becomes of the build, they are due.
        self.suite.demand(|test| match ask.also {
            Also::None => false,
            Also::Last => test.last,
            Also::Failing => test.fails(),
            Also::All => true,
        });
        let mut by_reach = false;
        if ask.build {
            let binaries = self.suite.binaries.iter();
            let edits = Edits::of(binaries.flat_map(|tests| &tests.binary.units));
            match self.builder.build(ask.anew, cancel)? {
                Build::Failed(code) => return Ok(Outcome::NotBuilt(code)),
                Build::Cancelled => return Ok(Outcome::Cancelled),
                Build::Made { tests, programs } => {
                    let mut binaries = Vec::new();
                    for (launch, made) in tests {
                        let contents = &mut self.contents;
                        binaries.push(Binary::of(launch, &made, &programs, contents)?);
                    }
                    match self.replace(binaries, &edits, cancel)? {
                        Some(known) => by_reach = known && ask.also == Also::None,
                        None => return Ok(Outcome::Cancelled),
                    }
                }
            }
        }
        self.run(started, by_reach, report, cancel)
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
                    let Some(listed) = binary.listed(&self.recorder, self.timeout, cancel)? else {
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

    fn run(
        &mut self,
        started: Instant,
        by_reach: bool,
        report: &Report,
        cancel: &Cancel,
    ) -> Result<Outcome> {
        let due = self.suite.due();
        self.suite.begin();
        let mut ended = Vec::new();
        let result = pool::run(
            &self.suite,
            &due,
            &self.recorder,
            self.timeout,
            cancel,
            |happened| match happened {
                Happened::Slow(place) => report.slow(self.suite.get(place)),
                Happened::Ended(place, verdict, output, reach) => {
                    let (tests, test) = self.suite.get(place);
                    let shows = harness_args::shows_output(&tests.binary.launch.args);
                    if shows && verdict == Verdict::Passed {
                        report.output((tests, test), &output);
                    }
                    ended.push((place, verdict, reach));
                }
            },
        );
        for (place, verdict, reach) in ended {
            self.suite.ended(place, verdict, reach);
        }
        result?;
        if cancel.is_cancelled() {
            return Ok(Outcome::Cancelled);
        }
        let ran = Ran {
            places: &due,
            by_reach,
            suite: &self.suite,
            elapsed: started.elapsed(),
        };
        report.ran(&ran);
        Ok(Outcome::Ran)
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
            build: true,
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
        assert_eq!((both.build, both.also), (true, Also::All));
    }
}
