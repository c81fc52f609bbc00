//! What `/proc` says of processes.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::Pid;

/// A file that holds what a process runs, also after its own file was replaced.
pub(crate) fn executable(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/exe"))
}

/// The user of a process, if there is one.
pub(crate) fn owner(pid: u32) -> Option<u32> {
    let meta = std::fs::metadata(format!("/proc/{pid}")).ok()?;
    Some(meta.uid())
}

/// All processes.
pub(crate) fn pids() -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// A line of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: i32,
    pub(crate) state: char,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// Start time in clock ticks.
    pub(crate) born: u64,
}

impl Stat {
    /// Of a process, if there is one.
    pub(crate) fn read(pid: Pid) -> Option<Self> {
        let raw = pid.as_raw_nonzero().get();
        let line = std::fs::read(format!("/proc/{raw}/stat")).ok()?;
        Self::parse(raw, &String::from_utf8_lossy(&line))
    }

    fn parse(pid: i32, line: &str) -> Option<Self> {
        // The command's name, in parentheses, may itself hold blanks and parentheses.
        let (_, rest) = line.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        // Field 22 of the line; `state` is field 3, and three were taken.
        let born = fields.nth(16)?.parse().ok()?;
        Some(Self {
            pid,
            state,
            parent,
            group,
            born,
        })
    }
}

/// The process that traces another, as debuggers do.
pub(crate) fn tracer(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    tracer_in(&status)
}

fn tracer_in(status: &str) -> Option<u32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok().filter(|pid| *pid != 0)
}

/// What a process is called.
pub(crate) fn name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    name.map_or_else(|_| "?".to_owned(), |name| name.trim().to_owned())
}

/// The signals that are ignored now, by the kernel's own account; none where it can't be read.
pub(crate) fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status).unwrap_or(0)
}

fn ignored_in(status: &str) -> Option<u64> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses() {
        let line = "7 (a) S 1 (b) R 3 4 5 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9876 1 2 3";
        let stat = Stat::parse(7, line);
        assert_eq!(
            stat,
            Some(Stat {
                pid: 7,
                state: 'R',
                parent: 3,
                group: 4,
                born: 9876
            })
        );
        assert_eq!(Stat::parse(7, "7 (a) S 1"), None);
        assert_eq!(Stat::parse(7, ""), None);
    }

    #[test]
    fn who_traces_is_told() {
        assert_eq!(tracer_in("Name:\tx\nTracerPid:\t71\n"), Some(71));
        assert_eq!(tracer_in("Name:\tx\nTracerPid:\t0\n"), None);
        assert_eq!(tracer(std::process::id()), None);
        assert_ne!(name(std::process::id()), "?");
    }

    #[test]
    fn own_line_is_read() {
        let stat = Stat::read(rustix::process::getpid()).expect("own stat");
        assert_eq!(
            u32::try_from(stat.parent),
            Ok(std::os::unix::process::parent_id())
        );
        assert!(stat.born > 0);
    }

    #[test]
    fn the_kernels_mask_is_read() {
        assert_eq!(
            ignored_in("Name:\tx\nSigIgn:\t0000000000001001\n"),
            Some(0x1001)
        );
        assert_eq!(ignored_in("Name:\tx\n"), None);
        // The standard library of a Rust program ignores SIGPIPE.
        assert_ne!(ignored() & (1 << 12), 0);
    }
}
