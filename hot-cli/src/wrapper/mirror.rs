//! The shadow tree of a unit: rewritten files at the places of the user's, all else as links.
//!
//! A file keeps its absolute path below the tree's root, so `include_str!("../x")`, `#[path]` and
//! everything else that is relative to a source file finds what it found before. Links are made
//! only beside rewritten files and their folders: nobody's home folder is walked.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::os::files::{below, removed};

/// Writes the shadow tree of a unit anew.
pub(crate) struct Mirror<'a> {
    root: &'a Path,
    /// Above this folder nothing is linked.
    top: &'a Path,
}

impl<'a> Mirror<'a> {
    /// A tree below `root`, with links for what lies below `top`.
    pub(crate) fn new(root: &'a Path, top: &'a Path) -> Self {
        Self { root, top }
    }

    /// Writes `files` (absolute paths and contents), and links to everything beside them.
    pub(crate) fn write(&self, files: &[(&Path, &[u8])]) -> Result<()> {
        self.try_write(files).with_context(|| {
            format!(
                "can't write the rewritten sources to {}",
                self.root.display()
            )
        })
    }

    fn try_write(&self, files: &[(&Path, &[u8])]) -> io::Result<()> {
        removed(std::fs::remove_dir_all(self.root))?;
        let mut folders: BTreeSet<&Path> = BTreeSet::new();
        let others: BTreeSet<PathBuf> = files
            .iter()
            .filter_map(|(path, _)| other_place(path))
            .collect();
        for (path, content) in files {
            let copy = below(self.root, path);
            if let Some(parent) = copy.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(copy, content)?;
            folders.extend(path.ancestors().skip(1));
        }
        for folder in folders.iter().filter(|f| f.starts_with(self.top)) {
            self.link_siblings(folder, &others)?;
        }
        Ok(())
    }

    /// Links whatever stands in `folder` and isn't in the shadow already, but for the files in
    /// `without`.
    fn link_siblings(&self, folder: &Path, without: &BTreeSet<PathBuf>) -> io::Result<()> {
        let shadow = below(self.root, folder);
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let link = shadow.join(path.file_name().unwrap_or_default());
            if without.contains(&path) {
                continue;
            }
            let parted = without.contains(&path.join(MODULE)) && path.join(MODULE).exists();
            let made = match parted {
                true => {
                    std::fs::create_dir(&link).and_then(|()| self.link_siblings(&path, without))
                }
                false => symlink(&path, &link),
            };
            match made {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The file of a module that has a folder of its own.
const MODULE: &str = "mod.rs";

/// The other place of a module's file, `a/mod.rs` for `a.rs` and the other way round: rustc takes
/// no crate that has both, and the user may have moved the file since.
fn other_place(file: &Path) -> Option<PathBuf> {
    if file.extension().is_none_or(|extension| extension != "rs") {
        return None; // It is no module.
    }
    match file.file_name()?.to_str()? {
        MODULE => {
            let folder = file.parent()?;
            let mut name = folder.file_name()?.to_owned();
            name.push(".rs");
            Some(folder.with_file_name(name))
        }
        _ => Some(file.with_extension("").join(MODULE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewritten_files_are_real_and_the_rest_is_linked() {
        let dir = tempfile::tempdir().expect("a folder");
        let project = dir.path().join("project");
        std::fs::create_dir_all(project.join("src/deep")).expect("folders");
        for file in ["src/lib.rs", "src/deep/a.rs", "data.txt"] {
            std::fs::write(project.join(file), file).expect("a file");
        }
        let shadow = dir.path().join("shadow");
        let mirror = Mirror::new(&shadow, &project);
        for text in ["one", "two"] {
            mirror
                .write(&[(&project.join("src/lib.rs"), text.as_bytes())])
                .expect("a tree");
            let read = |path: &str| std::fs::read_to_string(below(&shadow, &project.join(path)));
            assert_eq!(read("src/lib.rs").expect("rewritten"), text);
            assert_eq!(read("src/../data.txt").expect("linked"), "data.txt");
            assert_eq!(read("src/deep/a.rs").expect("linked"), "src/deep/a.rs");
        }
        let own = std::fs::read_to_string(project.join("src/lib.rs"));
        assert_eq!(own.expect("the user's file"), "src/lib.rs");
    }

    #[test]
    fn a_module_has_one_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let project = dir.path().join("project");
        for folder in ["src/a", "src/b/c"] {
            std::fs::create_dir_all(project.join(folder)).expect("folders");
        }
        for file in [
            "src/lib.rs",
            "src/a.rs",
            "src/a/mod.rs",
            "src/a/c.rs",
            "src/b.rs",
            "src/b/mod.rs",
            "src/b/c.txt",
            "src/b/c/mod.rs",
        ] {
            std::fs::write(project.join(file), "").expect("a file");
        }
        let files = ["src/lib.rs", "src/a.rs", "src/b/mod.rs", "src/b/c.txt"];
        let files = files.map(|file| project.join(file));
        let files = files.each_ref().map(|file| (&**file, &b""[..]));
        let shadow = dir.path().join("shadow");
        Mirror::new(&shadow, &project)
            .write(&files)
            .expect("a tree");
        let is_there = |path: &str| below(&shadow, &project.join(path)).exists();
        assert!(is_there("src/a.rs") && is_there("src/a/c.rs") && is_there("src/b/mod.rs"));
        assert!(!is_there("src/a/mod.rs") && !is_there("src/b.rs"));
        // What stands beside a file that isn't a module is left as it is.
        assert!(is_there("src/b/c/mod.rs"));
    }
}
