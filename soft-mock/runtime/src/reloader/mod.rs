//! Reloaders: where the paths of plugins come from while the program runs.
//!
//! | | paths come from | answers go to |
//! |---|---|---|
//! | [`stdin`] | the program's standard input, one a line | a function that the program gives |
//! | [`folder`] | plugins that appear in a folder | a function that the program gives |
//! | [`socket`] | a private socket | the socket |
//!
//! Each has a `start`, runs on a thread of its own that takes no signal, and answers every load. A
//! program that decides for itself when to load calls [`load_plugin`](crate::patch::load_plugin).

pub mod folder;
pub mod socket;
pub mod stdin;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;

pub use soft_mock_abi::protocol;
use thiserror::Error;

use crate::loader::LoadError;
use crate::patch::{Progress, Report, Transaction};
use crate::registry::RegistryError;
use crate::signals;

/// The name of the threads.
const THREAD: &str = "soft-mock";

/// A reloader couldn't be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The folder or the socket can't be used.
    #[error("{}: {cause}", place.display())]
    Place {
        /// Which.
        place: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// Another process listens at the socket.
    #[error("{}: another process listens here", .0.display())]
    InUse(PathBuf),
    /// The folder can't be watched.
    #[error("{}: can't be watched: {cause}", place.display())]
    Watch {
        /// Which.
        place: PathBuf,
        /// The cause.
        cause: notify::Error,
    },
    /// There is no thread to be had.
    #[error("no thread can be started: {0}")]
    Thread(io::Error),
    /// The program's sites can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// The answer to a load: what was asked for, and what became of it.
#[derive(Debug)]
pub struct Answer {
    /// The plugins that were to be installed.
    pub plugins: Vec<PathBuf>,
    /// What was installed, or why nothing was.
    pub result: Result<Report, LoadError>,
}

impl Answer {
    fn to(plugins: Vec<PathBuf>) -> Self {
        let transaction = plugins
            .iter()
            .fold(Transaction::new(), |patch, plugin| patch.plugin(plugin));
        let result = transaction.commit_when_safe().and_then(Progress::wait);
        Self { plugins, result }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(report) => write!(f, "installed: {report}"),
            Err(error) => write!(f, "refused: {error}"),
        }
    }
}

/// Writes an answer to the standard error, as one line. For [`stdin::start`] and [`folder::start`].
pub fn to_stderr(answer: &Answer) {
    // Not `eprintln!`: a closed standard error must not end the reloader.
    let _ = writeln!(io::stderr(), "soft-mock: {answer}");
}

/// A reloader that runs. Dropping it leaves it running.
#[derive(Debug)]
pub struct Handle {
    thread: JoinHandle<()>,
    stop: Stop,
}

impl Handle {
    fn spawn(stop: &Stop, run: impl FnOnce() + Send + 'static) -> Result<Self, StartError> {
        let thread = signals::spawn(THREAD, run).map_err(StartError::Thread)?;
        Ok(Self {
            thread,
            stop: stop.clone(),
        })
    }

    /// Asks the reloader to end: it does after what it is doing, and before it begins anything new.
    /// One that waits for its input notices with the next thing that comes, or the end of input.
    pub fn stop(&self) {
        self.stop.0.store(true, Ordering::Relaxed);
    }

    /// Whether the reloader still runs.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Waits until the reloader has ended.
    pub fn join(self) {
        // A panic can only come from the function that the program gave, and was reported by then.
        let _ = self.thread.join();
    }
}

/// Set once, when a reloader is to end.
#[derive(Debug, Clone, Default)]
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
