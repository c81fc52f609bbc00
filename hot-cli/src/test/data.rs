//! The files of a project as they were at a moment: of those that are no sources, tests may read
//! any, and nobody knows which.
//!
//! By sizes and times. Left out are version control's own folders, and what says of itself that it
//! is a cache (`CACHEDIR.TAG`), as cargo's target folders do. Knows nothing of tests.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::places::{is_left_out, Places};

/// What files were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Data(BTreeMap<PathBuf, Size>);

/// Size and time of a file: seconds, and parts of one.
type Size = (u64, i64, i64);

impl Data {
    /// As they are now.
    pub(super) fn of(places: &Places) -> Self {
        let mut found = Self::default();
        for folder in places.folders() {
            found.add(folder, &places.target);
        }
        found
    }

    fn add(&mut self, folder: &Path, target: &Path) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match is_folder {
                true if path == target || is_left_out(&path) => {}
                true => self.add(&path, target),
                // Who can't be looked at is there all the same.
                false => {
                    let size = path.metadata();
                    let size = size.map(|meta| (meta.len(), meta.mtime(), meta.mtime_nsec()));
                    self.0.insert(path, size.unwrap_or_default());
                }
            }
        }
    }

    /// A file that is another one than later, or is in one of them only, if `counts` says so.
    pub(super) fn other<'a>(
        &'a self,
        later: &'a Self,
        counts: impl Fn(&Path) -> bool,
    ) -> Option<&'a Path> {
        let mut all = self.0.keys().chain(later.0.keys());
        let other = all.find(|path| self.0.get(*path) != later.0.get(*path) && counts(path));
        other.map(PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_or_is_gone_is_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for place in ["a", ".git", "cache"] {
            std::fs::create_dir(at(place)).expect("a folder");
        }
        for file in ["a/data", ".git/HEAD", "cache/CACHEDIR.TAG", "gone"] {
            std::fs::write(at(file), "1").expect("written");
        }
        let now = || {
            let mut found = Data::default();
            found.add(folder.path(), &at("target"));
            found
        };
        let before = now();
        assert_eq!(before.0.len(), 2);
        assert_eq!(before.other(&now(), |_| true), None);
        std::fs::write(at("a/data"), "22").expect("written");
        std::fs::write(at("cache/more"), "").expect("written");
        assert_eq!(before.other(&now(), |_| true), Some(&*at("a/data")));
        std::fs::remove_file(at("gone")).expect("removed");
        let gone = at("gone");
        assert_eq!(before.other(&now(), |path| path == gone), Some(&*gone));
    }
}
