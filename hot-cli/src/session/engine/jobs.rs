//! What takes long: done on threads of their own, each with an event at its end.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use soft_mock_abi::protocol::Hello;

use super::{warm_up, Event};
use crate::patch;
use crate::plugins::record::Rebuild;
use crate::program::Program;

/// How often a program's records are looked for, and how long it is waited in between: cargo may be
/// writing them once more.
const ATTEMPTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// Something slow.
pub(super) enum Job {
    /// Reads the records of the program of a process.
    LoadProgram {
        key: PathBuf,
        hello: Hello,
        pid: u32,
    },
    /// Compiles what the first patches would have to wait for.
    WarmUp {
        program: Arc<Program>,
        verbose: bool,
    },
    BuildPatch(Box<patch::Job>),
    /// Builds the project before a restart, then these plugins.
    BuildAgain {
        project: Command,
        plugins: Vec<Rebuild>,
    },
    BuildPlugins(Vec<Rebuild>),
}

impl Job {
    pub(super) fn run(self) -> Option<Event> {
        Some(match self {
            Self::LoadProgram { key, hello, pid } => {
                let loaded = load(&hello, pid).map(Box::new);
                Event::ProgramLoaded(key, loaded)
            }
            Self::WarmUp { program, verbose } => {
                warm_up::prepare(&program, verbose);
                return None;
            }
            Self::BuildPatch(job) => Event::Built(job.number, patch::build(&job)),
            Self::BuildAgain {
                mut project,
                plugins,
            } => {
                let success = project.status().is_ok_and(|status| status.success());
                Event::BuiltAgain {
                    success: success && build_plugins(&plugins),
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

/// One after the other. What is wrong has been said by cargo.
fn build_plugins(plugins: &[Rebuild]) -> bool {
    plugins.iter().all(|rebuild| {
        let status = rebuild.command().and_then(|mut command| command.status());
        status.is_ok_and(|status| status.success())
    })
}
