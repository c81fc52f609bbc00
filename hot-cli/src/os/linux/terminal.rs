//! The terminal that this process reads: how it is set, and which processes wait for what is typed
//! there.
//!
//! Knows nothing of what keys are for. Who waits is told by the system calls in which threads sit,
//! and the files that those name.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::time::Duration;

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};

use super::calls::{below_us, doing, Call, Doing};

/// `/dev/tty`, by which each process names its own terminal.
const OWN_TERMINAL: u64 = 5 << 8;

/// The terminal at our standard input.
#[derive(Debug)]
pub(crate) struct Terminal {
    device: u64,
}

/// Whether somebody waits for what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    None,
    Some,
    /// The kernel doesn't tell.
    Unknown,
}

impl Terminal {
    /// None if our standard input is no terminal.
    pub(crate) fn at_stdin() -> Option<Self> {
        let stdin = io::stdin();
        if !rustix::termios::isatty(&stdin) {
            return None;
        }
        let device = rustix::fs::fstat(&stdin).ok()?.st_rdev;
        Some(Self { device })
    }

    /// Whether it is our process group that may read it and set it.
    pub(crate) fn is_ours(&self) -> bool {
        rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    pub(crate) fn settings(&self) -> Option<Termios> {
        rustix::termios::tcgetattr(io::stdin()).ok()
    }

    pub(crate) fn set(&self, settings: &Termios) -> bool {
        rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, settings).is_ok()
    }

    /// Waits for something to be typed. Whether it was.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let stdin = io::stdin();
        let mut wanted = [PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
        let limit = Timespec::try_from(time).ok();
        let ready = poll(&mut wanted, limit.as_ref()).is_ok_and(|ready| ready > 0);
        let events = wanted[0].revents();
        if ready && events.intersects(PollFlags::HUP | PollFlags::ERR) {
            // It is gone, and there would be no waiting any more.
            std::thread::sleep(time);
            return false;
        }
        ready && events.contains(PollFlags::IN)
    }

    /// What was typed; doesn't wait.
    pub(crate) fn read(&self) -> Vec<u8> {
        let stdin = io::stdin();
        let count = rustix::io::ioctl_fionread(&stdin).unwrap_or(0);
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0).min(256)];
        if bytes.is_empty() {
            return bytes;
        }
        let read = rustix::io::read(&stdin, &mut bytes).unwrap_or(0);
        bytes.truncate(read);
        bytes
    }

    /// Whether a process that descends from us waits for what is typed.
    pub(crate) fn readers(&self) -> Readers {
        let mut all = below_us().map(|process| self.readers_in(process));
        let found = all.find(|readers| *readers != Readers::None);
        found.unwrap_or(Readers::None)
    }

    fn readers_in(&self, process: u32) -> Readers {
        for doing in doing(process) {
            let waits = match doing {
                Doing::Calling(call) => self.waits(process, &call),
                Doing::Untold => None,
                Doing::Running | Doing::Ended => Some(false),
            };
            match waits {
                Some(false) => {}
                Some(true) => return Readers::Some,
                None => return Readers::Unknown,
            }
        }
        Readers::None
    }

    /// Whether a system call waits for the terminal.
    fn waits(&self, process: u32, call: &Call) -> Option<bool> {
        let first = call.argument(0);
        let file = |number: u64| is_terminal(self.device, process, number);
        match call.number {
            // read, pread64, readv
            0 | 17 | 19 => Some(file(first)),
            // poll, ppoll
            7 | 271 => {
                let (at, count) = (first, call.argument(1).min(4096));
                let entries = memory(process, at, count * 8)?;
                Some(entries.chunks_exact(8).any(|entry| {
                    let number = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
                    let input =
                        u16::from_ne_bytes([entry[4], entry[5]]) & PollFlags::IN.bits() != 0;
                    input && u64::try_from(number).is_ok_and(file)
                }))
            }
            // select, pselect6
            23 | 270 => {
                let (count, at) = (first.min(1024), call.argument(1));
                if at == 0 {
                    return Some(false);
                }
                let set = memory(process, at, count.div_ceil(8))?;
                let is_in = |number: &u64| {
                    let byte = usize::try_from(number / 8).ok().and_then(|at| set.get(at));
                    byte.is_some_and(|byte| byte & (1 << (number % 8)) != 0)
                };
                Some((0..count).filter(is_in).any(file))
            }
            // epoll_wait, epoll_pwait, epoll_pwait2
            232 | 281 | 441 => {
                let info = format!("/proc/{process}/fdinfo/{first}");
                let info = std::fs::read_to_string(info).ok()?;
                let mut watched = info.lines().filter_map(|line| {
                    let rest = line.strip_prefix("tfd:")?;
                    rest.split_whitespace().next()?.parse().ok()
                });
                Some(watched.any(file))
            }
            // io_uring_enter: what it waits for isn't told.
            426 => None,
            _ => Some(false),
        }
    }
}

/// Whether this file of a process is the terminal with this number.
pub(super) fn is_terminal(device: u64, process: u32, file: u64) -> bool {
    let file = std::fs::metadata(format!("/proc/{process}/fd/{file}"));
    file.is_ok_and(|file| {
        file.file_type().is_char_device() && [device, OWN_TERMINAL].contains(&file.rdev())
    })
}

/// These settings, but that keys come at once and aren't shown. Signals and output stay.
pub(crate) fn key_by_key(settings: &Termios) -> Termios {
    let mut settings = settings.clone();
    settings.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    settings
}

/// Memory of another process.
fn memory(process: u32, at: u64, count: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(count).ok()?];
    let file = File::open(format!("/proc/{process}/mem")).ok()?;
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use rustix::event::epoll;
    use rustix::pty::{grantpt, openpt, ptsname, unlockpt, OpenptFlags};

    use super::*;

    /// Says to a process that the tests start how it is to wait.
    const HOW: &str = "HOT_TEST_WAITS";

    /// Waits in the way that is asked for, in a process of its own.
    #[test]
    #[ignore = "started by other tests"]
    fn waiting_in_a_process() {
        let stdin = io::stdin();
        let (pipe, _open) = rustix::pipe::pipe().expect("a pipe");
        let forever = None::<&Timespec>;
        let waited = match std::env::var(HOW).expect("said").as_str() {
            "read" => rustix::io::read(&stdin, &mut [0; 1]),
            "read a pipe" => rustix::io::read(&pipe, &mut [0; 1]),
            "poll" => poll(&mut [PollFd::new(&stdin, PollFlags::IN)], forever),
            "poll a pipe" => poll(&mut [PollFd::new(&pipe, PollFlags::IN)], forever),
            "epoll" => {
                let all = epoll::create(epoll::CreateFlags::empty()).expect("created");
                let data = epoll::EventData::new_u64(0);
                epoll::add(&all, &stdin, data, epoll::EventFlags::IN).expect("added");
                let mut found: Vec<epoll::Event> = Vec::with_capacity(1);
                epoll::wait(&all, rustix::buffer::spare_capacity(&mut found), None)
            }
            how => {
                if how == "read in a thread" {
                    std::thread::spawn(|| rustix::io::read(io::stdin(), &mut [0; 1]));
                }
                std::thread::sleep(Duration::from_secs(60));
                Ok(0)
            }
        };
        panic!("nothing was to come: {waited:?}");
    }

    fn waiting(how: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        let name = "os::linux::terminal::tests::waiting_in_a_process";
        command.args(["--exact", name, "--ignored", "--test-threads=1"]);
        command.env(HOW, how);
        command
    }

    #[track_caller]
    fn check(mut command: Command, expected: Readers) {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).expect("granted");
        unlockpt(&controller).expect("unlocked");
        let name = ptsname(&controller, Vec::new()).expect("its name");
        let name = name.to_str().expect("text");
        let user = File::options().read(true).write(true).open(name);
        let user = user.expect("opened");
        let terminal = Terminal {
            device: user.metadata().expect("a device").rdev(),
        };
        let mut child = command
            .stdin(user)
            .stdout(Stdio::null())
            .spawn()
            .expect("spawn");
        let start = Instant::now();
        let mut found = terminal.readers_in(child.id());
        // Who doesn't read has to go on not reading for a while.
        let enough = |found| found == expected && found != Readers::None;
        while !enough(found) && start.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(20));
            found = terminal.readers_in(child.id());
        }
        let lives = child.try_wait().expect("a child").is_none();
        child.kill().expect("killed");
        child.wait().expect("waited");
        assert!(lives, "{command:?} didn't wait");
        assert_eq!(found, expected, "{command:?}");
    }

    #[test]
    fn who_waits_for_the_terminal_is_found_in_every_way_to_wait() {
        for how in ["read", "poll", "epoll", "read in a thread"] {
            check(waiting(how), Readers::Some);
        }
        let mut select = Command::new("bash");
        select.args(["-c", "read -t 60 x"]);
        check(select, Readers::Some);
    }

    #[test]
    fn who_waits_for_something_else_is_no_reader() {
        for how in ["read a pipe", "poll a pipe", "sleep"] {
            check(waiting(how), Readers::None);
        }
    }
}
