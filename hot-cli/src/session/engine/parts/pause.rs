//! Whether saves are applied at once, or collected until somebody asks for it.
//!
//! Knows nothing of what is saved.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// What holds of saves.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    on: bool,
    /// It is how this session works: every save begins another pause.
    manual: bool,
    collected: BTreeSet<PathBuf>,
}

impl Pause {
    /// Of a session in which saves are only applied when that is asked for.
    pub(crate) fn manual() -> Self {
        Self {
            manual: true,
            ..Self::default()
        }
    }

    /// Whether saves wait now.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether the next save will wait.
    pub(crate) fn collects(&self) -> bool {
        self.on || self.manual
    }

    /// Saves are collected from now on. False if they already are.
    pub(crate) fn begin(&mut self) -> bool {
        let news = !self.collects();
        self.on = true;
        news
    }

    /// Files were saved. If they are to wait: how many do by now.
    pub(crate) fn saved(&mut self, paths: &[PathBuf]) -> Option<usize> {
        self.on |= self.manual;
        if !self.on {
            return None;
        }
        self.collected.extend(paths.iter().cloned());
        Some(self.collected.len())
    }

    /// What was collected is to be applied, and what is saved from now on; in a manual session that
    /// waits again. None if saves don't wait.
    pub(crate) fn end(&mut self) -> Option<Vec<PathBuf>> {
        let collects = self.collects();
        self.on = false;
        let collected = std::mem::take(&mut self.collected);
        collects.then(|| collected.into_iter().collect())
    }

    /// The programs are started again, from the files as they are.
    pub(crate) fn restarted(&mut self) {
        self.collected.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_meanwhile_is_there_at_the_end_and_once() {
        let mut pause = Pause::default();
        let paths = ["/a", "/b", "/a"].map(PathBuf::from);
        assert_eq!(pause.end(), None, "nothing is paused");
        assert_eq!(pause.saved(&paths), None);
        assert!(pause.begin() && pause.is_on());
        assert!(!pause.begin(), "it is already");
        assert_eq!(pause.saved(&paths[..1]), Some(1));
        assert_eq!(pause.saved(&paths[1..]), Some(2));
        assert_eq!(pause.end().as_deref(), Some(&paths[..2]));
        assert!(!pause.is_on());
        pause.begin();
        assert_eq!(pause.end(), Some(Vec::new()));
    }

    #[test]
    fn in_a_manual_session_every_save_waits() {
        let mut pause = Pause::manual();
        assert!(!pause.is_on() && pause.collects() && !pause.begin());
        assert_eq!(pause.saved(&["/a".into()]), Some(1));
        assert_eq!(pause.end().map(|paths| paths.len()), Some(1));
        assert!(!pause.is_on(), "what was asked for is done to its end");
        assert_eq!(pause.saved(&["/b".into()]), Some(1));
        pause.restarted();
        assert_eq!(pause.end(), Some(Vec::new()));
    }
}
