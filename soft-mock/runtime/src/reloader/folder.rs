//! Plugins that appear in a folder: written, copied, linked or moved there, as `name.so`.
//!
//! What lies in the folder at the start isn't loaded, and a file counts only when it was written to
//! its end: closed, or linked or moved into place. The folder must be this user's own.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Answer, Handle, StartError, Stop};
use crate::loader::is_own_folder;
use crate::registry;
use crate::signals::Blocked;

/// How often the reloader looks whether it is to end.
const TICK: Duration = Duration::from_millis(250);

/// Two events for one unchanged file within this time are one arrival: a file that is moved into
/// place is reported twice, for instance.
const TOGETHER: Duration = Duration::from_secs(1);

/// Loads every plugin that appears in `folder`, until the folder is removed. `reply` gets the
/// answers; [`to_stderr`](super::to_stderr) is one.
pub fn start(
    folder: impl AsRef<Path>,
    mut reply: impl FnMut(&Answer) + Send + 'static,
) -> Result<Handle, StartError> {
    registry::check()?;
    let stop = Stop::default();
    let (watcher, mut arrivals) = watch(folder.as_ref(), &stop)?;
    Handle::spawn(&stop, move || {
        let _watcher = watcher;
        while let Some(plugins) = arrivals.next() {
            for plugin in plugins {
                reply(&Answer::to(vec![plugin]));
            }
        }
    })
}

fn watch(folder: &Path, stop: &Stop) -> Result<(RecommendedWatcher, Arrivals), StartError> {
    let place = || folder.to_owned();
    is_own_folder(folder).map_err(|cause| StartError::Place {
        place: place(),
        cause,
    })?;
    let failed = |cause| StartError::Watch {
        place: place(),
        cause,
    };
    let (sender, events) = mpsc::channel();
    // The watcher starts a thread of its own.
    let blocked = Blocked::now();
    let mut watcher = notify::recommended_watcher(sender).map_err(failed)?;
    watcher
        .watch(folder, RecursiveMode::NonRecursive)
        .map_err(failed)?;
    drop(blocked);
    let mut arrivals = Arrivals {
        folder: place(),
        events,
        stop: stop.clone(),
        known: HashMap::new(),
    };
    arrivals.unknown().map_err(|cause| StartError::Place {
        place: place(),
        cause,
    })?;
    Ok((watcher, arrivals))
}

/// The plugins that appear in a folder.
struct Arrivals {
    folder: PathBuf,
    events: Receiver<notify::Result<Event>>,
    stop: Stop,
    /// What was seen at each path, and when.
    known: HashMap<PathBuf, (Identity, Instant)>,
}

/// Device-wide number, size and time of the last change.
type Identity = (u64, u64, i64, i64);

impl Arrivals {
    /// Waits for events. None: the reloader is to end, or the folder is gone.
    fn next(&mut self) -> Option<Vec<PathBuf>> {
        loop {
            let event = match self.events.recv_timeout(TICK) {
                _ if self.stop.is_set() => return None,
                Ok(Ok(event)) if !event.need_rescan() => event,
                // Events were lost: look for oneself.
                Ok(_) => return self.unknown().ok(),
                Err(RecvTimeoutError::Timeout) if self.folder.is_dir() => continue,
                Err(_) => return None,
            };
            let paths = event.paths.into_iter();
            let complete = paths.filter(|path| is_complete(event.kind, path));
            let new: Vec<_> = complete
                .filter(|path| self.note(path) == Seen::New)
                .collect();
            if !new.is_empty() {
                return Some(new);
            }
        }
    }

    /// All plugins in the folder whose present state was never seen.
    fn unknown(&mut self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder)?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut paths: Vec<_> = paths.collect();
        paths.retain(|path| {
            let before = self.known.get(path).map(|(identity, _)| *identity);
            self.note(path) != Seen::Nothing
                && self.known.get(path).map(|(identity, _)| *identity) != before
        });
        Ok(paths)
    }

    fn note(&mut self, path: &Path) -> Seen {
        let is_plugin = path.extension() == Some(OsStr::new("so"));
        // Gone again: nothing to load. Whatever else is wrong with it, the loader will say.
        let Some(metadata) = fs::metadata(path).ok().filter(|_| is_plugin) else {
            return Seen::Nothing;
        };
        let identity = (
            metadata.ino(),
            metadata.size(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        );
        match self
            .known
            .insert(path.to_owned(), (identity, Instant::now()))
        {
            Some((before, at)) if before == identity && at.elapsed() < TOGETHER => Seen::JustNow,
            _ => Seen::New,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Seen {
    New,
    JustNow,
    Nothing,
}

/// Whether this event says that the file at `path` is all there.
fn is_complete(kind: EventKind, path: &Path) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => true,
        // A new file is still to be written, unless it is a further name of one that exists.
        EventKind::Create(CreateKind::File) => fs::symlink_metadata(path)
            .is_ok_and(|metadata| metadata.is_symlink() || metadata.nlink() > 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_files_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("a.so"), folder.path().join("b.so"));
        fs::write(&file, "x").expect("a file");
        let create = EventKind::Create(CreateKind::File);
        for (kind, path, expected) in [
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                &file,
                true,
            ),
            (
                EventKind::Modify(ModifyKind::Name(RenameMode::To)),
                &file,
                true,
            ),
            (create, &file, false),
            (EventKind::Modify(ModifyKind::Any), &file, false),
            (
                EventKind::Modify(ModifyKind::Name(RenameMode::From)),
                &file,
                false,
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Read)),
                &file,
                false,
            ),
        ] {
            assert_eq!(is_complete(kind, path), expected, "{kind:?}");
        }
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        assert!(is_complete(create, &link));
        fs::hard_link(&file, folder.path().join("c.so")).expect("a link");
        assert!(is_complete(create, &file));
    }
}
