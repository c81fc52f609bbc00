//! The thread of the watcher: events make paths suspect, and when it is quiet their contents are
//! compared.
//!
//! Knows nothing of who listens. Where names on the way to files were replaced, or events were
//! lost, the folders are watched anew first and all files are suspect.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher};

use super::content::{Content, Seen};
use super::folders::{describe, Folders};
use super::polling::{Due, Polling};
use super::routes::{is_scratch, Routes};
use super::{Missing, WatchEvent};

/// After a write that is complete: just enough to take along the other files of the same `git
/// checkout`.
const QUIET_COMPLETE: Duration = Duration::from_millis(1);
/// After any other event: the writer may not be done.
const QUIET: Duration = Duration::from_millis(3);
/// The longest wait since the first event.
const LATEST: Duration = Duration::from_millis(20);

/// What comes to the thread.
pub(super) enum Input {
    Raw(notify::Result<notify::Event>),
    Command(Command, Sender<()>),
    Stop,
}

/// What is asked of it.
pub(super) enum Command {
    Files(HashSet<PathBuf>),
    Extra(Vec<PathBuf>),
}

/// Whether an event can mean a change; reading is an event too.
pub(super) fn is_write(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if *access != AccessKind::Close(AccessMode::Write))
}

pub(super) struct Worker<T> {
    folders: Folders,
    polling: Polling,
    inputs: Receiver<Input>,
    /// Returns whether anybody listens.
    tell: T,
    files: HashSet<PathBuf>,
    extra: Vec<PathBuf>,
    routes: Routes,
    seen: HashMap<PathBuf, Seen>,
    /// What is wrong and was told.
    told: HashSet<String>,
}

/// What happened since the last comparison.
#[derive(Debug, Default)]
struct Pending {
    /// Real paths, and whether their last event says that they are complete.
    suspects: HashMap<PathBuf, bool>,
    /// The set of files in extra folders may be another.
    list: bool,
    /// Folders may be others than those that are watched, or events were lost.
    replaced: bool,
    times: Option<(Instant, Instant)>,
}

impl Pending {
    fn touch(&mut self) {
        let now = Instant::now();
        let first = self.times.map_or(now, |(first, _)| first);
        self.times = Some((first, now));
    }

    fn deadline(&self) -> Option<Instant> {
        let (first, last) = self.times?;
        let complete =
            !self.list && !self.replaced && self.suspects.values().all(|complete| *complete);
        let quiet = if complete { QUIET_COMPLETE } else { QUIET };
        Some((last + quiet).min(first + LATEST))
    }
}

impl<T: FnMut(WatchEvent) -> bool> Worker<T> {
    pub(super) fn new(
        notifier: notify::Result<RecommendedWatcher>,
        poll: bool,
        inputs: Receiver<Input>,
        mut tell: T,
    ) -> Self {
        let mut polling = Polling::new(poll);
        if let Err(error) = &notifier {
            if polling.begin(Instant::now()) {
                let why = Missing::Watches(describe(error));
                tell(WatchEvent::Polls { why });
            }
        }
        Self {
            folders: Folders::new(notifier.ok()),
            polling,
            inputs,
            tell,
            files: HashSet::new(),
            extra: Vec::new(),
            routes: Routes::default(),
            seen: HashMap::new(),
            told: HashSet::new(),
        }
    }

    pub(super) fn run(mut self) {
        let mut pending = Pending::default();
        loop {
            let deadline = pending.deadline();
            let next = deadline.map_or(self.polling.at(), |at| at.min(self.polling.at()));
            let wait = next.saturating_duration_since(Instant::now());
            let input = match wait.is_zero() {
                true => Err(RecvTimeoutError::Timeout),
                false => self.inputs.recv_timeout(wait),
            };
            let go_on = match input {
                Ok(Input::Raw(Ok(event))) => {
                    self.suspect(&event, &mut pending);
                    true
                }
                Ok(Input::Raw(Err(error))) => self.fail(describe(&error)),
                Ok(Input::Command(command, done)) => {
                    let go_on = self.obey(command);
                    // The caller may have gone away: no harm.
                    let _ = done.send(());
                    go_on
                }
                Err(RecvTimeoutError::Timeout) if deadline.is_some_and(|at| at <= next) => {
                    self.compare(std::mem::take(&mut pending))
                }
                Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => false,
            };
            if !go_on {
                return;
            }
        }
    }

    /// Looks at files although no event came.
    fn look(&mut self) -> bool {
        let now = Instant::now();
        match self.polling.due(now) {
            Due::Poll => self.compare(Pending {
                list: true,
                times: Some((now, now)),
                ..Pending::default()
            }),
            Due::Look => {
                let outdated = self.outdated();
                let doubtful = self.doubtful(outdated);
                self.polling.doubt(doubtful, now);
                true
            }
            Due::Decide(mut doubted) => {
                let outdated = self.outdated();
                doubted.retain(|path| outdated.contains(path));
                let Some(missed) = self.reread_all(doubted) else {
                    return false;
                };
                let Some(first) = missed.first() else {
                    return true;
                };
                self.poll(Missing::Event(first.clone())) && self.tell_changed(missed, now)
            }
        }
    }

    /// Files are looked at again and again from now on, which is said once.
    fn poll(&mut self, why: Missing) -> bool {
        !self.polling.begin(Instant::now()) || (self.tell)(WatchEvent::Polls { why })
    }

    fn obey(&mut self, command: Command) -> bool {
        let before = self.extra.clone();
        match command {
            Command::Files(files) => self.files = files,
            Command::Extra(paths) => self.extra = paths,
        }
        let mut go_on = self.route(false);
        let Some(meanwhile) = self.reread_all(self.unlooked_at(&before)) else {
            return false;
        };
        self.forget_unwanted();
        let new: Vec<PathBuf> = self
            .files
            .iter()
            .chain(&self.routes.found)
            .cloned()
            .collect();
        for path in new {
            if !self.seen.contains_key(&path) {
                go_on &= self.reread(&path).is_some();
            }
        }
        go_on && (meanwhile.is_empty() || self.tell_changed(meanwhile, Instant::now()))
    }

    /// Files that came or went in extra folders which were watched before, but whose events weren't
    /// looked at yet: they would be taken for known.
    fn unlooked_at(&self, before: &[PathBuf]) -> BTreeSet<PathBuf> {
        let found = &self.routes.found;
        let stay = || before.iter().filter(|path| self.extra.contains(*path));
        let came = found.iter().filter(|path| !self.seen.contains_key(*path));
        let went = self.seen.keys().filter(|path| !found.contains(*path));
        came.chain(went)
            .filter(|path| !self.files.contains(*path))
            .filter(|path| stay().any(|folder| path.starts_with(folder)))
            .cloned()
            .collect()
    }

    /// What does an event mean?
    fn suspect(&mut self, event: &notify::Event, pending: &mut Pending) {
        if event.need_rescan() {
            pending.replaced = true;
            pending.touch();
        }
        // Both halves of a rename come as events of their own too.
        if matches!(
            event.kind,
            EventKind::Modify(ModifyKind::Name(RenameMode::Both))
        ) {
            return;
        }
        for path in &event.paths {
            let mut matters = false;
            if self.routes.files.contains_key(path) {
                let known = pending.suspects.get(path).copied();
                pending
                    .suspects
                    .insert(path.clone(), is_complete(&event.kind, known));
                matters = true;
            }
            if self.routes.ways.contains(path) || self.is_lost_folder(path, &event.kind) {
                pending.replaced = true;
                matters = true;
            }
            if !matters && self.is_new(path) {
                pending.list = true;
                matters = true;
            }
            if matters {
                pending.touch();
            }
        }
    }

    /// The system stops to watch a folder that is deleted.
    fn is_lost_folder(&self, path: &Path, kind: &EventKind) -> bool {
        let lost = matches!(
            kind,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
        );
        lost && self.routes.folders.contains(path)
    }

    fn is_new(&self, path: &Path) -> bool {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        self.routes.open.contains(folder) && !is_scratch(name)
    }

    /// Tells what really changed.
    fn compare(&mut self, pending: Pending) -> bool {
        let Some((seen, _)) = pending.times else {
            return true;
        };
        let by_event = pending
            .suspects
            .keys()
            .filter_map(|real| self.routes.files.get(real));
        let mut suspects: BTreeSet<PathBuf> = by_event.flatten().cloned().collect();
        let elsewhere = pending.list || pending.replaced;
        if elsewhere {
            if !self.route(pending.replaced) {
                return false;
            }
            suspects.extend(self.outdated());
        }
        let Some(changed) = self.reread_all(suspects) else {
            return false;
        };
        if elsewhere {
            self.forget_unwanted();
        }
        changed.is_empty() || self.tell_changed(changed, seen)
    }

    fn tell_changed(&mut self, paths: Vec<PathBuf>, seen: Instant) -> bool {
        (self.tell)(WatchEvent::Changed { paths, seen })
    }

    /// Files that aren't, by their times, what was read: new ones and those that vanished among
    /// them.
    fn outdated(&self) -> BTreeSet<PathBuf> {
        let is_current = |path: &PathBuf| {
            self.seen
                .get(path)
                .is_some_and(|seen| seen.is_current(path))
        };
        let all: HashSet<&PathBuf> = self
            .seen
            .keys()
            .chain(&self.files)
            .chain(&self.routes.found)
            .collect();
        all.into_iter()
            .filter(|path| !is_current(path))
            .cloned()
            .collect()
    }

    /// Those of which the content isn't what was read. What is read in the moment of its save can't
    /// be told by its times; in doubt, the next save would be taken for one without an event.
    fn doubtful(&mut self, mut outdated: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        outdated.retain(|path| match (Seen::read(path), self.seen.get_mut(path)) {
            (Ok(now), Some(seen)) if now.content == seen.content => {
                *seen = now;
                false
            }
            _ => true,
        });
        outdated
    }

    fn forget_unwanted(&mut self) {
        let (files, found) = (&self.files, &self.routes.found);
        self.seen
            .retain(|path, _| files.contains(path) || found.contains(path));
    }

    /// Those of which the content is another one than before. Nothing if nobody listens any more.
    fn reread_all(&mut self, paths: BTreeSet<PathBuf>) -> Option<Vec<PathBuf>> {
        let mut changed = Vec::new();
        for path in paths {
            if self.reread(&path)? {
                changed.push(path);
            }
        }
        Some(changed)
    }

    /// Reads a file: has it another content than before? Nothing if nobody listens any more.
    fn reread(&mut self, path: &Path) -> Option<bool> {
        self.polling.was_read(path);
        match Seen::read(path) {
            Ok(now) => {
                let before = self.seen.insert(path.to_owned(), now);
                // One that appears in an extra folder wasn't there before.
                let before = before.map_or(Content::Missing, |seen| seen.content);
                Some(before != now.content)
            }
            Err(error) => {
                // Whoever asked for the file finds out why.
                let known = self.seen.get_mut(path);
                if let Some(seen) = known.filter(|_| self.files.contains(path)) {
                    let before = std::mem::replace(seen, Seen::UNREADABLE);
                    return Some(before.content != Content::Unreadable);
                }
                self.fail(format!("{} can't be read: {error}", path.display()))
                    .then_some(false)
            }
        }
    }

    /// Watches what is to be watched now: all folders `anew`, or only those that aren't yet.
    fn route(&mut self, anew: bool) -> bool {
        let (routes, problem) = self.folders.watch_for(&self.files, &self.extra, anew);
        self.routes = routes;
        if let Some(problem) = problem {
            if !self.poll(Missing::Watches(problem)) {
                return false;
            }
        }
        let problems = std::mem::take(&mut self.routes.problems);
        problems.into_iter().all(|problem| self.fail(problem))
    }

    /// Each problem once, as long as it lasts.
    fn fail(&mut self, why: String) -> bool {
        if !self.told.insert(why.clone()) {
            return true;
        }
        (self.tell)(WatchEvent::Failed { why })
    }
}

/// Whether the writer is done with a file after this event.
fn is_complete(kind: &EventKind, before: Option<bool>) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => true,
        // Times and modes are set before or after; the content is as it was.
        EventKind::Modify(ModifyKind::Metadata(_)) => before.unwrap_or(true),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_comes_and_goes_while_files_are_set_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old.rs"), folder.path().join("new.rs"));
        std::fs::write(&old, "1").expect("written");
        let (_inputs, received) = channel();
        let (events, told) = channel();
        // No event comes before the command.
        let nobody = Err(notify::Error::generic("none in this test"));
        let mut worker = Worker::new(nobody, true, received, move |event| {
            events.send(event).is_ok()
        });
        let changed = || {
            let events = told.try_iter();
            let changed = events.filter_map(|event| match event {
                WatchEvent::Changed { paths, .. } => Some(paths),
                _ => None,
            });
            changed.flatten().collect::<Vec<_>>()
        };
        assert!(worker.obey(Command::Extra(vec![folder.path().to_owned()])));
        assert!(worker.obey(Command::Files(HashSet::from([old.clone()]))));
        assert_eq!(changed(), Vec::<PathBuf>::new());
        std::fs::write(&new, "2").expect("written");
        assert!(worker.obey(Command::Files(HashSet::from([old.clone()]))));
        assert_eq!(changed(), std::slice::from_ref(&new));
        std::fs::remove_file(&new).expect("removed");
        assert!(worker.obey(Command::Files(HashSet::from([old.clone()]))));
        assert_eq!(changed(), [new]);
        // What a caller names is what changes of it are compared with.
        let other = folder.path().join("other.rs");
        std::fs::write(&other, "3").expect("written");
        assert!(worker.obey(Command::Files(HashSet::from([old, other]))));
        assert_eq!(changed(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_file_that_was_read_as_it_was_saved_is_in_no_doubt() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.rs");
        let (_inputs, received) = channel();
        let (events, told) = channel();
        let nobody = Err(notify::Error::generic("none in this test"));
        let mut worker = Worker::new(nobody, false, received, move |event| {
            events.send(event).is_ok()
        });
        let polls = || {
            let mut events = told.try_iter();
            events.any(|event| {
                matches!(
                    event,
                    WatchEvent::Polls {
                        why: Missing::Event(_)
                    }
                )
            })
        };
        std::fs::write(&file, "1").expect("written");
        assert!(worker.obey(Command::Files(HashSet::from([file.clone()]))));
        worker.polling = Polling::new(false); // Whatever there is to watch with.
        assert!(worker.look());
        std::fs::write(&file, "2").expect("written");
        // Its event may be on its way.
        assert!(worker.look());
        assert!(!polls());
        assert!(worker.look());
        assert!(polls(), "none has come");
    }
}
