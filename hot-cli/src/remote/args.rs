//! What each command is asked for, and which session or program is meant.

use std::path::PathBuf;

use clap::Args;

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

/// What runs where, since when, how many patches, and the memory that they take; this project's
/// first
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// Then what the session says, as it says it, until it ends
    #[arg(long, short, conflicts_with_all = ["json", "pid", "socket"])]
    pub(crate) follow: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The patches of the session of this project
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How the sources of what runs differ from those that the program was built from
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Only what this patch changed; its number as `hot history` says it
    pub(crate) patch: Option<u64>,
    /// The session with this pid (default: that of this project)
    #[arg(long, value_name = "PID")]
    pub(crate) session: Option<u32>,
}

/// Builds the project of this session again and restarts its program, with what it hands over
#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) whom: SessionArgs,
}

/// Collects saves of this project's session until `hot resume`
#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    pub(crate) whom: SessionArgs,
}

/// Applies what was saved since `hot pause`, or in a session that is `--manual`
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) whom: SessionArgs,
}

/// A session.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// The session with this pid (default: that of this project)
    #[arg(long, value_name = "PID")]
    pub(crate) session: Option<u32>,
}

/// Takes the last patch back, or the last N: the functions run exactly the code that they ran
/// before
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// How many patches
    #[arg(default_value_t = 1, value_name = "N")]
    pub(crate) patches: usize,
    #[command(flatten)]
    pub(crate) whom: Whom,
}
