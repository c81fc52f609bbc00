//! What a session needs before the user's command starts: the wrapper under a path that changes with
//! `hot`, the agent, the environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The agent that programs open, built together with `hot`.
static AGENT: &[u8] = include_bytes!(env!("SOFT_MOCK_AGENT"));

/// Puts the agent where the generated main looks for it.
pub(crate) fn write_agent(session: &Path) -> Result<()> {
    crate::unit::replace_file(&session.join("agent.so"), AGENT)
}

/// The environment of the user's command, in addition to ours.
pub(crate) fn environment(
    session: &Path,
    command: &[OsString],
) -> Result<Vec<(OsString, OsString)>> {
    let mut list = build_environment(command)?;
    list.push(("HOT_SESSION".into(), session.into()));
    Ok(list)
}

/// The environment in which cargo builds what can be patched.
pub(crate) fn build_environment(command: &[OsString]) -> Result<Vec<(OsString, OsString)>> {
    let mut list: Vec<(OsString, OsString)> = vec![(
        "RUSTC_WORKSPACE_WRAPPER".into(),
        wrapper(runs_tests(command))?.into(),
    )];
    if let Some(chained) = chained_wrapper(command) {
        list.push(("HOT_CHAINED_WRAPPER".into(), chained));
    }
    Ok(list)
}

/// A link to this program under the name that makes it a wrapper.
///
/// Cargo takes a crate for fresh as long as the wrapper's path is the same, so the path holds a hash
/// of this very build of `hot`.
fn wrapper(for_tests: bool) -> Result<PathBuf> {
    let (own, build) = crate::toolchain::own_build()?;
    let kind = match for_tests {
        true => crate::wrapper::FOR_TESTS,
        false => "",
    };
    let folder = cache_folder().join(format!("{build:016x}{kind}"));
    let link = folder.join("hot-rustc");
    if std::fs::read_link(&link).is_ok_and(|target| target == own) {
        return Ok(link);
    }
    let create = || -> std::io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        let new = folder.join(format!("new-{}", std::process::id()));
        symlink(&own, &new)?;
        std::fs::rename(&new, &link)
    };
    create().with_context(|| format!("can't create {}", link.display()))?;
    Ok(link)
}

/// Whether the command is `cargo test` or `cargo nextest`: then crates are rewritten for mocks as well.
fn runs_tests(command: &[OsString]) -> bool {
    let Some((cargo, arguments)) = command.split_first() else {
        return false;
    };
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if ["--color", "--config", "-C", "-Z"].contains(&word) {
            words.next();
        } else if !word.starts_with(['-', '+']) {
            return is_cargo(cargo) && ["t", "test", "nextest"].contains(&word);
        }
    }
    false
}

fn cache_folder() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(home)
        .map_or_else(
            || std::env::temp_dir().join(format!("hot-{}", rustix::process::getuid().as_raw())),
            |cache| cache.join("hot"),
        )
}

/// The workspace wrapper that the user has set, in the environment or in cargo's configuration.
fn chained_wrapper(command: &[OsString]) -> Option<OsString> {
    if let Some(set) = std::env::var_os("RUSTC_WORKSPACE_WRAPPER") {
        return (!set.is_empty()).then_some(set);
    }
    let cargo = command.first().filter(|word| is_cargo(word))?;
    if !some_config_mentions("rustc-workspace-wrapper") {
        return None;
    }
    // Reading the merged configuration is an unstable command of an otherwise stable cargo.
    let output = Command::new(cargo)
        .args([
            "-Zunstable-options",
            "config",
            "get",
            "--format",
            "json-value",
        ])
        .arg("build.rustc-workspace-wrapper")
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .ok()?;
    let path: String = serde_json::from_slice(&output.stdout).ok()?;
    (!path.is_empty()).then(|| path.into())
}

/// Whether a command's first word is cargo.
pub(crate) fn is_cargo(word: &OsStr) -> bool {
    Path::new(word).file_name() == Some("cargo".as_ref())
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
