//! The commands of `hot` beside a session: their arguments, and who does them.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::inspect::{self, DoctorArgs};
use crate::offline::{self, BuildPatchArgs, RequiredProgram};
use crate::remote::{self, Whom};
use crate::session;
use crate::ui::Reporter;

/// The words that `hot` takes for these commands.
pub(crate) const WORDS: [&str; 9] = [
    "status",
    "history",
    "diff",
    "rollback",
    "build-patch",
    "patch",
    "doctor",
    "expand",
    "attach",
];

/// Looks at sessions and programs, changes them by hand, and takes patches back.
#[derive(Debug, Parser)]
#[command(name = "hot", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What runs where, since when, how many patches, and the memory that they take
    Status {
        #[command(flatten)]
        whom: Whom,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The patches of the session of this project
    History {
        #[command(flatten)]
        whom: Whom,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// How the sources of what runs differ from those that the program was built from
    Diff {
        /// Only what this patch changed; its number as `hot history` says it
        patch: Option<u64>,
        /// The session with this pid (default: that of this project)
        #[arg(long, value_name = "PID")]
        session: Option<u32>,
    },
    /// Takes the last patch back, or the last N: the functions run exactly the code that they ran before
    Rollback {
        /// How many patches
        #[arg(default_value_t = 1, value_name = "N")]
        patches: usize,
        #[command(flatten)]
        whom: Whom,
    },
    /// Builds what was edited since a program was built into a plugin, without a session
    BuildPatch(BuildPatchArgs),
    /// Installs plugins in a program that listens (`soft_mock::reloader::socket::start`)
    Patch {
        #[command(flatten)]
        program: RequiredProgram,
        /// The plugins; all of them become active in one step
        #[arg(required = true, value_name = "PLUGIN")]
        plugins: Vec<PathBuf>,
    },
    /// How many functions of a project can be patched, and for the rest why not; nothing is run
    Doctor(DoctorArgs),
    /// Shows a source file as `hot` gives it to the compiler
    Expand {
        /// The file
        path: PathBuf,
        /// Byte for byte, with all that is added; not formatted
        #[arg(long)]
        raw: bool,
    },
    /// Takes up programs that live on after `hot` was killed: saved edits reach them again
    Attach(session::Attach),
}

/// Runs the command in `arguments`, which begin with the program's name.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| error.exit());
    if let Command::Attach(args) = &cli.command {
        return session::attach(args);
    }
    match cli.command.execute() {
        Ok(text) => {
            // A reader that has seen enough is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            Reporter::stderr(false).error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

impl Command {
    /// Does it. The result is for the standard output.
    fn execute(&self) -> Result<String> {
        match self {
            Self::Status { whom, json } => remote::status(whom, *json),
            Self::History { whom, json } => remote::history(whom, *json),
            Self::Diff { patch, session } => remote::diff(*patch, *session),
            Self::Rollback { patches, whom } => remote::rollback(*patches, whom),
            Self::BuildPatch(args) => offline::build_patch(args),
            Self::Patch { program, plugins } => offline::patch(program, plugins),
            Self::Doctor(args) => inspect::doctor(args),
            Self::Expand { path, raw } => inspect::expand(path, *raw),
            Self::Attach(_) => Ok(String::new()), // Has an exit code of its own.
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_accepts_the_definition_and_the_words_are_its_commands() {
        Cli::command().debug_assert();
        let command = Cli::command();
        let names: Vec<&str> = command.get_subcommands().map(|c| c.get_name()).collect();
        assert_eq!(names, WORDS);
    }
}
