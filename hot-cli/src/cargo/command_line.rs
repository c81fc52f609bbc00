//! The words of a command of cargo's, as a user gave them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;

use super::metadata::{MetadataError, Query};

/// Whether a command's first word is cargo.
pub(crate) fn is_cargo(word: &OsStr) -> bool {
    Path::new(word).file_name() == Some("cargo".as_ref())
}

/// Whether the command is one that runs tests: then crates are rewritten for mocks as well.
pub(crate) fn runs_tests(program: &OsStr, arguments: &[OsString]) -> bool {
    let word = subcommand(arguments).and_then(|position| arguments[position].to_str());
    let runs = match word {
        Some("t" | "test" | "nextest") => true,
        // Tests as well, if it isn't told to run a program.
        Some("llvm-cov") => !own(arguments).any(|arg| arg == "run"),
        _ => false,
    };
    is_cargo(program) && runs
}

/// What is cargo's among the arguments, and not a program's that it runs.
fn own(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    arguments.iter().take_while(|arg| *arg != "--")
}

/// Where the name of cargo's subcommand stands among its arguments.
pub(crate) fn subcommand(arguments: &[OsString]) -> Option<usize> {
    let mut words = arguments.iter().enumerate();
    while let Some((position, word)) = words.next() {
        let word = word.to_string_lossy();
        if ["--color", "--config", "-C", "-Z"].contains(&&*word) {
            words.next();
        } else if !word.starts_with(['-', '+']) {
            return Some(position);
        }
    }
    None
}

/// What is given with `--config`: settings, or names of files that have them.
pub(crate) fn configurations(arguments: &[OsString]) -> impl Iterator<Item = &OsStr> {
    own(arguments).enumerate().filter_map(|(position, arg)| {
        let glued = arg.as_bytes().strip_prefix(b"--config=");
        let separate = || arguments.get(position + 1).filter(|_| arg == "--config");
        match glued {
            Some(value) => Some(OsStr::from_bytes(value)),
            None => separate().map(OsString::as_os_str),
        }
    })
}

/// The arguments of the command that builds what a command would build and run; none if it runs
/// nothing.
pub(crate) fn build_only(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let position = subcommand(arguments)?;
    let (word, extra) = match arguments[position].to_str()? {
        "run" | "r" => ("build", None),
        "test" | "t" => ("test", Some("--no-run")),
        _ => return None,
    };
    let mut args: Vec<OsString> = own(arguments).cloned().collect();
    args[position] = word.into();
    args.extend(extra.map(OsString::from));
    Some(args)
}

/// A command of cargo's, as far as it says which packages there are.
#[derive(Debug)]
pub(crate) struct CargoCommand<'a> {
    program: &'a OsStr,
    /// `+toolchain`.
    toolchain: Option<&'a OsStr>,
    /// Options that decide which packages and versions the graph has.
    options: Vec<&'a OsStr>,
    manifest: Option<PathBuf>,
    /// Where options of cargo may be put among the arguments.
    pub(crate) after_subcommand: usize,
}

impl<'a> CargoCommand<'a> {
    const WITH_VALUE: [&'static str; 5] = [
        "--config",
        "--features",
        "-F",
        "--lockfile-path",
        "--manifest-path",
    ];
    const ALONE: [&'static str; 5] = [
        "--all-features",
        "--no-default-features",
        "--offline",
        "--locked",
        "--frozen",
    ];

    /// Of a command's words; none if it is no command of cargo's.
    pub(crate) fn of(program: &'a OsStr, args: &'a [OsString]) -> Option<Self> {
        if !is_cargo(program) {
            return None;
        }
        let subcommand = subcommand(args)?;
        let mut after_subcommand = subcommand + 1;
        if args[subcommand] == "nextest" {
            // Its own subcommand takes them.
            after_subcommand += 1;
        }
        let mut found = Self {
            program,
            toolchain: None,
            options: Vec::new(),
            manifest: None,
            after_subcommand: after_subcommand.min(args.len()),
        };
        let mut rest = own(args);
        while let Some(arg) = rest.next() {
            let text = arg.to_string_lossy();
            let name = text.split('=').next().unwrap_or_default();
            if text.starts_with('+') {
                found.toolchain = Some(arg);
            } else if Self::ALONE.contains(&&*text) {
                found.options.push(arg);
            } else if Self::WITH_VALUE.contains(&name) {
                found.options.push(arg);
                let glued = text.split_once('=').map(|(_, value)| PathBuf::from(value));
                let separate = glued.is_none().then(|| rest.next()).flatten();
                found.options.extend(separate.map(OsString::as_os_str));
                if name == "--manifest-path" {
                    found.manifest = glued.or_else(|| separate.map(PathBuf::from));
                }
            }
        }
        Some(found)
    }

    /// The options that decide which packages, versions and features there are.
    pub(crate) fn options(&self) -> &[&'a OsStr] {
        &self.options
    }

    /// The folder of the project.
    pub(crate) fn folder(&self) -> PathBuf {
        folder_of(self.manifest.as_deref())
    }

    /// The packages of the project, and all that they need.
    pub(crate) fn metadata(&self) -> Result<Metadata, MetadataError> {
        Query {
            cargo: self.program.to_owned(),
            toolchain: self.toolchain,
            manifest: None,
            options: self.options.clone(),
            dependencies: true,
        }
        .ask()
    }
}

/// The folder of the project that is meant by a manifest, or by where we are.
pub(crate) fn folder_of(manifest: Option<&Path>) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    match manifest.and_then(Path::parent) {
        Some(folder) => here.join(folder),
        None => here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[track_caller]
    fn check(args: &[&str], place: usize, options: &[&str]) {
        let args = words(args);
        let command =
            CargoCommand::of("/usr/bin/cargo".as_ref(), &args).expect("a command of cargo's");
        assert_eq!(command.after_subcommand, place);
        assert_eq!(command.options, options);
    }

    #[test]
    fn what_decides_about_packages_is_passed_on() {
        check(&["run", "--bin", "a", "--", "--offline"], 1, &[]);
        check(
            &["+nightly", "--color", "always", "test", "--locked"],
            4,
            &["--locked"],
        );
        check(
            &[
                "run",
                "--manifest-path",
                "a/Cargo.toml",
                "-F",
                "x",
                "--config=k=1",
            ],
            1,
            &["--manifest-path", "a/Cargo.toml", "-F", "x", "--config=k=1"],
        );
        check(&["nextest", "run", "--offline"], 2, &["--offline"]);
        let one = words(&["run", "--manifest-path=a/Cargo.toml"]);
        let folder = CargoCommand::of("cargo".as_ref(), &one)
            .expect("a command")
            .folder();
        assert!(folder.ends_with("a"), "{folder:?}");
    }

    #[test]
    fn commands_that_run_tests() {
        let runs = |args: &[&str]| runs_tests("cargo".as_ref(), &words(args));
        assert!(runs(&["test"]) && runs(&["nextest", "run"]));
        assert!(runs(&["llvm-cov"]) && runs(&["llvm-cov", "--", "run"]));
        assert!(!runs(&["run"]) && !runs(&["llvm-cov", "run"]));
    }

    #[test]
    fn settings_in_a_command() {
        let args = words(&[
            "--config",
            "a=1",
            "run",
            "--config=b.toml",
            "--",
            "--config=c",
        ]);
        let found: Vec<_> = configurations(&args).collect();
        assert_eq!(found, ["a=1", "b.toml"]);
    }

    #[test]
    fn options_before_the_subcommand_have_values() {
        let build = build_only(&words(&[
            "--color", "always", "run", "--bin", "a", "--", "x",
        ]));
        assert_eq!(
            build,
            Some(words(&["--color", "always", "build", "--bin", "a"]))
        );
        assert_eq!(build_only(&words(&["check"])), None);
    }
}
