//! Runs one command of another terminal: asks, and shows the answer.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{bail, Result};
use clap::Parser;
use soft_mock::reloader::protocol::{AskHistory, FromProgram, History, Rollback, ToProgram};

use super::cli::{Cli, ProgramArgs, RemoteCommand, Whom};
use super::program::ProgramLine;
use super::protocol::{Reply, Request};
use super::{desk, diff, find, show};
use crate::report::Reporter;

/// Runs the command in `arguments`, which begin with the program's name.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| error.exit());
    match execute(&cli.command) {
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

fn execute(command: &RemoteCommand) -> Result<String> {
    match command {
        RemoteCommand::Status { whom, json } => status(whom, *json),
        RemoteCommand::History { whom, json } => history(whom, *json),
        RemoteCommand::Diff { patch, session } => {
            let reply = ask(*session, &Request::Diff { patch: *patch })?;
            let Reply::Diff(files) = reply else {
                return unexpected(&reply);
            };
            let here = std::env::current_dir().unwrap_or_default();
            Ok(diff::unified(&files, &here))
        }
        RemoteCommand::Rollback { patches, whom } => rollback(*patches, whom),
    }
}

fn status(whom: &Whom, json: bool) -> Result<String> {
    if let Some(mut line) = whom.program.connect()? {
        let history = line.history()?;
        return match json {
            true => as_json(&history.status),
            false => Ok(show::program(&line.hello, &history)),
        };
    }
    let mut sessions = find::all();
    if let Some(pid) = whom.session {
        sessions = vec![find::one(Some(pid))?];
    }
    let mut all = Vec::new();
    for session in sessions {
        match desk::call(&session.folder, &Request::Status) {
            Ok(Reply::Status(status)) => all.push(status),
            Ok(other) => return unexpected(&other),
            // It has ended since.
            Err(_) if whom.session.is_none() => {}
            Err(error) => return Err(error),
        }
    }
    match (json, all.is_empty()) {
        (true, _) => as_json(&all),
        (false, true) => Ok("no session of `hot` runs\n".to_owned()),
        (false, false) => Ok(all.iter().map(show::session).collect()),
    }
}

fn history(whom: &Whom, json: bool) -> Result<String> {
    if let Some(mut line) = whom.program.connect()? {
        let history = line.history()?;
        return match json {
            true => as_json(&history.patches),
            false => Ok(show::program_history(&history)),
        };
    }
    let reply = ask(whom.session, &Request::History)?;
    let Reply::History(past) = reply else {
        return unexpected(&reply);
    };
    let first = past.first().map(|patch| &patch.program);
    let several = past.iter().any(|patch| Some(&patch.program) != first);
    match json {
        true => as_json(&past),
        false => Ok(show::history(&past, several)),
    }
}

fn rollback(patches: usize, whom: &Whom) -> Result<String> {
    if let Some(mut line) = whom.program.connect()? {
        let answer = line.ask(&ToProgram::Rollback(Rollback { id: 1, patches }))?;
        return line.outcome(answer);
    }
    match ask(whom.session, &Request::Rollback { patches })? {
        Reply::RolledBack(done) => Ok(show::rolled_back(&done)),
        Reply::Waiting => Ok("waiting for the program's safe point\n".to_owned()),
        other => unexpected(&other),
    }
}

fn ask(session: Option<u32>, request: &Request) -> Result<Reply> {
    match desk::call(&find::one(session)?.folder, request)? {
        Reply::Refused(why) => bail!("{why}"),
        reply => Ok(reply),
    }
}

fn unexpected<T>(reply: &Reply) -> Result<T> {
    bail!("the session gave another answer than was asked for: {reply:?}")
}

fn as_json(value: &impl serde::Serialize) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

impl ProgramArgs {
    /// The program that is meant, if one is.
    pub(crate) fn connect(&self) -> Result<Option<ProgramLine>> {
        match (self.pid, &self.socket) {
            (Some(pid), _) => ProgramLine::of_process(pid).map(Some),
            (None, Some(socket)) => ProgramLine::at(socket).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl ProgramLine {
    fn history(&mut self) -> Result<History> {
        match self.ask(&ToProgram::History(AskHistory { id: 1 }))? {
            FromProgram::History(history) => Ok(history),
            FromProgram::Refused(refused) => bail!("the program refused: {}", refused.error),
            _ => bail!("the program gave another answer than was asked for"),
        }
    }

    /// What came of a change, in words.
    pub(crate) fn outcome(&mut self, answer: FromProgram) -> Result<String> {
        match answer {
            FromProgram::Loaded(loaded) => Ok(format!("{}\n", loaded.report)),
            FromProgram::Waiting(_) => Ok("waiting for the program's safe point\n".to_owned()),
            FromProgram::Refused(refused) => bail!("the program refused: {}", refused.error),
            _ => bail!("the program gave another answer than was asked for"),
        }
    }
}
