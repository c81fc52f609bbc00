//! What `hot` says, taken apart. Knows nothing of processes and programs.

/// What a line means for what was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// New code runs.
    Done,
    /// There is nothing to do, and no patch that could be taken back.
    Unused,
    RolledBack,
    NotRolledBack,
    /// Living code keeps its body.
    Keeps,
    /// A place and a reason; what follows from it stands in another line.
    Reason(Place),
    /// The same, of an edit that was refused before and still stands in the files.
    Still(Place),
    /// The edit needs a restart, for the reason that stands before or here.
    Refused,
    /// An edit that doesn't compile.
    NoCompile,
    /// Half of a save.
    Syntax,
    Other,
}

/// What `hot` says of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Place {
    /// Whether it stands for others as well, which are counted and not named.
    pub(crate) fn is_cut(&self) -> bool {
        self.why.ends_with(" more") || self.why.ends_with(" more like it)")
    }
}

/// How a line begins that says what still stands in the way.
const STILL: &str = "still can't be patched: ";
const WAITS: &str = "waits as well: ";

/// What a line means. Lines that say two things come as two.
pub(crate) fn words(line: &str) -> Vec<Word> {
    let Some(text) = line.strip_prefix("hot: ") else {
        return vec![Word::Other];
    };
    let has = |part: &str| text.contains(part);
    let starts = |part: &str| text.starts_with(part);
    if starts("not called yet: ") || starts("still compiling: ") {
        return vec![Word::Other];
    }
    if starts("patched ") || starts("restored ") {
        return with_keeps(Word::Done, text);
    }
    if has("nothing that runs uses it") {
        return with_keeps(Word::Unused, text);
    }
    if starts("rolled back ") {
        return vec![Word::RolledBack];
    }
    if starts("not rolled back") {
        return vec![Word::NotRolledBack];
    }
    if has("keeps the value that it has") || has("keeps the one that it has") {
        return vec![Word::Done];
    }
    let waits = text
        .strip_prefix(STILL)
        .or_else(|| text.strip_prefix(WAITS));
    if let Some(place) = waits.and_then(place) {
        return vec![Word::Still(place)];
    }
    if has("won't be called again") {
        return place(text)
            .map(Word::Reason)
            .into_iter()
            .chain([Word::Refused])
            .collect();
    }
    if has("doesn't compile") {
        return vec![Word::NoCompile];
    }
    if has("waiting for the next save") {
        return vec![Word::Syntax];
    }
    if has("the old code runs on") {
        return vec![Word::Refused];
    }
    let keeps = has("keep") && (has("bod") || has("old code"));
    if keeps && !has("memory would keep the former") {
        return vec![Word::Keeps];
    }
    match place(text) {
        Some(place) => vec![Word::Reason(place)],
        None => vec![Word::Other],
    }
}

fn with_keeps(word: Word, text: &str) -> Vec<Word> {
    match text.contains("keep") {
        true => vec![word, Word::Keeps],
        false => vec![word],
    }
}

/// `src/a.rs:7: why` or `a::f (src/a.rs:7) is running …`.
fn place(text: &str) -> Option<Place> {
    let at = text.find(".rs:")?;
    let start = text[..at].rfind([' ', '(']).map_or(0, |space| space + 1);
    let rest = &text[at + 4..];
    let digits = rest
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(rest.len());
    Some(Place {
        file: text[start..at + 3].to_owned(),
        line: rest[..digits].parse().ok()?,
        why: rest[digits..]
            .trim_start_matches([':', ')', ' '])
            .to_owned(),
    })
}

/// A reason without what differs from one program to the next.
pub(crate) fn general(why: &str) -> String {
    let mut general = String::new();
    let mut digits = false;
    for char in why.chars() {
        if char.is_ascii_digit() {
            if !digits {
                general.push('#');
            }
            digits = true;
        } else {
            digits = false;
            general.push(char);
        }
    }
    general.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_hot_are_understood() {
        let reason = |file: &str, line, why: &str| {
            Word::Reason(Place {
                file: file.into(),
                line,
                why: why.into(),
            })
        };
        assert_eq!(
            words("hot: patched 1 function in 9 ms: a::f (src/a.rs:7)"),
            [Word::Done]
        );
        assert_eq!(
            words("hot: src/a.rs:7: body of fn f changed: nothing that runs uses it"),
            [Word::Unused]
        );
        assert_eq!(
            words("hot: upper/src/q1.rs:12: field added to struct S: its layout changes"),
            [reason(
                "upper/src/q1.rs",
                12,
                "field added to struct S: its layout changes"
            )]
        );
        assert_eq!(
            words("hot: app::main (src/main.rs:3) is running and won't be called again: the edit needs a restart"),
            [
                reason("src/main.rs", 3, "is running and won't be called again: the edit needs a restart"),
                Word::Refused
            ]
        );
        assert_eq!(
            words("hot: the old code runs on (--no-restart)"),
            [Word::Refused]
        );
        assert_eq!(
            words("hot: still can't be patched: src/a.rs:7: value of const K changed: g +1 more"),
            [Word::Still(Place {
                file: "src/a.rs".into(),
                line: 7,
                why: "value of const K changed: g +1 more".into(),
            })]
        );
        assert_eq!(
            words("hot: still compiling: src/a.rs:7: A::all removed"),
            [Word::Other]
        );
        assert_eq!(words("warning: unused"), [Word::Other]);
    }

    #[test]
    fn reasons_are_counted_without_numbers() {
        assert_eq!(general("struct S12 has 3 fields"), "struct S# has # fields");
    }
}
