//! `hot` as cargo gets to see it: links to this program under the names that make it a wrapper.

use std::collections::hash_map::DefaultHasher;
use std::ffi::{OsStr, OsString};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::included_list::{List, WRAPPER};
use super::{Purpose, NAME};
use crate::cargo::command_line::{configurations, runs_tests};
use crate::cargo::configuration::configured_wrapper;
use crate::cargo::profiles::is_about_optimisation;
use crate::config::env::{CHAINED_WRAPPER, OPTIMISES};
use crate::os::files::create_folders;
use crate::os::own_build;

/// The environment in which cargo builds what can be patched, or tests that can mock.
pub(crate) fn build_environment(command: &[OsString]) -> Result<Vec<(OsString, OsString)>> {
    let cargo = command.split_first();
    let for_tests = cargo.is_some_and(|(cargo, args)| runs_tests(cargo, args));
    environment_for(command, Purpose::of_command(for_tests))
}

/// The environment in which cargo builds for a purpose.
pub(crate) fn environment_for(
    command: &[OsString],
    purpose: Purpose,
) -> Result<Vec<(OsString, OsString)>> {
    let cargo = command.split_first();
    let wrapper = wrapper(purpose)?;
    let mut list: Vec<(OsString, OsString)> =
        vec![("RUSTC_WORKSPACE_WRAPPER".into(), wrapper.into())];
    let args = cargo.map_or(&[][..], |(_, args)| args);
    if configurations(args).any(is_about_optimisation) {
        list.push((OPTIMISES.into(), "1".into()));
    }
    if let Some(chained) = chained_wrapper(command) {
        list.push((CHAINED_WRAPPER.into(), chained));
    }
    Ok(list)
}

/// A link to this program under the name that makes it a wrapper.
///
/// Cargo takes a crate for fresh as long as the wrapper's path is the same, so the path holds a
/// hash of this very build of `hot`.
pub(crate) fn wrapper(purpose: Purpose) -> Result<PathBuf> {
    let (_, build) = own_build()?;
    link(format!("{build:016x}"), purpose, NAME)
}

/// The wrapper for crates outside of the workspace, with the list of them beside it.
pub(crate) fn include_wrapper(list: &List, purpose: Purpose) -> Result<PathBuf> {
    let (_, build) = own_build()?;
    let mut hasher = DefaultHasher::new();
    (build, list).hash(&mut hasher);
    let link = link(
        format!("{:016x}-include", hasher.finish()),
        purpose,
        WRAPPER,
    )?;
    list.write(link.parent().unwrap_or(&link))?;
    Ok(link)
}

/// A link to this program in a folder of its own.
fn link(folder: String, purpose: Purpose, name: &str) -> Result<PathBuf> {
    let folder = cache_folder().join(folder + purpose.suffix());
    let hint = "hot's wrapper for rustc needs a place: set XDG_CACHE_HOME to a folder of your own";
    link_in(&folder, name.as_ref(), hint)
}

/// A link to this program in the place of a linker: rustc tells the kind of one by its name.
pub(super) fn linker(folder: &Path, linker: &Path) -> Result<PathBuf> {
    let name = linker.file_name().context("no linker")?;
    link_in(
        &folder.join("linker"),
        name,
        "`hot` has to stand before the linker",
    )
}

fn link_in(folder: &Path, name: &OsStr, hint: &'static str) -> Result<PathBuf> {
    let (own, _) = own_build()?;
    let link = folder.join(name);
    if std::fs::read_link(&link).is_ok_and(|target| target == own) {
        return Ok(link);
    }
    create_folders(folder).context(hint)?;
    let create = || -> std::io::Result<()> {
        let new = folder.join(format!("new-{}", std::process::id()));
        symlink(&own, &new)?;
        std::fs::rename(&new, &link)
    };
    create().with_context(|| format!("can't create {}", link.display()))?;
    Ok(link)
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

/// The wrapper that the user has set; not what `hot init` has.
pub(crate) fn users_wrapper(program: &OsStr, variable: &str, key: &str) -> Option<PathBuf> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name();
        [NAME, WRAPPER]
            .iter()
            .any(|own| name == Some(OsStr::new(own)))
    };
    configured_wrapper(program, variable, key).filter(|path| !is_ours(path))
}

/// The workspace wrapper that the user has set.
fn chained_wrapper(command: &[OsString]) -> Option<OsString> {
    let program = command.first().map_or(OsStr::new(""), OsString::as_os_str);
    users_wrapper(
        program,
        "RUSTC_WORKSPACE_WRAPPER",
        "rustc-workspace-wrapper",
    )
    .map(PathBuf::into_os_string)
}
