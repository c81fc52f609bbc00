//! A session: the user's command runs, its programs join, and edits become patches.
//!
//! ```text
//! child ──exited──┐
//! socket ─joined──┤                ┌─► load ─► programs ─► report
//! watcher ─saved──┼─► engine ─► plan ─► builder (thread) ─► plugins
//! builder ─built──┘                └─► rude edit ─► rebuild ─► restart
//! ```

mod attach;
mod engine;
mod ledger;
mod options;
mod restart;
mod setup;

use std::process::ExitCode;
use std::sync::mpsc::{channel, Receiver};

use anyhow::Result;

use crate::child::Supervisor;
use crate::control::Control;
use crate::exit;
use crate::include::Include;
use crate::os::session_dir::SessionDir;
use crate::remote::desk;
use crate::ui::Reporter;
use crate::watch::Watcher;
use engine::{Engine, Event};

pub(crate) use attach::AttachArgs;
pub(crate) use options::Options;

/// Runs the user's command to its end. The exit code is the command's.
pub(crate) fn run(options: Options) -> ExitCode {
    ended(try_run(options))
}

/// Goes on where a session was that was killed, until its programs end.
pub(crate) fn attach(options: &AttachArgs) -> ExitCode {
    ended(attach::attach(options))
}

fn ended(result: Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            Reporter::stderr(false).error(&format!("{error:#}"));
            ExitCode::from(exit::FAILED)
        }
    }
}

fn try_run(options: Options) -> Result<u8> {
    let folder = SessionDir::create()?;
    setup::write_agent(folder.path())?;
    let include = setup::command(&options, folder.path())?;
    let (mut engine, events) = engine(options, include, folder)?;
    engine.run(&events)
}

/// The session's loop with all that brings it events.
fn engine(
    options: Options,
    include: Include,
    folder: SessionDir,
) -> Result<(Engine, Receiver<Event>)> {
    let (events, received) = channel();
    let control = Control::listen(&folder.socket(), events.clone())?;
    let info = engine::session_info(&options.command);
    desk::open(folder.path(), info, events.clone())?;
    let watcher = Watcher::start(events.clone())?;
    watcher.set_extra(options.watch.iter().cloned())?;
    let supervisor = Supervisor::new(events.clone())?;
    let engine = Engine::new(
        options, include, folder, control, watcher, supervisor, events,
    )?;
    Ok((engine, received))
}
