//! Two descriptions of one name: the line in which they differ most, in words.

use super::super::describe::SEPARATOR;
use super::super::names::shown;
use super::super::pool::Text;
use super::{Comparison, Rank};

impl<'a> Comparison<'a> {
    /// The most telling line in which two descriptions differ.
    pub(super) fn changed_line(&self, before: Text, now: Text) -> (Rank, String) {
        let (before, now) = (self.lines(before), self.lines(now));
        let value = |side: &[(&str, &'a str)], name: &str| {
            let mut lines = side.iter().filter(|(other, _)| *other == name);
            lines.next().map(|(_, value)| *value)
        };
        let mut found: Vec<(u8, String)> = Vec::new();
        for (name, _) in now.iter().chain(&before) {
            found.extend(match (value(&before, name), value(&now, name)) {
                (None, _) => Some((0, format!("{name} is new"))),
                (_, None) => Some((0, format!("{name} is gone"))),
                (Some(was), Some(is)) if was == is => None,
                (Some(was), Some(is)) => Some(changed_value(name, was, is)),
            });
        }
        let first = found.into_iter().min_by_key(|(order, _)| *order);
        match first {
            Some((PLACE, what)) => (Rank::Size, what),
            Some((_, what)) => (Rank::Members, what),
            None => (Rank::Members, "its members are in another order".to_owned()),
        }
    }

    pub(super) fn lines(&self, shape: Text) -> Vec<(&'a str, &'a str)> {
        let lines = self.pool.get(shape).lines();
        lines
            .filter_map(|line| line.split_once(SEPARATOR))
            .collect()
    }
}

/// How telling it is that only a size or a place differs.
const PLACE: u8 = 2;

/// Says how a line differs, and how telling that is.
fn changed_value(name: &str, was: &str, is: &str) -> (u8, String) {
    let at = |value: &str| -> (String, Option<String>) {
        match value.rsplit_once(" at ") {
            Some((ty, place)) => (shown(ty), Some(place.to_owned())),
            None => (shown(value), None),
        }
    };
    let ((old, from), (new, to)) = (at(was), at(is));
    match (from, to) {
        (Some(from), Some(to)) if old == new => (PLACE, format!("{name} at {to}, was at {from}")),
        (None, None) if matches!(name, "size" | "alignment") => {
            (PLACE, format!("{name}: {new}, was {old}"))
        }
        _ => (1, format!("{name}: {new}, was {old}")),
    }
}
