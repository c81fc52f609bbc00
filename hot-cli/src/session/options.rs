//! The options of a session, and the command that it runs.
//!
//! Everything after the first word that isn't an option of `hot` belongs to the command, also
//! `--help`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::ui::Format;

/// Runs a command and patches functions of the Rust programs it builds while they run.
///
/// Edit the body of a function and save: the next call runs the new body, and nothing in memory is
/// lost. The project needs no change and no dependency.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Options {
    /// Keep the program running when an edit can't be patched, and only say so (default: rebuild
    /// and restart it)
    #[arg(long)]
    pub(crate) no_restart: bool,

    /// Patch only when that is asked for: with `hot resume`, or the key p
    #[arg(long)]
    pub(crate) manual: bool,

    /// Read no keys, also where the terminal is free for them
    #[arg(long)]
    pub(crate) no_keys: bool,

    /// Also watch this file or folder, besides the program's own sources; can be given several
    /// times
    #[arg(long, value_name = "PATH", value_parser = existing_path)]
    pub(crate) watch: Vec<PathBuf>,

    /// Also patch (and, in tests, mock) this dependency, from a registry, from git or a folder:
    /// `serde_json`, `rand@0.8`; several times, or with commas
    #[arg(long, value_name = "CRATE", value_delimiter = ',')]
    pub(crate) include: Vec<String>,

    /// What hot says is for people, or one JSON object a line (docs/messages.md)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) message_format: Format,

    /// Clear the terminal at every save
    #[arg(long)]
    pub(crate) clear: bool,

    /// Say only what went wrong, or won't take effect
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say what is being done and how long each step takes
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// The command to run, with its arguments: `cargo run …`, a script, any program
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// A mistyped path would be watched in silence for ever.
fn existing_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.metadata() {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("can't be watched: {error}")),
    }
}
