//! Binaries that are patched in place of being built: which bodies each is to have, and which its
//! template has.
//!
//! ```text
//! save ─► which bodies differ from what was built? ─► who enters one that wasn't so before is due
//!              │ something else does                        │
//!              ▼                                            ▼
//!         cargo builds                a new template of each binary with due tests gets all of them
//! ```
//!
//! A template is always patched from what was built, so nothing is ever taken back. All binaries or
//! none: where one can't be had so, cargo builds. Knows nothing of how tests are run and told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use soft_mock_rewriter::syntax::Fingerprint;

use super::edited::{self, Bodies, Recorded};
use super::reach::{Recorder, SiteName};
use super::suite::{Suite, Tests};
use super::template::Held;
use crate::os::process::Cancel;
use crate::patch::{self, BuildError};
use crate::program::plan::{Change, Rude, Wanted};
use crate::program::state::ProgramState;
use crate::program::{twin, Program};
use crate::rustc::toolchain;
use crate::rustc::unit::Unit;
use crate::ui::shown;

/// What is patched, by the files of the binaries.
#[derive(Default)]
pub(super) struct Living {
    of: BTreeMap<PathBuf, Follows>,
    number: u64,
    /// What took how long.
    notes: Vec<String>,
}

/// A binary that follows what is saved.
#[derive(Clone)]
struct Follows {
    state: ProgramState,
    /// The files that differ from what was built, with hashes of what they hold.
    edited: BTreeMap<PathBuf, u64>,
    /// What makes it what they say. None: it is so.
    wanted: Option<Box<Wanted>>,
    /// The bodies that differ from those that were built.
    bodies: Bodies,
    /// Those that its template has.
    loaded: Bodies,
    /// Those that rustc takes.
    compiled: Bodies,
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
    /// Takes note of what the sources say, and of the tests that are due for it. Nothing is noted
    /// if cargo has to build.
    pub(super) fn follow(&mut self, suite: &mut Suite) -> Result<(), NotPatched> {
        let mut edits = Edits::default();
        let mut next = Vec::new();
        for (place, tests) in suite.binaries.iter().enumerate() {
            let edited = edits.of(&tests.binary.units);
            let known = self.of.get(&tests.binary.launch.executable);
            let is_same = match known {
                Some(known) => known.edited == edited,
                None => edited.is_empty(),
            };
            if is_same {
                continue;
            }
            let mut follows = match known {
                Some(known) => known.clone(),
                None => Follows::load(tests)?,
            };
            let differ = follows.follow(edited)?;
            let sites = tests.sites.as_ref();
            if !sites.is_some_and(|sites| sites.have(&differ)) {
                return Err(format!("{} can't be patched", tests.binary.title).into());
            }
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
            let executable = tests.binary.launch.executable.clone();
            self.of.insert(executable, follows);
        }
        Ok(())
    }

    /// Has the templates of all binaries with tests that are due be what their sources say.
    pub(super) fn prepare(
        &mut self,
        suite: &mut Suite,
        recorder: &Recorder,
        cancel: &Cancel,
    ) -> Result<Prepared> {
        let due: BTreeSet<usize> = suite.due().into_iter().map(|(binary, _)| binary).collect();
        for place in due {
            let tests = &mut suite.binaries[place];
            let Some(follows) = self.of.get_mut(&tests.binary.launch.executable) else {
                continue;
            };
            if follows.bodies == follows.loaded && !tests.template.is_gone() {
                continue;
            }
            if follows.bodies.is_empty() {
                tests.template = Arc::default();
            } else {
                self.number += 1;
                let began = Instant::now();
                match follows.patched(tests, recorder, self.number, cancel)? {
                    Ok(held) => tests.template = Arc::new(held),
                    Err(prepared) => return Ok(prepared),
                }
                let (title, took) = (&tests.binary.title, began.elapsed());
                self.notes.push(format!("{title} is patched: {took:?}"));
            }
            follows.loaded.clone_from(&follows.bodies);
            follows.compiled.clone_from(&follows.bodies);
        }
        self.check(recorder, cancel)
    }

    /// Has what no test enters that is due be compiled all the same: cargo would refuse it.
    fn check(&mut self, recorder: &Recorder, cancel: &Cancel) -> Result<Prepared> {
        let places: Vec<PathBuf> = self.of.keys().cloned().collect();
        for place in places {
            let is_known = |(site, body): (&SiteName, &Fingerprint)| {
                let mut all = self.of.values();
                all.any(|of| of.compiled.get(site) == Some(body))
            };
            let follows = self.of.get(&place);
            if follows.is_none_or(|follows| follows.bodies.iter().all(is_known)) {
                continue;
            }
            let Some(follows) = self.of.get_mut(&place) else {
                continue;
            };
            self.number += 1;
            if let Err(prepared) = follows.build(recorder, self.number, cancel) {
                return Ok(prepared);
            }
            follows.compiled.clone_from(&follows.bodies);
        }
        Ok(Prepared::Ready)
    }

    /// What took how long since it was last asked.
    pub(super) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Whether the tests of a binary run with other bodies than those that were built.
    pub(super) fn patches(&self, tests: &Tests) -> bool {
        let follows = self.of.get(&tests.binary.launch.executable);
        follows.is_some_and(|follows| !follows.loaded.is_empty())
    }

    /// Nothing is patched any more: cargo builds. Tests that ran with other bodies than those that
    /// were built are due.
    pub(super) fn end(&mut self, suite: &mut Suite) {
        for tests in &mut suite.binaries {
            let Some(follows) = self.of.remove(&tests.binary.launch.executable) else {
                continue;
            };
            let differ = follows.bodies.into_keys().collect();
            tests.demand_those_that_reach(&differ);
            tests.template = Arc::default();
        }
    }
}

impl Follows {
    fn load(tests: &Tests) -> Result<Self, NotPatched> {
        let units = &tests.binary.units;
        let title = &tests.binary.title;
        let cant = |why: &dyn std::fmt::Display| format!("{title} can't be patched: {why}");
        let Some((folder, _)) = units.first() else {
            return Err(cant(&"it was built without a record").into());
        };
        let program = Program::recorded(folder, tests.binary.launch.executable.clone())
            .map_err(|error| cant(&format!("{error:#}")))?;
        let is_recorded = |(folder, unit): &Recorded| {
            let mut loaded = program.units.iter();
            loaded.any(|loaded| loaded.folder == *folder && loaded.unit.id == unit.id)
        };
        if !units.iter().all(is_recorded) || program.units.len() != units.len() {
            return Err(cant(&"it was built again meanwhile").into());
        }
        // It is patched before any of its code runs: nothing is alive.
        let _ = program.kept_closures.set(BTreeSet::new());
        Ok(Self {
            state: ProgramState::new(program),
            edited: BTreeMap::new(),
            wanted: None,
            bodies: Bodies::new(),
            loaded: Bodies::new(),
            compiled: Bodies::new(),
        })
    }

    /// Takes note of what the files hold. Returns the functions whose bodies are others than
    /// before.
    fn follow(&mut self, edited: BTreeMap<PathBuf, u64>) -> Result<BTreeSet<SiteName>, NotPatched> {
        let files: BTreeSet<&PathBuf> = self.edited.keys().chain(edited.keys()).collect();
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        self.state.record(&files);
        self.edited = edited;
        let (wanted, bodies) = match self.state.change() {
            Change::Nothing => (None, Bodies::new()),
            Change::Patch(wanted) => {
                let bodies = edited::bodies(&self.state, &wanted);
                let bodies = bodies.ok_or_else(|| {
                    let before = self.wanted.as_deref();
                    NotPatched(Some(beyond_bodies(&wanted, before)))
                })?;
                (Some(wanted), bodies)
            }
            // Cargo says where.
            Change::Syntax(_) | Change::Unknown => return Err(NotPatched(None)),
            Change::Rude { edits, .. } => return Err(NotPatched(edits.first().map(place))),
        };
        let before = std::mem::replace(&mut self.bodies, bodies);
        self.wanted = wanted;
        let all = before.keys().chain(self.bodies.keys());
        let differ = all.filter(|site| before.get(*site) != self.bodies.get(*site));
        Ok(differ.cloned().collect())
    }

    /// A template with all bodies.
    fn patched(
        &self,
        tests: &Tests,
        recorder: &Recorder,
        number: u64,
        cancel: &Cancel,
    ) -> Result<Result<Held, Prepared>> {
        let not = |why: String| Ok(Err(Prepared::NotPatched(why.into())));
        // Started first: it gets ready while rustc runs.
        let Some(template) = tests.binary.template(recorder)? else {
            return not(format!("{} can't be held", tests.binary.title));
        };
        let plugins = match self.build(recorder, number, cancel) {
            Ok(plugins) => plugins,
            Err(prepared) => return Ok(Err(prepared)),
        };
        match template.patch(&plugins) {
            Ok(()) => Ok(Ok(Held::patched(template))),
            Err(why) => not(format!("{}: {why:#}", tests.binary.title)),
        }
    }

    /// The plugins with all bodies.
    fn build(
        &self,
        recorder: &Recorder,
        number: u64,
        cancel: &Cancel,
    ) -> Result<Vec<PathBuf>, Prepared> {
        let not = |why: Option<String>| Err(Prepared::NotPatched(NotPatched(why)));
        let Some(wanted) = &self.wanted else {
            return not(Some("nothing is to be patched".to_owned()));
        };
        let built = patch::build(&patch::Job {
            program: Arc::clone(&self.state.program),
            wanted: (**wanted).clone(),
            folder: recorder.folder().join(format!("patch-{number}")),
            number,
            coloured: false,
            whole_crates: false,
            cancel: cancel.clone(),
        });
        match built {
            Ok(built) if built.once.is_empty() && built.preserved_statics.is_empty() => {
                Ok(built.plugins)
            }
            Ok(_) => not(Some("a function that runs just once was edited".to_owned())),
            Err(BuildError::Cancelled) => Err(Prepared::Cancelled),
            // Cargo says so.
            Err(BuildError::Compile(_)) => not(None),
            Err(BuildError::Rude(edits)) => not(edits.first().map(place)),
        }
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

/// What was edited beside bodies of functions with a site, and wasn't there before.
fn beyond_bodies(wanted: &Wanted, before: Option<&Wanted>) -> String {
    let all = |wanted: &Wanted| [&*wanted.indirect, &wanted.additions].concat();
    let (edits, before) = (all(wanted), before.map(all).unwrap_or_default());
    let new = edits.iter().find(|edit| !before.contains(edit));
    let edit = new.or(edits.first()).map(|edit| Rude {
        file: edit.file.clone(),
        line: edit.line,
        why: edit.what.clone(),
    });
    edit.as_ref().map_or_else(
        || "more than bodies of functions was edited".to_owned(),
        place,
    )
}

fn place(edit: &Rude) -> String {
    format!("{}:{}: {}", shown(&edit.file), edit.line, edit.why)
}

/// Makes what the first patches would have to wait for.
pub(super) fn warm_up(units: &BTreeMap<PathBuf, Unit>, cancel: &Cancel) {
    // Asked once of each compiler: most units have the same.
    let mut compilers = HashMap::new();
    for (folder, unit) in units {
        if unit.unmodified.is_some() || cancel.is_cancelled() {
            continue;
        }
        let rustc = compilers
            .entry((&unit.rustc, &unit.cwd))
            .or_insert_with(|| toolchain::real_rustc(&unit.rustc, &unit.env, &unit.cwd));
        // The patch that needs it says why there is none.
        if let Ok(rustc) = rustc {
            let _ = twin::twin(unit, folder, rustc, cancel);
        }
    }
}
