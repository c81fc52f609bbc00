//! The session's one loop: events in, messages to programs and lines to the user out.
//!
//! Everything slow (reading a program's records, building a patch, building again) happens on other
//! threads and comes back as an event, so a newer save is seen while an older one compiles.

mod ahead;
mod attached;
mod handover;
mod patches;
mod plugins;
mod programs;
mod remote;
mod restarts;
mod saves;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use soft_mock::reloader::protocol::{
    FromProgram, ListSites, Load, Loaded, Refused, Restore, SiteInfo, ToProgram,
};

use super::restart;
use crate::child::{ChildEvent, Launch, Supervisor};
use crate::control::{Connection, Control, ControlEvent};
use crate::exit;
use crate::handover::Handover;
use crate::include::Include;
use crate::os::session_dir::SessionDir;
use crate::patch::{self, BuildError, Built};
use crate::program::plan::{Change, PlannedFunction, Rude, Wanted};
use crate::program::state::ProgramState;
use crate::program::Program;
use crate::remote::desk::DeskEvent;
use crate::rustc::run::Cancel;
use crate::session::Options;
use crate::ui::{Function, Reporter, RudeEdit};
use crate::watch::{WatchEvent, Watcher};
use handover::HandingOver;
use patches::{Building, Sent};
use remote::Remote;
use words::first_edit;

pub(crate) use remote::session_info;

/// How long a text that can't be patched may be half a save, before anything is done about it.
const SETTLE: Duration = Duration::from_millis(150);

/// How long a program may take to end when it is restarted.
const GRACE: Duration = Duration::from_secs(3);

/// Everything that can happen.
pub(crate) enum Event {
    Child(ChildEvent),
    Control(ControlEvent),
    Watch(WatchEvent),
    /// The records of the program with this folder were read.
    Loaded(PathBuf, Result<Box<Program>>),
    /// A patch was built, or not.
    Built(u64, Result<Built, BuildError>),
    /// The project was built again before a restart.
    Rebuilt(bool),
    /// Managed plugins were built again.
    PluginsBuilt(bool),
    /// The processes have handed over what they want to keep, or have had their time.
    Restart(u64),
    /// Another terminal wants something.
    Desk(DeskEvent),
    /// Programs that live have had the time to join.
    Patience,
}

impl From<DeskEvent> for Event {
    fn from(event: DeskEvent) -> Self {
        Self::Desk(event)
    }
}

impl From<ChildEvent> for Event {
    fn from(event: ChildEvent) -> Self {
        Self::Child(event)
    }
}

impl From<ControlEvent> for Event {
    fn from(event: ControlEvent) -> Self {
        Self::Control(event)
    }
}

impl From<WatchEvent> for Event {
    fn from(event: WatchEvent) -> Self {
        Self::Watch(event)
    }
}

/// A process of a program.
struct Instance {
    pid: u32,
    exe: PathBuf,
    since: SystemTime,
    program: PathBuf,
    /// The functions it consists of, as soon as it has told them.
    sites: Vec<SiteInfo>,
}

pub(crate) struct Engine {
    options: Options,
    include: Include,
    launch: Launch,
    folder: SessionDir,
    control: Control,
    watcher: Watcher,
    supervisor: Supervisor<Event>,
    events: Sender<Event>,
    report: Reporter,
    programs: BTreeMap<PathBuf, ProgramState>,
    loading: Vec<PathBuf>,
    instances: HashMap<Connection, Instance>,
    building: Option<Building>,
    sent: HashMap<u64, Sent>,
    /// When a change that can't be patched was first seen, and when to look again.
    settling: Option<(Instant, Instant)>,
    /// What was said last of an edit that can't be patched: not said twice.
    said: Option<String>,
    /// Why the program was built again and restarted, as long as no file changed since.
    restarted_for: Option<String>,
    changed_since_build: bool,
    /// A change waits for the answers to the patch before.
    postponed: bool,
    restarting: bool,
    handover: Handover,
    handing_over: Option<HandingOver>,
    /// The user knows that the sources of these packages aren't cargo's any more.
    told_kept: BTreeSet<PathBuf>,
    remote: Remote,
    plugins: plugins::Building,
    /// The programs are those of a session that was killed: there is no command.
    attached: bool,
    /// A program was here.
    joined: bool,
    last: u64,
    run: u64,
}

impl Engine {
    pub(crate) fn new(
        options: Options,
        include: Include,
        folder: SessionDir,
        control: Control,
        watcher: Watcher,
        supervisor: Supervisor<Event>,
        events: Sender<Event>,
    ) -> Result<Self> {
        let launch = include.launch()?;
        let handover = Handover::open(folder.path())?;
        let report = Reporter::stderr(options.verbose);
        let remote = Remote::new(session_info(&options.command));
        Ok(Self {
            options,
            include,
            launch,
            folder,
            control,
            watcher,
            supervisor,
            events,
            report,
            programs: BTreeMap::new(),
            loading: Vec::new(),
            instances: HashMap::new(),
            building: None,
            sent: HashMap::new(),
            settling: None,
            said: None,
            restarted_for: None,
            changed_since_build: false,
            postponed: false,
            restarting: false,
            handover,
            handing_over: None,
            told_kept: BTreeSet::new(),
            remote,
            plugins: plugins::Building::default(),
            attached: false,
            joined: false,
            last: 0,
            run: 0,
        })
    }

    /// Runs the command until it ends. Returns its exit code.
    pub(crate) fn run(&mut self, events: &Receiver<Event>) -> Result<u8> {
        match self.supervisor.start(&self.launch) {
            Ok(run) => self.run = run,
            Err(error) => {
                self.report.error(&error.to_string());
                return Ok(error.exit_code());
            }
        }
        self.handle_all(events)
    }

    fn handle_all(&mut self, events: &Receiver<Event>) -> Result<u8> {
        loop {
            let event = match self.settling {
                None => events.recv().map_err(anyhow::Error::from).map(Some)?,
                Some((_, until)) => {
                    let wait = until.saturating_duration_since(Instant::now());
                    match events.recv_timeout(wait) {
                        Ok(event) => Some(event),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(error) => return Err(error.into()),
                    }
                }
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
            Event::Child(ChildEvent::Exited {
                run,
                status,
                stopped,
            }) => {
                if run == self.run && !stopped {
                    return Some(exit::of_command(status));
                }
            }
            Event::Child(ChildEvent::Signal { signal, child }) => {
                const ENDING: [i32; 4] = [1, 2, 3, 15];
                if !child && ENDING.contains(&signal) {
                    return Some(exit::of_signal(signal));
                }
            }
            Event::Control(event) => {
                self.control_event(event);
                return self.attached_to_nobody();
            }
            Event::Patience => return self.nobody_joined(),
            Event::Watch(WatchEvent::Changed { paths, seen }) => self.files_changed(&paths, seen),
            Event::Watch(WatchEvent::Failed { why }) => self.report.warning(&why),
            Event::Loaded(folder, program) => self.program_loaded(folder, program),
            Event::Built(number, built) => self.patch_built(number, built),
            Event::Rebuilt(success) => self.rebuilt(success),
            Event::Restart(id) if self.is_handed_over(id) => return self.restart(),
            Event::Restart(_) => {}
            Event::Desk(event) => self.desk_event(event),
            Event::PluginsBuilt(success) => self.plugins_built(success),
        }
        None
    }

    /// A program that can't be told anything has left, or is about to: that comes as an event.
    fn tell_program(&self, conn: Connection, message: &ToProgram) {
        if let Err(error) = self.control.send(conn, message) {
            self.report.detail(|| error.to_string());
        }
    }

    fn message(&mut self, conn: Connection, message: FromProgram) {
        let Some(message) = self.remote_message(conn, message) else {
            return;
        };
        match message {
            FromProgram::Loaded(loaded) => self.answered(conn, Some(Ok(loaded))),
            FromProgram::Refused(refused) => self.answered(conn, Some(Err(refused))),
            FromProgram::Sites(list) => {
                let Some(instance) = self.instances.get_mut(&conn) else {
                    return;
                };
                if let Some(state) = self.programs.get_mut(&instance.program) {
                    state.note_sites(&list.sites);
                    if self.attached {
                        state.take_up(&list.sites);
                    }
                }
                instance.sites = list.sites;
                if self.attached {
                    self.act(Instant::now());
                }
            }
            FromProgram::HandedOver(handed) => self.handed_over(conn, handed),
            FromProgram::Hello(_) | FromProgram::History(_) | FromProgram::Waiting(_) => {}
        }
    }
}
