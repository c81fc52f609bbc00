//! Which processes wait for a lock of a file, by the kernel's own table.

use rustix::process::Pid;

use super::processes::Stat;

/// A process that can't go on before another one gives a lock back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockWait {
    pub(crate) waiting: u32,
    /// None: it is none that can be seen from here.
    pub(crate) holder: Option<u32>,
}

/// All of them.
pub(crate) fn lock_waits() -> Vec<LockWait> {
    let table = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    waits_in(&table)
}

fn waits_in(table: &str) -> Vec<LockWait> {
    let mut waits = Vec::new();
    let mut holder = None;
    for line in table.lines() {
        let mut words = line.split_whitespace().skip(1).peekable();
        let waits_here = words.next_if_eq(&"->").is_some();
        // What kind of lock it is, how strict, and what for.
        let pid = words.nth(3).and_then(|pid| pid.parse().ok());
        let pid = pid.filter(|pid| *pid > 0);
        match (waits_here, pid) {
            (false, pid) => holder = pid,
            (true, Some(waiting)) => waits.push(LockWait { waiting, holder }),
            (true, None) => {}
        }
    }
    waits
}

/// Whether another process has started one, directly or not.
pub(crate) fn descends_from(pid: u32, ancestor: u32) -> bool {
    let parent = |pid: &u32| {
        let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw)?;
        u32::try_from(Stat::read(pid)?.parent).ok()
    };
    // As long as parents are older than their children, there is an end.
    std::iter::successors(Some(pid), parent)
        .skip(1)
        .take_while(|pid| *pid > 0)
        .any(|pid| pid == ancestor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_whom() {
        let table = "\
1: FLOCK  ADVISORY  WRITE 70 fe:00:574 0 EOF
1: -> FLOCK  ADVISORY  WRITE 71 fe:00:574 0 EOF
1: -> FLOCK  ADVISORY  READ  72 fe:00:574 0 EOF
2: POSIX  ADVISORY  WRITE 0 fe:00:10395681 0 EOF
2: -> POSIX  ADVISORY  WRITE 73 fe:00:10395681 0 EOF
3: FLOCK  ADVISORY  WRITE 74 fe:00:575 0 EOF
garbage
";
        let found = waits_in(table).into_iter();
        let found: Vec<_> = found.map(|wait| (wait.waiting, wait.holder)).collect();
        assert_eq!(found, [(71, Some(70)), (72, Some(70)), (73, None)]);
    }

    #[test]
    fn children_descend_from_their_parents() {
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("a child");
        assert!(descends_from(child.id(), own));
        assert!(!descends_from(own, child.id()) && !descends_from(own, own));
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }
}
