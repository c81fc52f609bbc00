//! The session's one loop: events in, messages to programs and lines to the user out.
//!
//! Everything slow (reading a program's records, building a patch, building again) happens on other
//! threads and comes back as an event, so a newer save is seen while an older one compiles.

mod ahead;
mod attached;
mod handover;
mod plugins;
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

use super::plan::{Change, PlannedFunction, Rude, Wanted};
use super::program::Program;
use super::restart;
use super::state::ProgramState;
use crate::build::patch::{self, BuildError, Built};
use crate::build::rustc::Cancel;
use crate::child::{exit_code, ChildEvent, Launch, Supervisor};
use crate::cli::Options;
use crate::control::{Connection, Control, ControlEvent};
use crate::handover::Handover;
use crate::include::Include;
use crate::remote::desk::DeskEvent;
use crate::report::{Function, Reporter, RudeEdit};
use crate::session_dir::SessionDir;
use crate::watch::{WatchEvent, Watcher};
use handover::HandingOver;
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

/// A patch that is being built.
struct Building {
    number: u64,
    program: PathBuf,
    wanted: Box<Wanted>,
    cancel: Cancel,
    since: Instant,
}

/// A patch that was sent and isn't answered by all processes yet.
struct Sent {
    program: PathBuf,
    wanted: Box<Wanted>,
    /// Functions that differ, but are called just once.
    once: Vec<PlannedFunction>,
    /// Statics that begin with another value now.
    kept: Vec<String>,
    load: Load,
    since: Instant,
    /// Who got it, and who of them has not answered yet.
    recipients: Vec<Connection>,
    waiting: Vec<Connection>,
    loaded: Option<Loaded>,
    refused: Option<Refused>,
    /// The user knows that the program keeps it waiting.
    said_waiting: bool,
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
    pub(crate) fn run(&mut self, events: &Receiver<Event>) -> Result<i32> {
        match self.supervisor.start(&self.launch) {
            Ok(run) => self.run = run,
            Err(error) => {
                self.report.error(&error.to_string());
                return Ok(error.exit_code());
            }
        }
        self.handle_all(events)
    }

    fn handle_all(&mut self, events: &Receiver<Event>) -> Result<i32> {
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
    fn handle(&mut self, event: Event) -> Option<i32> {
        match event {
            Event::Child(ChildEvent::Exited {
                run,
                status,
                stopped,
            }) => {
                if run == self.run && !stopped {
                    return Some(exit_code(status));
                }
            }
            Event::Child(ChildEvent::Signal { signal, child }) => {
                const ENDING: [i32; 4] = [1, 2, 3, 15];
                if !child && ENDING.contains(&signal) {
                    return Some(128 + signal);
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

    // Programs come and go.

    fn control_event(&mut self, event: ControlEvent) {
        match event {
            ControlEvent::Joined { conn, pid, hello } => {
                let program = plugins::key(&hello);
                self.say_joined(pid, &hello);
                self.joined = true;
                self.instances.insert(
                    conn,
                    Instance {
                        pid,
                        exe: hello.exe.clone(),
                        since: SystemTime::now(),
                        program: program.clone(),
                        sites: Vec::new(),
                    },
                );
                self.tell_program(conn, &ToProgram::Sites(ListSites { id: 0 }));
                if self.programs.contains_key(&program) {
                    self.catch_up(conn, &program);
                } else if !self.loading.contains(&program) {
                    self.loading.push(program.clone());
                    let events = self.events.clone();
                    std::thread::spawn(move || {
                        let loaded = Program::load(&hello, pid).map(Box::new);
                        // The session may have ended meanwhile.
                        let _ = events.send(Event::Loaded(program, loaded));
                    });
                }
            }
            ControlEvent::Message { conn, message } => self.message(conn, message),
            ControlEvent::Left { conn, why } => {
                if let Some(why) = why {
                    self.report
                        .warning(&format!("a program was disconnected: {why}"));
                }
                let left = self.instances.remove(&conn);
                self.answered(conn, None);
                self.remote_left(conn);
                self.has_nothing_to_give(conn);
                self.plugin_left(left);
                let programs = &self.programs;
                let is_there = |program: &Path| programs.contains_key(program);
                self.remote.ledger.keep(is_there);
            }
            ControlEvent::Rejected { why } => self.report.warning(&why),
        }
    }

    fn program_loaded(&mut self, folder: PathBuf, program: Result<Box<Program>>) {
        self.loading.retain(|other| *other != folder);
        let program = match program {
            Ok(program) => {
                let mut state = ProgramState::new(*program);
                let mut instances = self.instances.values();
                if let Some(told) = instances.find(|i| i.program == folder && !i.sites.is_empty()) {
                    state.note_sites(&told.sites);
                    if self.attached {
                        state.take_up(&told.sites);
                    }
                }
                state
            }
            Err(error) => {
                return self
                    .report
                    .warning(&format!("edits can't be patched: {error:#}"));
            }
        };
        let files = program.program.watched_files().clone();
        if !self.plugin_is_there(&folder, &program) {
            return;
        }
        ahead::prepare(Arc::clone(&program.program), self.options.verbose);
        self.programs.insert(folder, program);
        self.watch_files();
        // Whatever was saved since the program was built.
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        self.files_changed_since_build(&files);
    }

    /// A process that joined after patches were installed gets them all.
    fn catch_up(&mut self, conn: Connection, program: &Path) {
        let Some(state) = self.programs.get(program) else {
            return;
        };
        for load in state.installed.clone() {
            self.last += 1;
            let load = Load {
                id: self.last,
                ..load
            };
            self.tell_program(conn, &ToProgram::Load(load));
        }
    }

    // Patches.

    fn drop_build(&mut self) {
        if let Some(building) = self.building.take() {
            building.cancel.cancel();
        }
    }

    fn build(&mut self, program: PathBuf, wanted: Box<Wanted>, since: Instant) {
        // What is on its way decides what of whole crates is loaded.
        let on_its_way = self.sent.values().any(|sent| sent.program == program);
        if on_its_way && !wanted.spreading.is_empty() {
            self.postponed = true;
            return;
        }
        let Some(state) = self.programs.get(&program) else {
            return;
        };
        self.last += 1;
        let number = self.last;
        let cancel = Cancel::default();
        let job = patch::Job {
            program: Arc::clone(&state.program),
            wanted: (*wanted).clone(),
            folder: self.folder.patch(number),
            number,
            coloured: self.report.is_coloured(),
            cancel: cancel.clone(),
        };
        self.building = Some(Building {
            number,
            program,
            wanted,
            cancel,
            since,
        });
        let events = self.events.clone();
        std::thread::spawn(move || {
            // The session may have ended meanwhile.
            let _ = events.send(Event::Built(number, patch::build(&job)));
        });
    }

    fn patch_built(&mut self, number: u64, built: Result<Built, BuildError>) {
        let Some(building) = self.building.take_if(|building| building.number == number) else {
            return;
        };
        match built {
            Ok(built) => self.install(building, built),
            Err(BuildError::Cancelled) => {}
            Err(BuildError::Compile(text)) => {
                if self.said.as_deref() != Some(&text) {
                    self.report.compile_error(&text);
                    self.said = Some(text);
                }
            }
            Err(BuildError::Rude(edits)) => self.rude(Some(&building.program), &edits),
        }
    }

    /// Sends a patch to all processes of its program.
    fn install(&mut self, mut building: Building, built: Built) {
        for note in &built.notes {
            self.report.detail(|| note.clone());
        }
        let Some(state) = self.programs.get_mut(&building.program) else {
            return;
        };
        building.wanted.plan.clone_from(&built.plan);
        let whole = built.whole.iter().cloned();
        building.wanted.earlier.extend(whole);
        let restore: Vec<Restore> = building
            .wanted
            .plan
            .iter()
            .flat_map(|(position, unit)| {
                let id = format!("{:016x}", state.program.units[*position].unit.id);
                unit.restore.iter().map(move |function| Restore {
                    unit: id.clone(),
                    name: function.name.clone(),
                })
            })
            .collect();
        if built.plugins.is_empty() && restore.is_empty() {
            state.nothing_differs(&building.wanted);
            return self.tell_nothing_differs(&building.wanted, &built);
        }
        let load = Load {
            id: building.number,
            plugins: built.plugins,
            restore,
        };
        let waiting: Vec<Connection> = self
            .instances
            .iter()
            .filter(|(_, instance)| instance.program == building.program)
            .map(|(conn, _)| *conn)
            .collect();
        self.sent.insert(
            load.id,
            Sent {
                program: building.program,
                wanted: building.wanted,
                once: built.once,
                kept: built.kept,
                load: load.clone(),
                since: building.since,
                recipients: waiting.clone(),
                waiting: waiting.clone(),
                loaded: None,
                refused: None,
                said_waiting: false,
            },
        );
        for conn in waiting {
            self.tell_program(conn, &ToProgram::Load(load.clone()));
        }
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

    /// One process answered, or is gone.
    fn answered(&mut self, conn: Connection, answer: Option<Result<Loaded, Refused>>) {
        let id = match &answer {
            Some(Ok(loaded)) => Some(loaded.id),
            Some(Err(refused)) => Some(refused.id),
            None => None,
        };
        if let Some(Err(refused)) = &answer {
            if !self.sent.contains_key(&refused.id) {
                let why = format!(
                    "a process that joined later refused an earlier patch: {}",
                    refused.error
                );
                self.report.warning(&why);
            }
        }
        let mut done = Vec::new();
        for (number, sent) in &mut self.sent {
            if id.is_some_and(|id| id != *number) || !sent.waiting.contains(&conn) {
                continue;
            }
            sent.waiting.retain(|other| *other != conn);
            match &answer {
                Some(Ok(loaded)) => sent.loaded = Some(loaded.clone()),
                Some(Err(refused)) => sent.refused = Some(refused.clone()),
                None => {}
            }
            if sent.waiting.is_empty() {
                done.push(*number);
            }
        }
        for number in done {
            if let Some(sent) = self.sent.remove(&number) {
                self.finished(sent);
            }
        }
    }

    /// All processes have answered.
    fn finished(&mut self, sent: Sent) {
        if let Some(refused) = &sent.refused {
            let why = format!("the program refused the patch: {}", refused.error);
            let rude: Vec<Rude> = first_edit(&sent.wanted, &why);
            self.rude(Some(&sent.program), &rude);
            return self.act_postponed(sent.since);
        }
        let Some(loaded) = &sent.loaded else {
            return;
        };
        self.said = None;
        self.tell(&sent, loaded);
        let files = sent.wanted.plan.values().flat_map(|unit| unit.files.keys());
        self.tell_kept_sources(files.cloned().collect());
        self.note_patch(&sent, &loaded.clone());
        for (conn, instance) in &self.instances {
            let joined_since = instance.program == sent.program && !sent.recipients.contains(conn);
            if joined_since {
                self.tell_program(*conn, &ToProgram::Load(sent.load.clone()));
            }
        }
        if let Some(state) = self.programs.get_mut(&sent.program) {
            state.installed(&sent.wanted, sent.load);
        }
        self.postponed = false;
        // Another program of the session may be built from the same files.
        self.act(sent.since);
    }
}
