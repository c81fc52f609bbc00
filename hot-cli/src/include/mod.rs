//! Crates outside of the workspace that are rewritten because somebody asked for it: `--include CRATE`, or
//! `include = ["crate"]` in the manifest.
//!
//! ```text
//! names ─► packages of cargo's graph ─► marks ─► cargo … --config profile.dev.package.NAME.codegen-units=MARK
//!                                          └───► the list beside the link `hot-include`, cargo's RUSTC_WRAPPER
//! ```
//!
//! Cargo calls that wrapper for every crate, and doesn't build anew when it changes. The mark does that: a setting of
//! the package's profile, so it is part of the names of all files that the package and its users are compiled to. Plain
//! cargo, `hot` with other crates and `hot` of another build have names of their own in the same target folder. The
//! wrapper takes the setting away again. A mark also holds what the sources of a package from a registry or from git say,
//! since cargo takes those for unchangeable: an edit is another mark, and built.

mod cache_key;
mod graph;

pub(crate) use graph::dependencies;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use crate::cargo::command_line::{is_cargo, runs_tests, subcommand};
use crate::cargo::configuration::configured_wrapper;
use crate::child::Launch;
use crate::config::{env, settings};
use crate::os;
use crate::wrapper::included_list::{sources, Included, List};
use crate::wrapper::link::include_wrapper;

/// The user's command, and the crates that are to be rewritten beside the workspace's.
#[derive(Debug)]
pub(crate) struct Include {
    /// Those named on the command line; nothing if there is no command that could include any.
    named: Option<Vec<String>>,
    plain: Launch,
}

impl Include {
    pub(crate) fn new(named: &[String], plain: Launch) -> Self {
        Self {
            named: Some(named.to_vec()),
            plain,
        }
    }

    /// A command that builds nothing.
    pub(crate) fn nothing(plain: Launch) -> Self {
        Self { named: None, plain }
    }

    /// The command as it has to be now, which depends on manifests and on what the sources of the crates hold.
    pub(crate) fn launch(&self) -> Result<Launch> {
        let Some(named) = &self.named else {
            return Ok(self.plain.clone());
        };
        let command = CargoCommand::of(&self.plain);
        let folder = command.as_ref().map_or_else(here, CargoCommand::folder);
        // A manifest that isn't understood is told where its crate is compiled.
        let settings = settings::of_project(&folder).unwrap_or_default();
        let wanted: Vec<&str> = named
            .iter()
            .chain(&settings.include)
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        if wanted.is_empty() {
            return Ok(self.plain.clone());
        }
        let Some(command) = command else {
            bail!(
                "crates can be included in commands of cargo only (`hot --include {} cargo run`)",
                wanted[0]
            );
        };
        let packages = graph::find(&command, &wanted)?;
        if packages.is_empty() {
            return Ok(self.plain.clone());
        }
        let for_tests = runs_tests(&self.plain.program, &self.plain.args);
        let mut included = Vec::new();
        let mut launch = self.plain.clone();
        for package in &packages {
            let sources = package.is_kept.then(|| sources(&package.folder));
            let sources = sources.transpose()?;
            let mark = cache_key::of(package, sources, for_tests, &settings.skip)?;
            // Tests and benchmarks, and profiles of the user's own, take over what these two say.
            for profile in ["dev", "release"] {
                let key = format!(
                    "profile.{profile}.package.\"{}\".codegen-units={mark}",
                    package.spec
                );
                let place = command.after_subcommand;
                launch
                    .args
                    .splice(place..place, ["--config".into(), OsString::from(key)]);
            }
            included.push(Included {
                name: package.name.clone(),
                version: package.version.clone(),
                folder: package.folder.clone(),
                mark,
                sources,
            });
        }
        let list = List {
            crates: included,
            skip: settings.skip,
            chained: configured_wrapper(&self.plain.program, "RUSTC_WRAPPER", "rustc-wrapper"),
        };
        let wrapper = include_wrapper(&list, for_tests)?;
        let before = std::env::var_os("RUSTC_WRAPPER").unwrap_or_default();
        launch.env.push(("RUSTC_WRAPPER".into(), wrapper.into()));
        launch.env.push((env::RUSTC_WRAPPER_BEFORE.into(), before));
        Ok(launch)
    }
}

fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// A command of cargo's, as far as it says which packages there are.
#[derive(Debug)]
struct CargoCommand<'a> {
    program: &'a OsStr,
    /// `+toolchain`.
    toolchain: Option<&'a OsStr>,
    /// Options that decide which packages and versions the graph has.
    options: Vec<&'a OsStr>,
    manifest: Option<PathBuf>,
    /// Where options of cargo may be put among the arguments.
    after_subcommand: usize,
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

    fn of(launch: &'a Launch) -> Option<Self> {
        if !is_cargo(&launch.program) {
            return None;
        }
        let subcommand = subcommand(&launch.args)?;
        let mut after_subcommand = subcommand + 1;
        if launch.args[subcommand] == "nextest" {
            // Its own subcommand takes them.
            after_subcommand += 1;
        }
        let mut found = Self {
            program: &launch.program,
            toolchain: None,
            options: Vec::new(),
            manifest: None,
            after_subcommand: after_subcommand.min(launch.args.len()),
        };
        let mut args = launch.args.iter().take_while(|arg| *arg != "--");
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy();
            let name = text.split('=').next().unwrap_or_default();
            if text.starts_with('+') {
                found.toolchain = Some(arg);
            } else if Self::ALONE.contains(&&*text) {
                found.options.push(arg);
            } else if Self::WITH_VALUE.contains(&name) {
                found.options.push(arg);
                let glued = text.split_once('=').map(|(_, value)| PathBuf::from(value));
                let separate = glued.is_none().then(|| args.next()).flatten();
                found.options.extend(separate.map(OsString::as_os_str));
                if name == "--manifest-path" {
                    found.manifest = glued.or_else(|| separate.map(PathBuf::from));
                }
            }
        }
        Some(found)
    }

    /// The folder of the project.
    fn folder(&self) -> PathBuf {
        let manifest = self.manifest.as_deref().and_then(Path::parent);
        manifest.map_or_else(here, |folder| here().join(folder))
    }

    /// The packages of the project.
    fn metadata(&self) -> Result<cargo_metadata::Metadata> {
        let output = std::process::Command::new(self.program)
            .args(self.toolchain)
            .args(["metadata", "--format-version", "1", "--filter-platform"])
            // What is there for other systems alone is no part of any program that can be patched.
            .arg(os::TARGET)
            .args(&self.options)
            .stdin(std::process::Stdio::null())
            .stderr(std::process::Stdio::inherit())
            .output()
            .context("can't start cargo")?;
        if !output.status.success() {
            bail!("cargo can't tell which crates there are to include");
        }
        let text = String::from_utf8_lossy(&output.stdout);
        cargo_metadata::MetadataCommand::parse(text).context("cargo can't read the project")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(args: &[&str]) -> Launch {
        Launch {
            program: "/usr/bin/cargo".into(),
            args: args.iter().map(OsString::from).collect(),
            env: Vec::new(),
        }
    }

    #[track_caller]
    fn check(args: &[&str], place: usize, options: &[&str]) {
        let launch = launch(args);
        let command = CargoCommand::of(&launch).expect("a command of cargo's");
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
        let one = launch(&["run", "--manifest-path=a/Cargo.toml"]);
        let folder = CargoCommand::of(&one).expect("a command").folder();
        assert!(folder.ends_with("a"), "{folder:?}");
    }

    #[test]
    fn only_cargo_can_include() {
        let plain = Launch {
            program: "sh".into(),
            ..launch(&["-c", "cargo run"])
        };
        assert!(CargoCommand::of(&plain).is_none());
        let error = Include::new(&["itoa".to_owned()], plain).launch();
        let error = error.expect_err("refused").to_string();
        assert!(error.contains("commands of cargo only"), "{error}");
    }
}
