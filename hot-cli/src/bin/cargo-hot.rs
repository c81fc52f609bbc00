//! `cargo hot …` is `hot cargo …`: cargo starts this program, which becomes `hot`.
//!
//! Knows nothing of `hot`'s options: it hands everything on and says only that it came through
//! cargo.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Must be the text that `cli.rs` looks for.
const AS_CARGO_SUBCOMMAND: &str = "--as-cargo-subcommand";

/// What shells use for a command that isn't there.
const NOT_FOUND: u8 = 127;

fn main() -> ExitCode {
    let hot = hot();
    let mut command = Command::new(&hot);
    command.arg(AS_CARGO_SUBCOMMAND);

    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    // Cargo passes the name of the subcommand first. Called by hand, `CARGO` is not that of our
    // caller.
    if args.first().is_some_and(|arg| arg == "hot") {
        args.remove(0);
    } else {
        command.env_remove("CARGO");
    }
    // The same process goes on as `hot`: nothing stands between cargo, the terminal and it.
    let error = command.args(args).exec();
    eprintln!("cargo-hot: can't start {}: {error}\nIt is installed together with cargo-hot, by `cargo install`.", hot.display());
    ExitCode::from(NOT_FOUND)
}

/// The `hot` that was installed with this program, else the one that `PATH` has.
fn hot() -> PathBuf {
    std::env::current_exe()
        .map(|this| this.with_file_name("hot"))
        .ok()
        .filter(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from("hot"))
}
