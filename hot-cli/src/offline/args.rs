//! What patches without a session are asked for.

use std::path::PathBuf;

use clap::Args;

/// Builds what was edited since a program was built into a plugin, without a session
#[derive(Debug, Args)]
pub(crate) struct BuildPatchArgs {
    /// The executable, as `hot cargo build` or `hot cargo run` left it (default: that of this
    /// project)
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

/// Installs plugins in a program that listens (`soft_mock::reloader::socket::start`)
#[derive(Debug, Args)]
pub(crate) struct PatchArgs {
    #[command(flatten)]
    pub(crate) program: RequiredProgram,
    /// The plugins; all of them become active in one step
    #[arg(required = true, value_name = "PLUGIN")]
    pub(crate) plugins: Vec<PathBuf>,
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
