//! Two edits of one text in one: lines that one of them changed, and lines that the other did.
//!
//! Knows nothing of what the lines say.

use std::ops::Range;

use similar::{DiffTag, TextDiff};

/// A text with both edits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) text: String,
    /// The same with the lines of the second edit where that has them, as far as line breaks and
    /// blank lines can do it. They may stand where they mean something.
    pub(super) aligned: String,
}

/// Lines in place of others.
#[derive(PartialEq, Eq)]
struct Hunk<'t> {
    place: Range<usize>,
    lines: Vec<&'t str>,
}

/// None: both changed the same lines, or put something at the same place.
pub(super) fn merge(base: &str, first: &str, second: &str) -> Option<Merged> {
    let firsts = hunks(base, first);
    let mut seconds = hunks(base, second);
    seconds.retain(|hunk| !firsts.contains(hunk));
    let meets = |hunk: &Hunk<'_>| firsts.iter().any(|other| meet(&hunk.place, &other.place));
    if seconds.iter().any(meets) {
        return None;
    }
    let firsts = firsts.into_iter().map(|hunk| (hunk, true));
    let seconds = seconds.into_iter().map(|hunk| (hunk, false));
    let mut all: Vec<(Hunk<'_>, bool)> = firsts.chain(seconds).collect();
    all.sort_by_key(|(hunk, _)| (hunk.place.start, hunk.place.end));

    let lines: Vec<&str> = base.split_inclusive('\n').collect();
    let (mut text, mut aligned) = (String::new(), String::new());
    let mut at = 0;
    for (hunk, is_first) in all {
        for out in [&mut text, &mut aligned] {
            push(out, &lines[at..hunk.place.start]);
        }
        push(&mut text, &hunk.lines);
        match is_first {
            true => push_in(&mut aligned, &hunk.lines, hunk.place.len()),
            false => push(&mut aligned, &hunk.lines),
        }
        at = hunk.place.end;
    }
    for out in [&mut text, &mut aligned] {
        push(out, &lines[at..]);
    }
    Some(Merged { text, aligned })
}

/// The words of the lines in which two texts differ, of either text.
pub(super) fn words_of_changes<'t>(old: &'t str, new: &'t str) -> [Vec<&'t str>; 2] {
    let diff = TextDiff::from_lines(old, new);
    let ops = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    let mut found = [Vec::new(), Vec::new()];
    for op in ops {
        found[0].extend(diff.old_slices()[op.old_range()].iter().copied());
        found[1].extend(diff.new_slices()[op.new_range()].iter().copied());
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    found.map(|lines| {
        let words = lines
            .into_iter()
            .flat_map(|line| line.split(|c| !is_word(c)));
        words.filter(|word| !word.is_empty()).collect()
    })
}

fn hunks<'t>(base: &'t str, new: &'t str) -> Vec<Hunk<'t>> {
    let diff = TextDiff::from_lines(base, new);
    let ops = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    ops.map(|op| Hunk {
        place: op.old_range(),
        lines: diff.new_slices()[op.new_range()].to_vec(),
    })
    .collect()
}

/// Whether edits of these lines stand in each other's way. What is put between two lines has no
/// length.
fn meet(one: &Range<usize>, other: &Range<usize>) -> bool {
    one == other || one.start < other.end && other.start < one.end
}

fn push(out: &mut String, lines: &[&str]) {
    for line in lines {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(line);
    }
}

/// Pushes lines as so many.
fn push_in(out: &mut String, lines: &[&str], count: usize) {
    let together = (lines.len() + 1).saturating_sub(count.max(1));
    match (lines.len() > count, out.is_empty()) {
        (false, _) => {
            push(out, lines);
            if !out.is_empty() && !out.ends_with('\n') && lines.len() < count {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('\n', count - lines.len()));
        }
        (true, true) if count == 0 => push(out, lines),
        (true, _) => {
            let (joined, rest) = lines.split_at(together);
            let joined: Vec<&str> = joined
                .iter()
                .map(|line| line.trim_end_matches('\n'))
                .collect();
            if count == 0 {
                // Behind the line before.
                out.truncate(out.strip_suffix('\n').unwrap_or(out).len());
                out.push(' ');
            }
            out.push_str(&joined.join(" "));
            out.push('\n');
            push(out, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, first: &str, second: &str, expected: Option<(&str, &str)>) {
        let merged = merge(base, first, second);
        let expected = expected.map(|(text, aligned)| Merged {
            text: text.to_owned(),
            aligned: aligned.to_owned(),
        });
        assert_eq!(merged, expected);
    }

    #[test]
    fn both_edits() {
        let base = "a\nb\nc\nd\n";
        check(
            base,
            base,
            "a\nB\nc\nd\n",
            Some(("a\nB\nc\nd\n", "a\nB\nc\nd\n")),
        );
        // Beside each other, and the same twice.
        check(
            base,
            "a\nB\nc\nd\n",
            "a\nb\nC\nd\n",
            Some(("a\nB\nC\nd\n", "a\nB\nC\nd\n")),
        );
        check(
            base,
            "A\nb\nc\nd\n",
            "A\nb\nc\nD\n",
            Some(("A\nb\nc\nD\n", "A\nb\nc\nD\n")),
        );
        // Both change one line, or put something in one place.
        check(base, "a\nB\nc\nd\n", "a\nX\nc\nd\n", None);
        check(base, "a\nb\n1\nc\nd\n", "a\nb\n2\nc\nd\n", None);
        check("a", "a\nb", "A", None);
    }

    #[test]
    fn lines_of_the_second_stay_where_they_are() {
        let base = "a\nb\nc\nd\n";
        // More lines than the second has, none of them, fewer.
        let more = "a\n1\n2\n3\nc\nd\n";
        check(
            base,
            more,
            "a\nb\nc\nD\n",
            Some(("a\n1\n2\n3\nc\nD\n", "a\n1 2 3\nc\nD\n")),
        );
        let new = "a\nb\n1\n2\nc\nd\n";
        check(
            base,
            new,
            "a\nb\nc\nD\n",
            Some(("a\nb\n1\n2\nc\nD\n", "a\nb 1 2\nc\nD\n")),
        );
        let fewer = "a\nd\n";
        check(base, fewer, "a\nb\nc\nD\n", Some(("a\nD\n", "a\n\n\nD\n")));
        check(
            base,
            "a\nc\nd\n",
            "a\nb\nc\nD\n",
            Some(("a\nc\nD\n", "a\n\nc\nD\n")),
        );
        check(
            base,
            "1\na\nb\nc\nd\n",
            "a\nb\nc\nD\n",
            Some(("1\na\nb\nc\nD\n", "1\na\nb\nc\nD\n")),
        );
    }

    #[test]
    fn words_of_lines() {
        let found = words_of_changes("a b\nc(d)\n", "a b\nc(d, e_1)\n");
        assert_eq!(found, [vec!["c", "d"], vec!["c", "d", "e_1"]]);
    }
}
