//! What `hot` says, taken apart. Knows nothing of processes.

/// What a line means for the edit that was saved.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// So many functions are said to be patched; up to three are named, with their places.
    Patched {
        count: usize,
        named: Vec<(String, String)>,
        indirect: bool,
    },
    /// The edit concerns no code that exists in the program.
    Unused,
    /// The function runs, and is called just once.
    Once(Vec<(String, String)>),
    /// It doesn't compile.
    NoEdit,
    /// It can't be patched; the reason stood before.
    Rude,
    Restored,
    /// `hot` compiles whole crates.
    Whole,
    /// A line that may hold the reason.
    Reason(String),
    Other,
}

/// What a line of `hot` means.
pub(super) fn word(line: &str) -> Word {
    if let Some(rest) = line.strip_prefix("hot: patched ") {
        let count = rest.split(' ').next().and_then(|word| word.parse().ok());
        return Word::Patched {
            count: count.unwrap_or(0),
            named: functions(rest.split_once(": ").map_or("", |(_, list)| list)),
            indirect: rest.contains(" (because of: "),
        };
    }
    if line.contains("won't be called again") {
        let list = line.trim_start_matches("hot: ");
        return Word::Once(functions(
            list.split(" is running").next().unwrap_or_default(),
        ));
    }
    let has = |text: &str| line.contains(text);
    if has("nothing that runs uses it") {
        Word::Unused
    } else if has("the edit doesn't compile") || has("waiting for the next save") {
        Word::NoEdit
    } else if has("the old code runs on") {
        Word::Rude
    } else if has("hot: restored ") {
        Word::Restored
    } else if has("hot: the whole crate is compiled: ") || has("hot: compiled in ") {
        Word::Whole
    } else if has(".rs:") || line.starts_with("error") {
        Word::Reason(reason(line))
    } else {
        Word::Other
    }
}

/// Names and places in `a::b::f (src/b.rs:7), <a::T as X>::g (src/t.rs:9) +3 more`.
fn functions(list: &str) -> Vec<(String, String)> {
    let list = list.split(" (because of: ").next().unwrap_or_default();
    let (mut found, mut start) = (Vec::new(), 0);
    for (end, _) in list.match_indices(')') {
        // Names hold brackets too: only `(file:line)` ends one.
        let part = list[start..=end].trim_start_matches([',', ' ']);
        let place = part.rsplit_once(" (").filter(|(_, place)| is_place(place));
        if let Some((name, place)) = place {
            found.push((name.to_owned(), format!("({place}")));
            start = end + 1;
        }
    }
    found
}

/// `src/a.rs:7)`
fn is_place(text: &str) -> bool {
    let line = text.trim_end_matches(')').rsplit_once(':');
    line.is_some_and(|(_, line)| {
        !line.is_empty() && line.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// What a line says behind the place that it names.
fn reason(line: &str) -> String {
    let text = line.trim_start_matches("hot: ");
    match text.split_once(".rs:") {
        Some((_, rest)) => rest
            .split_once(": ")
            .map_or(rest, |(_, why)| why)
            .to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, count: usize, expected: &[(&str, &str)], indirect: bool) {
        let named = expected
            .iter()
            .map(|(name, place)| ((*name).to_owned(), (*place).to_owned()))
            .collect();
        let patched = Word::Patched {
            count,
            named,
            indirect,
        };
        assert_eq!(word(line), patched);
    }

    #[test]
    fn reads_what_hot_says() {
        check(
            "hot: patched 1 function in 9 ms: a::f (src/a.rs:7)",
            1,
            &[("a::f", "(src/a.rs:7)")],
            false,
        );
        let two = [
            ("a::f", "(src/a.rs:7)"),
            ("<a::T as From<(u8, u8)>>::g", "(src/t.rs:9)"),
        ];
        let several = "hot: patched 5 functions in 12.3 s: a::f (src/a.rs:7), <a::T as From<(u8, u8)>>::g (src/t.rs:9) +3 more";
        check(several, 5, &two, false);
        let because = format!("{several} (because of: body of fn x (src/x.rs:9) changed)");
        check(&because, 5, &two, true);
        let main = "hot: a::main (src/main.rs:1) is running and won't be called again: the edit needs a restart";
        let named = vec![("a::main".to_owned(), "(src/main.rs:1)".to_owned())];
        assert_eq!(word(main), Word::Once(named));
        assert_eq!(word("hot: pid 7 joined: /a"), Word::Other);
        let unused = "hot: src/a.rs:7: body of fn f changed: nothing that runs uses it";
        assert_eq!(word(unused), Word::Unused);
    }

    #[test]
    fn reasons_lose_their_place() {
        let rude = "hot: src/a.rs:7: body of fn f changed: it is generic";
        let reason = Word::Reason("body of fn f changed: it is generic".to_owned());
        assert_eq!(word(rude), reason);
        let error = "error[E0308]: mismatched types";
        assert_eq!(word(error), Word::Reason(error.to_owned()));
    }
}
