//! What the user typed: `hot`'s own options, and their command, which is passed on untouched.
//!
//! Knows nothing of what the command does, nor of sessions: it only says where the options end and the command
//! begins. Everything after the first word that isn't an option of `hot` belongs to the command, also `--help`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};

/// First argument with which `cargo-hot` starts `hot`: the user typed `cargo hot …`.
///
/// `bin/cargo-hot.rs` holds the same text (two programs, no library between them); a test compares them.
const AS_CARGO_SUBCOMMAND: &str = "--as-cargo-subcommand";

/// Cargo's commands that people would try after `hot` alone.
const CARGO_COMMANDS: &[&str] = &[
    "b", "bench", "build", "c", "check", "clean", "clippy", "d", "doc", "nextest", "r", "run", "t",
    "test",
];

const AFTER_HELP: &str = "\
Examples:
  hot cargo run --bin server -- --port 8080
  hot --watch templates cargo run
  hot --include serde_json cargo run           functions of this dependency too
  hot --watch src -- sh -c 'cargo build && ./target/debug/app'
  cargo hot run --bin server          the same as: hot cargo run --bin server
  hot status | history | diff | rollback [N]   for another terminal: what runs, what changed, take patches back
  hot build-patch -o fix.so, hot patch --pid PID fix.so     a program without a session that listens for patches
  hot attach                          takes up a program whose `hot` was killed
  hot doctor, hot expand FILE         what could be patched, and what the compiler gets; nothing is run
  hot build plugins/foo out           builds a managed plugin; `hot build --help`, `hot watch-plugins --help`

A program that has the name of one of these commands is started with `hot -- status …`.

Everything after hot's own options is your command. It keeps its arguments, environment, terminal and signals, and
hot ends when it ends, with its exit code (128 + signal when a signal killed it). What hot itself says goes to stderr,
in lines that begin with `hot:`.";

/// Runs a command and patches functions of the Rust programs it builds while they run.
///
/// Edit the body of a function and save: the next call runs the new body, and nothing in memory is lost. The project
/// needs no change and no dependency.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(
    name = "hot",
    version,
    after_help = AFTER_HELP,
    override_usage = "hot [OPTIONS] <COMMAND>...\n       hot [OPTIONS] -- <COMMAND>..."
)]
pub(crate) struct Options {
    /// Keep the program running when an edit can't be patched, and only say so (default: rebuild and restart it)
    #[arg(long)]
    pub(crate) no_restart: bool,

    /// Also watch this file or folder, besides the program's own sources; can be given several times
    #[arg(long, value_name = "PATH", value_parser = existing_path)]
    pub(crate) watch: Vec<PathBuf>,

    /// Also patch (and, in tests, mock) this dependency, from a registry, from git or a folder: `serde_json`,
    /// `rand@0.8`; several times, or with commas
    #[arg(long, value_name = "CRATE", value_delimiter = ',')]
    pub(crate) include: Vec<String>,

    /// Say what is being done and how long each step takes
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// The command to run, with its arguments: `cargo run …`, a script, any program
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl Options {
    /// Reads this process's arguments; prints help, version or an error and exits where they ask for that.
    pub(crate) fn from_process() -> Self {
        let cargo = std::env::var_os("CARGO");
        Self::read(std::env::args_os().collect(), cargo.as_deref())
            .unwrap_or_else(|error| error.exit())
    }

    /// `args` with the program's name first; `cargo` is the cargo that `cargo hot` was called by.
    fn read(mut args: Vec<OsString>, cargo: Option<&OsStr>) -> Result<Self, clap::Error> {
        let as_cargo = args.get(1).is_some_and(|arg| arg == AS_CARGO_SUBCOMMAND);
        if as_cargo {
            args.remove(1);
        }
        let mut parser = parser(as_cargo);
        let mut matches = parser.try_get_matches_from_mut(&args)?;
        let mut options =
            Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut parser))?;

        let escaped = command_was_escaped(&args, options.command.len());
        match (as_cargo, escaped) {
            // `cargo hot -- sh -c …`: the user says that it's any command.
            (_, true) => {}
            (true, false) => {
                let cargo = cargo
                    .filter(|path| !path.is_empty())
                    .unwrap_or(OsStr::new("cargo"));
                options.command.insert(0, cargo.to_owned());
            }
            (false, false) => refuse_bare_cargo_command(&mut parser, &options.command)?,
        }
        Ok(options)
    }
}

fn parser(as_cargo: bool) -> clap::Command {
    let parser = Options::command();
    if !as_cargo {
        return parser;
    }
    parser.bin_name("cargo hot").override_usage(
        "cargo hot [OPTIONS] <CARGO COMMAND>...\n       cargo hot [OPTIONS] -- <ANY COMMAND>...",
    )
}

/// Whether `--` stands right before the command, so that its first word is meant as it is.
fn command_was_escaped(args: &[OsString], command_len: usize) -> bool {
    args.len()
        .checked_sub(command_len + 1)
        .and_then(|before| args.get(before))
        .is_some_and(|arg| arg == "--")
}

/// `hot run` would start a program named `run`; that is never what was meant, and `hot test` would even find one.
fn refuse_bare_cargo_command(
    parser: &mut clap::Command,
    command: &[OsString],
) -> Result<(), clap::Error> {
    let Some(word) = command.first().and_then(|word| word.to_str()) else {
        return Ok(());
    };
    if !CARGO_COMMANDS.contains(&word) {
        return Ok(());
    }
    let message = format!(
        "`{word}` is a command of cargo: did you mean `hot cargo {word} …` (or `cargo hot {word} …`)?\n\
         To start a program that is named `{word}`: `hot -- {word} …`"
    );
    Err(parser.error(ErrorKind::InvalidValue, message))
}

/// A mistyped path would be watched in silence for ever.
fn existing_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.metadata() {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("can't be watched: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Result<Options, clap::Error> {
        Options::read(line.iter().map(OsString::from).collect(), None)
    }

    #[track_caller]
    fn check_command(line: &[&str], command: &[&str]) -> Options {
        let options = read(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert_eq!(options.command, command, "{line:?}");
        options
    }

    #[test]
    fn clap_accepts_the_definition() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_command_is_untouched() {
        check_command(
            &[
                "hot", "cargo", "run", "--bin", "server", "--", "args", "--", "x",
            ],
            &["cargo", "run", "--bin", "server", "--", "args", "--", "x"],
        );
        check_command(&["hot", "cargo", "--help"], &["cargo", "--help"]);
        check_command(&["hot", "cargo", "--", "x"], &["cargo", "--", "x"]);
        check_command(
            &["hot", "app", "-v", "--no-restart"],
            &["app", "-v", "--no-restart"],
        );
        check_command(&["hot", "app", "", "a b"], &["app", "", "a b"]);
        check_command(
            &["hot", "--", "sh", "-c", "a && b"],
            &["sh", "-c", "a && b"],
        );
        check_command(&["hot", "--", "a", "--", "b"], &["a", "--", "b"]);
    }

    #[test]
    fn arguments_need_not_be_unicode() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![b'a', 0xff]);
        let args = vec!["hot".into(), "app".into(), odd.clone()];
        let options = Options::read(args, None).expect("accepted");
        assert_eq!(options.command[1], odd);
    }

    #[test]
    fn own_options_come_first() {
        let options = check_command(
            &[
                "hot",
                "--no-restart",
                "--watch",
                "/",
                "--watch=/dev",
                "-v",
                "cargo",
                "run",
            ],
            &["cargo", "run"],
        );
        assert!(options.no_restart && options.verbose);
        assert_eq!(options.watch, [PathBuf::from("/"), PathBuf::from("/dev")]);

        let options = check_command(&["hot", "app", "--watch", "/"], &["app", "--watch", "/"]);
        assert_eq!(
            options,
            Options {
                no_restart: false,
                watch: vec![],
                include: vec![],
                verbose: false,
                command: options.command.clone()
            }
        );
    }

    #[test]
    fn crates_are_included_one_by_one_or_as_a_list() {
        let line = [
            "hot",
            "--include",
            "itoa,ryu",
            "--include=rand@0.8",
            "cargo",
            "run",
        ];
        let options = check_command(&line, &["cargo", "run"]);
        assert_eq!(options.include, ["itoa", "ryu", "rand@0.8"]);
    }

    #[test]
    fn bare_cargo_commands_get_a_hint() {
        for word in ["run", "test"] {
            let error = read(&["hot", word, "--bin", "x"])
                .expect_err(word)
                .to_string();
            assert!(error.contains(&format!("hot cargo {word}")), "{error}");
        }
        check_command(&["hot", "--", "test", "-e", "/"], &["test", "-e", "/"]);
    }

    #[test]
    fn cargo_hot_is_hot_cargo() {
        check_command(
            &[
                "hot",
                AS_CARGO_SUBCOMMAND,
                "--no-restart",
                "run",
                "--bin",
                "x",
                "--",
                "y",
            ],
            &["cargo", "run", "--bin", "x", "--", "y"],
        );
        check_command(
            &["hot", AS_CARGO_SUBCOMMAND, "--", "sh", "-c", "x"],
            &["sh", "-c", "x"],
        );

        let args = ["hot", AS_CARGO_SUBCOMMAND, "run"]
            .map(OsString::from)
            .to_vec();
        let options = Options::read(args, Some(OsStr::new("/toolchain/cargo"))).expect("accepted");
        assert_eq!(options.command, ["/toolchain/cargo", "run"]);
    }

    #[test]
    fn mistakes_are_errors() {
        assert_eq!(
            read(&["hot"]).expect_err("empty").kind(),
            ErrorKind::MissingRequiredArgument
        );
        assert_eq!(
            read(&["hot", "--frob", "app"]).expect_err("unknown").kind(),
            ErrorKind::UnknownArgument
        );
        let error = read(&["hot", "--watch", "/no/such/folder", "app"])
            .expect_err("missing path")
            .to_string();
        assert!(
            error.contains("/no/such/folder") && error.contains("No such file"),
            "{error}"
        );
    }

    #[test]
    fn help_names_every_option() {
        let help = Options::command().render_help().to_string();
        for part in [
            "--no-restart",
            "--watch <PATH>",
            "--include <CRATE>",
            "--verbose",
            "hot cargo run --bin server",
            "cargo hot run",
        ] {
            assert!(help.contains(part), "{part} is missing in:\n{help}");
        }
    }

    #[test]
    fn both_programs_use_the_same_marker() {
        assert!(include_str!("bin/cargo-hot.rs").contains(&format!("\"{AS_CARGO_SUBCOMMAND}\"")));
    }
}
