//! What takes long: done on threads of their own, each with an event at its end.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, Result};
use soft_mock_abi::protocol::Hello;

use super::{warm_up, Event};
use crate::dry_build::{self, Question};
use crate::os::process::Cancel;
use crate::patch::{self, BuildError, Built};
use crate::plugins::record::Rebuild;
use crate::program::Program;
use crate::session::out_of_reach::OutOfReach;
use crate::ui::Reason;

/// How often a program's records are looked for, and how long it is waited in between: cargo may be
/// writing them once more.
const ATTEMPTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// A file that can't be parsed.
pub(super) struct SyntaxCheck {
    pub(super) number: u64,
    pub(super) program: Arc<Program>,
    pub(super) file: PathBuf,
    /// What is known of it without rustc.
    pub(super) at: Reason,
    pub(super) coloured: bool,
    pub(super) cancel: Cancel,
}

impl SyntaxCheck {
    fn run(self) -> Event {
        let (program, file) = (&self.program, &self.file);
        let said = patch::user_errors::of_file(program, file, self.coloured, &self.cancel);
        Event::SyntaxChecked {
            number: self.number,
            at: self.at,
            // What rustc can't be asked is said in our own words.
            compiler: said.unwrap_or_default(),
        }
    }
}

const PANICKED: &str = "hot itself failed at it, as it says above";

/// Of a job without a result that says more.
pub(super) const LOST: &str =
    "hot itself failed, as it says above: a save that stays without an answer isn't live until a \
     restart (`hot restart`)";

/// What a panic leaves behind is dropped with the job, and the save is answered all the same.
fn unless_it_panics<T>(work: impl FnOnce() -> T, failed: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| failed())
}

fn built(job: &patch::Job) -> Result<Built, BuildError> {
    let refused = || Err(BuildError::Rude(job.wanted.refused(PANICKED)));
    unless_it_panics(|| patch::build(job), refused)
}

/// Something slow.
pub(super) enum Job {
    /// Reads the records of the program of a process.
    LoadProgram {
        key: PathBuf,
        hello: Hello,
        pid: u32,
        /// The run of the command that it belongs to.
        run: u64,
    },
    /// The same, of one that can't join.
    LoadOutOfReach(OutOfReach),
    /// Compiles what the first patches would have to wait for.
    WarmUp {
        program: Arc<Program>,
        verbose: bool,
    },
    BuildPatch(Box<patch::Job>),
    /// Asks rustc about a file that can't be parsed.
    CheckSyntax(Box<SyntaxCheck>),
    /// Asks cargo what edited manifests mean.
    DryBuild(u64, Box<Question>),
    /// Compares functions of micro-crates with those of their crates.
    Compare(Box<patch::Comparison>),
    /// Builds the project before a restart, then these plugins.
    BuildAgain {
        project: Command,
        plugins: Vec<Rebuild>,
        /// A program fills the terminal: what cargo says has to wait.
        held: bool,
    },
    BuildPlugins(Vec<Rebuild>),
}

impl Job {
    /// What it ends with, whatever happens.
    pub(super) fn run(self) -> Option<Event> {
        unless_it_panics(|| self.result(), || Some(Event::JobPanicked))
    }

    fn result(self) -> Option<Event> {
        Some(match self {
            Self::LoadProgram {
                key,
                hello,
                pid,
                run,
            } => {
                let failed = || Err(anyhow!(PANICKED));
                let loaded = unless_it_panics(|| load(&hello, pid), failed);
                Event::ProgramLoaded(key, run, loaded.map(Box::new))
            }
            Self::LoadOutOfReach(found) => {
                let OutOfReach {
                    run,
                    unit,
                    executable,
                } = found;
                let failed = || Err(anyhow!(PANICKED));
                let loaded = unless_it_panics(|| Program::recorded(&unit, executable), failed);
                Event::ProgramLoaded(unit, run, loaded.map(Box::new))
            }
            Self::WarmUp { program, verbose } => {
                warm_up::prepare(&program, verbose);
                return None;
            }
            Self::CheckSyntax(check) => check.run(),
            Self::DryBuild(number, question) => Event::Judged(number, dry_build::ask(&question)),
            Self::BuildPatch(job) => Event::Built(job.number, built(&job)),
            Self::Compare(comparison) => {
                let failed = || Err(anyhow!(PANICKED));
                let compared = unless_it_panics(|| patch::compare(&comparison), failed);
                Event::Compared(comparison.number, compared)
            }
            Self::BuildAgain {
                project,
                plugins,
                held,
            } => {
                let (success, said) = build(project, held);
                Event::BuiltAgain {
                    success: success && build_plugins(&plugins),
                    said,
                }
            }
            Self::BuildPlugins(plugins) => Event::PluginsBuilt {
                success: build_plugins(&plugins),
            },
        })
    }
}

fn load(hello: &Hello, pid: u32) -> Result<Program> {
    let mut loaded = Program::load(hello, pid);
    for _ in 1..ATTEMPTS {
        if loaded.is_ok() {
            break;
        }
        std::thread::sleep(PAUSE);
        loaded = Program::load(hello, pid);
    }
    loaded
}

/// Builds the project. What cargo says goes to the terminal, or is returned.
fn build(mut project: Command, held: bool) -> (bool, String) {
    if !held {
        return (
            project.status().is_ok_and(|status| status.success()),
            String::new(),
        );
    }
    match project.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.success(), said)
        }
        Err(error) => (false, format!("{error}\n")),
    }
}

/// One after the other. What is wrong has been said by cargo.
fn build_plugins(plugins: &[Rebuild]) -> bool {
    plugins.iter().all(|rebuild| {
        let status = rebuild.command().and_then(|mut command| command.status());
        status.is_ok_and(|status| status.success())
    })
}
