//! What patches would have to wait for, made while nothing runs: twins for bodies, and once an edit
//! has reached others, what whole crates are compared with.
//!
//! Knows nothing of tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Result;

use super::report::Report;
use crate::os::process::Cancel;
use crate::patch::whole_crate;
use crate::program::{twin, Program};
use crate::rustc::toolchain;
use crate::rustc::unit::Unit;
use crate::ui::shown;

/// What is known of the binaries as they were built, until they are built again.
#[derive(Clone, Default)]
pub(super) struct Ready(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    programs: BTreeMap<PathBuf, Arc<Program>>,
    /// Those of which whole crates can be compared.
    compared: BTreeSet<PathBuf>,
}

/// What is to be made.
pub(super) struct WarmUp {
    /// By their folders.
    pub(super) units: BTreeMap<PathBuf, Unit>,
    /// All binaries, each with the folder of its unit.
    pub(super) binaries: Vec<Place>,
    /// Those of which whole crates are to be compared.
    pub(super) whole: Vec<Place>,
    pub(super) ready: Ready,
}

/// A binary, and the folder of its unit.
pub(super) type Place = (PathBuf, PathBuf);

/// What is being made.
#[derive(Clone, Default)]
pub(super) struct Warming(Arc<Mutex<Making>>);

#[derive(Default)]
struct Making {
    /// What bodies need: who saves one makes it himself, sooner.
    soon: Cancel,
    /// What whole crates of these binaries are compared with.
    whole: (Cancel, Vec<Place>),
}

impl Ready {
    /// Whether whole crates of a binary can be compared.
    pub(super) fn has(&self, binary: &Path) -> bool {
        self.lock().compared.contains(binary)
    }

    /// A test binary as it was built; `folder` is that of its unit.
    pub(super) fn program(&self, binary: &Path, folder: &Path) -> Result<Arc<Program>> {
        if let Some(known) = self.lock().programs.get(binary) {
            return Ok(Arc::clone(known));
        }
        let program = Arc::new(built_program(folder, binary.to_owned())?);
        let mut known = self.lock();
        let place = known.programs.entry(binary.to_owned());
        Ok(Arc::clone(place.or_insert(program)))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Warming {
    /// Begins to make what isn't there. What is made of whole crates already goes on.
    pub(super) fn start(&self, work: WarmUp, report: &Arc<Report>) -> Result<()> {
        self.saved();
        let mut making = self.lock();
        making.soon = Cancel::default();
        let work = Arc::new(work);
        let spawn = |name: &str, act: fn(&WarmUp, &Report, &Cancel), cancel: &Cancel| {
            let (work, report, cancel) = (Arc::clone(&work), Arc::clone(report), cancel.clone());
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(move || act(&work, &report, &cancel))
        };
        spawn("hot-warm-up", WarmUp::soon, &making.soon)?;
        let (cancel, made) = &making.whole;
        let is_made = |place: &Place| !cancel.is_cancelled() && made.contains(place);
        if !work.whole.iter().all(is_made) {
            cancel.cancel();
            making.whole = (Cancel::default(), work.whole.clone());
            spawn("hot-warm-whole", WarmUp::whole, &making.whole.0)?;
        }
        Ok(())
    }

    /// Something was saved: it doesn't wait for what it makes itself.
    pub(super) fn saved(&self) {
        self.lock().soon.cancel();
    }

    /// Nothing that is made is of use any more, or it is in the way.
    pub(super) fn end(&self) {
        self.saved();
        self.lock().whole.0.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, Making> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WarmUp {
    /// What is read of the binaries, and twins. Who needs what can't be made says why there is
    /// none.
    fn soon(&self, _: &Report, cancel: &Cancel) {
        for (binary, folder) in &self.binaries {
            if cancel.is_cancelled() {
                return;
            }
            let _ = self.ready.program(binary, folder);
        }
        self.twins(cancel);
    }

    fn whole(&self, report: &Report, cancel: &Cancel) {
        for (binary, folder) in &self.whole {
            if cancel.is_cancelled() {
                return;
            }
            let began = Instant::now();
            let made = self.ready.program(binary, folder);
            let made = made.and_then(|program| whole_crate::prepare_program(&program, cancel));
            let name = shown(binary);
            match made {
                Ok(()) => {
                    self.ready.lock().compared.insert(binary.clone());
                    let took = began.elapsed();
                    report.detail(|| format!("whole crates of {name} can be compared: {took:?}"));
                }
                Err(why) => report.detail(|| format!("nothing to compare {name} with: {why:#}")),
            }
        }
    }

    fn twins(&self, cancel: &Cancel) {
        // Asked once of each compiler: most units have the same.
        let mut compilers = HashMap::new();
        for (folder, unit) in &self.units {
            if unit.unmodified.is_some() || cancel.is_cancelled() {
                continue;
            }
            let rustc = compilers
                .entry((&unit.rustc, &unit.cwd))
                .or_insert_with(|| toolchain::real_rustc(&unit.rustc, &unit.env, &unit.cwd));
            if let Ok(rustc) = rustc {
                let _ = twin::twin(unit, folder, rustc, cancel);
            }
        }
    }
}

fn built_program(folder: &Path, executable: PathBuf) -> Result<Program> {
    let program = Program::recorded(folder, executable)?;
    // It is patched before any of its code runs: nothing is alive.
    let _ = program.kept_closures.set(BTreeSet::new());
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_ends_nothing_that_it_does_not_make_itself() {
        let report = Arc::new(Report::new(false));
        let warming = Warming::default();
        let start = || {
            let work = WarmUp {
                units: BTreeMap::new(),
                binaries: Vec::new(),
                whole: vec![("/no/binary".into(), "/no/folder".into())],
                ready: Ready::default(),
            };
            warming.start(work, &report).expect("threads");
            let making = warming.lock();
            [making.soon.clone(), making.whole.0.clone()]
        };
        let is_cancelled = |cancels: &[Cancel; 2]| cancels.each_ref().map(Cancel::is_cancelled);
        let first = start();
        warming.saved();
        assert_eq!(is_cancelled(&first), [true, false]);
        // What goes on isn't begun again.
        let second = start();
        assert_eq!(is_cancelled(&first), [true, false]);
        warming.end();
        assert_eq!(is_cancelled(&first), [true, true]);
        assert_eq!(is_cancelled(&second), [true, true]);
        assert_eq!(is_cancelled(&start()), [false, false]);
    }
}
