//! What `hot test` is told, and which of it is for cargo and which for the harnesses.
//!
//! Knows nothing of how tests are built and run.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, Result};
use clap::Args;

use crate::os;
use crate::ui::Format;

/// Runs the project's tests, stays, and after a save runs those again that it concerns.
///
/// The first run leaves out what is known to pass: tests of which an earlier one has shown what
/// they reach, and nothing of that has changed. Each test runs in a process of its own. Unit tests,
/// integration tests and examples with tests; no doc tests. Keys, where the terminal is free: Enter
/// (the last ones again), a (all), f (those that fail), / (a filter: only tests with what is typed
/// in their names), w (which were run last), q (quit).
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct TestArgs {
    /// Run the tests that what changed since the last run concerns, and end: with 0, or with
    /// cargo's exit code 101
    #[arg(long)]
    once: bool,

    /// Forget what is known of the last run: all tests are run first
    #[arg(long)]
    forget: bool,

    /// Kill a test that runs longer than this [default: 300, or what nextest's profile says]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,

    /// Write the results of all tests to this file after every run, as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// The profile in .config/nextest.toml of which retries, slow-timeout and test-threads count
    #[arg(long, value_name = "NAME")]
    nextest_profile: Option<String>,

    /// How to say things: as people read them, or each as a line of JSON (docs/messages.md)
    #[arg(long, value_name = "FORMAT", value_enum)]
    message_format: Option<Format>,

    /// Say how long what takes
    #[arg(short, long)]
    verbose: bool,

    /// Read no keys, also where the terminal is free for them
    #[arg(long)]
    pub(super) no_keys: bool,

    /// Arguments of `cargo test`: `-p my-crate`, `--release`, `name_of_a_test -- --nocapture`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS OF CARGO TEST"
    )]
    arguments: Vec<OsString>,
}

/// The same, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) once: bool,
    pub(super) forget: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) junit: Option<PathBuf>,
    pub(super) nextest_profile: Option<String>,
    pub(super) verbose: bool,
    pub(super) format: Format,
    /// `+toolchain`.
    pub(super) toolchain: Option<OsString>,
    /// What stands behind `cargo test`, up to `--`.
    pub(super) cargo: Vec<OsString>,
    /// What stands behind `--`.
    pub(super) harness: Vec<OsString>,
}

/// Options that say which targets are tested.
const TARGETS: [&str; 9] = [
    "--lib",
    "--bin",
    "--bins",
    "--example",
    "--examples",
    "--test",
    "--tests",
    "--all-targets",
    "--benches",
];

impl TestArgs {
    /// `line` is the whole command line of `hot`: a `--` before the first argument isn't among
    /// the arguments.
    pub(super) fn understood(&self, line: &[OsString]) -> Result<Wanted> {
        let mut words = self.arguments.clone();
        let before = line.len().checked_sub(words.len() + 1);
        if before.is_some_and(|before| before > 1 && line[before] == "--") {
            words.insert(0, "--".into());
        }
        let toolchain = match words.first() {
            Some(word) if word.to_string_lossy().starts_with('+') => Some(words.remove(0)),
            _ => None,
        };
        let end = words.iter().position(|word| word == "--");
        let harness = match end {
            Some(end) => words.split_off(end).split_off(1),
            None => Vec::new(),
        };
        let wanted = Wanted {
            once: self.once,
            forget: self.forget,
            timeout: self.timeout.map(Duration::from_secs),
            junit: self.junit.clone(),
            nextest_profile: self.nextest_profile.clone(),
            verbose: self.verbose,
            format: self.message_format.unwrap_or_default(),
            toolchain,
            cargo: words,
            harness,
        };
        wanted.refuse_what_is_not_supported()?;
        Ok(wanted.with_targets())
    }
}

impl Wanted {
    fn refuse_what_is_not_supported(&self) -> Result<()> {
        for (position, word) in self.cargo.iter().enumerate() {
            let text = word.to_string_lossy();
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(OsStr::new(value).to_owned())),
                None => (&*text, self.cargo.get(position + 1).cloned()),
            };
            match name {
                "--doc" => bail!("`hot test` runs no doc tests: `cargo test --doc` does"),
                "--message-format" | "--no-run" | "--bench" => {
                    bail!("`hot test` doesn't support {name}: `hot cargo test` does")
                }
                "--target" if value.is_none_or(|value| value != os::TARGET) => {
                    bail!("`hot test` runs tests on {} only", os::TARGET)
                }
                _ => {}
            }
        }
        for word in &self.harness {
            let text = word.to_string_lossy();
            let name = text.split('=').next().unwrap_or_default();
            if ["--format", "--logfile", "--list", "--bench", "--help", "-h"].contains(&name) {
                bail!("`hot test` doesn't support {name} behind `--`: `hot cargo test` does");
            }
        }
        Ok(())
    }

    /// Cargo would run doc tests as well where nobody says what is to be tested.
    fn with_targets(mut self) -> Self {
        let is_target = |word: &OsString| {
            let text = word.to_string_lossy();
            TARGETS.contains(&text.split('=').next().unwrap_or_default())
        };
        if !self.cargo.iter().any(is_target) {
            self.cargo.insert(0, "--tests".into());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(words: &[&str]) -> Result<Wanted> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: TestArgs,
        }
        let line: Vec<OsString> = words.iter().map(OsString::from).collect();
        let parsed = <Line as clap::Parser>::parse_from(&line[1..]);
        parsed.args.understood(&line)
    }

    #[track_caller]
    fn check(words: &[&str], cargo: &[&str], harness: &[&str]) {
        let wanted = understood(words).expect("supported");
        assert_eq!((wanted.cargo, wanted.harness), (list(cargo), list(harness)));
    }

    fn list(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn words_go_to_cargo_and_to_the_harness() {
        check(&["hot", "test"], &["--tests"], &[]);
        check(&["hot", "test", "name"], &["--tests", "name"], &[]);
        check(
            &["hot", "test", "--once", "--", "--nocapture"],
            &["--tests"],
            &["--nocapture"],
        );
        check(
            &["hot", "test", "-p", "a", "--lib", "--", "name", "--", "x"],
            &["-p", "a", "--lib"],
            &["name", "--", "x"],
        );
        check(&["hot", "test", "--test=it"], &["--test=it"], &[]);
        let wanted = understood(&["hot", "test", "+1.85", "-r"]).expect("supported");
        assert_eq!(wanted.toolchain, Some("+1.85".into()));
        assert_eq!(wanted.cargo, list(&["--tests", "-r"]));
    }

    #[test]
    fn what_is_not_supported_is_said() {
        for words in [
            &["hot", "test", "--doc"][..],
            &["hot", "test", "--no-run"],
            &["hot", "test", "--target", "wasm32-unknown-unknown"],
            &["hot", "test", "--", "--format=json"],
        ] {
            let error = understood(words).expect_err("not supported").to_string();
            assert!(error.contains("`hot test`"), "{error}");
        }
        let own = ["hot", "test", "--target", os::TARGET];
        check(&own, &["--tests", "--target", os::TARGET], &[]);
    }
}
