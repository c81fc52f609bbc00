//! What a session needs before the user's command starts: the agent, the environment.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};

use super::settings::Settings;
use crate::child::Launch;
use crate::config::env;
use crate::include::Include;
use crate::os::files::replace_file;
use crate::os::session_dir;
use crate::ui::Copy;
use crate::wrapper::link::build_environment;

/// The agent that programs open, built together with `hot`.
static AGENT: &[u8] = soft_mock_embed::dynamic_library!(soft_mock_agent);

/// Puts the agent where the generated main looks for it.
pub(crate) fn write_agent(session: &Path) -> Result<()> {
    replace_file(&session.join("agent.so"), AGENT)
}

/// The user's command, with what it needs.
pub(crate) fn command(settings: &Settings, session: &Path) -> Result<Include> {
    let (program, args) = settings.command.split_first().context("no command")?;
    let launch = Launch {
        program: program.clone(),
        args: args.to_vec(),
        env: environment(session, &settings.command)?,
    };
    Ok(Include::new(&settings.include, launch))
}

/// The files that have what the session says: the user's log, and one for those who follow it.
pub(crate) fn copies(settings: &Settings, session: &Path) -> Result<Vec<Copy>> {
    let open = |path: &Path, again: bool| {
        let file = File::options().append(true).create(true).open(path);
        let file = file.and_then(|file| {
            if again {
                file.set_len(0).map(|()| file)
            } else {
                Ok(file)
            }
        });
        file.with_context(|| format!("can't write to {}", path.display()))
    };
    let mut copies = vec![Copy::Recent(open(&session_dir::said(session), true)?)];
    if let Some(log) = &settings.log {
        copies.push(Copy::Log(open(log, false)?));
    }
    Ok(copies)
}

/// The environment of the user's command, in addition to ours.
fn environment(session: &Path, command: &[OsString]) -> Result<Vec<(OsString, OsString)>> {
    let mut list = build_environment(command)?;
    list.push((env::SESSION.into(), session.into()));
    Ok(list)
}
