//! The loop's steps for what somebody asks of the session itself, here or in another terminal:
//! restart, pause, resume.

use std::time::{Duration, Instant};

use super::effect::Effect;
use super::{Engine, Event, Policy};
use crate::ui::{self, Consequence};

/// A program that was started and hasn't joined by then may be one that can't.
const JOINS_WITHIN: Duration = Duration::from_secs(20);

impl Engine {
    /// Restarts the programs, as after an edit that can't be patched. What follows is returned, or
    /// why nothing does.
    pub(super) fn restart_wanted(&mut self) -> Result<Consequence, String> {
        if self.policy == Policy::Attached {
            return Err("`hot attach` doesn't know how the program was started".to_owned());
        }
        if self.restarts.is_under_way() {
            return Err("a restart is under way already".to_owned());
        }
        if self.rollbacks.is_under_way() {
            return Err("a rollback is under way; try again when it is done".to_owned());
        }
        self.begin_restart().map_err(|error| format!("{error:#}"))
    }

    /// From now on saves are collected. Whether they weren't before.
    pub(super) fn pause(&mut self) -> bool {
        let news = self.pause.begin();
        if news {
            self.tell(ui::Event::Paused);
        }
        news
    }

    /// Applies what was collected. None if nothing is paused, else the number of files.
    pub(super) fn resume(&mut self) -> Option<usize> {
        let paths = self.pause.end()?;
        self.tell(ui::Event::Resumed {
            files: paths.len(),
            manual: self.pause.collects(),
        });
        self.apply(&paths, Instant::now());
        Some(paths.len())
    }

    /// The command was started again; the programs are expected.
    pub(super) fn expect_programs(&mut self) {
        let run = self.restarts.expect(self.command.run);
        self.perform([Effect::Later(JOINS_WITHIN, Event::JoinExpected(run))]);
    }

    /// Who was expected has had their time.
    pub(super) fn join_expected(&mut self, run: u64) {
        if self.restarts.stop_expecting(run) {
            self.tell(ui::Event::StartedAgain);
        }
    }
}
