//! Notices that a program runs which can't join, since its own crate was built as it is.
//!
//! Nothing of ours starts with such a program, so it is looked which processes the command
//! consists of, until one of them is such a program or has joined. Knows nothing of what is said
//! about it, or of why the crate was built so.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

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

/// It is looked as long as this lives.
pub(crate) struct OutOfReachSearch {
    _wanted: Arc<()>,
}

impl OutOfReachSearch {
    /// Looks at what this process has started.
    pub(crate) fn begin<E: From<OutOfReach> + Send + 'static>(run: u64, events: Sender<E>) -> Self {
        let wanted = Arc::new(());
        let still = Arc::downgrade(&wanted);
        // Without a thread such a program goes unnoticed, as it was said when it was built.
        let _ = thread::Builder::new()
            .name("hot-out-of-reach".into())
            .spawn(move || look(run, &still, &events));
        Self { _wanted: wanted }
    }
}

fn look<E: From<OutOfReach>>(run: u64, wanted: &Weak<()>, events: &Sender<E>) {
    let begun = Instant::now();
    while wanted.strong_count() > 0 {
        if let Some((unit, executable)) = running() {
            let found = OutOfReach {
                run,
                unit,
                executable,
            };
            // The session may have ended meanwhile.
            let _ = events.send(found.into());
            return;
        }
        thread::sleep((begun.elapsed() / 50).clamp(LOOK, LOOK_AT_LENGTH));
    }
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
