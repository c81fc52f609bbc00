//! Writes pieces of a text at the line and column where they stood.
//!
//! ```text
//! line 7   <generated header of the function>
//! line 8              (&self, key: &str) -> Option<u8> {
//! line 9           self.map.get(key)
//! line 10      }<generated end>
//! ```
//!
//! Generated text goes to the end of the line before where it can; a piece is shifted to the right
//! only when the text before it on its own line leaves no room.

use crate::syntax::columns::Shift;

/// A text that grows downwards.
#[derive(Debug, Default)]
pub(super) struct Layout {
    out: String,
    /// Lines written, not counting the one that is being written.
    lines: usize,
    /// Characters on the line that is being written.
    column: usize,
    shifts: Vec<Shift>,
}

impl Layout {
    /// Appends generated text that belongs before a piece which stands at `line` (from 1).
    pub(super) fn before(&mut self, line: usize, text: &str) {
        self.down_to(line.saturating_sub(1));
        self.push(text);
    }

    /// Appends generated text where the last piece ended.
    pub(super) fn after(&mut self, text: &str) {
        self.push(text);
    }

    /// Appends a piece of the user's text at its line (from 1) and column (in characters, from 0).
    pub(super) fn piece(&mut self, (line, column): (usize, usize), text: &str) {
        self.down_to(line);
        while self.column < column {
            self.push(" ");
        }
        if self.column > column {
            self.shifts.push(Shift {
                line,
                from: self.column + 1,
                by: self.column as isize - column as isize,
            });
        }
        self.push(text);
    }

    /// The text, and which of its pieces stand too far to the right.
    pub(super) fn finish(mut self) -> (String, Vec<Shift>) {
        self.out.push('\n');
        (self.out, self.shifts)
    }

    fn down_to(&mut self, line: usize) {
        while self.lines + 1 < line {
            self.push("\n");
        }
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.lines += text.matches('\n').count();
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stay_in_place() {
        let mut layout = Layout::default();
        layout.before(3, "head");
        layout.piece((3, 4), "one\n two");
        layout.after("end");
        layout.before(5, "next");
        layout.piece((5, 2), "three");
        let expected = "\nhead\n    one\n twoendnext\n  three\n".to_owned();
        assert_eq!(layout.finish(), (expected, Vec::new()));
    }

    #[test]
    fn the_first_line_has_no_line_before_it() {
        let mut layout = Layout::default();
        layout.before(1, "fn a");
        layout.piece((1, 6), "()");
        layout.before(1, " too long");
        layout.piece((1, 9), "{}");
        let shift = Shift {
            line: 1,
            from: 18,
            by: 8,
        };
        let expected = "fn a  () too long{}\n".to_owned();
        assert_eq!(layout.finish(), (expected, vec![shift]));
    }
}
