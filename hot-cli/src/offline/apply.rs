//! Installs plugins in a program that listens.

use std::path::PathBuf;

use anyhow::{Context, Result};
use soft_mock_abi::protocol::{Load, ToProgram};

use super::args::PatchArgs;
use crate::remote::program::ProgramConnection;

/// Installs plugins in one step. Returns what the program says.
pub(crate) fn patch(args: &PatchArgs) -> Result<String> {
    let PatchArgs { program, plugins } = args;
    // The program may stand in another folder.
    let plugins = plugins
        .iter()
        .map(|plugin| std::path::absolute(plugin).with_context(|| plugin.display().to_string()))
        .collect::<Result<Vec<PathBuf>>>()?;
    let mut connection = ProgramConnection::to(program.pid, program.socket.as_deref())?
        .context("name a program with --pid or --socket")?;
    let answer = connection.request(&ToProgram::Load(Load {
        id: 1,
        plugins,
        ..Load::default()
    }))?;
    connection.outcome(answer)
}
