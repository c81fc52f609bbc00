//! The loop's steps for what other terminals ask: answered from the ledger and by the programs
//! themselves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Sender;

use soft_mock_abi::protocol::{History, Loaded, Refused};

use super::effect::Effect;
use super::parts::questions::Answered;
use super::parts::rollbacks::{Done, InProgram};
use super::Engine;
use crate::control::Connection;
use crate::protocol::{Reply, Request, SessionStatus};
use crate::remote::server::ServerEvent;
use crate::session::ledger::Record;
use crate::session::pages::Pages;
use crate::ui;

impl Engine {
    pub(super) fn request(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Asked(number, request, terminal) => self.asked(number, request, terminal),
            ServerEvent::Expired(number) => {
                let answered = self.questions.expired(number);
                self.tell_status(answered);
                let effects = self.rollbacks.wait_no_longer();
                self.perform(effects);
            }
        }
    }

    fn asked(&mut self, number: u64, request: Request, terminal: Sender<Reply>) {
        let reply = match request {
            Request::Who => Reply::Who(self.info.clone()),
            Request::Status => return self.ask_status(number, terminal),
            Request::History => Reply::History(self.ledger.past()),
            Request::Diff { patch } => match self.ledger.diff(patch) {
                Ok(files) => Reply::Diff(files),
                Err(why) => Reply::Refused(why),
            },
            Request::Restart => match self.restart_wanted() {
                Ok(then) => {
                    self.tell(ui::Event::RestartWanted(then));
                    Reply::Done(then.to_string())
                }
                Err(why) => Reply::Refused(why),
            },
            Request::Pause => match self.pause() {
                true => Reply::Done("paused: saves are collected until `hot resume`".to_owned()),
                false => Reply::Refused("it is paused already".to_owned()),
            },
            Request::Resume => match self.resume() {
                Some(files) => Reply::Done(ui::applied(files)),
                None => Reply::Refused("it isn't paused".to_owned()),
            },
            Request::Rollback { patches } => match self.roll_back(patches, &terminal) {
                Ok(()) => return,
                Err(no) => {
                    let why = no.to_string();
                    self.tell(ui::Event::NotRolledBack(no));
                    Reply::Refused(why)
                }
            },
        };
        self.perform([Effect::Reply(terminal, reply)]);
    }

    fn ask_status(&mut self, number: u64, terminal: Sender<Reply>) {
        let id = self.numbers.next();
        let processes = self.processes.all();
        let (effects, answered) = self.questions.ask(number, id, terminal, processes);
        self.perform(effects);
        self.tell_status(answered);
    }

    /// A process told what it runs: a terminal wants to know it, or what was called.
    pub(super) fn told_history(&mut self, conn: Connection, history: History) {
        let History { id, status, .. } = history;
        let effects = self.uncalled.answered(conn, id, &status);
        self.perform(effects);
        let answered = self.questions.answered(conn, id, &status);
        self.tell_status(answered);
    }

    pub(super) fn tell_status(&self, answered: Vec<Answered>) {
        for Answered { terminal, mut told } in answered {
            for (conn, status) in &mut told {
                if let Some((program, _)) = self.processes.who(*conn) {
                    self.uncalled.correct(program, status);
                }
            }
            let status = Reply::Status(SessionStatus {
                session: self.info.clone(),
                processes: self.processes.status(told),
                paused: self.pause.collects(),
                refused: self.saves.standing(),
                restarted_because: self.restarts.why().map(str::to_owned),
                pages: self.outside.pages.as_ref().and_then(Pages::port),
            });
            self.perform([Effect::Reply(terminal, status)]);
        }
    }

    pub(super) fn roll_back(
        &mut self,
        patches: usize,
        terminal: &Sender<Reply>,
    ) -> Result<(), ui::NoWayBack> {
        let for_now = |why: &str| ui::NoWayBack {
            why: why.to_owned(),
            stays: false,
        };
        if self.rollbacks.is_under_way() {
            return Err(for_now("another rollback is under way"));
        }
        if self.restarts.is_under_way() {
            return Err(for_now("the program is about to be restarted"));
        }
        if self.patches.is_any_on_its_way() {
            return Err(for_now(
                "a patch is on its way to the program, try again when it is active",
            ));
        }
        let undone = self.ledger.newest(patches).map_err(|why| for_now(&why))?;
        let counts = undone
            .iter()
            .map(|(program, numbers)| (program, numbers.len()));
        if let Some(why) = self.programs.no_way_back(counts) {
            return Err(ui::NoWayBack { why, stays: true });
        }
        // What compiles now was compared with what is to be taken back.
        self.patches.drop_build();
        let id = self.numbers.next();
        let mut processes = Vec::new();
        for (program, numbers) in &undone {
            let mine = self.processes.of(program).into_iter();
            processes.extend(mine.map(|conn| (conn, numbers.len())));
        }
        let (effects, done) = self
            .rollbacks
            .begin(id, terminal.clone(), undone, processes);
        self.perform(effects);
        if let Some(done) = done {
            self.rollback_done(done);
        }
        Ok(())
    }

    /// A process took patches back, or refuses.
    pub(super) fn rolled_back(&mut self, conn: Connection, answer: Result<Loaded, Refused>) {
        let Some(process) = self.processes.who(conn) else {
            return;
        };
        if let Some(done) = self.rollbacks.answered(conn, process, answer) {
            self.rollback_done(done);
        }
    }

    /// All processes have answered.
    pub(super) fn rollback_done(&mut self, done: Done) {
        for undone in done.in_programs() {
            self.record_rollback(undone);
        }
        let since = done.since;
        self.tell(ui::Event::RolledBack {
            done: done.summary(),
            elapsed: since.elapsed(),
        });
        self.tell_all(done.warnings().cloned().map(ui::Event::Warning));
        self.perform(done.reply());
        // Whatever was saved meanwhile.
        self.act(since);
    }

    fn record_rollback(&mut self, undone: InProgram) {
        let InProgram {
            program,
            patches,
            functions,
        } = undone;
        let names = functions.iter().map(|function| function.name.as_str());
        self.uncalled.replaced(&program, names);
        let ran = |path: PathBuf| {
            let text = self.ledger.running_text(&program, &path);
            (path, text)
        };
        let files = self.ledger.files(&patches).into_iter().map(ran);
        let files: Vec<_> = files.collect();
        self.programs
            .record_rollback(&program, patches.len(), &files);
        let record = Record {
            crate_name: self.ledger.crate_name(&program),
            program,
            functions,
            bytes: 0,
            files: BTreeMap::new(),
        };
        self.ledger.record_rollback(record, patches);
    }
}
