//! The folders of other sessions of this user: which are in use, which are dead, and in which of
//! those a program lives on.
//!
//! Knows nothing of what is in them, besides the lock and the names of programs' copies.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::process::Pid;

use super::{numbered, places, LOADED, LOCK, PREFIX};

/// Best effort: what can't be read or removed stays.
pub(super) fn remove_stale(place: &Path) {
    let Ok(entries) = std::fs::read_dir(place) else {
        return;
    };
    for entry in entries.flatten() {
        if is_stale(&entry.path(), &entry.file_name()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn is_stale(folder: &Path, name: &OsString) -> bool {
    is_own(folder, name).is_some_and(is_dead)
        && !is_locked(folder)
        && programs(folder).next().is_none()
}

/// Folders of sessions of this user that were killed, and the pids of their programs that live on.
pub(crate) fn orphans() -> Vec<(PathBuf, Vec<u32>)> {
    // Not by the pid: a process that was killed keeps it until somebody has taken note of that.
    let folders = of_this_user().into_iter();
    let dead = folders.filter(|(folder, _)| !is_locked(folder));
    let living = dead.map(|(folder, _)| {
        let pids = programs(&folder).collect();
        (folder, pids)
    });
    living
        .filter(|(_, pids): &(_, Vec<u32>)| !pids.is_empty())
        .collect()
}

/// The processes that joined the session and live.
pub(super) fn programs(folder: &Path) -> impl Iterator<Item = u32> {
    numbered(folder, LOADED)
        .filter_map(|number| u32::try_from(number).ok())
        .filter(|pid| {
            let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw);
            pid.is_some_and(|pid| !is_dead(pid))
        })
}

/// The folders of all sessions of this user that run, wherever they may be.
pub(crate) fn running() -> Vec<PathBuf> {
    let folders = of_this_user().into_iter().map(|(folder, _)| folder);
    folders.filter(|folder| is_locked(folder)).collect()
}

/// The folders of all sessions of this user, and the pids in their names.
fn of_this_user() -> Vec<(PathBuf, Pid)> {
    let mut folders = Vec::new();
    for place in places() {
        let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
        folders.extend(entries.filter_map(|entry| {
            let pid = is_own(&entry.path(), &entry.file_name())?;
            Some((entry.path(), pid))
        }));
    }
    folders.sort_by(|(one, _): &(PathBuf, Pid), (other, _)| one.cmp(other));
    folders.dedup();
    folders
}

/// The pid in the name of a session's folder, if it is one of this user.
fn is_own(folder: &Path, name: &OsString) -> Option<Pid> {
    let pid = pid_of(name)?;
    // Not through a symbolic link: it might lead to a folder of ours that is no session's.
    let meta = folder.symlink_metadata().ok()?;
    let is_own = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw();
    is_own.then_some(pid)
}

/// The pid in `hot-<pid>-<random>`.
fn pid_of(name: &OsString) -> Option<Pid> {
    let rest = name.as_bytes().strip_prefix(PREFIX.as_bytes())?;
    let (pid, random) = std::str::from_utf8(rest).ok()?.split_once('-')?;
    if random.is_empty() || !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Pid::from_raw(pid.parse().ok().filter(|pid| *pid > 0)?)
}

fn is_dead(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

fn is_locked(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err(),
        Err(_) => false,
    }
}
