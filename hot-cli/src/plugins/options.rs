//! The options of `hot build` and `hot watch-plugins`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::cargo::command_line::CargoCommand;

const AFTER_HELP: &str = "\
Examples:
  hot build plugins/hello out                      → out/hello.so, and its path on stdout
  hot build plugins out --exclude 'draft-*'        every plugin in the folder
  hot build plugins/hello out -- --release         what follows `--` goes to cargo
  hot build --patchable plugins out                for a host that is started with `hot cargo run`
  hot build plugins/hello static --static-linking  a crate that the host compiles the plugins in with

Host and plugins must be built with the same cargo flags: profile and features decide what a shared type is.";

/// Builds the plugin in a folder, or every plugin in a folder of folders.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct BuildOptions {
    /// The plugin's package, or a folder of such packages
    pub(crate) plugin_dir: PathBuf,

    /// The folder that the file is put into; made if it isn't there
    pub(crate) out_dir: PathBuf,

    /// Show cargo's command and what it says
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Leave debug information in the file (otherwise it has names, but no lines)
    #[arg(long)]
    pub(crate) debug: bool,

    /// Of a folder of plugins, build only those whose folder has a name like this (`*` and `?` are
    /// known)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,

    /// Of a folder of plugins, leave out those whose folder has a name like this
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,

    /// Keep the folder with cargo's command and messages, and name it
    #[arg(long)]
    pub(crate) leave_temps: bool,

    /// Functions and types whose name begins so are live (case doesn't matter; `live_` otherwise)
    #[arg(long, value_name = "PREFIX")]
    pub(crate) live_prefix: Option<String>,

    /// For a host under `hot cargo run`: functions of the plugin are patched when they are edited
    #[arg(long, conflicts_with = "static_linking")]
    pub(crate) patchable: bool,

    /// Generate a crate in the out folder by which a host compiles its plugins in
    #[arg(long)]
    pub(crate) static_linking: bool,

    /// With `--cargo-build=false`: generate only (the static crate, or a script with cargo's
    /// command)
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) cargo_build: bool,

    /// With the features of the whole workspace, for a host that is built by `cargo build
    /// --workspace`; chosen by itself where host and plugin would differ otherwise
    #[arg(long)]
    pub(crate) workspace: bool,

    /// Flags for cargo, such as `--release`
    #[arg(last = true, value_name = "CARGO FLAGS")]
    pub(crate) cargo: Vec<OsString>,
}

impl BuildOptions {
    /// Of the flags for cargo, those that decide on features and versions.
    pub(super) fn features(&self) -> Vec<OsString> {
        let mut words = vec![OsString::from("rustc")];
        words.extend(self.cargo.iter().cloned());
        let command = CargoCommand::of("cargo".as_ref(), &words);
        let options = command.iter().flat_map(|command| command.options());
        options.map(|option| (*option).to_owned()).collect()
    }

    /// Of the flags for cargo, those that say what it may ask the network and write.
    pub(super) fn versions(&self) -> Vec<OsString> {
        let known = ["--offline", "--locked", "--frozen"].map(OsString::from);
        let flags = self.cargo.iter().filter(|flag| known.contains(flag));
        flags.cloned().collect()
    }
}

/// Puts a checksum at the end of libraries that weren't made by `hot build`: without one a host
/// loads none
#[derive(Debug, Clone, Args)]
pub(crate) struct SealArgs {
    /// The libraries
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Builds plugins, and again whenever a source file of theirs is saved.
///
/// A host that watches its folder (`PluginHost::reload_on_change`) reloads by itself; another one
/// can be sent a signal.
#[derive(Debug, Clone, Args)]
pub(crate) struct WatchOptions {
    /// Send SIGHUP to this process after every build
    #[arg(long, value_name = "PID")]
    pub(crate) signal: Option<i32>,

    /// What to build, as for `hot build`
    #[command(flatten)]
    pub(crate) build: BuildOptions,
}
