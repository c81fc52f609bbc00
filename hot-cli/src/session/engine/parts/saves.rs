//! What saved files wait for, and what was said of them last.
//!
//! A text that can't be patched may be half a save: it has to stand for a moment before anything is
//! done about it, and every newer save begins that moment anew. What was said is not said twice,
//! unless a save asks for it.
//!
//! Knows nothing of what files hold.

use std::time::{Duration, Instant};

/// How long a text that can't be patched may be half a save.
const SETTLE: Duration = Duration::from_millis(150);

/// Saved files, and what stands in their way.
#[derive(Debug, Default)]
pub(crate) struct Saves {
    settles_at: Option<Instant>,
    /// What was said last of edits that can't be patched.
    trouble: Option<Trouble>,
    /// What waits with that.
    waits: Option<String>,
    /// A save came since something was said.
    unanswered: bool,
}

/// What stands in the way of saved files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What tells it from others: it stays the same when lines move.
    pub(crate) key: String,
    /// All that is to be said of it.
    pub(crate) text: String,
}

impl Trouble {
    /// Of which all that is known is what is said of it.
    pub(crate) fn said(text: &str) -> Self {
        Self {
            key: text.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// Whether something is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It was not said yet.
    New,
    /// It was, but another save has come, and it still holds.
    Again,
    /// The user knows.
    Known,
}

impl Saves {
    /// Files were saved.
    pub(crate) fn saved(&mut self) {
        self.settles_at = None;
        self.unanswered = true;
    }

    /// What the files hold can't be patched: it has to stand for a moment.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.settles_at = Some(now + SETTLE);
    }

    /// How long it has still to stand.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.settles_at.map(|at| at.saturating_duration_since(now))
    }

    /// Whether it has stood for long enough. True once.
    pub(crate) fn has_settled(&mut self, now: Instant) -> bool {
        self.settles_at.take_if(|at| *at <= now).is_some()
    }

    /// This stands in the way of the files.
    pub(crate) fn trouble(&mut self, trouble: Trouble) -> News {
        let asked = std::mem::take(&mut self.unanswered);
        let is_known = |known: &Trouble| known.key == trouble.key;
        let known = self.trouble.as_ref().is_some_and(is_known);
        self.trouble = Some(trouble);
        let news = match (known, asked) {
            (true, false) => News::Known,
            (true, true) => News::Again,
            (false, _) => News::New,
        };
        // Whoever answers finds out anew what waits.
        self.waits.take_if(|_| news != News::Known);
        news
    }

    /// This waits with what stands in their way.
    pub(crate) fn wait_as_well(&mut self, waits: &str) {
        self.waits = Some(waits.to_owned());
    }

    /// What stands in their way and what waits with that, in full.
    pub(crate) fn standing(&self) -> Option<String> {
        let trouble = self.trouble.as_ref()?;
        let all = [Some(&trouble.text), self.waits.as_ref()];
        let all: Vec<&str> = all.into_iter().flatten().map(String::as_str).collect();
        Some(all.join("\n"))
    }

    /// Whether a save came since something was said.
    pub(crate) fn are_unanswered(&self) -> bool {
        self.unanswered
    }

    /// Nothing stands in their way: they are what runs, or were patched. Whether that is an answer
    /// to a save which took away what stood there.
    pub(crate) fn are_in_effect(&mut self) -> bool {
        let trouble = self.trouble.take();
        std::mem::take(&mut self.unanswered) && trouble.is_some()
    }

    /// They are in effect but for what stands in their way, which was said with that.
    pub(crate) fn are_in_effect_but_for(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
        self.waits = None;
        self.unanswered = false;
    }

    /// The next save is another try, also if the same edits stand in its way.
    pub(crate) fn try_again(&mut self) {
        if let Some(trouble) = &mut self.trouble {
            trouble.key.clear(); // It stands, and is news once more.
        }
    }

    /// The programs are started again: what stood in the way until now.
    pub(crate) fn restarted(&mut self) -> Option<Trouble> {
        self.settles_at = None;
        self.trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(key: &str, line: u32) -> Trouble {
        Trouble {
            key: key.to_owned(),
            text: format!("{key}:{line}"),
        }
    }

    #[test]
    fn a_burst_of_saves_settles_once() {
        let (mut saves, start) = (Saves::default(), Instant::now());
        assert_eq!(saves.wait(start), None);
        saves.saved();
        saves.settle(start);
        let later = start + SETTLE / 2;
        assert!(!saves.has_settled(later));
        saves.saved();
        assert_eq!(saves.wait(later), None, "a newer save begins anew");
        saves.settle(later);
        assert!(!saves.has_settled(start + SETTLE), "the first has no say");
        assert_eq!(saves.wait(later), Some(SETTLE));
        assert!(saves.has_settled(later + SETTLE));
        assert!(!saves.has_settled(later + SETTLE));
    }

    #[test]
    fn every_save_is_answered_and_nothing_is_said_unasked() {
        let mut saves = Saves::default();
        saves.saved();
        assert_eq!(saves.trouble(trouble("a", 1)), News::New);
        assert_eq!(saves.trouble(trouble("a", 1)), News::Known);
        saves.saved();
        assert_eq!(saves.trouble(trouble("a", 2)), News::Again);
        assert_eq!(saves.trouble(trouble("a", 1)), News::Known);
        assert_eq!(
            saves.standing().as_deref(),
            Some("a:1"),
            "as it was said last"
        );
        saves.wait_as_well("c:1");
        assert_eq!(saves.trouble(trouble("a", 1)), News::Known);
        assert_eq!(
            saves.standing().as_deref(),
            Some("a:1\nc:1"),
            "what waits is known"
        );
        assert_eq!(saves.trouble(trouble("b", 1)), News::New);
        assert_eq!(saves.standing().as_deref(), Some("b:1"));
        saves.saved();
        assert_eq!(saves.trouble(trouble("half a save", 1)), News::New);
        saves.saved();
        saves.are_in_effect_but_for(trouble("b", 1));
        assert_eq!(saves.trouble(trouble("b", 1)), News::Known);
        saves.saved();
        assert!(saves.are_in_effect(), "taken away by a save");
        assert!(!saves.are_in_effect());
        saves.saved();
        assert!(!saves.are_in_effect(), "nothing stood there");
        assert_eq!(saves.trouble(trouble("b", 1)), News::New);
        saves.try_again();
        assert_eq!(saves.trouble(trouble("b", 1)), News::New);
        assert_eq!(saves.restarted(), Some(trouble("b", 1)));
        saves.trouble(trouble("b", 1));
        saves.try_again();
        saves.saved();
        assert!(saves.are_in_effect(), "taken away after a try in vain");
    }
}
