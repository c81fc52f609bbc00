//! The tree of `hot`'s commands and options, from which `hot --help` comes, and who does what.
//!
//! Knows nothing of what a command does: each has its arguments beside its code. Whatever begins
//! with a word that is no command of `hot` is the user's own, and goes to a session untouched. (Not
//! by clap's external subcommands: the name of such a one must be Unicode, that of a program need
//! not.)

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::ui::Reporter;
use crate::{exit, inspect, offline, plugins, remote, session};

/// First argument with which `cargo-hot` starts `hot`: the user typed `cargo hot …`.
///
/// `bin/cargo-hot.rs` holds the same text (two programs, no library between them); a test compares
/// them.
const AS_CARGO_SUBCOMMAND: &str = "--as-cargo-subcommand";

/// Cargo's commands that people would try after `hot` alone.
const CARGO_COMMANDS: &[&str] = &[
    "b", "bench", "build", "c", "check", "clean", "clippy", "d", "doc", "nextest", "r", "run", "t",
    "test",
];

const AFTER_HELP: &str = "\
Examples:
  hot cargo run --bin server -- --port 8080
  hot --watch templates cargo run
  hot --include serde_json cargo run           functions of this dependency too
  hot --watch src -- sh -c 'cargo build && ./target/debug/app'
  cargo hot run --bin server                   the same as: hot cargo run --bin server
  hot build-patch -o fix.so, hot patch --pid PID fix.so     a program without a session that listens for patches

A program that has the name of one of hot's commands is started with `hot -- status …`.

Everything after hot's own options is your command. It keeps its arguments, environment, terminal and signals, and
hot ends when it ends, with its exit code (128 + signal when a signal killed it). What hot itself says goes to stderr,
in lines that begin with `hot:`.";

// What it is for is said by the options of a session, whose text comes with them.
#[derive(Debug, Parser)]
#[command(
    name = "hot",
    version,
    after_help = AFTER_HELP,
    override_usage = "hot [OPTIONS] <COMMAND>...\n       hot [OPTIONS] -- <COMMAND>...",
    subcommand_value_name = "HOT'S COMMAND",
    subcommand_help_heading = "Commands of hot itself",
    // Options of a session stand before the user's command: after them nothing is a command of
    // ours.
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Hot {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    session: session::Options,
}

// The commands beside a session; the text of each stands with its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Build(plugins::BuildOptions),
    Seal(plugins::SealArgs),
    WatchPlugins(plugins::WatchOptions),
    Status(remote::StatusArgs),
    History(remote::HistoryArgs),
    Diff(remote::DiffArgs),
    Rollback(remote::RollbackArgs),
    Restart(remote::RestartArgs),
    Pause(remote::PauseArgs),
    Resume(remote::ResumeArgs),
    BuildPatch(offline::BuildPatchArgs),
    Patch(offline::PatchArgs),
    Attach(session::AttachArgs),
    Doctor(inspect::DoctorArgs),
    Expand(inspect::ExpandArgs),
}

/// Does what `arguments` ask for, which begin with the program's name. Prints help, version or an
/// error and ends the process where they ask for that.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let cargo = std::env::var_os("CARGO");
    let hot = Hot::read(arguments, cargo.as_deref()).unwrap_or_else(|error| error.exit());
    match hot.command {
        Some(command) => command.run(),
        None => session::run(hot.session),
    }
}

impl Command {
    fn run(&self) -> ExitCode {
        match self {
            Self::Build(args) => plugins::build(args),
            Self::Seal(args) => plugins::seal(args),
            Self::WatchPlugins(args) => plugins::watch(args),
            Self::Status(args) => shown(remote::status(args)),
            Self::History(args) => shown(remote::history(args)),
            Self::Diff(args) => shown(remote::diff(args)),
            Self::Rollback(args) => shown(remote::rollback(args)),
            Self::Restart(args) => shown(remote::restart(args)),
            Self::Pause(args) => shown(remote::pause(args)),
            Self::Resume(args) => shown(remote::resume(args)),
            Self::BuildPatch(args) => shown(offline::build_patch(args)),
            Self::Patch(args) => shown(offline::patch(args)),
            Self::Attach(args) => session::attach(args),
            Self::Doctor(args) => shown(inspect::doctor(args)),
            Self::Expand(args) => shown(inspect::expand(args)),
        }
    }
}

/// The result of a command is for the standard output.
fn shown(result: Result<String>) -> ExitCode {
    match result {
        Ok(text) => {
            // A reader that has seen enough is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            Reporter::stderr(false).error(&format!("{error:#}"));
            ExitCode::from(exit::FAILED)
        }
    }
}

impl Hot {
    /// `args` with the program's name first; `cargo` is the cargo that `cargo hot` was called by.
    fn read(mut args: Vec<OsString>, cargo: Option<&OsStr>) -> Result<Self, clap::Error> {
        let as_cargo = args.get(1).is_some_and(|arg| arg == AS_CARGO_SUBCOMMAND);
        if as_cargo {
            args.remove(1);
        }
        let mut parser = parser(as_cargo);
        let mut matches = parser.try_get_matches_from_mut(&args)?;
        let read = match as_cargo {
            true => session::Options::from_arg_matches_mut(&mut matches).map(|session| Self {
                command: None,
                session,
            }),
            false => Self::from_arg_matches_mut(&mut matches),
        };
        let mut hot = read.map_err(|error| error.format(&mut parser))?;
        if hot.command.is_some() {
            return Ok(hot);
        }
        let command = &mut hot.session.command;
        let escaped = command_was_escaped(&args, command.len());
        match (as_cargo, escaped) {
            // `cargo hot -- sh -c …`: the user says that it's any command.
            (_, true) => {}
            (true, false) => {
                let cargo = cargo
                    .filter(|path| !path.is_empty())
                    .unwrap_or(OsStr::new("cargo"));
                command.insert(0, cargo.to_owned());
            }
            (false, false) => refuse_bare_cargo_command(&mut parser, command)?,
        }
        Ok(hot)
    }
}

fn parser(as_cargo: bool) -> clap::Command {
    if !as_cargo {
        return Hot::command();
    }
    // Every word is a command of cargo's here.
    let parser = clap::Command::new("hot")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(AFTER_HELP);
    session::Options::augment_args(parser)
        .bin_name("cargo hot")
        .override_usage(
            "cargo hot [OPTIONS] <CARGO COMMAND>...\n       cargo hot [OPTIONS] -- <ANY COMMAND>...",
        )
}

/// Whether `--` stands right before the command, so that its first word is meant as it is.
fn command_was_escaped(args: &[OsString], command_len: usize) -> bool {
    args.len()
        .checked_sub(command_len + 1)
        .and_then(|before| args.get(before))
        .is_some_and(|arg| arg == "--")
}

/// `hot run` would start a program named `run`; that is never what was meant, and `hot test` would
/// even find one.
fn refuse_bare_cargo_command(
    parser: &mut clap::Command,
    command: &[OsString],
) -> Result<(), clap::Error> {
    let Some(word) = command.first().and_then(|word| word.to_str()) else {
        return Ok(());
    };
    if !CARGO_COMMANDS.contains(&word) {
        return Ok(());
    }
    let message = format!(
        "`{word}` is a command of cargo: did you mean `hot cargo {word} …` (or `cargo hot {word} …`)?\n\
         To start a program that is named `{word}`: `hot -- {word} …`"
    );
    Err(parser.error(ErrorKind::InvalidValue, message))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::session::Options;
    use crate::ui::Format;

    fn read(line: &[&str]) -> Result<Options, clap::Error> {
        let hot = Hot::read(line.iter().map(OsString::from).collect(), None)?;
        assert!(hot.command.is_none(), "{line:?} is a command of hot");
        Ok(hot.session)
    }

    #[track_caller]
    fn check_command(line: &[&str], command: &[&str]) -> Options {
        let options = read(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert_eq!(options.command, command, "{line:?}");
        options
    }

    #[test]
    fn clap_accepts_the_definition() {
        Hot::command().debug_assert();
        parser(true).debug_assert();
    }

    #[test]
    fn the_command_is_untouched() {
        check_command(
            &[
                "hot", "cargo", "run", "--bin", "server", "--", "args", "--", "x",
            ],
            &["cargo", "run", "--bin", "server", "--", "args", "--", "x"],
        );
        check_command(&["hot", "cargo", "--help"], &["cargo", "--help"]);
        check_command(&["hot", "cargo", "--", "x"], &["cargo", "--", "x"]);
        check_command(
            &["hot", "app", "-v", "--no-restart"],
            &["app", "-v", "--no-restart"],
        );
        check_command(&["hot", "app", "", "a b"], &["app", "", "a b"]);
        check_command(
            &["hot", "--", "sh", "-c", "a && b"],
            &["sh", "-c", "a && b"],
        );
        check_command(&["hot", "--", "a", "--", "b"], &["a", "--", "b"]);
    }

    #[test]
    fn arguments_need_not_be_unicode() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![b'a', 0xff]);
        let args = vec!["hot".into(), "app".into(), odd.clone()];
        let options = Hot::read(args, None).expect("accepted").session;
        assert_eq!(options.command[1], odd);
    }

    #[test]
    fn own_options_come_first() {
        let options = check_command(
            &[
                "hot",
                "--no-restart",
                "--watch",
                "/",
                "--watch=/dev",
                "-v",
                "cargo",
                "run",
            ],
            &["cargo", "run"],
        );
        assert!(options.no_restart && options.verbose);
        assert_eq!(options.watch, [PathBuf::from("/"), PathBuf::from("/dev")]);

        let options = check_command(&["hot", "app", "--watch", "/"], &["app", "--watch", "/"]);
        assert_eq!(
            options,
            Options {
                no_restart: false,
                manual: false,
                no_keys: false,
                clear: false,
                quiet: false,
                message_format: Format::Human,
                watch: vec![],
                include: vec![],
                verbose: false,
                command: options.command.clone()
            }
        );
    }

    #[test]
    fn crates_are_included_one_by_one_or_as_a_list() {
        let line = [
            "hot",
            "--include",
            "itoa,ryu",
            "--include=rand@0.8",
            "cargo",
            "run",
        ];
        let options = check_command(&line, &["cargo", "run"]);
        assert_eq!(options.include, ["itoa", "ryu", "rand@0.8"]);
    }

    #[test]
    fn bare_cargo_commands_get_a_hint() {
        for word in ["run", "test"] {
            let error = read(&["hot", word, "--bin", "x"])
                .expect_err(word)
                .to_string();
            assert!(error.contains(&format!("hot cargo {word}")), "{error}");
        }
        check_command(&["hot", "--", "test", "-e", "/"], &["test", "-e", "/"]);
    }

    #[test]
    fn cargo_hot_is_hot_cargo() {
        check_command(
            &[
                "hot",
                AS_CARGO_SUBCOMMAND,
                "--no-restart",
                "run",
                "--bin",
                "x",
                "--",
                "y",
            ],
            &["cargo", "run", "--bin", "x", "--", "y"],
        );
        check_command(
            &["hot", AS_CARGO_SUBCOMMAND, "--", "sh", "-c", "x"],
            &["sh", "-c", "x"],
        );

        let args = ["hot", AS_CARGO_SUBCOMMAND, "run"]
            .map(OsString::from)
            .to_vec();
        let read = Hot::read(args, Some(OsStr::new("/toolchain/cargo")));
        let options = read.expect("accepted").session;
        assert_eq!(options.command, ["/toolchain/cargo", "run"]);
    }

    #[test]
    fn mistakes_are_errors() {
        assert_eq!(
            read(&["hot"]).expect_err("empty").kind(),
            ErrorKind::MissingRequiredArgument
        );
        assert_eq!(
            read(&["hot", "--frob", "app"]).expect_err("unknown").kind(),
            ErrorKind::UnknownArgument
        );
        let error = read(&["hot", "--watch", "/no/such/folder", "app"])
            .expect_err("missing path")
            .to_string();
        assert!(
            error.contains("/no/such/folder") && error.contains("No such file"),
            "{error}"
        );
    }

    #[test]
    fn commands_of_hot_are_told_from_programs() {
        for line in [
            &["hot", "status", "--json"][..],
            &["hot", "rollback", "2"],
            &["hot", "build", "plugins", "out", "--", "--release"],
            &["hot", "attach", "--pid", "7"],
        ] {
            let hot = Hot::read(line.iter().map(OsString::from).collect(), None);
            let hot = hot.unwrap_or_else(|error| panic!("{line:?}: {error}"));
            assert!(hot.command.is_some(), "{line:?}");
        }
        check_command(&["hot", "--", "status", "-x"], &["status", "-x"]);
        check_command(&["hot", "-v", "status"], &["status"]);
        let line = ["hot", AS_CARGO_SUBCOMMAND, "build", "--release"];
        check_command(&line, &["cargo", "build", "--release"]);
    }

    #[test]
    fn a_program_need_not_have_a_unicode_name() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![b'.', b'/', 0xff]);
        let hot = Hot::read(vec!["hot".into(), odd.clone(), "status".into()], None);
        assert_eq!(
            hot.expect("accepted").session.command,
            [odd, "status".into()]
        );
    }

    #[test]
    fn help_names_every_command() {
        let help = Hot::command().render_help().to_string();
        for command in Hot::command().get_subcommands() {
            assert!(help.contains(command.get_name()), "{}", command.get_name());
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
        assert!(
            help.starts_with("Runs a command and patches functions"),
            "{help}"
        );
        let cargo = parser(true).render_help().to_string();
        assert!(
            cargo.starts_with("Runs a command and patches functions"),
            "{cargo}"
        );
    }

    #[test]
    fn help_names_every_option() {
        let help = Hot::command().render_help().to_string();
        for part in [
            "--no-restart",
            "--watch <PATH>",
            "--include <CRATE>",
            "--verbose",
            "hot cargo run --bin server",
            "cargo hot run",
        ] {
            assert!(help.contains(part), "{part} is missing in:\n{help}");
        }
    }

    #[test]
    fn both_programs_use_the_same_marker() {
        assert!(include_str!("bin/cargo-hot.rs").contains(&format!("\"{AS_CARGO_SUBCOMMAND}\"")));
    }
}
