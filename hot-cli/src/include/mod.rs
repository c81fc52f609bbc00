//! Crates outside of the workspace that are rewritten because somebody asked for it: `--include
//! CRATE`, or `include = ["crate"]` in the manifest. And crates that run what tests make, for tests
//! that can mock: of these, tasks alone are rewritten.
//!
//! ```text
//! names ─► packages of cargo's graph ─► cache keys ─► cargo … --config profile.dev.package.NAME.codegen-units=KEY
//!                                          └───► the list beside the link `hot-include`, cargo's RUSTC_WRAPPER
//! ```
//!
//! Cargo calls that wrapper for every crate, and doesn't build anew when it changes. The cache key
//! does that: a setting of the package's profile, so it is part of the names of all files that the
//! package and its users are compiled to. Plain cargo, `hot` with other crates and `hot` of another
//! build have names of their own in the same target folder. The wrapper takes the setting away
//! again. A cache key also holds what the sources of a package from a registry or from
//! git say, since cargo takes those for unchangeable: an edit is another cache key, and built.

mod cache_key;
mod graph;

pub(crate) use graph::dependencies;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{bail, Result};
use soft_mock_rewriter::instrument::Executor;

use crate::cargo::command_line::{runs_tests, CargoCommand};
use crate::child::Launch;
use crate::config::{env, settings};
use crate::wrapper::included_list::{sources, Included, List};
use crate::wrapper::link::{include_wrapper, users_wrapper};
use crate::wrapper::Purpose;

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

    /// The command as it has to be now, which depends on manifests and on what the sources of the
    /// crates hold.
    pub(crate) fn launch(&self) -> Result<Launch> {
        let mut launch = self.plain.clone();
        let Some(named) = &self.named else {
            return Ok(launch);
        };
        let (program, args) = (&self.plain.program, &self.plain.args);
        let purpose = Purpose::of_command(runs_tests(program, args));
        let command = CargoCommand::of(program, args);
        let Some(rewriting) = Rewriting::of(program, command.as_ref(), named, purpose)? else {
            return Ok(launch);
        };
        // Tests and benchmarks, and profiles of the user's own, take over what these two say.
        let place = command.map_or(0, |command| command.after_subcommand);
        for (spec, cache_key) in &rewriting.cache_keys {
            for profile in ["dev", "release"] {
                let key = format!("profile.{profile}.package.\"{spec}\".codegen-units={cache_key}");
                let option = ["--config".into(), OsString::from(key)];
                launch.args.splice(place..place, option);
            }
        }
        let before = std::env::var_os("RUSTC_WRAPPER").unwrap_or_default();
        let wrapper = rewriting.wrapper.into();
        launch.env.push(("RUSTC_WRAPPER".into(), wrapper));
        launch.env.push((env::RUSTC_WRAPPER_BEFORE.into(), before));
        Ok(launch)
    }
}

/// What cargo has to be told so that crates outside of the workspace are rewritten.
#[derive(Debug)]
pub(crate) struct Rewriting {
    /// How cargo's profiles name each package, and its number of codegen units.
    pub(crate) cache_keys: Vec<(String, u32)>,
    /// What is to be called for every crate.
    pub(crate) wrapper: PathBuf,
}

impl Rewriting {
    /// Of the crates named, of those that the project's manifest names, and for tests of those that
    /// run their tasks. None if there is no such crate.
    pub(crate) fn of(
        program: &OsStr,
        command: Option<&CargoCommand<'_>>,
        named: &[String],
        purpose: Purpose,
    ) -> Result<Option<Self>> {
        let folder = command.map_or_else(here, CargoCommand::folder);
        // A manifest that isn't understood is told where its crate is compiled.
        let settings = settings::of_project(&folder).unwrap_or_default();
        let (also, skip) = (settings.list("include"), settings.list("skip"));
        let wanted: Vec<&str> = named
            .iter()
            .chain(&also)
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        let executors = Executor::known().filter(|_| purpose.is_tests());
        let executors: Vec<_> = executors.map(|known| known.package).collect();
        if wanted.is_empty() && executors.is_empty() {
            return Ok(None);
        }
        let Some(command) = command else {
            bail!(
                "crates can be included in commands of cargo only (`hot --include {} cargo run`)",
                wanted[0]
            );
        };
        let packages = match graph::find(command, &wanted, &executors) {
            // Cargo itself will say what is wrong with the project.
            Err(_) if wanted.is_empty() => return Ok(None),
            found => found?,
        };
        if packages.is_empty() {
            return Ok(None);
        }
        let (mut included, mut cache_keys) = (Vec::new(), Vec::new());
        for package in &packages {
            let sources = package.is_immutable.then(|| sources(&package.folder));
            let sources = sources.transpose()?;
            let cache_key = cache_key::of(package, sources, purpose.is_tests(), &skip)?;
            cache_keys.push((package.spec.clone(), cache_key));
            included.push(Included {
                name: package.name.clone(),
                version: package.version.clone(),
                folder: package.folder.clone(),
                cache_key,
                tasks_only: package.tasks_only,
                sources,
            });
        }
        let list = List {
            crates: included,
            skip,
            chained: users_wrapper(program, "RUSTC_WRAPPER", "rustc-wrapper"),
        };
        Ok(Some(Self {
            cache_keys,
            wrapper: include_wrapper(&list, purpose)?,
        }))
    }
}

fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
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

    #[test]
    fn only_cargo_can_include() {
        let plain = Launch {
            program: "sh".into(),
            ..launch(&["-c", "cargo run"])
        };
        assert!(CargoCommand::of(&plain.program, &plain.args).is_none());
        let error = Include::new(&["itoa".to_owned()], plain).launch();
        let error = error.expect_err("refused").to_string();
        assert!(error.contains("commands of cargo only"), "{error}");
    }
}
