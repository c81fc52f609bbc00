//! `hot test`: runs the project's tests, stays, and after a save runs those again that it concerns.
//!
//! ```text
//! save ─► which bodies differ? ─► who enters one is due ─► patched ─► a process each ─► what libtest said
//!             │ something else does, or nobody knows                       └► which functions it enters
//!             └► cargo builds ─► all tests of the binaries that are others now, or those that enter what differs
//! ```
//!
//! Cargo builds, with our wrapper, and where something can make mocks, with what those need. Each
//! test runs in a process of its own, forked from one that holds the binary before its main: its
//! statics are fresh, and one that crashes or hangs takes nobody with it.
//! Knows nothing of sessions.

mod args;
mod binary;
mod build;
mod data;
mod edited;
mod events;
mod follows;
mod harness_args;
mod junit;
mod launch;
mod limits;
mod linked;
mod living;
mod meanwhile;
mod memory;
mod nextest;
mod places;
mod pool;
mod process;
mod reach;
mod report;
mod round;
mod suite;
mod template;
mod verdict;
mod warm_up;
mod watching;
mod ways;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::exit;
use crate::os::process::Cancel;
use crate::ui::{set_format, Reporter};

use args::Wanted;
use events::Signals;
use limits::Limits;
use places::Places;
use report::Report;
use round::{Outcome, Project};

pub(crate) use args::TestArgs;
pub(crate) use launch::{record as record_launch, NAME as RUNNER};

/// Runs the tests. `line` is the whole command line.
pub(crate) fn run(args: &TestArgs, line: &[OsString]) -> ExitCode {
    let wanted = match args.understood(line) {
        Ok(wanted) => wanted,
        Err(error) => {
            Reporter::stderr(false).error(&format!("{error:#}"));
            return ExitCode::from(exit::USAGE);
        }
    };
    match try_run(&wanted, !args.no_keys) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            Reporter::stderr(false).error(&format!("{error:#}"));
            ExitCode::from(exit::FAILED)
        }
    }
}

fn try_run(wanted: &Wanted, keys: bool) -> Result<u8> {
    set_format(wanted.format);
    let folder = tempfile::tempdir().context("no folder for the session")?;
    let (limits, told) = Limits::of(wanted, &std::env::current_dir()?)?;
    let report = Report::new(wanted.verbose);
    if let Some(told) = told {
        report.note(&told);
    }
    let places = Places::of(wanted)?;
    let (watched, target) = (places.watched(), places.target.clone());
    if !wanted.once && !places.is_root_watched() {
        report.beside_packages(places.root());
    }
    let project = Project::new(wanted, places, limits, folder.path())?;
    match wanted.once {
        true => once(project, &report),
        false => watching::watch(watched, target, project, report, keys),
    }
}

/// What is due, once.
fn once(mut project: Project, report: &Report) -> Result<u8> {
    let cancel = Cancel::default();
    let signals = Signals::start(cancel.clone())?;
    let outcome = project.round(project.first(), report, &cancel)?;
    if outcome == Outcome::Ran {
        project.remember(report);
    }
    if let Some(signal) = signals.came() {
        return Ok(exit::of_signal(signal));
    }
    Ok(match outcome {
        Outcome::NotBuilt(code) => code,
        Outcome::Ran if project.is_green() => 0,
        Outcome::Ran | Outcome::Cancelled => exit::TESTS_FAILED,
    })
}
