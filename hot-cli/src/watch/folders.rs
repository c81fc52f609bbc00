//! The folders that the system watches for us: which those are is found out, and it is told.
//!
//! Knows nothing of events, nor of what files hold.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::routes::Routes;

/// Folders may change while they are being looked at: so it is looked again, as long as there are
/// more to watch. A new tree of this depth is seen to its end, whoever makes it and however slowly.
const ROUNDS: usize = 100;

pub(super) struct Folders {
    /// None: the system gives no means to watch.
    notifier: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
}

impl Folders {
    pub(super) fn new(notifier: Option<RecommendedWatcher>) -> Self {
        Self {
            notifier,
            watched: HashSet::new(),
        }
    }

    /// Finds out which folders to watch for these files and all in `extra`, and watches them: all
    /// `anew`, or only those that aren't yet. With the first of those that can't be watched, and
    /// why.
    pub(super) fn watch_for(
        &mut self,
        files: &HashSet<PathBuf>,
        extra: &[PathBuf],
        anew: bool,
    ) -> (Routes, Option<String>) {
        let before = match anew {
            true => std::mem::take(&mut self.watched),
            false => HashSet::new(),
        };
        let mut routes = Routes::default();
        let mut problem = None;
        for _ in 0..ROUNDS {
            let known = self.watched.len();
            routes = self.find(files, extra, &mut problem);
            if self.watched.len() == known {
                break;
            }
        }
        let watched = self.watched.union(&before);
        let obsolete: Vec<PathBuf> = watched
            .filter(|folder| !routes.folders.contains(*folder))
            .cloned()
            .collect();
        for folder in obsolete {
            self.watched.remove(&folder);
            // It may be gone; then so is its watch.
            if let Some(notifier) = &mut self.notifier {
                let _ = notifier.unwatch(&folder);
            }
        }
        (routes, problem)
    }

    fn find(
        &mut self,
        files: &HashSet<PathBuf>,
        extra: &[PathBuf],
        problem: &mut Option<String>,
    ) -> Routes {
        let mut watch = |folder: &Path| {
            if let Err(why) = self.watch(folder) {
                problem.get_or_insert(why);
            }
        };
        let mut routes = Routes::default();
        for file in files {
            routes.add_file(file);
        }
        for path in extra {
            routes.add_extra(path, &mut watch);
        }
        routes.folders.iter().for_each(|folder| watch(folder));
        routes
    }

    fn watch(&mut self, folder: &Path) -> Result<(), String> {
        let Some(notifier) = &mut self.notifier else {
            return Ok(());
        };
        if self.watched.contains(folder) {
            return Ok(());
        }
        match notifier.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_owned());
                Ok(())
            }
            // Gone in the meantime: the folder above tells more.
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => {
                let (folder, why) = (folder.display(), describe(&error));
                Err(format!("{folder} can't be watched: {why}"))
            }
        }
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(io) => io.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

/// What the system says of it, and which setting is too low, where that is the cause.
pub(super) fn describe(error: &notify::Error) -> String {
    const EMFILE: i32 = 24;
    let (cause, hint) = match &error.kind {
        ErrorKind::Io(io) if io.raw_os_error() == Some(EMFILE) => {
            (io.to_string(), " (raise fs.inotify.max_user_instances)")
        }
        ErrorKind::Io(io) => (io.to_string(), ""),
        ErrorKind::MaxFilesWatch => (error.to_string(), " (raise fs.inotify.max_user_watches)"),
        _ => (error.to_string(), ""),
    };
    format!("{cause}{hint}")
}
