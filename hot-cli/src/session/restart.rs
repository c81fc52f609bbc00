//! Building again before a restart, so that a program that runs is not ended for one that doesn't
//! build.

use std::process::{Command, Stdio};

use crate::cargo::command_line::{self, is_cargo};
use crate::child::Launch;

/// The command that builds what `launch` would build and run; none if it isn't cargo's.
pub(crate) fn build_only(launch: &Launch) -> Option<Command> {
    if !is_cargo(&launch.program) {
        return None;
    }
    let args = command_line::build_only(&launch.args)?;
    let mut command = Command::new(&launch.program);
    command
        .args(args)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null());
    Some(command)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn check(args: &[&str], expected: Option<&str>) {
        let launch = Launch {
            program: "/usr/bin/cargo".into(),
            args: args.iter().map(OsString::from).collect(),
            env: Vec::new(),
        };
        let found = build_only(&launch).map(|command| {
            let words: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
            words.join(" ")
        });
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn run_becomes_build() {
        check(&["run", "--bin", "a", "--", "x"], Some("build --bin a"));
        check(&["+stable", "r"], Some("+stable build"));
        check(
            &["test", "-p", "x", "--", "name"],
            Some("test -p x --no-run"),
        );
        check(&["watch"], None);
    }
}
