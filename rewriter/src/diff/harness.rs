//! Whether an edit may add, remove or alter one of the tests that a harness knows.
//!
//! ```text
//! const LIMIT: u8 = 1;   ─►   const LIMIT: u8 = 2;                no: the same tests, whatever they find
//! fn show(n: u8)         ─►   fn show(n: u8, wide: bool)          no
//! #[case(1)] fn t()      ─►   #[case(1)] #[case(2)] fn t()        it may: an attribute can make anything
//! macro_rules! t { … }   ─►   macro_rules! t { … }                it may
//! ```
//!
//! By attributes and kinds, on the safe side. Knows nothing of how tests are run.

use super::findings::IndirectEdit;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{DeclaredFunction, FileItems};

impl IndirectEdit {
    /// Whether it may, if it is one between these two states of a file.
    pub fn may_concern_tests(&self, old: &FileItems, new: &FileItems) -> bool {
        let Some(turn) = self.turn else {
            return true;
        };
        let Some((items, declaration)) = turn.found_in(old, new) else {
            return false;
        };
        match declaration {
            Declaration::Function(place) => items.functions.get(place).is_none_or(may_be_test),
            Declaration::Item(place) => {
                let item = items.items.get(place);
                item.is_none_or(|item| item.has_layout_attributes || !item.kind.is_itself())
            }
            // An import may be that of a macro, and a block may have attributes of its own.
            Declaration::Impl(_) | Declaration::Import { .. } => true,
        }
    }
}

/// Whether a function may be a test, or become one by an attribute.
pub fn may_be_test(function: &DeclaredFunction) -> bool {
    const PLAIN: [&str; 8] = [
        "allow", "cfg", "cold", "deny", "doc", "expect", "inline", "warn",
    ];
    let mut names = function.attributes.iter().map(|attribute| {
        let is_of_name = |char: char| char.is_alphanumeric() || char == '_';
        attribute
            .split(|char| !is_of_name(char))
            .next()
            .unwrap_or_default()
    });
    names.any(|name| !PLAIN.contains(&name))
}

#[cfg(test)]
mod tests {
    use crate::diff::tests::states;

    /// Whether the edits of a crate that is no harness itself may concern tests.
    #[track_caller]
    fn check(old: &str, new: &str, expected: bool) {
        let (before, after, found) = states(old, new);
        assert!(
            found.rude.is_empty() && !found.indirect.is_empty(),
            "{found:?}"
        );
        let mut edits = found.indirect.iter();
        let may = edits.any(|edit| edit.may_concern_tests(&before, &after));
        assert_eq!(may, expected, "{found:?}");
    }

    #[test]
    fn code_and_signatures_make_no_tests_and_macros_may() {
        check("const N: u8 = 1;", "const N: u8 = 2;", false);
        check("fn f(a: u8) {}", "fn f(a: u8, b: u8) {}", false);
        check("fn f<T>(a: T) {}", "fn f<T>(a: T) { drop(a) }", false);
        check("", "fn f() {}", false);
        check("", "#[case(1)] fn f() {}", true);
        check("use a::b;", "use a::c;", true);
        check(
            "macro_rules! m { () => { 1 } } fn f() { m!() }",
            "macro_rules! m { () => { 2 } } fn f() { m!() }",
            true,
        );
    }
}
