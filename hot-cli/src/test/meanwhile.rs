//! What is written beside the sources while a round goes on: by the user, or by what runs in it.
//!
//! ```text
//! a round begins ─► cargo builds        whatever is written now, the tests of this round will see
//!                ─► the first test runs from now on nobody knows: tests write files, too
//! ```
//!
//! Knows nothing of what follows from it.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The kernel stamps files with a clock that ticks every few milliseconds.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// What was written in a round.
#[derive(Debug, Default)]
pub(super) struct Meanwhile(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Before any test ran.
    before: BTreeSet<PathBuf>,
    /// When the first one was about to.
    tests_began: Option<SystemTime>,
}

/// When a file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Before any test ran, and whoever begins them is told.
    BeforeTests,
    /// So, too, but they have begun.
    BeforeTestsThatRun,
    /// While they ran, or it is gone.
    DuringTests,
}

impl Meanwhile {
    /// A round begins.
    pub(super) fn begin(&self) {
        self.lock().tests_began = None;
    }

    /// A file was written in the round.
    pub(super) fn note(&self, path: &Path) -> Written {
        let mut state = self.lock();
        match state.tests_began {
            None => {
                state.before.insert(path.to_owned());
                Written::BeforeTests
            }
            Some(began) if changed(path).is_some_and(|at| at + CLOCK_TICK < began) => {
                Written::BeforeTestsThatRun
            }
            Some(_) => Written::DuringTests,
        }
    }

    /// The first test is about to run. What was written so far, each time once.
    pub(super) fn tests_begin(&self) -> Vec<PathBuf> {
        let mut state = self.lock();
        state.tests_began = Some(SystemTime::now());
        std::mem::take(&mut state.before).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a file was changed, or came to where it is.
fn changed(path: &Path) -> Option<SystemTime> {
    let meta = path.metadata().ok()?;
    let seconds = Duration::from_secs(u64::try_from(meta.ctime()).ok()?);
    let nanos = Duration::from_nanos(u64::try_from(meta.ctime_nsec()).ok()?);
    Some(UNIX_EPOCH + seconds + nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_before_tests_run_is_for_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let [early, late] = ["early", "late"].map(|name| folder.path().join(name));
        let meanwhile = Meanwhile::default();
        meanwhile.begin();
        std::fs::write(&early, "").expect("written");
        assert_eq!(meanwhile.note(&early), Written::BeforeTests);
        std::thread::sleep(CLOCK_TICK * 2);
        assert_eq!(meanwhile.tests_begin(), std::slice::from_ref(&early));
        // Its event comes when they have begun.
        assert_eq!(meanwhile.note(&early), Written::BeforeTestsThatRun);
        std::fs::write(&late, "").expect("written");
        assert_eq!(meanwhile.note(&late), Written::DuringTests);
        assert_eq!(
            meanwhile.note(&folder.path().join("gone")),
            Written::DuringTests
        );
        // A round that ends before any test leaves it to the next one.
        meanwhile.begin();
        meanwhile.note(&early);
        meanwhile.begin();
        assert_eq!(meanwhile.tests_begin(), [early]);
    }
}
