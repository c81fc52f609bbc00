//! The loop's steps for what somebody asks of the session itself, by keys or in another
//! terminal: restart, pause, resume, quit.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::effect::Effect;
use super::{Engine, Event, Policy};
use crate::session::keys::{Key, KeyEvent};
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

    pub(super) fn key_event(&mut self, event: KeyEvent) -> Option<u8> {
        match event {
            KeyEvent::Ready => {
                if self.policy != Policy::Attached {
                    self.outside.reporter.set_restart(ui::Restart::Key);
                }
                self.tell(ui::Event::KeysReady);
            }
            KeyEvent::Taken { by_reading } => {
                if self.policy != Policy::Attached {
                    self.outside.reporter.set_restart(ui::Restart::Command);
                }
                // Into what fills the terminal nothing is written.
                if by_reading {
                    self.tell(ui::Event::KeysTaken);
                }
            }
            KeyEvent::Pressed(Key::Quit) => return Some(self.quit()),
            KeyEvent::Pressed(key) => self.pressed(key),
            // No text is asked for.
            KeyEvent::Typed(_) => {}
        }
        None
    }

    fn pressed(&mut self, key: Key) {
        match key {
            Key::Restart => match self.restart_wanted() {
                Ok(then) => self.tell(ui::Event::RestartWanted(then)),
                Err(why) => self.tell(ui::Event::Warning(why)),
            },
            Key::Pause => {
                if self.resume().is_none() {
                    self.pause();
                }
            }
            Key::Undo => {
                // Nobody waits for an answer: what was done is said here.
                let (nobody, _) = channel();
                if let Err(no) = self.roll_back(1, &nobody) {
                    self.tell(ui::Event::NotRolledBack(no));
                }
            }
            Key::Clear => self.outside.reporter.clear(),
            Key::Help => self.tell(ui::Event::KeysHelp),
            Key::Line => self.outside.reporter.empty_line(),
            Key::Quit | Key::All | Key::Failing | Key::Which => {}
        }
    }

    /// Ends the programs that the session has started. The exit code of the session.
    fn quit(&mut self) -> u8 {
        if self.policy != Policy::Attached {
            self.outside.stop(&self.processes.pids());
        }
        0
    }

    /// The command was started again; the programs are expected.
    pub(super) fn expect_programs(&mut self) {
        let run = self.restarts.expect(self.command.run);
        self.perform([Effect::Later(JOINS_WITHIN, Event::JoinExpected(run))]);
    }

    /// Who was expected has had their time.
    pub(super) fn join_expected(&mut self, run: u64) {
        if self.restarts.are_overdue(run) {
            self.tell(ui::Event::StartedAgain);
        }
    }
}
