//! What a session comes to: patches, restarts, and what they saved against building after each
//! save.
//!
//! A build counts as what was saved only if it was measured, in this session, and compiled nothing
//! but what was edited. Of several, the shortest counts. Knows nothing of how something is built.

use std::time::{Duration, Instant};

use crate::ui::{Saved, Summary};
use crate::wrapper::builds::Cause;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    patches: usize,
    restarts: usize,
    /// The newest save of which a patch came, and how long that took.
    newest: Option<(Instant, Duration)>,
    /// How many saves came before that one, and how long their patches took together.
    saves: u32,
    waited: Duration,
    /// When the build that is under way began.
    building: Option<Instant>,
    shortest: Option<Duration>,
}

impl Tally {
    /// The project is built from now on.
    pub(crate) fn build_begins(&mut self, now: Instant) {
        self.building = Some(now);
    }

    /// It is built, or its program runs; crates were compiled for these causes. So long it only
    /// `waited` for somebody else's build.
    pub(crate) fn build_ended(&mut self, now: Instant, waited: Duration, causes: &[Cause]) {
        let Some(began) = self.building.take() else {
            return;
        };
        let only_edits = causes.iter().all(|cause| *cause == Cause::Edited);
        if only_edits && !causes.is_empty() {
            let took = now.duration_since(began).saturating_sub(waited);
            self.shortest = Some(self.shortest.map_or(took, |known| known.min(took)));
        }
    }

    /// It can't be built.
    pub(crate) fn build_failed(&mut self) {
        self.building = None;
    }

    /// The command was started again.
    pub(crate) fn restarted(&mut self) {
        self.restarts += 1;
    }

    /// A patch is active. A save may bring some, of several programs: one build would do for all.
    pub(crate) fn patched(&mut self, saved: Instant, now: Instant) {
        self.patches += 1;
        let took = now.duration_since(saved);
        if let Some((_, waited)) = self.newest.filter(|(before, _)| *before != saved) {
            self.saves += 1;
            self.waited += waited;
        }
        self.newest = Some((saved, took));
    }

    /// All of it; none if nothing happened.
    pub(crate) fn summary(&self) -> Option<Summary> {
        if self.patches + self.restarts == 0 {
            return None;
        }
        let (saves, waited) = match self.newest {
            Some((_, waited)) => (self.saves + 1, self.waited + waited),
            None => (0, Duration::ZERO),
        };
        let saved = self.shortest.filter(|_| saves > 0).map(|build| Saved {
            by_building: build * saves,
            by_patching: waited,
            build,
        });
        Some(Summary {
            patches: self.patches,
            restarts: self.restarts,
            saved,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_shortest_build_of_an_edit_is_what_patches_are_held_against() {
        let mut tally = Tally::default();
        let (start, none) = (Instant::now(), Duration::ZERO);
        assert_eq!(tally.summary(), None);
        tally.build_begins(start);
        tally.build_ended(start + SECOND, none, &[Cause::Edited, Cause::New]);
        let saved = |seconds: u32| start + SECOND * seconds;
        tally.patched(saved(10), saved(11));
        let summary = tally.summary().expect("a patch");
        assert_eq!(summary.saved, None, "what was measured was no such build");

        for (cause, seconds) in [(Cause::Edited, 6), (Cause::Edited, 4), (Cause::OtherHot, 1)] {
            tally.build_begins(start);
            tally.build_ended(saved(seconds + 9), 9 * SECOND, &[cause]);
            tally.restarted();
        }
        tally.build_begins(start);
        tally.build_ended(start, none, &[]);
        tally.build_begins(start);
        tally.build_failed();
        tally.build_ended(start, none, &[Cause::Edited]);
        // Two programs of one save.
        tally.patched(saved(20), saved(21));
        tally.patched(saved(20), saved(22));
        let summary = tally.summary().expect("patches");
        assert_eq!((summary.patches, summary.restarts), (3, 3));
        let expected = Saved {
            by_building: 8 * SECOND,
            by_patching: 3 * SECOND,
            build: 4 * SECOND,
        };
        assert_eq!(summary.saved, Some(expected));
    }
}
