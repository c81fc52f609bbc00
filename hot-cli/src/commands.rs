//! The commands of `hot` beside a session: their arguments, and who does them.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::report::Reporter;
use crate::{by_hand, doctor, remote, session};

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
            Self::BuildPatch(args) => by_hand::build_patch(args),
            Self::Patch { program, plugins } => by_hand::patch(program, plugins),
            Self::Doctor(args) => doctor::doctor(args),
            Self::Expand { path, raw } => doctor::expand(path, *raw),
            Self::Attach(_) => Ok(String::new()), // Has an exit code of its own.
        }
    }
}

/// Which project is looked at, and how that is shown.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The project (default: that of this folder)
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Its examples too
    #[arg(long)]
    pub(crate) examples: bool,
    /// As the release profile builds it: the optimiser inlines small functions
    #[arg(long, short)]
    pub(crate) release: bool,
    /// This dependency too; several times, or with commas
    #[arg(long, value_name = "CRATE", value_delimiter = ',')]
    pub(crate) include: Vec<String>,
    /// As JSON, with every function
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to build a plugin for, and where to put it.
#[derive(Debug, Args)]
pub(crate) struct BuildPatchArgs {
    /// The executable, as `hot cargo build` or `hot cargo run` left it (default: that of this project)
    pub(crate) program: Option<PathBuf>,
    /// The file for the plugin
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The program's name, where the project has several
    #[arg(long, value_name = "NAME", conflicts_with = "program")]
    pub(crate) bin: Option<String>,
    /// The program was built with the release profile
    #[arg(long, short, conflicts_with = "program")]
    pub(crate) release: bool,
    /// The program was built with this profile
    #[arg(long, value_name = "NAME", conflicts_with_all = ["program", "release"])]
    pub(crate) profile: Option<String>,
    /// The project (default: that of this folder)
    #[arg(long, value_name = "PATH", conflicts_with = "program")]
    pub(crate) manifest_path: Option<PathBuf>,
}

/// A session, or a program that has a socket of its own.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// The session with this pid (default: that of this project)
    #[arg(long, value_name = "PID")]
    pub(crate) session: Option<u32>,
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

/// A program that listens itself.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ProgramArgs {
    /// The process with this pid, which listens at a socket of its own
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// The program that listens at this socket
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

/// A program that listens itself, and that has to be named.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RequiredProgram {
    /// The process with this pid, which listens at a socket of its own
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// The program that listens at this socket
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
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
