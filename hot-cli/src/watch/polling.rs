//! When files are looked at without an event: now and then, to notice that events are missing, as
//! in some containers and on network mounts; and from then on again and again.
//!
//! Knows nothing of files: it says what is due, and is told what was found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often it is looked whether something was missed.
const LOOK: Duration = Duration::from_secs(2);
/// How long an event of a change that was seen may take, on a machine with much else to do.
const GRACE: Duration = Duration::from_secs(3);
/// How often files are looked at where events are missing.
const POLL: Duration = Duration::from_millis(300);

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// All files are looked at.
    Poll,
    /// Files that aren't what they were are doubted.
    Look,
    /// These still may have no event.
    Decide(BTreeSet<PathBuf>),
}

#[derive(Debug)]
pub(super) struct Polling {
    on: bool,
    at: Instant,
    doubted: BTreeSet<PathBuf>,
}

impl Polling {
    pub(super) fn new(on: bool) -> Self {
        let time = if on { POLL } else { LOOK };
        Self {
            on,
            at: Instant::now() + time,
            doubted: BTreeSet::new(),
        }
    }

    /// When something is due.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// It is that time.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        let doubted = std::mem::take(&mut self.doubted);
        if self.on {
            self.at = now + POLL;
            return Due::Poll;
        }
        self.at = now + LOOK;
        match doubted.is_empty() {
            true => Due::Look,
            false => Due::Decide(doubted),
        }
    }

    /// These aren't what they were, by their times; an event may be on its way.
    pub(super) fn doubt(&mut self, paths: impl IntoIterator<Item = PathBuf>, now: Instant) {
        self.doubted.extend(paths);
        if !self.doubted.is_empty() {
            self.at = now + GRACE;
        }
    }

    /// This one was looked at: if it changes again, that has an event of its own.
    pub(super) fn was_read(&mut self, path: &Path) {
        self.doubted.remove(path);
    }

    /// Events are missing. Whether that is news.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        self.at = now + POLL;
        !std::mem::replace(&mut self.on, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_doubted_has_time_for_its_event() {
        let now = Instant::now();
        let mut polling = Polling::new(false);
        assert!(polling.at() >= now + LOOK);
        assert_eq!(polling.due(now), Due::Look);
        polling.doubt([], now);
        assert_eq!(polling.at(), now + LOOK, "nothing is in doubt");
        polling.doubt([PathBuf::from("a")], now);
        assert_eq!(polling.at(), now + GRACE);
        assert_eq!(polling.due(now), Due::Decide(BTreeSet::from(["a".into()])));
        assert_eq!(polling.due(now), Due::Look, "once");
        polling.doubt(["a", "b"].map(PathBuf::from), now);
        polling.was_read(Path::new("a"));
        assert_eq!(polling.due(now), Due::Decide(BTreeSet::from(["b".into()])));
        assert!(polling.begin(now) && !polling.begin(now));
        assert_eq!(polling.at(), now + POLL);
        assert_eq!(polling.due(now), Due::Poll);
    }

    #[test]
    fn who_wants_it_has_it_from_the_start() {
        let mut polling = Polling::new(true);
        assert!(polling.at() < Instant::now() + LOOK);
        assert_eq!(polling.due(Instant::now()), Due::Poll);
        assert!(!polling.begin(Instant::now()));
    }
}
