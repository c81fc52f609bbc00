//! The session's one loop: events in; messages to programs, jobs and lines to the user out.
//!
//! What is known stands in parts (`parts/`), each with its own job and its own state. They don't
//! know each other: a part is told what happened, and returns what it wants done ([`Effect`]) or
//! what it found out. The loop's steps below bring them together, and [`Outside`] does what they
//! want. Everything slow (reading a program's records, building a patch, building again) happens on
//! other threads and comes back as an event, so a newer save is seen while an older one compiles.
//!
//! # From a save to "patched"
//!
//! Each step is a method of the same name in `edits.rs`, in this order.
//!
//! 1. `saved`: the watcher names files whose content changed. `Programs` read them.
//! 2. `act`: `Programs` say what the files come to, against what runs. A patch goes on with 4.
//!    Anything else may be half a save: `Saves` let it stand for a moment.
//! 3. `settled`: it stood, and is no half save. A syntax error is said, an edit that can't be
//!    patched is `refused`, with which the steps of `rude_edits.rs` begin (said, and then a restart
//!    or a plugin that is built again).
//! 4. `build`: `Patches` begin one, in place of what was building until now, and a job builds it:
//!    `patch::build`.
//! 5. `built`: a compiler's error is said, a reason is `refused` (`not_built`: unless what was
//!    edited later does without it). Else `install`: it goes to every process of the program that
//!    `Processes` know, unless nothing differs.
//! 6. `answered`: each process has installed it, or refuses.
//! 7. `finished`: all have. `Programs` and the `Ledger` take it down, and `announce.rs` says what
//!    is new: `ui::Event::Patched`. Then `act` again: files may have changed meanwhile, or concern
//!    another program.
//!
//! When nothing was saved for a moment, `meaning.rs` has the functions that were compiled alone
//! compared with those of their crates.
//!
//! An edited manifest may mean nothing: cargo is asked before anything else is done
//! (`manifests.rs`), and `act` comes again with the answer.
//!
//! What else happens: programs join and leave (`joining.rs`), other terminals ask (`serving.rs`),
//! somebody steers the session (`steering.rs`).

mod announce;
mod edits;
mod effect;
mod jobs;
mod joining;
mod manifests;
mod meaning;
mod outside;
mod parts;
mod rude_edits;
mod serving;
mod steering;
mod warm_up;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Result;
use soft_mock_abi::protocol::FromProgram;

use super::keys::KeyEvent;
use super::ledger::Ledger;
use super::lock_waits::CargoWaits;
use super::on_patch::CommandFailed;
use super::out_of_reach::OutOfReach;
use super::pages;
use super::screen::Look;
use super::settings::Settings;
use crate::browser::News;
use crate::child::{ChildEvent, Launch};
use crate::config::layers::Layers;
use crate::control::{Connection, ControlEvent};
use crate::exit;
use crate::handover::Handover;
use crate::include::Include;
use crate::os::session_dir::SessionDir;
use crate::patch::{BuildError, Built, Compared};
use crate::program::state::Judgement;
use crate::program::Program;
use crate::protocol::SessionInfo;
use crate::remote::server::ServerEvent;
use crate::ui;
use crate::watch::WatchEvent;
use crate::wrapper::builds::Cause;
use effect::Effect;
use parts::dry_builds::DryBuilds;
use parts::first_calls::FirstCalls;
use parts::meanings::Meanings;
use parts::patches::Patches;
use parts::pause::Pause;
use parts::plugin_builds::PluginBuilds;
use parts::processes::Processes;
use parts::programs::Programs;
use parts::questions::Questions;
use parts::restarts::Restarts;
use parts::rollbacks::Rollbacks;
use parts::saves::Saves;
use parts::syntax_checks::SyntaxChecks;
use parts::tally::Tally;
use parts::uncalled::Uncalled;

pub(crate) use outside::Outside;

/// A program of a killed session calls every second.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that can happen.
pub(crate) enum Event {
    Child(ChildEvent),
    Control(ControlEvent),
    Watch(WatchEvent),
    /// The records of the program with this key were read, which was started by this run.
    ProgramLoaded(PathBuf, u64, Result<Box<Program>>),
    /// A program runs that can't join.
    OutOfReach(OutOfReach),
    /// This patch may still be built.
    BuildTakesLong(u64),
    /// A patch was built, or not.
    Built(u64, Result<Built, BuildError>),
    /// rustc was asked about a file that can't be parsed.
    SyntaxChecked {
        number: u64,
        at: ui::Reason,
        compiler: Option<ui::CompilerOutput>,
    },
    /// Cargo was asked what edited manifests mean. None: dropped.
    Judged(u64, Option<Judgement>),
    /// Nothing was saved for a moment.
    Idle(u64),
    /// The functions of this patch had the time to be called.
    CallsDue(u64),
    /// Functions of micro-crates were compared with those of their crates. None: dropped.
    Compared(u64, Result<Option<Compared>>),
    /// A job ended without a result.
    JobPanicked,
    /// The project was built again before a restart.
    BuiltAgain {
        success: bool,
        /// What cargo said, if it had to wait.
        said: String,
    },
    /// Managed plugins were built again.
    PluginsBuilt {
        success: bool,
    },
    /// The processes have handed over what they want to keep, or have had their time.
    RestartDue(u64),
    /// Something happened with keys.
    Keys(KeyEvent),
    /// What the user wants run after patches didn't succeed.
    CommandFailed(CommandFailed),
    /// Something is to be said of pages that refresh themselves.
    Browser(News),
    /// The terminal may have been left to us.
    Look(Look),
    /// The first build compiles something.
    FirstBuild(Cause),
    /// Cargo waits for another process.
    CargoWaits(CargoWaits),
    /// Another terminal wants something.
    Request(ServerEvent),
    /// Programs that live have had the time to join.
    JoinTimeout,
    /// The programs of this run have had the time to join.
    JoinExpected(u64),
}

macro_rules! event_from {
    ($($kind:ident($from:ty)),*) => {
        $(impl From<$from> for Event {
            fn from(event: $from) -> Self {
                Self::$kind(event)
            }
        })*
    };
}
event_from!(
    Child(ChildEvent),
    Control(ControlEvent),
    Watch(WatchEvent),
    Keys(KeyEvent),
    CommandFailed(CommandFailed),
    Browser(News),
    Look(Look),
    FirstBuild(Cause),
    CargoWaits(CargoWaits),
    OutOfReach(OutOfReach),
    Request(ServerEvent)
);

/// What follows when an edit can't be patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// The program is built again and restarted.
    Restart,
    /// It runs on: the user wants that.
    RunOn,
    /// It runs on: another session started it, and nothing is known of its command.
    Attached,
}

/// The user's command.
struct Command {
    include: Include,
    launch: Launch,
    /// What manifests set, as the user knows it.
    settings: Layers,
    /// The number of its newest run.
    run: u64,
}

/// Numbers for patches and messages; none is used twice in a session.
#[derive(Debug, Default)]
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

pub(crate) struct Engine {
    policy: Policy,
    /// The terminal is cleared at every save.
    clears: bool,
    info: SessionInfo,
    command: Command,
    folder: SessionDir,
    handover: Handover,
    outside: Outside,
    numbers: Numbers,
    processes: Processes,
    programs: Programs,
    saves: Saves,
    pause: Pause,
    syntax_checks: SyntaxChecks,
    dry_builds: DryBuilds,
    patches: Patches,
    first_calls: FirstCalls,
    uncalled: Uncalled,
    meanings: Meanings,
    restarts: Restarts,
    plugin_builds: PluginBuilds,
    questions: Questions,
    rollbacks: Rollbacks,
    ledger: Ledger,
    tally: Tally,
}

impl Engine {
    pub(crate) fn new(
        settings: &Settings,
        info: SessionInfo,
        include: Include,
        folder: SessionDir,
        outside: Outside,
    ) -> Result<Self> {
        Ok(Self {
            policy: match settings.no_restart {
                true => Policy::RunOn,
                false => Policy::Restart,
            },
            clears: settings.clear,
            info,
            command: Command {
                launch: include.launch()?,
                settings: settings.of_manifests.clone(),
                include,
                run: 0,
            },
            handover: Handover::open(folder.path())?,
            folder,
            outside,
            numbers: Numbers::default(),
            processes: Processes::default(),
            programs: Programs::default(),
            saves: Saves::default(),
            pause: match settings.manual {
                true => Pause::manual(),
                false => Pause::default(),
            },
            syntax_checks: SyntaxChecks::default(),
            dry_builds: DryBuilds::default(),
            patches: Patches::default(),
            first_calls: FirstCalls::default(),
            uncalled: Uncalled::default(),
            meanings: Meanings::default(),
            restarts: Restarts::default(),
            plugin_builds: PluginBuilds::default(),
            questions: Questions::default(),
            rollbacks: Rollbacks::default(),
            ledger: Ledger::default(),
            tally: Tally::default(),
        })
    }

    /// Runs the command until it ends. Returns its exit code.
    pub(crate) fn run(&mut self, events: &Receiver<Event>) -> Result<u8> {
        if let Some(code) = self.start_command() {
            return Ok(code);
        }
        self.handle_and_sum_up(events)
    }

    /// Goes on where a killed session was: nothing is started, nothing restarted, and the session
    /// ends with the last of the programs. Returns the exit code.
    pub(crate) fn attach(&mut self, events: &Receiver<Event>) -> Result<u8> {
        self.policy = Policy::Attached;
        self.outside.reporter.set_restart(ui::Restart::Elsewhere);
        self.numbers = Numbers(self.folder.last_patch());
        self.perform([Effect::Later(JOIN_TIMEOUT, Event::JoinTimeout)]);
        self.handle_and_sum_up(events)
    }

    fn handle_and_sum_up(&mut self, events: &Receiver<Event>) -> Result<u8> {
        let code = self.handle_all(events)?;
        self.tell_all(self.tally.summary().map(ui::Event::Ended));
        self.outside.reporter.let_go("");
        Ok(code)
    }

    /// The exit code, if it can't be started.
    fn start_command(&mut self) -> Option<u8> {
        match self.outside.start(&self.command.launch) {
            Ok(run) => {
                self.command.run = run;
                self.outside.notice_lock_waits();
                if run == 1 {
                    self.tally.build_begins(Instant::now());
                }
                None
            }
            Err(error) => {
                self.tell(ui::Event::Error(error.to_string()));
                Some(error.exit_code())
            }
        }
    }

    fn handle_all(&mut self, events: &Receiver<Event>) -> Result<u8> {
        loop {
            let event = match self.saves.wait(Instant::now()) {
                None => events.recv().map(Some)?,
                Some(wait) => match events.recv_timeout(wait) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(error) => return Err(error.into()),
                },
            };
            let code = match event {
                Some(event) => self.handle(event),
                None => {
                    self.settled();
                    None
                }
            };
            if let Some(code) = code {
                return Ok(code);
            }
        }
    }

    /// Handles one event. An exit code ends the session.
    fn handle(&mut self, event: Event) -> Option<u8> {
        match event {
            Event::Child(event) => return self.child_event(event),
            Event::Control(event) => return self.control_event(event),
            Event::Watch(WatchEvent::Changed { paths, seen }) => self.saved(&paths, seen),
            Event::Watch(WatchEvent::Polls { why }) => self.tell(announce::polls(&why)),
            Event::Watch(WatchEvent::Failed { why }) => self.tell(ui::Event::Warning(why)),
            Event::ProgramLoaded(key, run, program) => self.program_loaded(key, run, program),
            Event::OutOfReach(found) => self.runs_out_of_reach(found),
            Event::BuildTakesLong(number) => self.build_takes_long(number),
            Event::Built(number, built) => self.built(number, built),
            Event::SyntaxChecked {
                number,
                at,
                compiler,
            } => self.syntax_checked(number, at, compiler),
            Event::Judged(number, judgement) => self.judged(number, judgement),
            Event::Idle(turn) => self.compare_if_idle(turn),
            Event::CallsDue(patch) => self.calls_due(patch),
            Event::Compared(number, compared) => self.compared(number, compared),
            Event::JobPanicked => self.tell(ui::Event::Error(jobs::LOST.to_owned())),
            Event::BuiltAgain { success, said } => self.built_again(success, said),
            Event::PluginsBuilt { success } => self.plugins_built(success),
            Event::RestartDue(id) => return self.restart_if_due(id),
            Event::Keys(event) => return self.key_event(event),
            Event::CommandFailed(CommandFailed(why)) => self.tell(ui::Event::Warning(why)),
            Event::Browser(news) => self.tell(pages::said(news)),
            Event::Look(Look) => self.outside.reporter.look(),
            Event::FirstBuild(cause) => self.tell_all(cause.news().map(ui::Event::Compiling)),
            Event::CargoWaits(CargoWaits(holder)) => self.tell(ui::Event::CargoWaits(holder)),
            Event::Request(event) => self.request(event),
            Event::JoinTimeout => return self.join_timeout(),
            Event::JoinExpected(run) => self.join_expected(run),
        }
        None
    }

    fn child_event(&self, event: ChildEvent) -> Option<u8> {
        /// SIGHUP, SIGINT, SIGQUIT, SIGTERM.
        const ENDING: [i32; 4] = [1, 2, 3, 15];
        match event {
            ChildEvent::Exited {
                run,
                status,
                stopped,
            } => (run == self.command.run && !stopped).then(|| exit::of_command(status)),
            ChildEvent::Signal { signal, child } => {
                (!child && ENDING.contains(&signal)).then(|| exit::of_signal(signal))
            }
        }
    }

    fn control_event(&mut self, event: ControlEvent) -> Option<u8> {
        match event {
            ControlEvent::Joined { conn, pid, hello } => self.joined(conn, pid, hello),
            ControlEvent::Message { conn, message } => self.message(conn, message),
            ControlEvent::Left { conn, why } => self.left(conn, why),
            ControlEvent::Rejected { why } => self.tell(ui::Event::Warning(why)),
        }
        // Nobody is left to attach to.
        let over = self.policy == Policy::Attached
            && self.processes.have_been_here()
            && self.processes.is_empty();
        over.then_some(0)
    }

    fn message(&mut self, conn: Connection, message: FromProgram) {
        match message {
            FromProgram::Loaded(loaded) if self.rollbacks.is(loaded.id) => {
                self.rolled_back(conn, Ok(loaded));
            }
            FromProgram::Refused(refused) if self.rollbacks.is(refused.id) => {
                self.rolled_back(conn, Err(refused));
            }
            FromProgram::Waiting(waiting) if self.rollbacks.is(waiting.id) => {
                let effects = self.rollbacks.wait_no_longer();
                self.perform(effects);
            }
            FromProgram::Loaded(loaded) => self.answered(conn, Ok(loaded)),
            FromProgram::Refused(refused) => self.answered(conn, Err(refused)),
            FromProgram::Called(called) => {
                let effects = self.first_calls.called(&called);
                self.perform(effects);
            }
            FromProgram::Waiting(waiting) => {
                let effects = self.patches.waits(waiting.id);
                self.perform(effects);
            }
            FromProgram::Sites(list) => self.told_sites(conn, list.sites),
            FromProgram::HandedOver(handed) => {
                let effects = self.restarts.handed_over(conn, handed);
                self.perform(effects);
            }
            FromProgram::History(history) => self.told_history(conn, history),
            FromProgram::Hello(_) => {}
        }
    }

    fn perform(&self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            self.outside.perform(effect);
        }
    }

    fn tell(&self, event: ui::Event) {
        self.outside.perform(Effect::Tell(event));
    }
}
