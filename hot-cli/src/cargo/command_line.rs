//! The words of a command of cargo's, as a user gave them.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Whether a command's first word is cargo.
pub(crate) fn is_cargo(word: &OsStr) -> bool {
    Path::new(word).file_name() == Some("cargo".as_ref())
}

/// Whether the command is `cargo test` or `cargo nextest`: then crates are rewritten for mocks as well.
pub(crate) fn runs_tests(program: &OsStr, arguments: &[OsString]) -> bool {
    let word = subcommand(arguments).and_then(|position| arguments[position].to_str());
    is_cargo(program) && word.is_some_and(|word| ["t", "test", "nextest"].contains(&word))
}

/// Where the name of cargo's subcommand stands among its arguments.
pub(crate) fn subcommand(arguments: &[OsString]) -> Option<usize> {
    let mut words = arguments.iter().enumerate();
    while let Some((position, word)) = words.next() {
        let word = word.to_string_lossy();
        if ["--color", "--config", "-C", "-Z"].contains(&&*word) {
            words.next();
        } else if !word.starts_with(['-', '+']) {
            return Some(position);
        }
    }
    None
}
