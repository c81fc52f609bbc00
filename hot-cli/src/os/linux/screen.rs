//! The terminal that this process writes to: whether a program has taken it for itself, and whether
//! it is writing.
//!
//! A program that fills a terminal reads it key by key and writes to it unprocessed, so that a line
//! of somebody else's wouldn't even begin at the left; how a terminal is set can be seen from
//! outside. Who only edits lines leaves the output as it is, and a program that fills the terminal
//! and reads nothing can't be told from any other. Knows nothing of what is to be written.

use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Termios};

use super::terminal::{children, threads, OWN_TERMINAL};

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
        let mut family = children(std::process::id());
        let mut next = 0;
        while let Some(&process) = family.get(next) {
            let rests = |thread: &u32| self.rests(process, *thread);
            if !threads(process).iter().all(rests) {
                return false;
            }
            family.extend(children(process));
            next += 1;
        }
        true
    }

    fn rests(&self, process: u32, thread: u32) -> bool {
        let call = format!("/proc/{process}/task/{thread}/syscall");
        let call = match std::fs::read_to_string(call) {
            Ok(call) => call,
            // It has ended.
            Err(error) => return error.kind() == io::ErrorKind::NotFound,
        };
        let mut words = call.split_whitespace();
        let number = words.next().map(str::parse::<i64>);
        match number {
            // write, writev
            Some(Ok(1 | 20)) => {
                let file = words.next().unwrap_or_default().trim_start_matches("0x");
                let file = u64::from_str_radix(file, 16).unwrap_or(0);
                let file = std::fs::metadata(format!("/proc/{process}/fd/{file}"));
                !file.is_ok_and(|file| [self.device, OWN_TERMINAL].contains(&file.rdev()))
            }
            Some(Ok(_)) => true,
            // It runs.
            _ => false,
        }
    }
}

/// Whether a terminal that is set so is one that a program fills.
fn is_filled(settings: &Termios) -> bool {
    let lines = OutputModes::OPOST | OutputModes::ONLCR;
    !settings.local_modes.contains(LocalModes::ICANON) && !settings.output_modes.contains(lines)
}
