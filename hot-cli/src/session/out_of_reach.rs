//! Notices that a program runs which can't join, since its own crate was built as it is.
//!
//! Nothing of ours starts with such a program, so it is looked which processes the command
//! consists of, until one of them is such a program or has joined. Knows nothing of what is said
//! about it, or of why the crate was built so.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::search::Search;
use crate::os::{descends_from, executable, pids};
use crate::rustc::unit::Unit;

/// How often it is looked, at first and where a command does something else for long.
const LOOK: Duration = Duration::from_millis(150);
const LOOK_AT_LENGTH: Duration = Duration::from_secs(2);

/// Such a program runs.
pub(crate) struct OutOfReach {
    /// The run of the command that it belongs to.
    pub(crate) run: u64,
    /// The folder of its unit.
    pub(crate) unit: PathBuf,
    /// A file that holds the running program.
    pub(crate) executable: PathBuf,
}

/// Looks at what this process has started.
pub(crate) fn search<E: From<OutOfReach> + Send + 'static>(run: u64, events: Sender<E>) -> Search {
    let pause = |looked: Duration| (looked / 50).clamp(LOOK, LOOK_AT_LENGTH);
    let find = move || {
        let (unit, executable) = running()?;
        Some(OutOfReach {
            run,
            unit,
            executable,
        })
    };
    Search::begin("hot-out-of-reach", pause, find, events)
}

/// A process of the command whose program was built as it is.
fn running() -> Option<(PathBuf, PathBuf)> {
    let own = std::process::id();
    let pids = pids().filter_map(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    let mut below = pids.filter(|pid| *pid != own && descends_from(*pid, own));
    below.find_map(|pid| {
        let executable = executable(pid);
        let folder = Unit::of_program(&std::fs::read_link(&executable).ok()?)?;
        let unit = Unit::read(&folder).ok()?;
        unit.unmodified.is_some().then_some((folder, executable))
    })
}
