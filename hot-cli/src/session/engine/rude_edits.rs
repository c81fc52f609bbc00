//! The loop's steps for an edit that can't be patched: it is said, and then the project is built
//! again and restarted, or a plugin built again, or the old code runs on.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::effect::Effect;
use super::jobs::Job;
use super::parts::saves::{News, Trouble};
use super::{announce, Engine, Event, Policy};
use crate::program::plan::Rude;
use crate::program::state::Bodies;
use crate::rustc::toolchain;
use crate::session::restart;
use crate::ui::{self, Consequence};
use crate::wrapper::builds;

impl Engine {
    /// These edits can't be patched. None as the program: they concern no particular one.
    pub(super) fn refused(&mut self, program: Option<&Path>, edits: &[Rude]) {
        self.refused_with(program, edits, Bodies::Some);
    }

    /// The same, with the bodies that have to wait.
    pub(super) fn refused_with(&mut self, program: Option<&Path>, edits: &[Rude], waiting: Bodies) {
        let plugins = program.and_then(|program| self.programs.plugins_to_rebuild(program));
        let trouble = trouble(edits);
        let in_vain = self.restarts.was_in_vain(&trouble.key);
        let news = self.saves.trouble(trouble);
        if let Some(plugins) = plugins {
            if news == News::New {
                self.tell_refused(edits, Consequence::BuildPlugin, news);
            }
            let effects = self.plugin_builds.begin(plugins);
            return self.perform(effects);
        }
        // What a restart is on its way for needs no further word.
        let is_known = news == News::Known || news == News::Again && self.restarts.is_under_way();
        let runs_on = program.filter(|_| self.policy != Policy::Restart);
        if let Some(program) = runs_on.filter(|_| !is_known || waiting == Bodies::All) {
            self.programs.record_refusal(program, edits, waiting);
        }
        if is_known {
            return;
        }
        self.tell_edited_copies(edits.iter().map(|edit| &edit.file));
        match self.policy {
            Policy::Attached => self.tell_refused(edits, Consequence::Attached, news),
            Policy::RunOn => self.tell_refused(edits, Consequence::NoRestart, news),
            // A restart takes back what was said: what was said again had one, in vain.
            Policy::Restart if in_vain || news == News::Again => {
                self.tell_refused(edits, Consequence::RestartInVain, news);
            }
            Policy::Restart => self.build_and_restart(edits, news),
        }
        let Some(program) = runs_on else {
            return;
        };
        let beside = match waiting {
            Bodies::Some => self.programs.without(program, edits),
            Bodies::All => None,
        };
        match beside {
            Some(wanted) => self.build(program.to_owned(), wanted, Instant::now()),
            None => {
                let waits = self.programs.waiting_with(program, edits);
                if !waits.is_empty() {
                    self.saves.wait_as_well(&in_full(&waits));
                    self.tell(ui::Event::WaitAsWell(announce::reasons(&waits)));
                }
            }
        }
    }

    fn tell_refused(&self, edits: &[Rude], then: Consequence, news: News) {
        self.tell(ui::Event::Refused {
            edits: announce::reasons(edits),
            then,
            again: news == News::Again,
        });
    }

    fn build_and_restart(&mut self, edits: &[Rude], news: News) {
        let under_way = self.restarts.is_under_way();
        match self.begin_restart() {
            Ok(_) if under_way => {} // It is seen when the program has started again.
            Ok(then) => self.tell_refused(edits, then, news),
            Err(error) => {
                self.saves.try_again();
                self.tell_refused(edits, Consequence::Failed, news);
                self.tell(ui::Event::Error(format!("{error:#}")));
            }
        }
    }

    /// Has the project built again, if it can be, and the programs restarted. Says what follows.
    pub(super) fn begin_restart(&mut self) -> Result<Consequence> {
        let under_way = self.restarts.is_under_way();
        // What the sources of included crates hold now decides what cargo takes for built.
        match self.command.include.launch() {
            Ok(launch) if !under_way => self.command.launch = launch,
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        toolchain::forget_versions(self.folder.path());
        for error in self.programs.build_again() {
            // A target folder that was removed: cargo builds all of it.
            self.tell(ui::Event::Detail(format!("{error:#}")));
        }
        let project = restart::build_only(&self.command.launch);
        if !under_way {
            self.restarts.begin();
        }
        Ok(match (project, under_way) {
            (Some(_), true) => Consequence::BuildAndRestart,
            (Some(project), false) => {
                let plugins = self.programs.all_plugins();
                builds::forget(self.folder.path());
                self.tally.build_begins(Instant::now());
                self.outside.notice_lock_waits();
                self.perform([Effect::Start(Job::BuildAgain {
                    project,
                    plugins,
                    held: self.outside.reporter.is_held(),
                })]);
                Consequence::BuildAndRestart
            }
            (None, true) => Consequence::Restart,
            (None, false) => {
                // Nothing is built that could take the place of what runs before it is said.
                let now = Event::BuiltAgain {
                    success: true,
                    said: String::new(),
                };
                self.perform([Effect::Later(Duration::ZERO, now)]);
                Consequence::Restart
            }
        })
    }

    /// The project was built again: the program makes way for the new one, or runs on.
    pub(super) fn built_again(&mut self, success: bool, said: String) {
        if !said.is_empty() {
            self.tell(ui::Event::Quoted(said));
        }
        let waited = self.outside.waited_for_locks();
        if !success {
            self.tally.build_failed();
            let saved_meanwhile = self.restarts.build_failed();
            self.tell(ui::Event::BuildFailed);
            self.saves.try_again();
            if saved_meanwhile {
                self.act(Instant::now());
            }
            return;
        }
        let causes = builds::causes(self.folder.path());
        self.tally.build_ended(Instant::now(), waited, &causes);
        self.handover.clear();
        let id = self.numbers.next();
        let effects = self.restarts.hand_over(id, self.processes.all());
        self.perform(effects);
    }

    /// Ends the processes and starts the command again, if this is the restart that is waited for.
    /// An exit code ends the session.
    pub(super) fn restart_if_due(&mut self, id: u64) -> Option<u8> {
        let effects = self.restarts.due(id)?;
        self.perform(effects);
        self.outside.stop(&self.processes.pids());
        self.programs.restarted();
        self.processes.restarted();
        self.patches.restarted();
        self.pause.restarted();
        self.syntax_checks.drop_check();
        self.dry_builds.stop();
        self.outside.notice_waits_of_dry_build(false);
        self.meanings.restarted();
        self.uncalled.restarted();
        self.ledger.clear();
        let reply = self.rollbacks.restarted();
        self.perform(reply);
        let reason = self.saves.restarted();
        self.restarts.restarted(reason);
        self.tally.restarted();
        let code = self.start_command();
        if code.is_none() {
            self.expect_programs();
        }
        code
    }

    /// Plugins were built again, and wait for their host.
    pub(super) fn plugins_built(&mut self, success: bool) {
        let again = self.plugin_builds.end();
        match success {
            true => self.tell(ui::Event::PluginBuilt),
            false => {
                self.tell(ui::Event::BuildFailed);
                self.saves.try_again();
            }
        }
        if again {
            self.act(Instant::now());
        }
    }
}

/// What stands in the way, wherever in its file: lines move.
pub(super) fn trouble(edits: &[Rude]) -> Trouble {
    let line = |edit: &Rude| format!("{}: {}\n", edit.file.display(), edit.why);
    Trouble {
        key: edits.iter().map(line).collect(),
        text: in_full(edits),
    }
}

/// All of them, a line each.
pub(super) fn in_full(edits: &[Rude]) -> String {
    ui::in_full(&announce::reasons(edits))
}
