//! Building again before a restart, so that a program that runs is not ended for one that doesn't build.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::cargo::command_line::is_cargo;
use crate::child::Launch;

/// The command that builds what `launch` would build and run; none if it isn't cargo's.
pub(crate) fn build_only(launch: &Launch) -> Option<Command> {
    if !is_cargo(&launch.program) {
        return None;
    }
    let position = launch
        .args
        .iter()
        .position(|arg| !arg.to_string_lossy().starts_with(['-', '+']))?;
    let (word, extra) = match launch.args[position].to_str()? {
        "run" | "r" => ("build", None),
        "test" | "t" => ("test", Some("--no-run")),
        _ => return None,
    };
    let mut args: Vec<OsString> = launch
        .args
        .iter()
        .take_while(|arg| *arg != "--")
        .cloned()
        .collect();
    args[position] = word.into();
    args.extend(extra.map(OsString::from));
    let mut command = Command::new(&launch.program);
    command
        .args(args)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null());
    Some(command)
}

#[cfg(test)]
mod tests {
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
