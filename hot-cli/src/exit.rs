//! The exit codes of `hot`, all of them.
//!
//! A session ends with the exit code of the user's command. Every other command ends with 0, or
//! with one of these.

use std::process::ExitStatus;

/// What was asked for could not be done; stderr says why.
pub(crate) const FAILED: u8 = 1;

/// The arguments can't be understood, as with most programs (clap ends with it by itself).
pub(crate) const USAGE: u8 = 2;

/// In place of rustc: the crate doesn't compile. It is rustc's own code for that.
pub(crate) const NOT_COMPILED: u8 = 101;

/// A test failed. It is cargo's own code for that.
pub(crate) const TESTS_FAILED: u8 = 101;

/// The user's command can't be executed, as shells say it.
pub(crate) const NOT_EXECUTABLE: u8 = 126;

/// The user's command isn't there, as shells say it.
pub(crate) const NOT_FOUND: u8 = 127;

/// A signal ended the user's command, or `hot` itself: this and the signal's number, as shells say
/// it.
pub(crate) fn of_signal(signal: i32) -> u8 {
    // The highest signal is 64.
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// How the user's command ended: its own code, or that of the signal.
pub(crate) fn of_command(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let own = status
        .code()
        .map(|code| u8::try_from(code).unwrap_or(FAILED));
    own.or_else(|| status.signal().map(of_signal))
        .unwrap_or(FAILED)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn commands_end_as_under_a_shell() {
        assert_eq!(of_command(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(of_command(ExitStatus::from_raw(9)), 137);
        assert_eq!(of_signal(15), 143);
    }

    #[test]
    fn both_programs_agree_on_a_command_that_is_not_there() {
        let text = format!("const NOT_FOUND: u8 = {NOT_FOUND};");
        assert!(include_str!("bin/cargo-hot.rs").contains(&text));
    }
}
