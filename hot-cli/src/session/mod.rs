//! A session: the user's command runs, its programs join, and edits become patches.
//!
//! ```text
//! child ──exited──┐
//! socket ─joined──┤                ┌─► a patch ─► job (thread) ─► programs ─► ui
//! watcher ─saved──┼─► engine ─► change
//! jobs ────built──┘                └─► a rude edit ─► build again ─► restart
//! ```

mod attach;
mod engine;
mod first_build;
pub(crate) mod keys;
mod ledger;
mod lock_waits;
mod on_patch;
mod options;
mod out_of_reach;
mod pages;
mod restart;
mod screen;
mod search;
mod settings;
mod setup;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::mpsc::{channel, Receiver};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::child::Supervisor;
use crate::control::Control;
use crate::exit;
use crate::include::Include;
use crate::os::session_dir::SessionDir;
use crate::protocol::SessionInfo;
use crate::remote::server;
use crate::ui::{set_format, Reporter, Screen};
use crate::watch::Watcher;
use engine::{Engine, Event, Outside};
use keys::Keys;
use on_patch::OnPatch;
use pages::Pages;
use screen::SessionScreen;
use settings::Settings;

pub(crate) use attach::AttachArgs;
pub(crate) use options::Options;
pub(crate) use settings::{config, ConfigArgs};
pub(crate) use setup::write_agent;

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
    let settings = Settings::of(options)?;
    set_format(settings.message_format);
    let folder = SessionDir::create()?;
    setup::write_agent(folder.path())?;
    let include = setup::command(&settings, folder.path())?;
    let (mut engine, events) = engine(&settings, include, folder)?;
    engine.run(&events)
}

/// The session's loop with all that brings it events.
fn engine(
    settings: &Settings,
    include: Include,
    folder: SessionDir,
) -> Result<(Engine, Receiver<Event>)> {
    let (events, received) = channel();
    let control = Control::listen(&folder.socket(), events.clone())?;
    let info = info(settings);
    server::start(folder.path(), info.clone(), events.clone())?;
    let watcher = Watcher::start(events.clone(), settings.poll)?;
    watcher.set_extra(settings.watch.iter().cloned())?;
    let keys = match settings.no_keys || !std::io::stderr().is_terminal() {
        true => None,
        false => Keys::start(events.clone(), false).context("keys can't be read")?,
    };
    let screen = SessionScreen::watch(events.clone());
    let boxed = screen
        .clone()
        .map(|screen| Box::new(screen) as Box<dyn Screen>);
    let reporter = Reporter::stderr(settings.verbose)
        .quiet(settings.quiet)
        .copied(setup::copies(settings, folder.path())?)
        .beside(boxed, !settings.no_title);
    let on_patch = settings.on_patch.clone();
    let on_patch = on_patch.map(|command| OnPatch::start(command, events.clone()));
    let pages = settings
        .browser
        .map(|ports| Pages::start(ports, events.clone()));
    let outside = Outside {
        on_patch: on_patch.transpose()?,
        pages: pages.transpose()?,
        lock_waits: None,
        out_of_reach: None,
        dry_build_waits: None,
        first_build: Some(first_build::watch(folder.path().to_owned(), events.clone())),
        keys,
        control,
        watcher,
        named: settings.watch.clone(),
        supervisor: Supervisor::new(events.clone())?,
        events,
        reporter,
        screen,
    };
    let engine = Engine::new(settings, info, include, folder, outside)?;
    Ok((engine, received))
}

/// The session at its start, as other terminals see it.
fn info(settings: &Settings) -> SessionInfo {
    let command = settings.command.iter();
    SessionInfo {
        pid: std::process::id(),
        folder: std::env::current_dir().unwrap_or_default(),
        command: command
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        since: SystemTime::now(),
    }
}
