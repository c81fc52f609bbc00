//! `hot`: patches the functions of a program while it runs.
//!
//! Called by cargo in place of rustc (under the names `hot-rustc` and `hot-include`), it is the wrapper that
//! rewrites a crate; called by that rustc as its linker, it exports a plugin's symbols; called by the user, it runs a session around their command, or builds managed plugins.

mod build;
mod by_hand;
mod child;
mod cli;
mod commands;
mod control;
mod doctor;
mod handover;
mod include;
mod managed;
mod platform;
mod private_socket;
mod remote;
mod report;
mod session;
mod session_dir;
mod toolchain;
mod unit;
mod watch;
mod wrapper;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if let Some(linker) = std::env::var_os(wrapper::linker::VARIABLE) {
        return wrapper::linker::run(&linker, arguments.skip(1));
    }
    let own = arguments.next().unwrap_or_default();
    let name = std::path::Path::new(&own).file_name();
    if name == Some(wrapper::NAME.as_ref()) {
        return wrapper::run(arguments.collect());
    }
    if name == Some(include::list::WRAPPER.as_ref()) {
        return wrapper::run_included(own.as_ref(), arguments.collect());
    }
    match std::env::args_os().nth(1) {
        Some(word) if word == "build" => managed::run_build(arguments.skip(1)),
        Some(word) if word == "seal" => managed::run_seal(arguments.skip(1)),
        Some(word) if word == "watch-plugins" => managed::run_watch(arguments.skip(1)),
        Some(word) if commands::WORDS.iter().any(|known| word == *known) => {
            commands::run(std::env::args_os())
        }
        _ => session::run(cli::Options::from_process()),
    }
}
