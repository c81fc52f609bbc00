//! Which session or program a command is for.

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
