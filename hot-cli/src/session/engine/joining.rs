//! The loop's steps for programs that come and go.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use soft_mock_abi::protocol::{Hello, Load, SiteInfo, ToProgram};

use super::effect::Effect;
use super::jobs::Job;
use super::parts::processes::program_key;
use super::{Engine, Policy, JOIN_TIMEOUT};
use crate::control::Connection;
use crate::exit;
use crate::program::Program;
use crate::session::out_of_reach::OutOfReach;
use crate::ui::{self, shown};
use crate::wrapper::builds;

impl Engine {
    pub(super) fn joined(&mut self, conn: Connection, pid: u32, hello: Hello) {
        let exe = hello.exe.clone();
        self.tell(match self.policy {
            Policy::Attached => ui::Event::Joined { pid, exe },
            _ => ui::Event::Detail(format!("pid {pid} joined: {}", exe.display())),
        });
        if hello.image.is_none() {
            self.runs();
        }
        self.build_is_over();
        let effects = self.processes.joined(conn, pid, &hello);
        self.perform(effects);
        self.outside.show_pages(self.processes.pids());
        let key = program_key(&hello);
        if self.programs.know(&key) {
            self.catch_up(conn, &key, &hello.installed);
        } else if self.programs.begin_loading(&key) {
            self.perform([Effect::Start(Job::LoadProgram {
                key,
                hello,
                pid,
                run: self.command.run,
            })]);
        }
    }

    /// A program of the newest run is there.
    fn runs(&mut self) {
        self.outside.out_of_reach = None;
        if self.restarts.joined() {
            self.tell(ui::Event::Restarted);
        }
    }

    fn build_is_over(&mut self) {
        let waited = self.outside.waited_for_locks();
        if self.outside.first_build.take().is_some() {
            let causes = builds::causes(self.folder.path());
            self.tally.build_ended(Instant::now(), waited, &causes);
        }
    }

    /// A program runs that can't join: its files are followed all the same.
    pub(super) fn runs_out_of_reach(&mut self, found: OutOfReach) {
        if found.run != self.command.run {
            return; // It was ended for a restart meanwhile.
        }
        self.runs();
        self.build_is_over();
        if self.programs.begin_loading(&found.unit) {
            self.perform([Effect::Start(Job::LoadOutOfReach(found))]);
        }
    }

    /// A process that joined after patches were installed gets them all, but for those that it has
    /// from before: it was forked from one that had them, or calls again. Loaded twice, their
    /// variables would begin anew.
    fn catch_up(&mut self, conn: Connection, program: &Path, has: &[PathBuf]) {
        let is_new = |load: &&Load| {
            load.plugins.is_empty() || !load.plugins.iter().all(|plugin| has.contains(plugin))
        };
        let loads: Vec<Load> = self
            .programs
            .installed(program)
            .iter()
            .filter(is_new)
            .cloned()
            .collect();
        for load in loads {
            let id = self.numbers.next();
            let load = ToProgram::Load(Load { id, ..load });
            self.perform([Effect::Send(conn, load)]);
        }
    }

    /// The records of a program were read.
    pub(super) fn program_loaded(&mut self, key: PathBuf, run: u64, loaded: Result<Box<Program>>) {
        if run != self.command.run {
            return; // It was ended for a restart meanwhile.
        }
        self.programs.end_loading(&key);
        let program = match loaded {
            Ok(program) => *program,
            Err(error) => {
                return self.tell(ui::Event::Warning(format!(
                    "edits can't be patched: {error:#}; start `hot` again to have the program built anew"
                )));
            }
        };
        // A program may come back, a library doesn't.
        if program.is_plugin && !self.processes.run(&key) {
            return;
        }
        let files: Vec<PathBuf> = program.watched_files().iter().cloned().collect();
        let program = self.programs.add(key.clone(), program);
        if let Some(sites) = self.processes.sites_of(&key) {
            let adopt = self.policy == Policy::Attached;
            self.programs.record_sites(&key, sites, adopt);
        }
        match program.out_of_reach() {
            Some(_) => {
                let name = &program.units[0].unit.crate_name;
                // Whoever built it for a restart has said so.
                if run == 1 {
                    self.tell(ui::Event::Warning(format!(
                        "every edit needs a restart: `{name}` is built unmodified"
                    )));
                }
            }
            None => {
                self.tell_ready(&key);
                let verbose = self.outside.is_verbose();
                self.perform([Effect::Start(Job::WarmUp { program, verbose })]);
            }
        }
        self.outside.want_keys();
        self.watch_files();
        // Whatever was saved since the program was built.
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        self.record_files(&files);
        let edited = self.programs.edited_files();
        match edited.is_empty() {
            true => self.act(Instant::now()),
            false => self.edited_before(&edited),
        }
    }

    /// These were edited since the program was built.
    fn edited_before(&mut self, files: &[PathBuf]) {
        match self.pause.saved(files) {
            Some(files) => self.tell(ui::Event::SavedInPause { files }),
            None => {
                self.tell(ui::Event::Saved { files: files.len() });
                self.saves.saved();
                self.act(Instant::now());
            }
        }
    }

    /// A process told which functions it consists of.
    pub(super) fn told_sites(&mut self, conn: Connection, sites: Vec<SiteInfo>) {
        let adopt = self.policy == Policy::Attached;
        let Some((program, sites)) = self.processes.told_sites(conn, sites) else {
            return;
        };
        self.programs.record_sites(program, sites, adopt);
        let program = program.to_owned();
        self.tell_ready(&program);
        if adopt {
            self.act(Instant::now());
        }
    }

    /// Says what can be patched of a program, as soon as that is known.
    fn tell_ready(&mut self, program: &Path) {
        let sites = self.processes.sites_of(program);
        if let Some(overview) = sites.and_then(|sites| self.programs.overview_once(program, sites))
        {
            let named = self.outside.named.iter().map(|path| shown(path)).collect();
            self.tell(ui::Event::Ready { overview, named });
        }
    }

    pub(super) fn left(&mut self, conn: Connection, why: Option<String>) {
        if let Some(why) = why {
            self.tell(ui::Event::Warning(format!(
                "a program was disconnected: {why}"
            )));
        }
        let program = self.processes.left(conn);
        for finished in self.patches.left(conn) {
            self.finished(finished);
        }
        let effects = self.uncalled.left(conn);
        self.perform(effects);
        let answered = self.questions.left(conn);
        self.tell_status(answered);
        if let Some(done) = self.rollbacks.left(conn) {
            self.rollback_done(done);
        }
        let effects = self.restarts.left(conn);
        self.perform(effects);
        if let Some(program) = program {
            self.plugin_left(&program);
        }
        self.ledger.keep(|program| self.programs.know(program));
    }

    /// Forgets a plugin whose library was replaced.
    fn plugin_left(&mut self, program: &Path) {
        if self.programs.is_plugin(program) && !self.processes.run(program) {
            self.programs.forget(program);
            self.patches.drop_build_of(program);
            self.meanings.forget(program);
            self.watch_files();
        }
    }

    /// Programs that live have had the time to join. An exit code ends the session.
    pub(super) fn join_timeout(&self) -> Option<u8> {
        if self.processes.have_been_here() {
            return None;
        }
        let seconds = JOIN_TIMEOUT.as_secs();
        self.tell(ui::Event::Error(format!(
            "no program has answered for {seconds} s"
        )));
        Some(exit::FAILED)
    }
}
