//! A target folder that looks to cargo like the project's own, and isn't: what cargo or a compiler
//! writes to are copies, all else are links.
//!
//! Knows nothing of what is built in it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::os::own_build;
use crate::rustc::dep_info;

/// The file with the path of the project's own.
pub(super) const REAL: &str = "real";

/// What lies at the root of a target folder.
const ROOT: &str = ".rustc_info.json";

pub(super) struct Target {
    real: PathBuf,
    copy: TempDir,
}

impl Target {
    /// One like that with the records of this unit.
    pub(super) fn like(unit: &Path) -> Result<Self> {
        let mut above = unit.ancestors();
        let real = above.find(|folder| folder.join(ROOT).is_file());
        let real = real
            .context("cargo's target folder isn't found")?
            .to_owned();
        let profile = unit.ancestors().nth(2).and_then(Path::file_name);
        let profile = profile.context("the unit lies in no folder of a profile")?;
        let copy = tempfile::Builder::new()
            .prefix(".hot-dry-build-")
            .tempdir_in(&real)?;
        let target = Self { real, copy };
        std::fs::write(
            target.folder().join(REAL),
            target.real.to_string_lossy().as_bytes(),
        )?;
        // Beside the host's there may be folders of other platforms.
        let mut folders = vec![PathBuf::from(profile)];
        for entry in std::fs::read_dir(&target.real)? {
            let below = Path::new(&entry?.file_name()).join(profile);
            folders.extend(target.real.join(&below).is_dir().then_some(below));
        }
        for folder in folders
            .iter()
            .filter(|folder| target.real.join(folder).is_dir())
        {
            target.fill(folder)?;
        }
        Ok(target)
    }

    pub(super) fn folder(&self) -> &Path {
        self.copy.path()
    }

    /// The project's own.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// A link to `hot` by this name in it.
    pub(super) fn wrapper(&self, name: &str) -> Result<PathBuf> {
        let link = self.folder().join(name);
        std::os::unix::fs::symlink(own_build()?.0, &link)?;
        Ok(link)
    }

    /// The folder of a profile.
    fn fill(&self, profile: &Path) -> Result<()> {
        let (from, to) = (self.real.join(profile), self.folder().join(profile));
        for unit in folders(&from.join(".fingerprint"))? {
            each_file(&unit, &to.join(".fingerprint"), copy)?;
        }
        let objects = |path: &Path| path.extension().is_some_and(|end| end == "o");
        each_file(&from.join("deps"), &to, |from, to| match objects(from) {
            true => Ok(()),
            false => std::fs::hard_link(from, to),
        })?;
        for unit in folders(&from.join("build"))? {
            each_file(&unit, &to.join("build"), |from, to| {
                match from.extension() {
                    None if is_program(from) => std::fs::hard_link(from, to),
                    _ => copy(from, to),
                }
            })?;
        }
        fill_generated(&from, &to)
    }
}

/// What build scripts have made and crates were compiled from. Copies: the scripts of members run
/// again.
fn fill_generated(from: &Path, to: &Path) -> Result<()> {
    let made = from.join("build");
    for entry in entries(&from.join("deps"))? {
        let path = entry?.path();
        if path.extension() != Some("d".as_ref()) {
            continue;
        }
        // Cargo compiles anew what has none.
        for file in dep_info::read(&path).unwrap_or_default() {
            let Ok(below) = file.strip_prefix(&made) else {
                continue;
            };
            let place = to.join("build").join(below);
            if place.exists() || !file.is_file() {
                continue;
            }
            let folder = place.parent().context("a file is in a folder")?;
            std::fs::create_dir_all(folder)?;
            copy(&file, &place).with_context(|| format!("can't copy {}", file.display()))?;
        }
    }
    Ok(())
}

/// The executable of a build script, under one of its names.
fn is_program(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("build-script-") || name.starts_with("build_script_")
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Does this with every file of a folder, and its place in a folder of that name below `to`.
fn each_file(
    folder: &Path,
    to: &Path,
    place: impl Fn(&Path, &Path) -> std::io::Result<()>,
) -> Result<()> {
    let to = to.join(folder.file_name().unwrap_or_default());
    std::fs::create_dir_all(&to)?;
    for entry in entries(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let placed = place(&entry.path(), &to.join(entry.file_name()));
        match placed {
            // A build beside us may have taken it away.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            placed => placed.with_context(|| format!("can't copy {}", entry.path().display()))?,
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<std::io::Result<std::fs::DirEntry>>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(entries.collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("can't read {}", folder.display())),
    }
}

/// A copy that is as old: cargo goes by that.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let time = from.metadata()?.modified()?;
    std::fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(time)
}
