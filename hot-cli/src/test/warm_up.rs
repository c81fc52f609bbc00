//! What patches would have to wait for, made while nothing runs: twins for bodies, and once an edit
//! has reached others, what whole crates are compared with.
//!
//! Knows nothing of tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;

use super::report::Report;
use crate::os::process::Cancel;
use crate::patch::whole_crate;
use crate::program::{twin, Program};
use crate::rustc::toolchain;
use crate::rustc::unit::Unit;
use crate::ui::shown;

/// The binaries of which whole crates can be compared, with what they were built from.
#[derive(Clone, Default)]
pub(super) struct Ready(Arc<Mutex<BTreeMap<PathBuf, Arc<Program>>>>);

/// What is to be made.
pub(super) struct WarmUp {
    /// By their folders.
    pub(super) units: BTreeMap<PathBuf, Unit>,
    /// Binaries, each with the folder of its unit.
    pub(super) binaries: Vec<(PathBuf, PathBuf)>,
    pub(super) ready: Ready,
}

impl Ready {
    pub(super) fn has(&self, binary: &Path) -> bool {
        self.program(binary).is_some()
    }

    pub(super) fn program(&self, binary: &Path) -> Option<Arc<Program>> {
        let ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ready.get(binary).cloned()
    }

    fn add(&self, binary: PathBuf, program: Arc<Program>) {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ready.insert(binary, program);
    }
}

impl WarmUp {
    /// Who needs what can't be made says why there is none.
    pub(super) fn run(self, report: &Report, cancel: &Cancel) {
        self.twins(cancel);
        for (binary, folder) in self.binaries {
            if cancel.is_cancelled() {
                return;
            }
            let began = Instant::now();
            let program = built_program(&folder, binary.clone());
            let made = program.and_then(|program| {
                whole_crate::prepare_program(&program, cancel)?;
                Ok(program)
            });
            let name = shown(&binary);
            match made {
                Ok(program) => {
                    self.ready.add(binary, Arc::new(program));
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

/// A test binary as it was built; `folder` is that of its unit.
pub(super) fn built_program(folder: &Path, executable: PathBuf) -> Result<Program> {
    let program = Program::recorded(folder, executable)?;
    // It is patched before any of its code runs: nothing is alive.
    let _ = program.kept_closures.set(BTreeSet::new());
    Ok(program)
}
