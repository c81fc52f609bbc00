//! What a session has to do with: its programs' connections, the command, the watcher, the user's
//! terminal, threads.
//!
//! Knows nothing of why something is done.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use super::effect::Effect;
use super::Event;
use crate::child::{ChildError, Launch, Supervisor};
use crate::control::Control;
use crate::os;
use crate::session::keys::Keys;
use crate::session::lock_waits::LockWaits;
use crate::session::on_patch::OnPatch;
use crate::session::out_of_reach;
use crate::session::pages::Pages;
use crate::session::screen::SessionScreen;
use crate::session::search::Search;
use crate::ui::{self, Reporter};
use crate::watch::{WatchError, Watcher};

/// How long a program may take to end when it is restarted.
const GRACE: Duration = Duration::from_secs(3);

/// Types can be nested as deeply as rustc allows, and are followed by recursion.
const JOB_STACK: usize = 64 << 20;

/// Does what is wanted.
pub(crate) struct Outside {
    pub(crate) control: Control,
    pub(crate) watcher: Watcher,
    /// Files and folders that the user named to be watched.
    pub(crate) named: Vec<PathBuf>,
    pub(crate) supervisor: Supervisor<Event>,
    pub(crate) events: Sender<Event>,
    pub(crate) reporter: Reporter,
    /// What the user wants run after patches.
    pub(crate) on_patch: Option<OnPatch>,
    /// What shows pages of the program's server.
    pub(crate) pages: Option<Pages>,
    /// As long as no program runs.
    pub(crate) first_build: Option<Search>,
    /// As long as cargo builds.
    pub(crate) lock_waits: Option<LockWaits>,
    /// As long as no program of this run is known.
    pub(crate) out_of_reach: Option<Search>,
    /// As long as cargo is asked about manifests.
    pub(crate) dry_build_waits: Option<LockWaits>,
    /// None: there is no terminal that a program could fill.
    pub(crate) screen: Option<SessionScreen>,
    /// None: there is no terminal that could be read.
    pub(crate) keys: Option<Keys>,
}

impl Outside {
    pub(super) fn perform(&self, effect: Effect) {
        match effect {
            Effect::Send(conn, message) => {
                // A program that can't be told anything has left, or is about to: that comes as an
                // event.
                if let Err(error) = self.control.send(conn, &message) {
                    self.reporter.detail(|| error.to_string());
                }
            }
            Effect::Reply(terminal, reply) => {
                let _ = terminal.send(reply); // Whoever asked may have gone.
            }
            Effect::Tell(event) => {
                self.reporter.tell(&event);
                if let Some(command) = &self.on_patch {
                    command.told(&event);
                }
                if let Some(pages) = &self.pages {
                    pages.told(&event);
                }
            }
            Effect::Start(job) => {
                let events = self.events.clone();
                let run = move || {
                    if let Some(event) = job.run() {
                        // The session may have ended meanwhile.
                        let _ = events.send(event);
                    }
                    os::give_back_memory();
                };
                let thread = thread::Builder::new().stack_size(JOB_STACK).spawn(run);
                if let Err(error) = thread {
                    let why = format!("a job can't be started: {error}");
                    self.reporter.tell(&ui::Event::Error(why));
                }
            }
            Effect::Later(time, event) => {
                let events = self.events.clone();
                thread::spawn(move || {
                    thread::sleep(time);
                    // The session may have ended meanwhile.
                    let _ = events.send(event);
                });
            }
        }
    }

    pub(super) fn watch(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.warn(self.watcher.set_files(files));
    }

    /// New files count there too, as in what the user named.
    pub(super) fn watch_folders(&self, folders: impl IntoIterator<Item = PathBuf>) {
        let named = self.named.iter().cloned();
        self.warn(self.watcher.set_extra(named.chain(folders)));
    }

    fn warn(&self, result: Result<(), WatchError>) {
        if let Err(error) = result {
            self.reporter.tell(&ui::Event::Warning(error.to_string()));
        }
    }

    /// Cargo is started, and may have to wait for another one.
    pub(super) fn notice_lock_waits(&mut self) {
        self.lock_waits = Some(LockWaits::watch(self.events.clone()));
    }

    /// The same while cargo is asked about manifests, or no longer.
    pub(super) fn notice_waits_of_dry_build(&mut self, runs: bool) {
        self.dry_build_waits = runs.then(|| LockWaits::watch(self.events.clone()));
    }

    /// It has ended, or its program runs. Returns how long it waited.
    pub(super) fn waited_for_locks(&mut self) -> Duration {
        let waits = self.lock_waits.take();
        waits.map_or(Duration::ZERO, |waits| waits.waited())
    }

    /// Starts the command; returns the number of the run.
    pub(super) fn start(&mut self, launch: &Launch) -> Result<u64, ChildError> {
        let run = self.supervisor.start(launch)?;
        self.out_of_reach = Some(out_of_reach::search(run, self.events.clone()));
        Ok(run)
    }

    /// Ends the command, and the programs with these pids.
    pub(super) fn stop(&mut self, pids: &[u32]) {
        self.supervisor.stop(pids, GRACE);
        // A program that was ended may not have tidied up.
        if let Some(sequence) = self.screen.as_ref().and_then(SessionScreen::leave) {
            self.reporter.let_go(sequence);
        }
    }

    /// Whether the compiler may colour what it says.
    pub(super) fn is_coloured(&self) -> bool {
        self.reporter.is_coloured()
    }

    /// The program consists of these processes.
    pub(super) fn show_pages(&self, pids: Vec<u32>) {
        if let Some(pages) = &self.pages {
            pages.joined(pids);
        }
    }

    /// A program runs: keys are read if it leaves the terminal to us.
    pub(super) fn want_keys(&self) {
        if let Some(keys) = &self.keys {
            keys.want();
        }
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.reporter.is_verbose()
    }
}
