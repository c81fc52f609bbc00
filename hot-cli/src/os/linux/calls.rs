//! What the processes below us are doing, by the kernel's own account: the system call in which
//! each of their threads sits.
//!
//! Knows nothing of what a call is good for.

use std::io;

use rustix::io::Errno;
use rustix::process::Pid;

/// What a thread is doing.
pub(super) enum Doing {
    /// It runs.
    Running,
    /// It sits in a system call.
    Calling(Call),
    Ended,
    /// The kernel doesn't tell.
    Untold,
}

/// A system call.
pub(super) struct Call {
    pub(super) number: i64,
    arguments: Vec<u64>,
}

impl Call {
    pub(super) fn argument(&self, number: usize) -> u64 {
        self.arguments.get(number).copied().unwrap_or(0)
    }
}

/// The processes that descend from us. The children of one are asked for after the caller has seen
/// to itself: what it has started until then is among them.
pub(super) fn below_us() -> impl Iterator<Item = u32> {
    let mut last = std::process::id();
    let mut family = Vec::new();
    let mut next = 0;
    std::iter::from_fn(move || {
        family.extend(children(last));
        last = *family.get(next)?;
        next += 1;
        Some(last)
    })
}

/// What each thread of a process is doing.
pub(super) fn doing(process: u32) -> impl Iterator<Item = Doing> {
    let call =
        move |thread| std::fs::read_to_string(format!("/proc/{process}/task/{thread}/syscall"));
    threads(process)
        .into_iter()
        .map(move |thread| match call(thread) {
            Ok(call) => said(&call),
            Err(error) if has_ended(&error) => Doing::Ended,
            Err(_) => Doing::Untold,
        })
}

/// In the kernel's words: a number and arguments, or that it runs.
fn said(call: &str) -> Doing {
    let mut words = call.split_whitespace();
    let Some(Ok(number)) = words.next().map(str::parse) else {
        return Doing::Running;
    };
    let arguments = words.map(|word| {
        let digits = word.trim_start_matches("0x");
        u64::from_str_radix(digits, 16).unwrap_or(0)
    });
    Doing::Calling(Call {
        number,
        arguments: arguments.collect(),
    })
}

fn has_ended(error: &io::Error) -> bool {
    let ended = [Errno::NOENT, Errno::SRCH];
    Errno::from_io_error(error).is_some_and(|error| ended.contains(&error))
}

fn threads(process: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
    let names = tasks.into_iter().flatten().flatten();
    names
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

/// The processes that a process has started and that live.
fn children(process: u32) -> Vec<u32> {
    let lists = threads(process).into_iter().filter_map(move |thread| {
        std::fs::read_to_string(format!("/proc/{process}/task/{thread}/children")).ok()
    });
    let own = lists.flat_map(|list| {
        let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
        pids.collect::<Vec<u32>>()
    });
    own.filter(|pid| Pid::from_raw(i32::try_from(*pid).unwrap_or(0)).is_some())
        .collect()
}
