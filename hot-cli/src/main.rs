//! `hot`: patches the functions of a program while it runs.
//!
//! Called by cargo in place of rustc (under the names `hot-rustc` and `hot-include`), it is the
//! wrapper that rewrites a crate; called by rustc as its linker, it exports a plugin's symbols, has
//! tests call what can be mocked, or keeps objects; called as `hot-dry-build`, it writes down what
//! cargo would compile; called in place of a test binary, it writes down how that is started;
//! called by the user, it runs a session around their command, or one of its own commands.

mod browser;
mod cargo;
mod child;
mod cli;
mod config;
mod control;
mod dry_build;
mod exit;
mod handover;
mod include;
mod init;
mod inspect;
mod offline;
mod os;
mod patch;
mod plugins;
mod program;
mod protocol;
mod remote;
mod rustc;
mod session;
mod shell;
mod test;
mod ui;
mod watch;
mod wrapper;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// Who has called.
enum Mode {
    /// rustc, as the linker; the real one is this.
    Linker(OsString),
    /// The same, for tests; what to do stands in this file.
    TestLinker(OsString),
    /// The same, for objects that are to be kept: the archive of them.
    Objects(OsString),
    /// Cargo, in place of rustc, for a crate of the workspace.
    Wrapper,
    /// Cargo, in place of rustc, for any crate.
    IncludeWrapper,
    /// Cargo, in place of rustc, when it is asked what it would compile.
    DryBuild,
    /// Cargo, in place of a test binary.
    Runner,
    /// Somebody at a terminal.
    User,
}

impl Mode {
    fn of(own: &OsStr) -> Self {
        if let Some(linker) = std::env::var_os(config::env::PLUGIN_LINKER) {
            return Self::Linker(linker);
        }
        if let Some(task) = std::env::var_os(config::env::TEST_LINKER) {
            return Self::TestLinker(task);
        }
        if let Some(archive) = std::env::var_os(config::env::OBJECTS) {
            return Self::Objects(archive);
        }
        match Path::new(own).file_name() {
            Some(name) if name == wrapper::NAME => Self::Wrapper,
            Some(name) if name == wrapper::included_list::WRAPPER => Self::IncludeWrapper,
            Some(name) if name == dry_build::WRAPPER => Self::DryBuild,
            Some(name) if name == test::RUNNER => Self::Runner,
            _ => Self::User,
        }
    }
}

fn main() -> ExitCode {
    let all: Vec<OsString> = std::env::args_os().collect();
    let own = all.first().cloned().unwrap_or_default();
    let arguments = all.iter().skip(1).cloned();
    match Mode::of(&own) {
        Mode::Linker(linker) => wrapper::linker::run(&linker, arguments),
        Mode::TestLinker(task) => wrapper::test_linker::run(&task, arguments),
        Mode::Objects(archive) => patch::whole_crate::keep_objects(Path::new(&archive), arguments),
        Mode::Wrapper => wrapper::run(arguments.collect()),
        Mode::IncludeWrapper => wrapper::run_included(Path::new(&own), arguments.collect()),
        Mode::DryBuild => dry_build::answer(Path::new(&own), arguments.collect()),
        Mode::Runner => test::record_launch(&arguments.collect::<Vec<_>>()),
        Mode::User => cli::run(all),
    }
}
