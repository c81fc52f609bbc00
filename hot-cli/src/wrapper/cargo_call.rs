//! The compiler call as cargo made it, and the compiler that it names, called with other arguments.
//!
//! Knows nothing of what is compiled.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result};

use crate::exit;
use crate::rustc::args::RustcArgs;

/// Whether cargo is told of what is finished, so that dependents can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notices {
    ToCargo,
    /// What is compiled is no file of cargo's yet.
    Dropped,
}

#[derive(Debug, Clone)]
pub(crate) struct CargoCall {
    pub(crate) rustc: PathBuf,
    pub(crate) chained: Option<PathBuf>,
    pub(super) arguments: Vec<OsString>,
}

impl CargoCall {
    /// The compiler, behind the wrapper that was set before ours.
    pub(crate) fn command(&self) -> Command {
        match &self.chained {
            Some(wrapper) => {
                let mut command = Command::new(wrapper);
                command.arg(&self.rustc);
                command
            }
            None => Command::new(&self.rustc),
        }
    }

    /// Runs the call as it is.
    pub(super) fn pass_through(&self) -> ExitCode {
        exit_code(self.command().args(&self.arguments).status())
    }

    /// Runs the compiler. Notices of finished artifacts go to cargo at once or nowhere; everything
    /// else that it says is returned. `variables` are more of its environment.
    pub(super) fn run(
        &self,
        args: &RustcArgs,
        variables: Vec<(&str, OsString)>,
        notices: Notices,
    ) -> Result<(ExitStatus, Vec<String>)> {
        let mut command = self.command();
        command.args(&args.all).stderr(Stdio::piped());
        command.envs(variables);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .with_context(|| format!("can't start {program}"))?;
        let mut lines = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            for line in BufReader::new(stderr).lines() {
                let line = line?;
                let is_notice = line.starts_with("{\"$message_type\":\"artifact\"");
                match (is_notice, notices) {
                    (true, Notices::ToCargo) => writeln!(std::io::stderr(), "{line}")?,
                    (true, Notices::Dropped) => {}
                    (false, _) => lines.push(line),
                }
            }
        }
        Ok((child.wait()?, lines))
    }
}

/// The exit code of the compiler, or that of a wrapper that could not start it.
pub(crate) fn exit_code(status: std::io::Result<ExitStatus>) -> ExitCode {
    match status {
        Ok(status) => ExitCode::from(
            status
                .code()
                .map_or(exit::NOT_COMPILED, |code| code.clamp(0, 255) as u8),
        ),
        Err(error) => {
            eprintln!("hot: can't start the compiler: {error}");
            ExitCode::from(exit::NOT_COMPILED)
        }
    }
}
