//! What other terminals ask of the session: answered from the ledger and by the programs themselves.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::{Instant, SystemTime};

use soft_mock::patch::{Installed, Status};
use soft_mock::reloader::protocol::{
    AskHistory, FromProgram, Loaded, Refused, Rollback, ToProgram,
};

use super::{Engine, Sent};
use crate::control::Connection;
use crate::protocol::{ProcessStatus, Reply, Request, RolledBack, SessionInfo, SessionStatus};
use crate::remote::desk::DeskEvent;
use crate::session::ledger::{Ledger, Record, Texts};

/// The session as other terminals see it.
pub(super) struct Remote {
    info: SessionInfo,
    pub(super) ledger: Ledger,
    questions: Vec<Question>,
    rollback: Option<Rolling>,
}

/// A question that programs are asked.
struct Question {
    ask: u64,
    /// The id of the message to the programs.
    id: u64,
    reply: Sender<Reply>,
    waiting: Vec<Connection>,
    answers: HashMap<Connection, Status>,
}

/// A rollback that isn't done by all processes yet.
struct Rolling {
    id: u64,
    /// The terminal that asked for it; none if it was answered.
    reply: Option<Sender<Reply>>,
    undone: BTreeMap<PathBuf, Vec<u64>>,
    waiting: Vec<Connection>,
    done: Vec<(PathBuf, Loaded)>,
    refused: Vec<(PathBuf, String)>,
    since: Instant,
}

impl Remote {
    pub(super) fn new(info: SessionInfo) -> Self {
        Self {
            info,
            ledger: Ledger::default(),
            questions: Vec::new(),
            rollback: None,
        }
    }

    /// The programs are restarted: nobody answers any more.
    pub(super) fn restarted(&mut self) {
        self.ledger.clear();
        if let Some(Rolling {
            reply: Some(reply), ..
        }) = self.rollback.take()
        {
            let why = "the program was restarted meanwhile".to_owned();
            let _ = reply.send(Reply::Refused(why)); // Whoever asked may have gone.
        }
    }

    /// Whether what the programs run is about to change, so that it can't be compared with now.
    pub(super) fn is_rolling_back(&self) -> bool {
        self.rollback.is_some()
    }
}

impl Engine {
    pub(super) fn desk_event(&mut self, event: DeskEvent) {
        match event {
            DeskEvent::Asked(ask, request, reply) => self.asked(ask, request, reply),
            DeskEvent::Expired(ask) => {
                if let Some(question) = take(&mut self.remote.questions, |q| q.ask == ask) {
                    self.tell_status(question);
                }
                if self.remote.is_rolling_back() {
                    self.keep_waiting();
                }
            }
        }
    }

    fn asked(&mut self, ask: u64, request: Request, reply: Sender<Reply>) {
        let answer = match request {
            Request::Who => Reply::Who(self.remote.info.clone()),
            Request::Status => return self.ask_status(ask, reply),
            Request::History => Reply::History(self.remote.ledger.past()),
            Request::Diff { patch } => match self.remote.ledger.diff(patch) {
                Ok(files) => Reply::Diff(files),
                Err(why) => Reply::Refused(why),
            },
            Request::Rollback { patches } => match self.roll_back(patches, &reply) {
                Ok(()) => return,
                Err(why) => Reply::Refused(why),
            },
        };
        let _ = reply.send(answer); // Whoever asked may have gone.
    }

    // What runs.

    fn ask_status(&mut self, ask: u64, reply: Sender<Reply>) {
        self.last += 1;
        let id = self.last;
        let waiting: Vec<Connection> = self.instances.keys().copied().collect();
        for conn in &waiting {
            self.tell_program(*conn, &ToProgram::History(AskHistory { id }));
        }
        let question = Question {
            ask,
            id,
            reply,
            answers: HashMap::new(),
            waiting,
        };
        match question.waiting.is_empty() {
            true => self.tell_status(question),
            false => self.remote.questions.push(question),
        }
    }

    fn tell_status(&self, mut question: Question) {
        let mut processes: Vec<ProcessStatus> = self
            .instances
            .iter()
            .map(|(conn, instance)| ProcessStatus {
                pid: instance.pid,
                exe: instance.exe.clone(),
                since: instance.since,
                status: question.answers.remove(conn),
            })
            .collect();
        processes.sort_by_key(|process| process.since);
        let session = self.remote.info.clone();
        // Whoever asked may have gone.
        let _ = question
            .reply
            .send(Reply::Status(SessionStatus { session, processes }));
    }

    /// A program said something that other terminals may be waiting for. Returns it if not.
    pub(super) fn remote_message(
        &mut self,
        conn: Connection,
        message: FromProgram,
    ) -> Option<FromProgram> {
        match message {
            FromProgram::History(history) => {
                let mut questions = self.remote.questions.iter_mut();
                if let Some(question) = questions.find(|q| q.id == history.id) {
                    question.answers.insert(conn, history.status);
                }
                self.no_longer_waiting(conn, Some(history.id));
            }
            FromProgram::Loaded(loaded) if self.is_rollback(loaded.id) => {
                self.rolled_back(conn, Ok(loaded));
            }
            FromProgram::Refused(refused) if self.is_rollback(refused.id) => {
                self.rolled_back(conn, Err(refused));
            }
            FromProgram::Waiting(waiting) if self.is_rollback(waiting.id) => self.keep_waiting(),
            FromProgram::Waiting(waiting) => self.patch_waits(waiting.id),
            other => return Some(other),
        }
        None
    }

    /// A program is gone: nobody waits for it.
    pub(super) fn remote_left(&mut self, conn: Connection) {
        self.no_longer_waiting(conn, None);
        if let Some(rolling) = &mut self.remote.rollback {
            rolling.waiting.retain(|other| *other != conn);
            if rolling.waiting.is_empty() {
                self.rollback_done();
            }
        }
    }

    fn no_longer_waiting(&mut self, conn: Connection, id: Option<u64>) {
        for question in &mut self.remote.questions {
            if id.is_none_or(|id| id == question.id) {
                question.waiting.retain(|other| *other != conn);
            }
        }
        while let Some(question) = take(&mut self.remote.questions, |q| q.waiting.is_empty()) {
            self.tell_status(question);
        }
    }

    fn patch_waits(&mut self, id: u64) {
        let Some(sent) = self.sent.get_mut(&id).filter(|sent| !sent.said_waiting) else {
            return;
        };
        sent.said_waiting = true;
        let functions = sent
            .wanted
            .plan
            .values()
            .flat_map(|unit| unit.patch.iter().chain(&unit.restore));
        let shown: Vec<String> = functions.take(3).map(|f| f.name.clone()).collect();
        let text = format!("waiting for the program's safe point: {}", shown.join(", "));
        self.report.note(&text);
    }

    // Taking patches back.

    fn is_rollback(&self, id: u64) -> bool {
        self.remote
            .rollback
            .as_ref()
            .is_some_and(|rolling| rolling.id == id)
    }

    fn roll_back(&mut self, patches: usize, reply: &Sender<Reply>) -> Result<(), String> {
        if self.remote.is_rolling_back() {
            return Err("another rollback is under way".to_owned());
        }
        if self.restarting {
            return Err("the program is about to be restarted".to_owned());
        }
        if !self.sent.is_empty() {
            return Err(
                "a patch is on its way to the program; try again when it is active".to_owned(),
            );
        }
        let undone = self.remote.ledger.newest(patches)?;
        // What compiles now was compared with what is to be taken back.
        self.drop_build();
        self.last += 1;
        let id = self.last;
        let mut waiting = Vec::new();
        for (conn, instance) in &self.instances {
            if let Some(numbers) = undone.get(&instance.program) {
                let patches = numbers.len();
                self.tell_program(*conn, &ToProgram::Rollback(Rollback { id, patches }));
                waiting.push(*conn);
            }
        }
        let nobody = waiting.is_empty();
        self.remote.rollback = Some(Rolling {
            id,
            reply: Some(reply.clone()),
            undone,
            waiting,
            done: Vec::new(),
            refused: Vec::new(),
            since: Instant::now(),
        });
        if nobody {
            self.rollback_done();
        }
        Ok(())
    }

    /// The terminal needn't wait as long as the program does.
    fn keep_waiting(&mut self) {
        let rolling = self.remote.rollback.as_mut();
        if let Some(reply) = rolling.and_then(|rolling| rolling.reply.take()) {
            let _ = reply.send(Reply::Waiting); // Whoever asked may have gone.
        }
    }

    fn rolled_back(&mut self, conn: Connection, answer: Result<Loaded, Refused>) {
        let (Some(rolling), Some(instance)) =
            (&mut self.remote.rollback, self.instances.get(&conn))
        else {
            return;
        };
        rolling.waiting.retain(|other| *other != conn);
        let program = instance.program.clone();
        match answer {
            Ok(loaded) => rolling.done.push((program, loaded)),
            Err(refused) => {
                let why = format!("pid {}: {}", instance.pid, refused.error);
                rolling.refused.push((program, why));
            }
        }
        if rolling.waiting.is_empty() {
            self.rollback_done();
        }
    }

    /// All processes have answered.
    fn rollback_done(&mut self) {
        let Some(rolling) = self.remote.rollback.take() else {
            return;
        };
        let mut undone: Vec<u64> = Vec::new();
        let mut functions: Vec<Installed> = Vec::new();
        for (program, numbers) in &rolling.undone {
            let report = rolling.done.iter().find(|(done, _)| done == program);
            let refused = rolling.refused.iter().any(|(other, _)| other == program);
            if report.is_none() && refused {
                continue; // In no process of it.
            }
            let changed = report.map(|(_, loaded)| loaded.report.functions.clone());
            let changed = changed.unwrap_or_default();
            self.taken_back(program, numbers, &changed);
            undone.extend(numbers);
            functions.extend(changed);
        }
        undone.sort_unstable_by(|a, b| b.cmp(a));
        let refused = rolling.refused.into_iter().map(|(_, why)| why).collect();
        let done = RolledBack {
            undone,
            functions,
            processes: rolling.done.len(),
            refused,
        };
        self.report.rolled_back(&done, rolling.since.elapsed());
        for (_, loaded) in &rolling.done {
            loaded
                .report
                .warnings
                .iter()
                .for_each(|why| self.report.warning(why));
        }
        if let Some(reply) = rolling.reply {
            let nothing = done.undone.is_empty();
            let answer = match nothing {
                true => Reply::Refused(done.refused.join("; ")),
                false => Reply::RolledBack(done),
            };
            let _ = reply.send(answer); // Whoever asked may have gone.
        }
        // Whatever was saved meanwhile.
        self.act(rolling.since);
    }

    fn taken_back(&mut self, program: &Path, numbers: &[u64], functions: &[Installed]) {
        let files = self.remote.ledger.files(numbers);
        if let Some(state) = self.programs.get_mut(program) {
            state.rolled_back(numbers.len(), &files);
        }
        let record = Record {
            program: program.to_owned(),
            crate_name: self.remote.ledger.crate_name(program),
            functions: functions.to_vec(),
            bytes: 0,
            files: BTreeMap::new(),
        };
        self.remote.ledger.rolled_back(record, numbers.to_vec());
    }

    /// Takes note of a patch that all processes have.
    pub(super) fn note_patch(&mut self, sent: &Sent, loaded: &Loaded) {
        let Some(state) = self.programs.get(&sent.program) else {
            return;
        };
        let units = &state.program.units;
        let mut files = BTreeMap::new();
        for (position, unit) in &sent.wanted.plan {
            let loaded = &units[*position];
            let touched = unit.patch.iter().chain(&unit.restore).map(|f| &f.file);
            for path in touched.chain(unit.files.keys()) {
                let compiled = || loaded.compiled_text(path).unwrap_or_default().into();
                let ledger = &self.remote.ledger;
                let before = ledger
                    .running_text(&sent.program, path)
                    .unwrap_or_else(compiled);
                let now = unit.files.get(path).map(|file| file.text.clone());
                let after = now.unwrap_or_else(compiled);
                files.entry(path.clone()).or_insert(Texts { before, after });
            }
        }
        let main = units.first().map(|loaded| loaded.unit.crate_name.clone());
        self.remote.ledger.patched(Record {
            program: sent.program.clone(),
            crate_name: main.unwrap_or_default(),
            functions: loaded.report.functions.clone(),
            bytes: loaded.report.bytes,
            files,
        });
        for warning in &loaded.report.warnings {
            self.report.warning(warning);
        }
    }
}

/// The state of the session at its start.
pub(crate) fn session_info(command: &[std::ffi::OsString]) -> SessionInfo {
    SessionInfo {
        pid: std::process::id(),
        folder: std::env::current_dir().unwrap_or_default(),
        command: command
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        since: SystemTime::now(),
    }
}

fn take<T>(list: &mut Vec<T>, fits: impl Fn(&T) -> bool) -> Option<T> {
    let position = list.iter().position(fits)?;
    Some(list.swap_remove(position))
}
