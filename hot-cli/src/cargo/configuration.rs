//! What the user has configured for cargo.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::command_line::is_cargo;
use crate::os::process::Process;

/// The wrapper that the user has set, in the environment or in cargo's configuration.
pub(crate) fn configured_wrapper(program: &OsStr, variable: &str, key: &str) -> Option<PathBuf> {
    if let Some(set) = std::env::var_os(variable) {
        return (!set.is_empty()).then(|| set.into());
    }
    let in_environment = std::env::var_os(format!("CARGO_BUILD_{variable}")).is_some();
    if !is_cargo(program) || !(in_environment || some_config_mentions(key)) {
        return None;
    }
    // Reading the merged configuration is an unstable command of an otherwise stable cargo.
    let answer = Process::new(program)
        .args(["-Zunstable-options", "config", "get"])
        .args(["--format", "json-value"])
        .arg(format!("build.{key}"))
        .env("RUSTC_BOOTSTRAP", Some("1"))
        .stdout()
        .ok()?;
    let path: String = serde_json::from_str(&answer).ok()?;
    (!path.is_empty()).then(|| path.into())
}

/// Whether the user has set that programs are linked statically, in whatever way. Where cargo can't
/// say, they aren't.
pub(crate) fn links_statically(manifest: Option<&Path>) -> bool {
    // Only cargo knows all the ways in which flags of rustc are set. That it can be asked is
    // unstable as well.
    let mut cargo =
        Process::new(super::program()).args(["-Zunstable-options", "rustc", "--print", "cfg"]);
    if let Some(manifest) = manifest {
        cargo = cargo.arg("--manifest-path").arg(manifest);
    }
    let answer = cargo.env("RUSTC_BOOTSTRAP", Some("1")).stdout();
    answer.is_ok_and(|cfg| {
        cfg.lines()
            .any(|line| line == "target_feature=\"crt-static\"")
    })
}

fn some_config_mentions(key: &str) -> bool {
    let here = std::env::current_dir().unwrap_or_default();
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    here.ancestors()
        .map(|folder| folder.join(".cargo"))
        .chain(home)
        .flat_map(|folder| [folder.join("config.toml"), folder.join("config")])
        .any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains(key)))
}
