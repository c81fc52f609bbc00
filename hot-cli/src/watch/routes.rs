//! Which folders must be watched so that no change of a path is missed: every folder and symbolic
//! link on its way.
//!
//! Knows nothing of contents or events. A file's content is reached through a chain of names;
//! whoever replaces one of them (a folder is moved away and another takes its place, a link gets a
//! new target) changes the file without touching it. So the chain is walked as the kernel does it,
//! and the folder of each name is watched, under its real path: two watches of one folder are one
//! to the kernel, and events then bear only one of the paths.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
const LINKS_MAX: usize = 40;

/// More folders than this below a `--watch` are a mistake, like watching `/`.
const FOLDERS_MAX: usize = 10_000;

const VERSION_CONTROL: [&str; 5] = [".git", ".hg", ".jj", ".svn", ".pijul"];

/// By cachedir.org's convention; cargo marks its target folders so.
const OUTPUT_MARK: &str = "CACHEDIR.TAG";

/// What to watch, and what an event's path means.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// Real paths of folders.
    pub(super) folders: HashSet<PathBuf>,
    /// Real path of a file (or where it would be) → the paths it was given by.
    pub(super) files: HashMap<PathBuf, HashSet<PathBuf>>,
    /// Names on the way to files: a change there changes what is behind them.
    pub(super) ways: HashSet<PathBuf>,
    /// Folders of which also new files matter.
    pub(super) open: HashSet<PathBuf>,
    /// Files found in extra folders, as the user would name them.
    pub(super) found: HashSet<PathBuf>,
    /// Folders as they were given → their real paths, if they are there.
    known: HashMap<PathBuf, Option<PathBuf>>,
    /// What can't be watched as asked.
    pub(super) problems: Vec<String>,
}

impl Routes {
    /// Adds a file that may or may not exist.
    pub(super) fn add_file(&mut self, file: &Path) {
        let real = self
            .in_known_folder(file)
            .unwrap_or_else(|| self.walk(file));
        self.files.entry(real).or_default().insert(file.to_owned());
    }

    /// The short way for the many files of one folder: only the last name is looked at.
    fn in_known_folder(&mut self, file: &Path) -> Option<PathBuf> {
        let (folder, name) = (file.parent()?, file.file_name()?);
        if !self.known.contains_key(folder) {
            let real = self.walk(folder);
            self.known
                .insert(folder.to_owned(), real.is_dir().then_some(real));
        }
        let real = self.known.get(folder)?.as_ref()?;
        let path = real.join(name);
        if path.is_symlink() {
            return None;
        }
        self.folders.insert(real.clone());
        Some(path)
    }

    /// Adds a file or a folder with all that is in it. `watch` is called with each folder before it
    /// is listed, so that no file can slip in between.
    pub(super) fn add_extra(&mut self, path: &Path, mut watch: impl FnMut(&Path)) {
        if !path.is_dir() {
            // It may become a folder (again): then there is more to watch than the name.
            let real = self.walk(path);
            self.ways.insert(real);
            self.add_file(path);
            self.found.insert(path.to_owned());
            return;
        }
        let mut left = vec![path.to_owned()];
        while let Some(folder) = left.pop() {
            let real = self.walk(&folder);
            if !self.open.insert(real.clone()) {
                // Met before, by another way or a loop of links.
                continue;
            }
            if self.open.len() > FOLDERS_MAX {
                self.problems.push(format!(
                    "{}: more than {FOLDERS_MAX} folders; the rest is not watched",
                    path.display()
                ));
                return;
            }
            watch(&real);
            self.folders.insert(real);
            self.list(&folder, &mut left);
        }
    }

    fn list(&mut self, folder: &Path, left: &mut Vec<PathBuf>) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                self.problems.push(format!("{}: {error}", folder.display()));
                return;
            }
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            match path.metadata() {
                Ok(meta) if meta.is_dir() && !is_left_out(&path) => left.push(path),
                Ok(meta) if meta.is_file() && !is_scratch(&entry.file_name()) => {
                    self.add_file(&path);
                    self.found.insert(path);
                }
                _ => {}
            }
        }
    }

    /// Walks the path as the kernel does, noting every name on the way; returns the real path of
    /// what it leads to.
    fn walk(&mut self, path: &Path) -> PathBuf {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut names = VecDeque::new();
        prepend(&mut names, &path);
        let mut here = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = names.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            match std::fs::symlink_metadata(&next) {
                Ok(meta) if meta.is_symlink() && links < LINKS_MAX => {
                    links += 1;
                    self.note(&here, &next);
                    let Ok(target) = std::fs::read_link(&next) else {
                        continue;
                    };
                    if target.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    prepend(&mut names, &target);
                }
                Ok(meta) if meta.is_dir() => {
                    self.note(&here, &next);
                    here = next;
                }
                _ => {
                    // The file; or a name that is missing, whose folder tells when it appears.
                    if !names.is_empty() {
                        self.ways.insert(next.clone());
                    }
                    self.folders.insert(here);
                    return names.iter().fold(next, |path, name| path.join(name));
                }
            }
        }
        here
    }

    /// A name on the way, in folder `here`.
    fn note(&mut self, here: &Path, name: &Path) {
        self.ways.insert(name.to_owned());
        if is_own_ground(here) {
            self.folders.insert(here.to_owned());
        }
    }
}

/// Whether folders in here may be replaced in the course of work. `/`, `/home` and `/tmp` are noisy
/// and stay.
fn is_own_ground(folder: &Path) -> bool {
    let Ok(meta) = folder.metadata() else {
        return false;
    };
    let sticky = meta.mode() & 0o1000 != 0;
    folder != Path::new("/") && !sticky && meta.uid() == rustix::process::geteuid().as_raw()
}

fn prepend(names: &mut VecDeque<OsString>, path: &Path) {
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => names.push_front(name.to_owned()),
            Component::ParentDir => names.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

fn is_left_out(folder: &Path) -> bool {
    let name = folder.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| VERSION_CONTROL.contains(&name)) || folder.join(OUTPUT_MARK).is_file()
}

/// Files that editors keep beside the one that is edited.
pub(super) fn is_scratch(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let vim = name == b"4913"
        || (name.starts_with(b".") && (name.ends_with(b".swp") || name.ends_with(b".swx")));
    let emacs = name.starts_with(b".#") || (name.starts_with(b"#") && name.ends_with(b"#"));
    let others =
        name.ends_with(b"~") || name.ends_with(b".tmp") || name.starts_with(b".goutputstream-");
    vim || emacs || others
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path().canonicalize().expect("real");
        fs::create_dir_all(root.join("a/b")).expect("folders");
        fs::write(root.join("a/b/f.rs"), "").expect("file");
        (folder, root)
    }

    fn set(paths: impl IntoIterator<Item = PathBuf>) -> HashSet<PathBuf> {
        paths.into_iter().collect()
    }

    #[test]
    fn every_folder_on_the_way_is_watched() {
        let (_keep, root) = tree();
        let mut routes = Routes::default();
        routes.add_file(&root.join("a/b/f.rs"));
        assert!(
            ["", "a", "a/b"]
                .iter()
                .all(|part| routes.folders.contains(&root.join(part))),
            "{routes:?}"
        );
        assert!(!routes.folders.contains(Path::new("/")));
        assert!(["a", "a/b"]
            .iter()
            .all(|part| routes.ways.contains(&root.join(part))));
        assert!(!routes.ways.contains(&root.join("a/b/f.rs")));
        assert_eq!(
            routes.files[&root.join("a/b/f.rs")],
            set([root.join("a/b/f.rs")])
        );
    }

    #[test]
    fn links_are_followed_and_watched() {
        let (_keep, root) = tree();
        symlink("a", root.join("link")).expect("link");
        symlink("../link/b/f.rs", root.join("a/g.rs")).expect("link");
        let mut routes = Routes::default();
        routes.add_file(&root.join("a/g.rs"));
        routes.add_file(&root.join("link/b/../b/./f.rs"));
        let given = set([root.join("a/g.rs"), root.join("link/b/../b/./f.rs")]);
        assert_eq!(
            routes.files,
            HashMap::from([(root.join("a/b/f.rs"), given)])
        );
        assert!(
            routes.ways.contains(&root.join("link")) && routes.ways.contains(&root.join("a/g.rs"))
        );
    }

    #[test]
    fn what_is_missing_is_awaited() {
        let (_keep, root) = tree();
        let mut routes = Routes::default();
        routes.add_file(&root.join("a/new/deep/f.rs"));
        assert!(routes.folders.contains(&root.join("a")));
        assert!(routes.ways.contains(&root.join("a/new")));
        assert!(routes.files.contains_key(&root.join("a/new/deep/f.rs")));
    }

    #[test]
    fn loops_of_links_end() {
        let (_keep, root) = tree();
        symlink("loop", root.join("loop")).expect("link");
        symlink("..", root.join("a/up")).expect("link");
        let mut routes = Routes::default();
        routes.add_file(&root.join("loop/f.rs"));
        routes.add_extra(&root, |_| ());
        assert_eq!(
            routes.open,
            set([root.clone(), root.join("a"), root.join("a/b")])
        );
    }

    #[test]
    fn extra_folders_leave_out_what_is_no_source() {
        let (_keep, root) = tree();
        for folder in [".git", "target", "new"] {
            fs::create_dir(root.join(folder)).expect("folder");
            fs::write(root.join(folder).join("x"), "").expect("file");
        }
        fs::write(root.join("target").join(OUTPUT_MARK), "").expect("mark");
        for scratch in ["4913", ".f.rs.swp", "f.rs~", ".#f.rs", "#f.rs#"] {
            fs::write(root.join(scratch), "").expect("file");
        }
        let mut routes = Routes::default();
        let mut watched = Vec::new();
        routes.add_extra(&root, |folder| watched.push(folder.to_owned()));
        assert_eq!(
            routes.found,
            set([root.join("a/b/f.rs"), root.join("new/x")])
        );
        assert_eq!(
            set(watched),
            set([
                root.clone(),
                root.join("a"),
                root.join("a/b"),
                root.join("new")
            ])
        );
    }
}
