//! `hot`: patches the functions of a program while it runs.
//!
//! Called by cargo in place of rustc (under the names `hot-rustc` and `hot-include`), it is the wrapper that
//! rewrites a crate; called by that rustc as its linker, it exports a plugin's symbols; called by the user, it runs a session around their command, or builds managed plugins.

mod cargo;
mod child;
mod cli;
mod commands;
mod compiled;
mod config;
mod control;
mod handover;
mod include;
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
mod ui;
mod watch;
mod wrapper;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if let Some(linker) = std::env::var_os(config::env::PLUGIN_LINKER) {
        return wrapper::linker::run(&linker, arguments.skip(1));
    }
    let own = arguments.next().unwrap_or_default();
    let name = std::path::Path::new(&own).file_name();
    if name == Some(wrapper::NAME.as_ref()) {
        return wrapper::run(arguments.collect());
    }
    if name == Some(wrapper::included_list::WRAPPER.as_ref()) {
        return wrapper::run_included(own.as_ref(), arguments.collect());
    }
    match std::env::args_os().nth(1) {
        Some(word) if word == "build" => plugins::run_build(arguments.skip(1)),
        Some(word) if word == "seal" => plugins::run_seal(arguments.skip(1)),
        Some(word) if word == "watch-plugins" => plugins::run_watch(arguments.skip(1)),
        Some(word) if commands::WORDS.iter().any(|known| word == *known) => {
            commands::run(std::env::args_os())
        }
        _ => session::run(cli::Options::from_process()),
    }
}
