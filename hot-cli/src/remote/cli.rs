//! The arguments of the commands for other terminals. Knows nothing of what they do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The words that `hot` takes for these commands.
pub(crate) const WORDS: [&str; 4] = ["status", "history", "diff", "rollback"];

/// Looks at sessions and at programs that listen, and takes patches back.
#[derive(Debug, Parser)]
#[command(name = "hot", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: RemoteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RemoteCommand {
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
