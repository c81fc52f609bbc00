//! Insertions into a text, by byte offset: whatever isn't touched keeps its bytes and its line.
//!
//! Knows nothing of Rust.

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
        });
    }

    /// The text with all edits applied. Of two replacements that overlap, the one that starts first
    /// wins.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.list.sort_by_key(|edit| (edit.start, edit.end));
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
    fn blanking_keeps_lines_and_length() {
        assert_eq!(blank("ab\n\tc é"), "  \n\t    ");
    }
}
