//! What a session needs before the user's command starts: the wrapper under a path that changes with
//! `hot`, the agent, the environment.

use std::collections::hash_map::DefaultHasher;
use std::ffi::{OsStr, OsString};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::child::Launch;
use crate::cli::Options;
use crate::include::list::{List, WRAPPER};
use crate::include::Include;

/// The agent that programs open, built together with `hot`.
static AGENT: &[u8] = include_bytes!(env!("SOFT_MOCK_AGENT"));

/// Puts the agent where the generated main looks for it.
pub(crate) fn write_agent(session: &Path) -> Result<()> {
    crate::unit::replace_file(&session.join("agent.so"), AGENT)
}

/// The user's command, with what it needs.
pub(crate) fn command(options: &Options, session: &Path) -> Result<Include> {
    let (program, args) = options.command.split_first().context("no command")?;
    let launch = Launch {
        program: program.clone(),
        args: args.to_vec(),
        env: environment(session, &options.command)?,
    };
    Ok(Include::new(&options.include, launch))
}

/// The environment of the user's command, in addition to ours.
fn environment(session: &Path, command: &[OsString]) -> Result<Vec<(OsString, OsString)>> {
    let mut list = build_environment(command)?;
    list.push(("HOT_SESSION".into(), session.into()));
    Ok(list)
}

/// The environment in which cargo builds what can be patched.
pub(crate) fn build_environment(command: &[OsString]) -> Result<Vec<(OsString, OsString)>> {
    let mut list: Vec<(OsString, OsString)> = vec![(
        "RUSTC_WORKSPACE_WRAPPER".into(),
        wrapper(
            command
                .split_first()
                .is_some_and(|(cargo, args)| runs_tests(cargo, args)),
        )?
        .into(),
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
    let (_, build) = crate::toolchain::own_build()?;
    link(format!("{build:016x}"), for_tests, crate::wrapper::NAME)
}

/// The wrapper for crates outside of the workspace, with the list of them beside it.
pub(crate) fn include_wrapper(list: &List, for_tests: bool) -> Result<PathBuf> {
    let (_, build) = crate::toolchain::own_build()?;
    let mut hasher = DefaultHasher::new();
    (build, list).hash(&mut hasher);
    let link = link(
        format!("{:016x}-include", hasher.finish()),
        for_tests,
        WRAPPER,
    )?;
    list.write(link.parent().unwrap_or(&link))?;
    Ok(link)
}

/// A link to this program in a folder of its own.
fn link(folder: String, for_tests: bool, name: &str) -> Result<PathBuf> {
    let (own, _) = crate::toolchain::own_build()?;
    let kind = match for_tests {
        true => crate::wrapper::FOR_TESTS,
        false => "",
    };
    let folder = cache_folder().join(format!("{folder}{kind}"));
    let link = folder.join(name);
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
pub(crate) fn runs_tests(program: &OsStr, arguments: &[OsString]) -> bool {
    let word = subcommand(arguments).and_then(|position| arguments[position].to_str());
    is_cargo(program) && word.is_some_and(|word| ["t", "test", "nextest"].contains(&word))
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

/// The workspace wrapper that the user has set.
fn chained_wrapper(command: &[OsString]) -> Option<OsString> {
    let program = command.first().map_or(OsStr::new(""), OsString::as_os_str);
    configured_wrapper(
        program,
        "RUSTC_WORKSPACE_WRAPPER",
        "rustc-workspace-wrapper",
    )
    .map(PathBuf::into_os_string)
}

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
    let output = Command::new(program)
        .args([
            "-Zunstable-options",
            "config",
            "get",
            "--format",
            "json-value",
        ])
        .arg(format!("build.{key}"))
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
