//! The terminal that this process writes to: whether a program has taken it for itself, and whether
//! it is writing.
//!
//! A program that fills a terminal reads it key by key and writes to it unprocessed, so that a line
//! of somebody else's wouldn't even begin at the left; how a terminal is set can be seen from
//! outside. Who only edits lines leaves the output as it is, and a program that fills the terminal
//! and reads nothing can't be told from any other. Knows nothing of what is to be written.

use std::io;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Termios};

use super::calls::{below_us, doing, Doing};
use super::terminal::is_terminal;

/// The terminal at our standard error, as it was when this was made.
#[derive(Debug)]
pub(crate) struct Output {
    device: u64,
    before: Termios,
}

impl Output {
    /// None if it is no terminal for lines.
    pub(crate) fn at_stderr() -> Option<Self> {
        let stderr = io::stderr();
        let before = rustix::termios::tcgetattr(&stderr).ok()?;
        let device = rustix::fs::fstat(&stderr).ok()?.st_rdev;
        (!is_filled(&before)).then_some(Self { device, before })
    }

    /// Whether it is filled by somebody in our process group.
    pub(crate) fn is_taken(&self) -> bool {
        let stderr = io::stderr();
        let is_ours = rustix::termios::tcgetpgrp(&stderr).is_ok_and(|group| group == getpgrp());
        is_ours && rustix::termios::tcgetattr(&stderr).is_ok_and(|now| is_filled(&now))
    }

    /// Sets it as it was.
    pub(crate) fn restore(&self) {
        let _ = rustix::termios::tcsetattr(io::stderr(), OptionalActions::Now, &self.before);
    }

    /// Whether no thread of a process below us runs or is writing to it.
    pub(crate) fn is_at_rest(&self) -> bool {
        below_us().all(|process| doing(process).all(|doing| self.rests(process, &doing)))
    }

    fn rests(&self, process: u32, doing: &Doing) -> bool {
        match doing {
            // write, writev
            Doing::Calling(call) if [1, 20].contains(&call.number) => {
                !is_terminal(self.device, process, call.argument(0))
            }
            Doing::Calling(_) | Doing::Ended => true,
            Doing::Running | Doing::Untold => false,
        }
    }
}

/// Whether a terminal that is set so is one that a program fills.
fn is_filled(settings: &Termios) -> bool {
    let lines = OutputModes::OPOST | OutputModes::ONLCR;
    !settings.local_modes.contains(LocalModes::ICANON) && !settings.output_modes.contains(lines)
}
