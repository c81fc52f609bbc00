//! Where the columns of a text stand in the text that it was made from: edits keep every line, and
//! shift what follows them on theirs.
//!
//! Knows nothing of what was inserted.

/// The columns of a text that was made in one or more steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The newest step last.
    steps: Vec<Vec<Shift>>,
}

/// From this column of this line on, both counted from 1 and in characters, a text stands so far
/// behind where it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) line: usize,
    pub(crate) from: usize,
    pub(crate) by: isize,
}

impl Columns {
    /// With one more step, whose shifts stand in the order of the text.
    pub(crate) fn and(&self, step: Vec<Shift>) -> Self {
        let mut steps = self.steps.clone();
        steps.extend((!step.is_empty()).then_some(step));
        Self { steps }
    }

    /// Whether every column is as it was.
    pub fn are_kept(&self) -> bool {
        self.steps.is_empty()
    }

    /// The column in the first text of what stands here in the last one.
    pub fn original(&self, line: usize, column: usize) -> usize {
        let steps = self.steps.iter().rev();
        steps.fold(column, |column, step| {
            let before = step.partition_point(|shift| (shift.line, shift.from) <= (line, column));
            let last = step[..before].last().filter(|shift| shift.line == line);
            let by = last.map_or(0, |shift| shift.by);
            column.saturating_add_signed(-by).max(1)
        })
    }
}

/// A place in a text: line and column, counted from 1 and in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// The start of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Behind this text.
    pub(crate) fn behind(self, text: &str) -> Self {
        match text.rsplit_once('\n') {
            None => Self {
                column: self.column + text.chars().count(),
                ..self
            },
            Some((_, last)) => Self {
                line: self.line + text.matches('\n').count(),
                column: 1 + last.chars().count(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_back_one_by_one() {
        let shift = |line, from, by| Shift { line, from, by };
        let first = Columns::default().and(vec![shift(1, 5, 3), shift(1, 20, 10), shift(4, 2, 1)]);
        let both = first.and(Vec::new()).and(vec![shift(1, 30, 7)]);
        assert!(!first.are_kept() && Columns::default().and(Vec::new()).are_kept());
        assert_eq!(first.original(1, 4), 4);
        assert_eq!(first.original(1, 8), 5);
        assert_eq!(first.original(1, 25), 15);
        assert_eq!(first.original(2, 25), 25);
        assert_eq!(first.original(4, 2), 1);
        assert_eq!(both.original(1, 32), 15);
        assert_eq!(both.original(1, 29), 19);
    }

    #[test]
    fn places_count_characters() {
        let place = Place::START.behind("é\nb\ncdé");
        assert_eq!(place, Place { line: 3, column: 4 });
        assert_eq!(place.behind("x").column, 5);
    }
}
