//! Insertions into a text, by byte offset: whatever isn't touched keeps its bytes and its line.
//!
//! Knows nothing of Rust.

use super::columns::{Place, Shift};

/// Edits of one text, applied together.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    list: Vec<Edit>,
}

#[derive(Debug)]
struct Edit {
    start: usize,
    end: usize,
    text: String,
    /// What follows on its line runs.
    before_code: bool,
}

impl Edits {
    /// Inserts `text` at `offset`. Insertions at one offset keep the order in which they were made.
    pub(crate) fn insert(&mut self, offset: usize, text: impl Into<String>) {
        self.replace(offset..offset, text);
    }

    /// Replaces a range of bytes.
    pub(crate) fn replace(&mut self, range: std::ops::Range<usize>, text: impl Into<String>) {
        self.list.push(Edit {
            start: range.start,
            end: range.end,
            text: text.into(),
            before_code: false,
        });
    }

    /// Inserts `text` where code follows, of which one can see at run time where it stands.
    pub(crate) fn insert_before_code(&mut self, offset: usize, text: impl Into<String>) {
        self.insert(offset, text);
        if let Some(last) = self.list.last_mut() {
            last.before_code = true;
        }
    }

    /// Whether something is inserted before a place, on its line and before code.
    pub(crate) fn shift_code_at(&self, text: &str, offset: usize) -> bool {
        let line = text[..offset].rfind('\n').map_or(0, |end| end + 1);
        let mut list = self.list.iter();
        list.any(|edit| edit.before_code && (line..=offset).contains(&edit.end))
    }

    /// How the columns of the lines change in which something is inserted before code that stands
    /// behind it.
    pub(crate) fn shifts(&mut self, text: &str) -> Vec<Shift> {
        self.sort();
        let mut shifts: Vec<Shift> = Vec::new();
        let (mut line, mut matter) = (0, false);
        let (mut old, mut new, mut at) = (Place::START, Place::START, 0);
        let mut done = 0;
        for edit in &self.list {
            if edit.start < at {
                continue;
            }
            let kept = &text[at..edit.start];
            (old, new) = (old.behind(kept), new.behind(kept));
            old = old.behind(&text[edit.start..edit.end]);
            new = new.behind(&edit.text);
            at = edit.end;
            if line != old.line {
                if !matter {
                    shifts.truncate(done);
                }
                (line, matter, done) = (old.line, false, shifts.len());
            }
            let rest = text[at..].lines().next().unwrap_or_default();
            let rest = rest.trim_matches(|char: char| char.is_whitespace() || char == '}');
            matter |= edit.before_code && !rest.is_empty() && !rest.starts_with("//");
            shifts.push(Shift {
                line,
                from: new.column,
                by: new.column as isize - old.column as isize,
            });
        }
        if !matter {
            shifts.truncate(done);
        }
        shifts
    }

    fn sort(&mut self) {
        self.list.sort_by_key(|edit| (edit.start, edit.end));
    }

    /// The text with all edits applied. Of two replacements that overlap, the one that starts first
    /// wins.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.sort();
        let added: usize = self.list.iter().map(|edit| edit.text.len()).sum();
        let mut out = String::with_capacity(text.len() + added);
        let mut at = 0;
        for edit in &self.list {
            if edit.start < at {
                continue;
            }
            out.push_str(&text[at..edit.start]);
            out.push_str(&edit.text);
            at = edit.end;
        }
        out.push_str(&text[at..]);
        out
    }
}

/// As many spaces and line ends as `text` has bytes and line ends: what is blanked keeps every line
/// in place.
pub(crate) fn blank(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'\n' => '\n',
            b'\r' => '\r',
            b'\t' => '\t',
            _ => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_what_they_do_not_touch() {
        let mut edits = Edits::default();
        edits.replace(4..7, "X");
        edits.insert(0, "a");
        edits.insert(0, "b");
        assert_eq!(edits.apply("one two three"), "abone X three");
    }

    #[test]
    fn columns_behind_code_that_was_inserted() {
        let text = "struct S { a: u8 }\nfn f((a, b): T) { g() }\nfn h() {\n    i()\n}\n";
        let mut edits = Edits::default();
        edits.insert(11, "pub ");
        let at = |part: &str| text.find(part).expect("a part") + part.len();
        edits.replace(at("fn f(")..at("b)"), "x");
        edits.insert_before_code(at("T) {"), " check; ");
        edits.insert_before_code(at("h() {"), " check; ");
        assert!(edits.shift_code_at(text, at("T) { ")));
        assert!(!edits.shift_code_at(text, at("T)")) && !edits.shift_code_at(text, at("    ")));
        let columns = super::super::columns::Columns::default().and(edits.shifts(text));
        let new = edits.apply(text);
        let column = |text: &str, part: &str| {
            let before = &text[..text.find(part).expect("a part")];
            before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1
        };
        assert_eq!(
            columns.original(2, column(&new, "g()")),
            column(text, "g()")
        );
        assert_eq!(
            columns.original(2, column(&new, ": T")),
            column(text, ": T")
        );
        // Nothing that runs stands there.
        assert_eq!(columns.original(1, 20), 20);
        assert_eq!(columns.original(3, 20), 20);
    }

    #[test]
    fn blanking_keeps_lines_and_length() {
        assert_eq!(blank("ab\n\tc é"), "  \n\t    ");
    }
}
