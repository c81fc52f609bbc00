//! The commands of another terminal: each asks, and returns the answer in words.

use anyhow::{bail, Result};
use soft_mock_abi::protocol::{AskHistory, FromProgram, History, Rollback, ToProgram};

use super::args::{
    DiffArgs, HistoryArgs, PauseArgs, ProgramArgs, RestartArgs, ResumeArgs, RollbackArgs,
    StatusArgs,
};
use super::diff::unified;
use super::program::ProgramConnection;
use super::{find, follow, server, show};
use crate::protocol::{Reply, Request};

pub(crate) fn diff(args: &DiffArgs) -> Result<String> {
    let reply = request(args.session, &Request::Diff { patch: args.patch })?;
    let Reply::Diff(files) = reply else {
        return unexpected(&reply);
    };
    let here = std::env::current_dir().unwrap_or_default();
    Ok(unified(&files, &here))
}

pub(crate) fn status(args: &StatusArgs) -> Result<String> {
    let StatusArgs { whom, json, follow } = args;
    if *follow {
        let session = find::one(whom.session)?;
        let Reply::Status(status) = server::call(&session.folder, &Request::Status)? else {
            bail!("the session gave another answer than was asked for");
        };
        return follow::follow(&session, &show::session(&status));
    }
    if let Some(mut program) = whom.program.connect()? {
        let history = program.history()?;
        return match json {
            true => as_json(&history.status),
            false => Ok(show::program(&program.hello, &history)),
        };
    }
    let here = std::env::current_dir().unwrap_or_default();
    let mut sessions = find::all_in_order(&here);
    if let Some(pid) = whom.session {
        sessions = vec![find::one(Some(pid))?];
    }
    let mut all = Vec::new();
    for session in sessions {
        match server::call(&session.folder, &Request::Status) {
            Ok(Reply::Status(status)) => all.push(status),
            Ok(other) => return unexpected(&other),
            // It has ended since.
            Err(_) if whom.session.is_none() => {}
            Err(error) => return Err(error),
        }
    }
    match (*json, all.is_empty()) {
        (true, _) => as_json(&all),
        (false, true) => Ok("no session of `hot` runs\n".to_owned()),
        (false, false) => Ok(all.iter().map(show::session).collect()),
    }
}

/// The processes of this project's sessions.
pub(crate) fn programs_here() -> Vec<u32> {
    let status = |session: find::Session| {
        let reply = server::call(&session.folder, &Request::Status).ok()?;
        match reply {
            Reply::Status(status) => Some(status.processes),
            _ => None,
        }
    };
    let processes = find::here().into_iter().filter_map(status).flatten();
    processes.map(|process| process.pid).collect()
}

pub(crate) fn history(args: &HistoryArgs) -> Result<String> {
    let HistoryArgs { whom, json } = args;
    if let Some(mut program) = whom.program.connect()? {
        let history = program.history()?;
        return match json {
            true => as_json(&history.patches),
            false => Ok(show::program_history(&history)),
        };
    }
    let reply = request(whom.session, &Request::History)?;
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

pub(crate) fn rollback(args: &RollbackArgs) -> Result<String> {
    let RollbackArgs { patches, whom } = args;
    let patches = *patches;
    if let Some(mut program) = whom.program.connect()? {
        let reply = program.request(&ToProgram::Rollback(Rollback { id: 1, patches }))?;
        return program.outcome(reply);
    }
    match request(whom.session, &Request::Rollback { patches })? {
        Reply::RolledBack(done) => Ok(show::rolled_back(&done)),
        Reply::Waiting => Ok("waiting for the program's safe point\n".to_owned()),
        other => unexpected(&other),
    }
}

pub(crate) fn restart(args: &RestartArgs) -> Result<String> {
    done(args.whom.session, &Request::Restart)
}

pub(crate) fn pause(args: &PauseArgs) -> Result<String> {
    done(args.whom.session, &Request::Pause)
}

pub(crate) fn resume(args: &ResumeArgs) -> Result<String> {
    done(args.whom.session, &Request::Resume)
}

fn done(session: Option<u32>, request: &Request) -> Result<String> {
    match self::request(session, request)? {
        Reply::Done(what) => Ok(format!("{what}\n")),
        other => unexpected(&other),
    }
}

fn request(session: Option<u32>, request: &Request) -> Result<Reply> {
    match server::call(&find::one(session)?.folder, request)? {
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
    fn connect(&self) -> Result<Option<ProgramConnection>> {
        ProgramConnection::to(self.pid, self.socket.as_deref())
    }
}

impl ProgramConnection {
    fn history(&mut self) -> Result<History> {
        match self.request(&ToProgram::History(AskHistory { id: 1 }))? {
            FromProgram::History(history) => Ok(history),
            FromProgram::Refused(refused) => bail!("the program refused: {}", refused.error),
            _ => bail!("the program gave another answer than was asked for"),
        }
    }

    /// What came of a change, in words.
    pub(crate) fn outcome(&mut self, answer: FromProgram) -> Result<String> {
        match answer {
            FromProgram::Loaded(loaded) => Ok(format!("{}\n", loaded.report)),
            FromProgram::Waiting(_) => match self.next() {
                Ok(answer) => self.outcome(answer),
                Err(_) => Ok("it still waits for the program's safe point\n".to_owned()),
            },
            FromProgram::Refused(refused) => bail!("the program refused: {}", refused.error),
            _ => bail!("the program gave another answer than was asked for"),
        }
    }
}
