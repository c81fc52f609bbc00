//! `hot` and what it started, from outside: whether it works, and its end.

use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{kill_process_group, Pid, Signal};
use soft_mock_tests::process;

/// `hot` and what it started; dropping it ends them.
pub(crate) struct Group(pub(crate) Child);

impl Group {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether `hot` has anything to do: a thread that runs or would if the machine weren't busy,
    /// or a child beside the user's command. The process `program` as well.
    pub(crate) fn works(&self, program: u32) -> bool {
        let pid = self.pid();
        process::is_busy(pid) || process::is_busy(program) || process::children(pid) > 1
    }
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
