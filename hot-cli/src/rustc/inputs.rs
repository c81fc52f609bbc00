//! The files that decide about a unit beside its rewritten sources, and what each is to it.
//!
//! Cargo builds again when one of them changes, so whoever edits one expects an answer. Knows
//! nothing of what the answer is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use soft_mock_rewriter::syntax::plain_path;

use super::beside::DataFiles;
use super::foreign_crates;
use super::unit::Unit;
use crate::os::files::{content_hash, hash_of};

/// A file as it was when the unit was compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    /// A hash of what it held.
    pub(crate) hash: u64,
    pub(crate) role: Role,
}

/// What a file is to a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The compiler read it: a source of a crate without sites, or a file that a macro includes.
    Read,
    /// What it holds is a value in the crate. A copy was compiled, which is kept.
    Data,
    Manifest,
    LockFile,
    BuildScript,
    /// The build script asks cargo to be run again when it changes.
    OfBuildScript,
    /// A folder for which it asks that: new files in it count as well.
    FolderOfBuildScript,
    /// Where cargo's configuration stands, or would.
    Configuration,
    /// A source of this crate, which the unit uses, and which is no member of the workspace.
    Dependency(String),
}

/// At most so many files are taken from a folder that a build script names.
const FILES_MAX: usize = 2000;

/// The inputs of a unit; `read` is what the compiler read, and `data` what may be values.
pub(super) fn inputs(unit: &Unit, read: &[PathBuf], data: &DataFiles) -> BTreeMap<PathBuf, Input> {
    let mut roles = BTreeMap::new();
    for (path, krate) in foreign_crates::sources(unit) {
        roles.insert(path, Role::Dependency(krate));
    }
    for path in configurations(unit) {
        roles.insert(path, Role::Configuration);
    }
    for (path, role) in named_by_build_script(unit) {
        roles.insert(path, role);
    }
    for path in read {
        let path = unit.cwd.join(path);
        let plain = plain_path(&path);
        // What a build script reads too may be more than a value.
        match data.contains_key(&plain) && !roles.contains_key(&plain) {
            true => roles.insert(plain, Role::Data),
            false => roles.insert(path, Role::Read),
        };
    }
    let package = unit.env.contains_key("CARGO_MANIFEST_DIR");
    if package {
        roles.insert(unit.package().join("build.rs"), Role::BuildScript);
        roles.insert(unit.package().join("Cargo.toml"), Role::Manifest);
    }
    roles.insert(unit.cwd.join("Cargo.toml"), Role::Manifest);
    roles.insert(unit.cwd.join("Cargo.lock"), Role::LockFile);
    roles.retain(|path, _| !unit.sources.contains(path));
    let with_hash = |(path, role): (PathBuf, Role)| {
        let compiled = data.get(&path).filter(|_| role == Role::Data);
        let hash = compiled.map_or_else(|| content_hash(&path), |bytes| hash_of(bytes));
        (path, Input { hash, role })
    };
    roles.into_iter().map(with_hash).collect()
}

/// The files and folders for which the package's build script asked to be run again.
fn named_by_build_script(unit: &Unit) -> Vec<(PathBuf, Role)> {
    let Some(out) = unit.env.get("OUT_DIR").map(Path::new) else {
        return Vec::new();
    };
    // Cargo keeps what the script printed beside the folder that it gave it.
    let printed = out.parent().map(|folder| folder.join("output"));
    let text = printed.and_then(|path| std::fs::read_to_string(path).ok());
    let mut files = Vec::new();
    for named in text.iter().flat_map(|text| text.lines()).filter_map(named) {
        let path = unit.package().join(named);
        if path.is_dir() {
            let below = files_below(&path).into_iter();
            files.extend(below.map(|file| (file, Role::OfBuildScript)));
            files.push((path, Role::FolderOfBuildScript));
        } else {
            files.push((path, Role::OfBuildScript));
        }
    }
    files
}

/// The path in a line of a build script's output, if it asks to be run again for one.
fn named(line: &str) -> Option<&str> {
    let instruction = line
        .strip_prefix("cargo::")
        .or_else(|| line.strip_prefix("cargo:"))?;
    instruction.strip_prefix("rerun-if-changed=").map(str::trim)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        // What can't be listed is cargo's to complain about.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(path),
                _ => files.push(path),
            }
            if files.len() == FILES_MAX {
                return files;
            }
        }
    }
    files
}

/// Where cargo looks for its configuration: it holds flags, and the environment of the build.
fn configurations(unit: &Unit) -> impl Iterator<Item = PathBuf> + '_ {
    let home = unit.env.get("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(unit.env.get("HOME")?).join(".cargo")));
    let folders = unit.cwd.ancestors().map(|folder| folder.join(".cargo"));
    folders.chain(home).map(|folder| folder.join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_build_scripts_name() {
        assert_eq!(named("cargo:rerun-if-changed=g.txt"), Some("g.txt"));
        assert_eq!(named("cargo::rerun-if-changed=a/b c"), Some("a/b c"));
        assert_eq!(named("cargo:rerun-if-env-changed=A"), None);
        assert_eq!(named("rerun-if-changed=g.txt"), None);
    }

    #[test]
    fn a_folder_stands_for_its_files() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("a/b")).expect("folders");
        for file in ["x", "a/y", "a/b/z"] {
            std::fs::write(dir.path().join(file), "").expect("a file");
        }
        let mut files = files_below(dir.path());
        files.sort();
        let expected = ["a/b/z", "a/y", "x"].map(|file| dir.path().join(file));
        assert_eq!(files, expected);
    }
}
