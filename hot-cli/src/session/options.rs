//! The options of a session on the command line, and the command that it runs.
//!
//! Everything after the first word that isn't an option of `hot` belongs to the command, also
//! `--help`. Knows nothing of what holds where an option isn't given.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, Args, ValueHint};

use crate::browser::Ports;
use crate::config::layers::{Layer, Source, Value};
use crate::ui::Format;

/// Runs a command and patches functions of the Rust programs it builds while they run.
///
/// Edit the body of a function and save: the next call runs the new body, and nothing in memory is
/// lost. The project needs no change and no dependency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) flags: Flags,

    /// Also watch this file or folder, besides the program's own sources; can be given several
    /// times
    #[arg(long, value_name = "PATH", value_parser = existing_path, value_hint = ValueHint::AnyPath)]
    pub(crate) watch: Vec<PathBuf>,

    /// Also patch (and, in tests, mock) this dependency, from a registry, from git or a folder:
    /// `serde_json`, `rand@0.8`; several times, or with commas
    #[arg(long, value_name = "CRATE", value_delimiter = ',')]
    pub(crate) include: Vec<String>,

    /// What hot says is for people, or one JSON object a line (docs/messages.md)
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) message_format: Option<Format>,

    /// Also write what hot says to the end of this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log: Option<PathBuf>,

    /// Run this in a shell after every patch and restart; HOT_EVENT says which it was,
    /// HOT_FUNCTIONS names the functions, one a line
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub(crate) on_patch: Option<String>,

    /// Show the pages of the program's server at a port of their own, where they refresh
    /// themselves after every patch and restart (default: the server is found, and 13000 shows
    /// what 3000 does)
    #[arg(
        long,
        value_name = "SERVER[:PAGES]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) browser: Option<String>,

    /// The command to run, with its arguments: `cargo run …`, a script, any program
    #[arg(
        required = true,
        num_args = 1..,
        trailing_var_arg = true,
        value_name = "COMMAND",
        value_hint = ValueHint::CommandWithArguments
    )]
    pub(crate) command: Vec<OsString>,
}

/// What is on or off. `--manual=false` turns off what a manifest or a variable turns on.
// The first of all options: `on_or_off` is called with whatever there is by then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(mut_args(on_or_off))]
pub(crate) struct Flags {
    /// Keep the program running when an edit can't be patched, and only say so (default: rebuild
    /// and restart it)
    #[arg(long)]
    pub(crate) no_restart: Option<bool>,

    /// Patch only when that is asked for: with `hot resume`, or the key p
    #[arg(long)]
    pub(crate) manual: Option<bool>,

    /// Read no keys, also where the terminal is free for them
    #[arg(long)]
    pub(crate) no_keys: Option<bool>,

    /// Look at files several times a second, also where the system says what changes (default:
    /// where it doesn't, as in some containers and on network mounts)
    #[arg(long)]
    pub(crate) poll: Option<bool>,

    /// Don't show what is said as the terminal's title while a program fills the terminal
    #[arg(long)]
    pub(crate) no_title: Option<bool>,

    /// Clear the terminal at every save
    #[arg(long)]
    pub(crate) clear: Option<bool>,

    /// Say only what went wrong, or won't take effect
    #[arg(long, short)]
    pub(crate) quiet: Option<bool>,

    /// Say what is being done and how long each step takes
    #[arg(long, short)]
    pub(crate) verbose: Option<bool>,
}

/// An option that may have a value, and is on without.
fn on_or_off(option: Arg) -> Arg {
    option
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_name("BOOL")
        .hide_possible_values(true)
}

impl Options {
    /// Whether `--browser` takes this word for its value: no command is called like a port.
    pub(crate) fn is_for_browser(word: &OsStr) -> bool {
        word.to_str()
            .is_some_and(|word| word.parse::<Ports>().is_ok())
    }

    /// What is set by them.
    pub(super) fn layer(&self) -> Layer {
        let Flags {
            no_restart,
            manual,
            no_keys,
            poll,
            no_title,
            clear,
            quiet,
            verbose,
        } = self.flags;
        let flags = [
            ("no-restart", no_restart),
            ("manual", manual),
            ("no-keys", no_keys),
            ("no-title", no_title),
            ("poll", poll),
            ("clear", clear),
            ("quiet", quiet),
            ("verbose", verbose),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(name, flag)| Some((name, Value::Flag(flag?))));
        let paths = self.watch.iter().map(|path| path.display().to_string());
        let lists = [
            ("watch", paths.collect()),
            ("include", self.include.clone()),
        ];
        let lists = lists
            .into_iter()
            .filter(|(_, list): &(_, Vec<String>)| !list.is_empty())
            .map(|(name, list)| (name, Value::List(list)));
        let format = self.message_format.map(|format| format.name().to_owned());
        let log = self.log.as_ref().map(|path| path.display().to_string());
        let texts = [
            ("message-format", format),
            ("log", log),
            ("on-patch", self.on_patch.clone()),
        ]
        .into_iter();
        let texts = texts.filter_map(|(name, text)| Some((name, Value::Text(text?))));
        let browser = self.browser.as_deref().map(Value::flag_or_text);
        let browser = browser.map(|value| ("browser", value));
        Layer {
            source: Source::CommandLine,
            values: flags.chain(lists).chain(texts).chain(browser).collect(),
        }
    }
}

/// A mistyped path would be watched in silence for ever.
pub(super) fn existing_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.metadata() {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("can't be watched: {error}")),
    }
}
