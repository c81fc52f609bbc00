//! Processes by handle, so that a signal can't hit a stranger that got the same pid later; and who
//! descends from whom.
//!
//! Knows nothing of what the processes are.

use std::os::fd::OwnedFd;
use std::process::Child;

use rustix::process::{Pid, PidfdFlags, Signal};

use crate::os::{self, Stat};

/// One process, the same one as long as this value lives.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    /// Start time in clock ticks: together with the pid it names a process. `None`: it was gone
    /// before we looked.
    born: Option<u64>,
    /// Missing on kernels before 5.3 and in some sandboxes; the start time is compared there.
    handle: Option<OwnedFd>,
}

impl Process {
    /// A process that lives now.
    pub(super) fn open(pid: u32) -> Option<Self> {
        let raw = i32::try_from(pid).ok().filter(|pid| *pid > 1)?;
        let process = Self::new(Pid::from_raw(raw)?);
        process.born.is_some().then_some(process)
    }

    /// A child that nobody has waited for yet: its pid can't have been given to another.
    pub(super) fn child(child: &Child) -> Self {
        Self::new(Pid::from_child(child))
    }

    fn new(pid: Pid) -> Self {
        let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok();
        Self {
            pid,
            born: Stat::read(pid).map(|stat| stat.born),
            handle,
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal, if the process is still there.
    pub(super) fn signal(&self, signal: Signal) {
        // The only failure besides "it is gone" is a process that isn't ours: to be left alone.
        let _ = match &self.handle {
            Some(handle) => rustix::process::pidfd_send_signal(handle, signal),
            None if self.stat().is_some() => rustix::process::kill_process(self.pid, signal),
            None => Ok(()),
        };
    }

    /// Whether it can still do something; a zombie can't.
    pub(super) fn is_alive(&self) -> bool {
        self.stat()
            .is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
    }

    /// Whether it is a process of this user, and not this one itself.
    pub(super) fn is_ours(&self) -> bool {
        let own = rustix::process::geteuid().as_raw();
        self.id() != std::process::id() && os::owner(self.id()) == Some(own)
    }

    fn stat(&self) -> Option<Stat> {
        Stat::read(self.pid).filter(|stat| Some(stat.born) == self.born)
    }
}

/// The processes in our own process group that `root` started, directly or not, without `root`
/// itself.
pub(super) fn descendants(root: u32) -> Vec<Process> {
    let group = rustix::process::getpgrp().as_raw_nonzero().get();
    let all: Vec<Stat> = os::pids().filter_map(Stat::read).collect();
    let Ok(root) = i32::try_from(root) else {
        return Vec::new();
    };
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            all.iter()
                .filter(|stat| stat.parent == parent)
                .map(|stat| stat.pid),
        );
        next += 1;
    }
    let in_group = |pid: &i32| {
        all.iter()
            .any(|stat| stat.pid == *pid && stat.group == group)
    };
    let below = family.into_iter().skip(1).filter(in_group);
    below
        .filter_map(|pid| Process::open(u32::try_from(pid).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grandchildren_are_found() {
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "sleep 60; :"])
            .spawn()
            .expect("spawn");
        let sleeping = (0..200).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            descendants(shell.id()).pop()
        });
        let sleeping = sleeping.expect("the shell's child");
        assert!(descendants(std::process::id())
            .iter()
            .any(|process| process.id() == sleeping.id()));
        assert!(sleeping.is_alive() && sleeping.is_ours());
        sleeping.signal(Signal::KILL);
        shell.wait().expect("wait");
        assert!(!sleeping.is_alive());
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().expect("spawn");
        let process = Process::child(&child);
        while process.is_alive() {
            std::thread::yield_now();
        }
        child.wait().expect("wait");
        assert!(!process.is_alive());
        process.signal(Signal::KILL);
    }

    #[test]
    fn init_and_self_are_not_targets() {
        assert!(
            Process::open(0).is_none()
                && Process::open(1).is_none()
                && Process::open(u32::MAX).is_none()
        );
        assert!(!Process::open(std::process::id()).expect("own").is_ours());
    }
}
