//! What the lines of an answer come to, taken together.
//!
//! Knows nothing of what was edited, nor of what the program runs.

use crate::session::Answer;
use crate::words::{Place, Word};

/// What an answer comes to.
pub(crate) struct Said<'a> {
    /// New code runs, or nothing had to be done.
    pub(crate) done: bool,
    pub(crate) refused: bool,
    /// What still waits beside that.
    pub(crate) waits: Vec<&'a Place>,
    /// The same, and what is refused.
    pub(crate) named: Vec<&'a Place>,
    /// That isn't all: more is counted, and not named.
    pub(crate) is_cut: bool,
}

impl<'a> Said<'a> {
    pub(crate) fn of(answer: &'a Answer) -> Self {
        let waits = answer.words.iter().filter_map(|word| match word {
            Word::Still(place) => Some(place),
            _ => None,
        });
        let named = answer.words.iter().filter_map(|word| match word {
            Word::Reason(place) | Word::Still(place) => Some(place),
            _ => None,
        });
        let named: Vec<&Place> = named.collect();
        Self {
            is_cut: named.iter().any(|place| place.is_cut()),
            done: [Word::Done, Word::Unused, Word::RolledBack]
                .iter()
                .any(|word| answer.has(word)),
            refused: answer.has(&Word::Refused) || answer.has(&Word::NoCompile),
            waits: waits.collect(),
            named,
        }
    }
}
