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
use crate::{exit, init, inspect, offline, plugins, remote, session, shell, test};

/// First argument with which `cargo-hot` starts `hot`: the user typed `cargo hot …`.
///
/// `bin/cargo-hot.rs` holds the same text (two programs, no library between them); a test compares
/// them.
const AS_CARGO_SUBCOMMAND: &str = "--as-cargo-subcommand";

/// Cargo's commands that people would try after `hot` alone.
const CARGO_COMMANDS: &[&str] = &[
    "b", "bench", "build", "c", "check", "clean", "clippy", "d", "doc", "nextest", "r", "run", "t",
];

const AFTER_HELP: &str = "\
Examples:
  hot cargo run --bin server -- --port 8080
  hot --watch templates cargo run
  hot --include serde_json cargo run           functions of this dependency too
  hot --watch src -- sh -c 'cargo build && ./target/debug/app'
  cargo hot run --bin server                   the same as: hot cargo run --bin server
  hot test                                     runs the tests, stays, and runs those again that a save concerns
  hot build-patch -o fix.so, hot patch --pid PID fix.so     a program without a session that listens for patches

A program that has the name of one of hot's commands is started with `hot -- status …`.

Each option is a setting as well: no-restart = true below [package.metadata.hot] or [workspace.metadata.hot] in
Cargo.toml, or HOT_NO_RESTART=1. The command line is stronger than a variable, that than the package, that than the
workspace; lists add up. `hot config` shows what holds and where it comes from.

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
    // Options of a session stand before the user's command; a command of ours after them is seen to
    // by `with_own_command`.
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
    Test(test::TestArgs),
    Init(init::InitArgs),
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
    Config(session::ConfigArgs),
    Doctor(inspect::DoctorArgs),
    Expand(inspect::ExpandArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// Does what `arguments` ask for, which begin with the program's name. Prints help, version or an
/// error and ends the process where they ask for that.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let cargo = std::env::var_os("CARGO");
    let line = arguments.clone();
    let hot = Hot::read(arguments, cargo.as_deref()).unwrap_or_else(|error| error.exit());
    match hot.command {
        Some(command) => command.run(&line, &hot.session),
        None => session::run(hot.session),
    }
}

impl Command {
    /// `options` are those of a session that stood before it.
    fn run(&self, line: &[OsString], options: &session::Options) -> ExitCode {
        match self {
            Self::Test(args) => test::run(args, line),
            Self::Init(args) => shown(init::init(args)),
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
            Self::Config(args) => shown(session::config(args, options)),
            Self::Doctor(args) => shown(inspect::doctor(args)),
            Self::Expand(args) => shown(inspect::expand(args)),
            Self::Completions(args) => shown(shell::completions(args, Hot::command())),
            Self::Man(args) => shown(shell::man(args, Hot::command())),
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
        take_other_spellings(&mut args, &parser);
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
        let escaped = command_was_escaped(&args, hot.session.command.len());
        if !as_cargo && !escaped {
            hot = hot.with_own_command(&mut parser)?;
            if hot.command.is_some() {
                return Ok(hot);
            }
        }
        let command = &mut hot.session.command;
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

impl Hot {
    /// A command of ours may stand behind options of a session, for which clap takes it as the
    /// user's. `config` shows what comes of them; to the others they mean nothing.
    fn with_own_command(mut self, parser: &mut clap::Command) -> Result<Self, clap::Error> {
        let session = &mut self.session;
        let word = session.command.first().and_then(|word| word.to_str());
        let own = word.filter(|word| parser.find_subcommand(word).is_some());
        let Some(word) = own else {
            return Ok(self);
        };
        if word != "config" {
            let message = format!(
                "options of a session stand before `{word}`, a command of hot: it has its own \
                 (`hot {word} --help`)\nTo start a program that is named `{word}`: \
                 `hot [OPTIONS] -- {word} …`"
            );
            return Err(parser.error(ErrorKind::ArgumentConflict, message));
        }
        let own = std::mem::take(&mut session.command);
        let line = [OsString::from("hot")].into_iter().chain(own);
        self.command = Self::try_parse_from(line)?.command;
        Ok(self)
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

/// `-watch=DIR` and `-watch DIR`, as the first hot reloader of this name had it, are `--watch=DIR`;
/// `--browser 3000` is `--browser=3000`, which clap doesn't see where a value may be left out.
fn take_other_spellings(args: &mut Vec<OsString>, parser: &clap::Command) {
    let takes_next = |word: &str| {
        let name = word.strip_prefix("--");
        let mut options = parser.get_arguments();
        let option = options.find(|option| name.is_some() && option.get_long() == name);
        option.is_some_and(|option| {
            option.get_action().takes_values() && !option.is_require_equals_set()
        })
    };
    let mut at = 1;
    while let Some(text) = args
        .get(at)
        .and_then(|word| word.to_str())
        .filter(|word| word.starts_with('-') && *word != "--")
    {
        let is_watch = text == "-watch" || text.starts_with("-watch=");
        let mut word = if is_watch {
            format!("-{text}")
        } else {
            text.to_owned()
        };
        let next = args.get(at + 1);
        let skipped = takes_next(&word);
        if word == "--browser" {
            if let Some(ports) = next.filter(|next| session::Options::is_for_browser(next)) {
                word = format!("{word}={}", ports.to_string_lossy());
                args.remove(at + 1);
            }
        }
        args[at] = word.into();
        at += 1 + usize::from(skipped);
    }
}

/// Whether `--` stands right before the command, so that its first word is meant as it is.
fn command_was_escaped(args: &[OsString], command_len: usize) -> bool {
    args.len()
        .checked_sub(command_len + 1)
        .and_then(|before| args.get(before))
        .is_some_and(|arg| arg == "--")
}

/// `hot run` would start a program named `run`; that is never what was meant.
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
mod tests;
