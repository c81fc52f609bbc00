//! Binaries that are patched in place of being built.
//!
//! ```text
//! save ─► which functions differ from what was built? ─► who enters one that didn't before is due
//!              │ that can't be had                          │
//!              ▼                                            ▼
//!         cargo builds                a new template of each binary with due tests gets all of them
//! ```
//!
//! A template is always patched from what was built, so nothing is ever taken back. All binaries or
//! none: where one can't be had so, cargo builds. Knows nothing of how tests are run and told, nor
//! of how one binary is patched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::Result;

use super::edited::{self, Bodies, Recorded};
use super::follows::{Follows, Job, Whole};
use super::reach::{Recorder, SiteName};
use super::suite::{Suite, Tests};
use super::warm_up::{Ready, WarmUp, Warming};
use super::ways::{Concerned, Ways};
use crate::os::process::Cancel;

/// What is patched, by the files of the binaries.
#[derive(Default)]
pub(super) struct Living {
    of: BTreeMap<PathBuf, Follows>,
    number: u64,
    /// For edits that reach others.
    ways: Ways,
    ready: Ready,
    pub(super) warming: Warming,
    /// It was said why nothing is patched where mocks are made.
    has_told_of_mocks: bool,
    /// What took how long.
    notes: Vec<String>,
}

/// Why cargo has to build. None: it says so itself.
pub(super) struct NotPatched(pub(super) Option<String>);

impl From<String> for NotPatched {
    fn from(why: String) -> Self {
        Self(Some(why))
    }
}

/// Whether tests can be run.
pub(super) enum Prepared {
    Ready,
    NotPatched(NotPatched),
    Cancelled,
}

impl Living {
    /// Takes note of what the sources say, and of the tests that are due for it, as far as that is
    /// known. Nothing is noted if cargo has to build.
    pub(super) fn follow(&mut self, suite: &mut Suite) -> Result<(), NotPatched> {
        let mut edits = Edits::default();
        let mut others = Vec::new();
        for (place, tests) in suite.binaries.iter().enumerate() {
            let edited = edits.of(&tests.binary.units);
            let is_same = match self.of.get(&tests.binary.launch.executable) {
                Some(known) => known.edited == edited,
                None => edited.is_empty(),
            };
            if !is_same {
                others.push((place, tests, edited));
            }
        }
        if edits.any {
            self.is_free_of_mocks(suite)?;
        }
        let executable = |tests: &Tests| tests.binary.launch.executable.clone();
        let concerned = others.iter().map(|(_, tests, _)| executable(tests));
        let concerned: Concerned = concerned.collect();
        let mut next = Vec::new();
        for (place, tests, edited) in others {
            let mut follows = match self.of.get(&executable(tests)) {
                Some(known) => known.clone(),
                None => Follows::load(tests, &self.ready)?,
            };
            let differ = follows.follow(tests, edited)?;
            if let Some(what) = &follows.needs_whole_crates {
                self.ways.begin(concerned.clone());
                let why = match self.ways.slower(&concerned) {
                    Some(times) => format!("it reaches other code, and {times}"),
                    None if self.ready.has(&executable(tests)) => String::new(),
                    None => {
                        "it reaches other code, and nothing to compare with is ready yet".into()
                    }
                };
                if !why.is_empty() {
                    return Err(format!("{what}: {why}").into());
                }
            }
            let differ = differ.unwrap_or_default();
            if let Some(name) = tests.unknown() {
                // It may start its own file, which isn't patched.
                return Err(format!("{name} may start other processes").into());
            }
            next.push((place, follows, differ));
        }
        if edits.any {
            suite.binaries.iter().try_for_each(can_stay)?;
        }
        for (place, follows, differ) in next {
            let tests = &mut suite.binaries[place];
            tests.demand_those_that_reach(&differ);
            self.of.insert(executable(tests), follows);
        }
        Ok(())
    }

    /// Whether nothing that stays as it was built makes mocks. That it does is said once.
    fn is_free_of_mocks(&mut self, suite: &Suite) -> Result<(), NotPatched> {
        let mut binaries = suite.binaries.iter();
        let mocks = |tests: &&Tests| {
            let is_unknown = tests.sites.is_none() && tests.unknown().is_some();
            is_unknown && tests.binary.makes_mocks()
        };
        let Some(tests) = binaries.find(mocks) else {
            return Ok(());
        };
        let has_told = std::mem::replace(&mut self.has_told_of_mocks, true);
        Err(NotPatched((!has_told).then(|| {
            let title = &tests.binary.title;
            format!("{title} uses `soft-mock`, so each save is built, and all tests of what is another one then run")
        })))
    }

    /// Has the templates of all binaries with tests that are due be what their sources say.
    pub(super) fn prepare(
        &mut self,
        suite: &mut Suite,
        recorder: &Recorder,
        cancel: &Cancel,
    ) -> Result<Prepared> {
        let prepared = self.try_to_prepare(suite, recorder, cancel)?;
        if matches!(prepared, Prepared::NotPatched(_)) {
            self.ways.refused();
        }
        Ok(prepared)
    }

    fn try_to_prepare(
        &mut self,
        suite: &mut Suite,
        recorder: &Recorder,
        cancel: &Cancel,
    ) -> Result<Prepared> {
        if let Err(prepared) = self.learn(suite, recorder, cancel) {
            return Ok(prepared);
        }
        let due: BTreeSet<usize> = suite.due().into_iter().map(|(binary, _)| binary).collect();
        for place in due {
            let tests = &mut suite.binaries[place];
            let Some(follows) = self.of.get_mut(&tests.binary.launch.executable) else {
                continue;
            };
            if follows.is_loaded() && !tests.template.is_gone() {
                continue;
            }
            if follows.bodies().is_empty() {
                tests.template = Arc::default();
            } else {
                let job = job(&mut self.number, recorder, cancel);
                let began = Instant::now();
                match follows.template(tests, &job)? {
                    Ok(held) => tests.template = Arc::new(held),
                    Err(prepared) => return Ok(prepared),
                }
                self.notes.append(&mut follows.notes);
                let (title, took) = (&tests.binary.title, began.elapsed());
                self.notes.push(format!("{title} is patched: {took:?}"));
            }
            follows.loads();
        }
        self.check(recorder, cancel)
    }

    /// Finds out which functions differ where the sources don't say it: who enters one is due.
    fn learn(
        &mut self,
        suite: &mut Suite,
        recorder: &Recorder,
        cancel: &Cancel,
    ) -> Result<(), Prepared> {
        let unknown = suite.binaries.iter().filter_map(|tests| {
            let follows = self.of.get(&tests.binary.launch.executable)?;
            follows.whole()
        });
        let unknown: Vec<Whole> = unknown.collect();
        if unknown.is_empty() {
            return Ok(());
        }
        // Baselines are compiled in the same folders.
        self.warming.end();
        let ahead = cancel.part();
        thread::scope(|scope| {
            // While one is compared, the next ones are compiled.
            scope.spawn(|| {
                let mut later = unknown.iter().skip(1);
                later.try_for_each(|whole| whole.compile_ahead(&ahead))
            });
            let learned = self.learn_each(suite, recorder, cancel);
            ahead.cancel();
            learned
        })
    }

    fn learn_each(
        &mut self,
        suite: &mut Suite,
        recorder: &Recorder,
        cancel: &Cancel,
    ) -> Result<(), Prepared> {
        for tests in &mut suite.binaries {
            let follows = self.of.get_mut(&tests.binary.launch.executable);
            let Some(follows) = follows.filter(|follows| follows.is_unknown()) else {
                continue;
            };
            let began = Instant::now();
            let differ = follows.compile(&job(&mut self.number, recorder, cancel))?;
            self.notes.append(&mut follows.notes);
            are_sites(tests, &differ).map_err(Prepared::NotPatched)?;
            tests.demand_those_that_reach(&differ);
            let (title, took) = (&tests.binary.title, began.elapsed());
            let count = differ.len();
            let note = format!("{title}, by whole crates: {count} functions differ: {took:?}");
            self.notes.push(note);
        }
        Ok(())
    }

    /// Has what no test enters that is due be compiled all the same: cargo would refuse it.
    fn check(&mut self, recorder: &Recorder, cancel: &Cancel) -> Result<Prepared> {
        let places: Vec<PathBuf> = self.of.keys().cloned().collect();
        for place in places {
            let is_unknown = |bodies: &Bodies| {
                let mut bodies = bodies.iter();
                bodies.any(|body| !self.of.values().any(|of| of.has_compiled(body)))
            };
            let Some(follows) = self.of.get(&place) else {
                continue;
            };
            let [own, elsewhere] = [follows.bodies(), follows.elsewhere()].map(is_unknown);
            let Some(follows) = self.of.get_mut(&place) else {
                continue;
            };
            let mut compile = || {
                if own {
                    follows.compile(&job(&mut self.number, recorder, cancel))?;
                }
                match elsewhere {
                    true => follows.check(&job(&mut self.number, recorder, cancel)),
                    false => Ok(()),
                }
            };
            if let Err(prepared) = compile() {
                return Ok(prepared);
            }
        }
        Ok(Prepared::Ready)
    }

    /// A round begins: what an earlier one took that was cancelled says nothing.
    pub(super) fn begin(&mut self) {
        self.ways.forget();
    }

    /// A round has come to its end.
    pub(super) fn ran(&mut self) {
        self.ways.ran();
    }

    /// What took how long since it was last asked.
    pub(super) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Whether the tests of a binary run with other bodies than those that were built.
    pub(super) fn patches(&self, tests: &Tests) -> bool {
        let follows = self.of.get(&tests.binary.launch.executable);
        follows.is_some_and(Follows::is_patched)
    }

    /// The functions of a binary that differ from what was built.
    pub(super) fn differ(&self, tests: &Tests) -> BTreeSet<SiteName> {
        let follows = self.of.get(&tests.binary.launch.executable);
        follows
            .into_iter()
            .flat_map(|follows| follows.bodies().keys().cloned())
            .collect()
    }

    /// Nothing is patched any more: cargo builds. Tests that ran with other bodies than those that
    /// were built are due. Returns what was known of what was built.
    pub(super) fn end(&mut self, suite: &mut Suite) -> Ready {
        self.ways.builds();
        for tests in &mut suite.binaries {
            let Some(follows) = self.of.remove(&tests.binary.launch.executable) else {
                continue;
            };
            let differ: BTreeSet<SiteName> = follows.bodies().keys().cloned().collect();
            tests.demand_those_that_reach(&differ);
            tests.template = Arc::default();
        }
        std::mem::take(&mut self.ready)
    }

    /// What the next patches would have to wait for.
    pub(super) fn warm_up(&self, suite: &Suite) -> WarmUp {
        let tests = || suite.binaries.iter();
        let units = tests().flat_map(|tests| tests.binary.units.iter().cloned());
        let place = |tests: &Tests| {
            let (folder, _) = tests.binary.units.first()?;
            Some((tests.binary.launch.executable.clone(), folder.clone()))
        };
        let whole = tests().filter(|tests| {
            let executable = &tests.binary.launch.executable;
            let is_wanted = self.ways.want(executable) && !self.ready.has(executable);
            is_wanted && tests.sites.is_some()
        });
        WarmUp {
            units: units.collect(),
            binaries: tests().filter_map(place).collect(),
            whole: whole.filter_map(place).collect(),
            ready: self.ready.clone(),
        }
    }
}

fn job<'a>(number: &mut u64, recorder: &'a Recorder, cancel: &'a Cancel) -> Job<'a> {
    *number += 1;
    Job {
        recorder,
        number: *number,
        cancel,
    }
}

/// Whether it is known when these functions of a binary are entered.
fn are_sites(tests: &Tests, differ: &BTreeSet<SiteName>) -> Result<(), NotPatched> {
    match tests.sites.as_ref().is_some_and(|sites| sites.have(differ)) {
        true => Ok(()),
        false => Err(format!("{} can't be patched", tests.binary.title).into()),
    }
}

/// What differs from what was compiled, each unit compared once.
#[derive(Default)]
struct Edits {
    of_units: BTreeMap<PathBuf, BTreeMap<PathBuf, u64>>,
    any: bool,
}

impl Edits {
    fn of(&mut self, units: &[Recorded]) -> BTreeMap<PathBuf, u64> {
        let mut all = BTreeMap::new();
        for (folder, unit) in units {
            let of_unit = self.of_units.entry(folder.clone());
            let edited = of_unit.or_insert_with(|| edited::edited(folder, unit));
            self.any |= !edited.is_empty();
            all.extend(edited.iter().map(|(path, hash)| (path.clone(), *hash)));
        }
        all
    }
}

/// Whether a binary may stay as it was built, but for its patches. One whose tests may run a
/// program of the project runs the one that was built.
fn can_stay(tests: &Tests) -> Result<(), NotPatched> {
    let unknown = tests.unknown();
    match (&tests.sites, unknown) {
        (None, Some(_)) => Err(format!("{} can't be patched", tests.binary.title).into()),
        (Some(_), Some(name)) if tests.binary.may_run_programs => {
            Err(format!("{name} may run programs of the project").into())
        }
        _ => Ok(()),
    }
}
