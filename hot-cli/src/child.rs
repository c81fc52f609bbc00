//! The user's command as a child process: started, waited for, signalled, stopped for a restart.
//!
//! Knows nothing of builds, patches or why a restart is wanted. The child is as it would be without
//! `hot`: it has our stdin, stdout, stderr, environment and process group, so the terminal is its
//! own, Ctrl-C and Ctrl-Z reach it straight from there, and it starts with no signal blocked or
//! newly ignored.
//!
//! What is deliberately absent: the child doesn't die with `hot`. Where `hot` is killed, the
//! program lives on.

mod process;
mod signals;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::exit;
use process::Process;
use signals::{Received, SignalThread};

/// How often it is looked whether stopped processes are gone.
const POLL: Duration = Duration::from_millis(2);

/// A terminal's signal to our process group can come just before a new child is in that group.
const JUST_STARTED: Duration = Duration::from_millis(50);

/// How long a killed process may take to vanish; more only if it is stuck in the kernel.
const KILL_TIMEOUT: Duration = Duration::from_secs(2);

/// A command and what it gets besides our own environment.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// Program, looked up in `PATH` as a shell would.
    pub(crate) program: OsString,
    /// Its arguments, passed on as they are.
    pub(crate) args: Vec<OsString>,
    /// Environment variables to add.
    pub(crate) env: Vec<(OsString, OsString)>,
}

impl Launch {
    fn spawn(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .spawn()
    }
}

/// What happened to the child, or to `hot` in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildEvent {
    /// A run ended.
    Exited {
        /// Which one, as `Supervisor::start` said.
        run: u64,
        /// How.
        status: ExitStatus,
        /// Whether `Supervisor::stop` asked for it.
        stopped: bool,
    },
    /// A signal came to `hot`. Where a child runs, it has the signal too, and decides what it
    /// means.
    Signal {
        /// Its number.
        signal: i32,
        /// Whether a child was running. If not, SIGINT, SIGQUIT, SIGTERM and SIGHUP are meant for
        /// `hot` itself.
        child: bool,
    },
}

/// Why there is no child.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// The command could not be started.
    #[error("can't start `{}`: {error}", program.to_string_lossy())]
    Start {
        /// As the user wrote it.
        program: OsString,
        /// What the system said.
        error: io::Error,
    },
    /// A run is in progress: it must be stopped first.
    #[error("the command is still running")]
    Running,
    /// The signal handlers could not be installed.
    #[error("can't handle signals: {0}")]
    Signals(io::Error),
    /// No thread could be started.
    #[error("can't start a thread: {0}")]
    Thread(io::Error),
}

impl ChildError {
    /// The exit code that a shell would give.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Start { error, .. } if error.kind() == io::ErrorKind::NotFound => exit::NOT_FOUND,
            Self::Start { .. } => exit::NOT_EXECUTABLE,
            _ => exit::FAILED,
        }
    }
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// How the child ended; nothing if there was none, or if even SIGKILL didn't end it in time.
    pub(crate) status: Option<ExitStatus>,
    /// How many processes had to be killed after the grace.
    pub(crate) killed: usize,
}

/// Runs the command, again and again where that is asked for, and handles signals as long as it
/// exists.
///
/// One per process: signals come to the whole process.
pub(crate) struct Supervisor<E> {
    current: Current,
    events: Sender<E>,
    runs: u64,
    _signals: SignalThread,
}

/// The newest run, which may have ended.
type Current = Arc<Mutex<Option<Arc<Run>>>>;

/// One start of the command.
struct Run {
    number: u64,
    process: Process,
    started: Instant,
    stopped: AtomicBool,
    status: Mutex<Option<ExitStatus>>,
    ended: Condvar,
}

impl<E: From<ChildEvent> + Send + 'static> Supervisor<E> {
    /// Installs the signal handlers; no child is started yet.
    pub(crate) fn new(events: Sender<E>) -> Result<Self, ChildError> {
        let current = Current::default();
        let signals = SignalThread::start({
            let (current, events) = (Arc::clone(&current), events.clone());
            move |received| {
                // Held to the end: a child that is being started gets the signal too, and the end
                // of a child isn't told (upon which `hot` may exit) before everyone
                // else has the signal.
                let current = lock(&current);
                let run = current.as_ref().filter(|run| run.is_running());
                if let Some(run) = run {
                    pass_on(run, received);
                }
                let event = ChildEvent::Signal {
                    signal: received.signal.as_raw(),
                    child: run.is_some(),
                };
                // Nobody listens any more: `hot` is about to end.
                let _ = events.send(event.into());
            }
        })?;
        Ok(Self {
            current,
            events,
            runs: 0,
            _signals: signals,
        })
    }

    /// Starts the command; `ChildEvent::Exited` with the number returned here tells its end.
    pub(crate) fn start(&mut self, launch: &Launch) -> Result<u64, ChildError> {
        let mut current = lock(&self.current);
        if current.as_ref().is_some_and(|run| run.is_running()) {
            return Err(ChildError::Running);
        }
        let child = launch.spawn().map_err(|error| ChildError::Start {
            program: launch.program.clone(),
            error,
        })?;
        self.runs += 1;
        let run = Arc::new(Run {
            number: self.runs,
            process: Process::child(&child),
            started: Instant::now(),
            stopped: AtomicBool::new(false),
            status: Mutex::new(None),
            ended: Condvar::new(),
        });
        *current = Some(Arc::clone(&run));
        wait_in_background(run, child, Arc::clone(&self.current), self.events.clone())?;
        Ok(self.runs)
    }

    /// The pid of the running child.
    #[cfg(test)]
    pub(crate) fn pid(&self) -> Option<u32> {
        lock(&self.current)
            .as_ref()
            .filter(|run| run.is_running())
            .map(|run| run.process.id())
    }

    /// Ends the child, the processes it started in our process group, and `programs`: SIGTERM, and
    /// SIGKILL for what is left after `grace`. Returns when they are gone; `start` may follow.
    ///
    /// `programs` are pids whose connection to our socket is open. Those of other users are left
    /// alone.
    pub(crate) fn stop(&mut self, programs: &[u32], grace: Duration) -> Stopped {
        let run = lock(&self.current).clone();
        let mut targets: Vec<Process> = Vec::new();
        if let Some(run) = run.as_ref().filter(|run| run.is_running()) {
            run.stopped.store(true, Ordering::Release);
            targets.extend(Process::open(run.process.id()));
            targets.extend(process::descendants(run.process.id()));
        }
        for pid in programs {
            if targets.iter().all(|target| target.id() != *pid) {
                targets.extend(Process::open(*pid).filter(Process::is_ours));
            }
        }
        for target in &targets {
            target.signal(Signal::TERM);
            // A stopped process would see the signal only once it goes on.
            target.signal(Signal::CONT);
        }
        let killed = kill_after(grace, &targets);
        let status = run.and_then(|run| run.wait(KILL_TIMEOUT));
        Stopped { status, killed }
    }
}

impl Run {
    fn is_running(&self) -> bool {
        lock(&self.status).is_none()
    }

    fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let status = lock(&self.status);
        let (status, _) = self
            .ended
            .wait_timeout_while(status, timeout, |status| status.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        *status
    }
}

fn wait_in_background<E: From<ChildEvent> + Send + 'static>(
    run: Arc<Run>,
    mut child: Child,
    current: Current,
    events: Sender<E>,
) -> Result<(), ChildError> {
    let started = Arc::clone(&run);
    let wait = move || {
        // It fails only if someone else reaped the child: then how it ended can't be known.
        let status = child.wait().unwrap_or(ExitStatus::from_raw(1 << 8));
        *lock(&run.status) = Some(status);
        run.ended.notify_all();
        let stopped = run.stopped.load(Ordering::Acquire);
        // A signal that is being passed on goes first.
        let _turn = lock(&current);
        let _ = events.send(
            ChildEvent::Exited {
                run: run.number,
                status,
                stopped,
            }
            .into(),
        );
    };
    thread::Builder::new()
        .name("hot-wait".into())
        .spawn(wait)
        .map_err(|error| {
            // Without a thread that waits for it, its end would go unnoticed.
            started.process.signal(Signal::KILL);
            ChildError::Thread(error)
        })?;
    Ok(())
}

/// What the terminal sends has reached the child already. What was sent to `hot` alone is passed
/// on; a signal that means "end" also to all that runs in our process group below us, as the
/// terminal would do: a cargo that is ended alone leaves its rustc behind, a shell the program.
fn pass_on(run: &Run, received: Received) {
    if received.from_terminal && run.started.elapsed() > JUST_STARTED {
        return;
    }
    let others = if received.is_ending() {
        process::descendants(std::process::id())
    } else {
        Vec::new()
    };
    run.process.signal(received.signal);
    for other in others.iter().filter(|other| other.id() != run.process.id()) {
        other.signal(received.signal);
    }
}

/// Waits until all are gone, with SIGKILL after `grace`; returns how many needed that.
fn kill_after(grace: Duration, targets: &[Process]) -> usize {
    wait_for_end(grace, targets);
    let stubborn: Vec<&Process> = targets.iter().filter(|target| target.is_alive()).collect();
    for target in &stubborn {
        target.signal(Signal::KILL);
    }
    wait_for_end(KILL_TIMEOUT, targets);
    stubborn.len()
}

fn wait_for_end(timeout: Duration, targets: &[Process]) {
    let deadline = Instant::now() + timeout;
    while targets.iter().any(Process::is_alive) && Instant::now() < deadline {
        thread::sleep(POLL);
    }
}

/// A thread that panicked with the lock held leaves plain values behind: they can be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
