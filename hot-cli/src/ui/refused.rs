//! The lines of edits that can't be patched: each short, and like ones as one with a count.
//!
//! Knows nothing of why an edit can't be patched.

use std::fmt::Write;

use super::brief::{brief, written, WIDTH};
use super::event::{Consequence, Reason};
use super::wording::{more, Line};
use super::{How, Tone};

/// Reasons that are said of one save. `hot status` has all.
const SAID: usize = 5;

/// The lines of edits that can't be patched, and of what follows.
pub(super) fn refused(edits: &[Reason], then: Consequence, again: bool, how: How) -> Vec<Line> {
    let mut lines = match again {
        true => still(edits, how),
        false => reasons(edits, how),
    };
    lines.push(Line::Own(Tone::Plain, then.words(how)));
    lines
}

/// One line for edits of which all was said before.
pub(super) fn still(edits: &[Reason], how: How) -> Vec<Line> {
    first_of("still can't be patched", edits, how)
}

/// One line that says this of edits, the first of which is named.
pub(super) fn first_of(what: &str, edits: &[Reason], how: How) -> Vec<Line> {
    let Some((first, rest)) = edits.split_first() else {
        return Vec::new();
    };
    let first = format!("{what}: {first}");
    let text = fitting(&first, &more(rest.len()), how);
    vec![Line::Own(Tone::Warning, text)]
}

/// All reasons, one a line, with nothing left out.
pub(crate) fn in_full(edits: &[Reason]) -> String {
    let lines = edits.iter().map(|edit| written(&edit.to_string()));
    lines.collect::<Vec<_>>().join("\n")
}

/// A reason in words, as short as is wanted.
pub(super) fn reason(edit: &Reason, how: How) -> String {
    fitting(&edit.to_string(), "", how)
}

fn reasons(edits: &[Reason], how: How) -> Vec<Line> {
    let warning = |text| Line::Own(Tone::Warning, text);
    if how.verbose {
        let all = edits.iter().map(|edit| warning(written(&edit.to_string())));
        return all.collect();
    }
    let mut groups: Vec<(String, Vec<&Reason>)> = Vec::new();
    for edit in edits {
        let likeness = likeness(&edit.why);
        match groups.iter_mut().find(|(other, _)| *other == likeness) {
            Some((_, group)) => group.push(edit),
            None => groups.push((likeness, vec![edit])),
        }
    }
    let unsaid: usize = groups.iter().skip(SAID).map(|(_, group)| group.len()).sum();
    let said = groups.iter().take(SAID).filter_map(|(_, group)| {
        let (first, others) = group.split_first()?;
        let mut more = String::new();
        if !others.is_empty() {
            let _ = write!(more, " (and {} more like it)", others.len());
        }
        Some(warning(fitting(&first.to_string(), &more, how)))
    });
    let mut lines: Vec<Line> = said.collect();
    if unsaid > 0 {
        lines.push(warning(format!("+{unsaid} more: `hot status` has all")));
    }
    lines
}

/// What two reasons have in common that differ only in what they are about: the names are left out,
/// and what was edited, if it is said why that matters.
fn likeness(why: &str) -> String {
    let about = why.split_once(": ");
    let why = about.map_or(why, |(_, why)| why);
    why.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The text with `more` behind it, in two lines of a terminal.
pub(super) fn fitting(text: &str, more: &str, how: How) -> String {
    let room = WIDTH.saturating_sub(super::MARK.len() + 1 + more.chars().count());
    match how.verbose {
        true => written(text) + more,
        false => brief(text, room) + more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(line: u32, why: &str) -> Reason {
        Reason {
            file: "src/a.rs".into(),
            line,
            why: why.into(),
        }
    }

    fn texts(edits: &[Reason], verbose: bool) -> Vec<String> {
        let how = How {
            verbose,
            ..How::default()
        };
        let texts = reasons(edits, how).into_iter().map(|line| match line {
            Line::Own(_, text) | Line::Verbatim(text) => text,
        });
        texts.collect()
    }

    #[test]
    fn like_reasons_are_one_with_a_count() {
        let mut edits: Vec<Reason> = (1..=15)
            .map(|line| {
                let why = format!("field added to struct S{line}: its layout changes (`f{line}`)");
                edit(line, &why)
            })
            .collect();
        edits.insert(3, edit(99, "condition of fn f changed"));
        assert_eq!(
            texts(&edits, false),
            [
                "src/a.rs:1: field added to struct S1: its layout changes (`f1`) (and 14 more like it)",
                "src/a.rs:99: condition of fn f changed"
            ]
        );
        assert_eq!(
            texts(&edits, true).len(),
            16,
            "all of them where that is wanted"
        );
    }

    #[test]
    fn many_different_reasons_are_counted_too() {
        let edits: Vec<Reason> = (1..=9).map(|n| edit(n, &format!("why {n}"))).collect();
        let said = texts(&edits, false);
        assert_eq!(
            (said.len(), said[5].as_str()),
            (6, "+4 more: `hot status` has all")
        );
    }

    #[test]
    fn a_reason_has_two_lines_of_a_terminal_at_most() {
        let long = format!("body of fn f changed: `{}` has no site", "a::".repeat(300));
        let edits = [edit(7, &long), edit(8, &long)];
        for line in texts(&edits, false) {
            assert!(format!("hot: {line}").chars().count() <= WIDTH, "{line}");
            assert!(
                line.starts_with("src/a.rs:7: body of fn f changed: `a::"),
                "{line}"
            );
            assert!(line.ends_with("has no site (and 1 more like it)"), "{line}");
        }
        assert_eq!(texts(&edits[..1], true), [format!("src/a.rs:7: {long}")]);
    }
}
