//! `hot` and what it started, from outside: whether it works, and its end.

use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{kill_process_group, Pid, Signal};

/// `hot` and what it started; dropping it ends them.
pub(super) struct Group(pub(super) Child);

impl Group {
    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether `hot` has anything to do: a thread that runs or would if the machine weren't busy, or a
    /// child beside the user's command. The process `program` as well.
    pub(super) fn works(&self, program: u32) -> bool {
        let runs = |pid| {
            threads(pid)
                .iter()
                .any(|(_, state)| matches!(state, 'R' | 'D'))
        };
        runs(self.pid()) || runs(program) || self.children() > 1
    }

    fn children(&self) -> usize {
        let pid = self.pid();
        let lists = threads(pid).into_iter().filter_map(|(thread, _)| {
            fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).ok()
        });
        lists
            .map(|list| list.split_ascii_whitespace().count())
            .sum()
    }
}

/// The threads of a process, and what each does.
fn threads(pid: u32) -> Vec<(String, char)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let names = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| task.file_name().into_string().ok());
    names
        .filter_map(|name| {
            let text = fs::read_to_string(format!("/proc/{pid}/task/{name}/stat")).ok()?;
            // Behind the name, which may hold anything.
            let (_, rest) = text.rsplit_once(") ")?;
            Some((name, rest.chars().next()?))
        })
        .collect()
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            for signal in [Signal::TERM, Signal::KILL] {
                // The group may be gone already.
                let _ = kill_process_group(group, signal);
                let end = Instant::now() + Duration::from_secs(5);
                while Instant::now() < end && matches!(self.0.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        // Nothing is left to be done about a child that can't be waited for.
        let _ = self.0.wait();
    }
}
