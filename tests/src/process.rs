//! Finds the processes that belong to a project, whoever started them and in whatever group they
//! are.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{kill_process, Pid, Signal};

/// The variable that marks them. It is inherited, and the same with and without `hot`.
pub const MARK: &str = "E2E_MARK";

/// A process that carries a mark.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub id: Pid,
    /// Its command line.
    pub command: String,
}

/// All living processes with this mark.
pub fn marked(mark: &str) -> Vec<Process> {
    let entry = format!("{MARK}={mark}");
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders
        .filter_map(|folder| {
            let id = folder
                .file_name()
                .to_str()?
                .parse()
                .ok()
                .and_then(Pid::from_raw)?;
            // A process that ended but was not waited for has an empty environment: it isn't alive.
            let environment = fs::read(folder.path().join("environ")).ok()?;
            let carries = environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == entry.as_bytes());
            let line = fs::read(folder.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&line).replace('\0', " ");
            carries.then_some(Process { id, command })
        })
        .collect()
}

/// The processes that are still alive after some time was given to all of them.
pub fn remaining(mark: &str, time: Duration) -> Vec<Process> {
    let end = Instant::now() + time;
    loop {
        let processes = marked(mark);
        if processes.is_empty() || Instant::now() > end {
            return processes;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process has a thread that runs, or would if the machine weren't busy.
pub fn is_busy(pid: u32) -> bool {
    let states = threads(pid).into_iter().filter_map(|thread| {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/stat")).ok()?;
        // Behind the name, which may hold anything.
        text.rsplit_once(") ")?.1.chars().next()
    });
    states.into_iter().any(|state| matches!(state, 'R' | 'D'))
}

/// How many children a process has.
pub fn children(pid: u32) -> usize {
    let lists = threads(pid).into_iter().filter_map(|thread| {
        fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).ok()
    });
    lists
        .map(|list| list.split_ascii_whitespace().count())
        .sum()
}

fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| task.file_name().into_string().ok())
        .collect()
}

/// Ends all processes with this mark.
pub fn kill(mark: &str) {
    for process in marked(mark) {
        // It may have ended by itself in between.
        let _ = kill_process(process.id, Signal::KILL);
    }
}
