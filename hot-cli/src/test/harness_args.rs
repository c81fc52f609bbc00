//! What a harness is told by the user, and how it is told to run one test.
//!
//! Knows libtest's options, as far as they have values.

use std::ffi::{OsStr, OsString};

/// Options whose value is a word of its own.
const WITH_VALUE: [&str; 6] = [
    "--skip",
    "--test-threads",
    "--color",
    "--shuffle-seed",
    "-Z",
    "--logfile",
];

/// What only concerns the list of tests, or what is read of the output.
const LEFT_OUT: [&str; 5] = ["--exact", "-q", "--quiet", "--shuffle", "--shuffle-seed"];

/// The words that come with the list of a harness's tests.
pub(super) fn list(args: &[OsString], ignored: bool) -> Vec<OsString> {
    let words = args.iter().filter(|word| !is_about_ignored(word));
    let mut words: Vec<OsString> = words.filter(|word| !is_quiet(word)).cloned().collect();
    words.extend(["--list", "--format", "terse"].map(OsString::from));
    if ignored {
        words.push("--ignored".into());
    }
    words
}

/// The words with which just this test runs.
pub(super) fn only(args: &[OsString], test: &str) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        let name = text.split('=').next().unwrap_or_default();
        let value = (WITH_VALUE.contains(&&*text))
            .then(|| words.next())
            .flatten();
        // Filters are for the list: with another one, more than this test would run.
        if !text.starts_with('-') || LEFT_OUT.contains(&name) || name == "--skip" {
            continue;
        }
        kept.push(word.clone());
        kept.extend(value.cloned());
    }
    kept.extend(["--exact".into(), test.into()]);
    kept
}

/// Which tests run, by what is said of ignored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignored {
    /// They don't.
    Skipped,
    /// They do, like the others.
    Included,
    /// Only they do.
    Only,
}

impl Ignored {
    pub(super) fn of(args: &[OsString]) -> Self {
        let has = |name: &str| args.iter().any(|word| word == name);
        match (has("--ignored"), has("--include-ignored")) {
            (true, _) => Self::Only,
            (_, true) => Self::Included,
            _ => Self::Skipped,
        }
    }
}

/// How many tests may run at once, if that is said.
pub(super) fn threads(args: &[OsString], variable: Option<&OsStr>) -> Option<usize> {
    let mut words = args.iter();
    let mut said = variable.map(OsStr::to_owned);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--test-threads" {
            said = words.next().cloned();
        } else if let Some(value) = text.strip_prefix("--test-threads=") {
            said = Some(value.into());
        }
    }
    said?.to_str()?.parse().ok().filter(|count| *count > 0)
}

/// Whether what tests print is to be seen, also of those that pass.
pub(super) fn shows_output(args: &[OsString]) -> bool {
    let shown = ["--nocapture", "--no-capture", "--show-output"];
    args.iter()
        .any(|word| shown.iter().any(|name| word == name))
}

fn is_about_ignored(word: &OsStr) -> bool {
    word == "--ignored" || word == "--include-ignored"
}

fn is_quiet(word: &OsStr) -> bool {
    word == "-q" || word == "--quiet"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn filters_are_for_the_list_alone() {
        let args = words("parse --skip slow --nocapture --color always -q --test-threads=2");
        assert_eq!(
            only(&args, "a::b"),
            words("--nocapture --color always --test-threads=2 --exact a::b")
        );
        let args = words("parse --skip slow --ignored -q");
        assert_eq!(
            list(&args, false),
            words("parse --skip slow --list --format terse")
        );
        assert_eq!(list(&args, true).last(), Some(&"--ignored".into()));
    }

    #[test]
    fn options_are_understood() {
        assert_eq!(Ignored::of(&words("x")), Ignored::Skipped);
        assert_eq!(Ignored::of(&words("--ignored x")), Ignored::Only);
        assert_eq!(Ignored::of(&words("--include-ignored")), Ignored::Included);
        assert_eq!(threads(&words("--test-threads 3"), None), Some(3));
        assert_eq!(
            threads(&words("a --test-threads=1"), Some("4".as_ref())),
            Some(1)
        );
        assert_eq!(threads(&words("a"), Some("4".as_ref())), Some(4));
        assert_eq!(threads(&words("a"), None), None);
        assert!(shows_output(&words("--nocapture")) && !shows_output(&words("x")));
    }
}
