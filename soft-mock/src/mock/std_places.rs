//! What `hot` found in the code of the program's crates: which functions of the standard library
//! calls of theirs are led to a mock of, and which code goes past it; and which crates it couldn't
//! rewrite.
//!
//! Each crate has a text in a section of the program (`soft_mock_abi::std_calls`). Knows nothing of
//! sites and mocks.

use soft_mock_abi::std_calls::{ident, Line, PLACES, READ, UNREAD};

/// Makes sure that the section exists: a crate that refers to nothing.
#[used]
#[link_section = soft_mock_abi::section!(std_places)]
static NONE: [u8; PLACES] = {
    let mut text = [0; PLACES];
    text[0] = READ.as_bytes()[0];
    text[1] = b'\n';
    text
};

extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(std_places))]
    static START: [u8; 0];
    #[link_name = concat!("__stop_", soft_mock_abi::section!(std_places))]
    static STOP: [u8; 0];
}

/// What is known of one function.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Calls of it are led to a mock.
    pub(super) is_reached: bool,
    /// Code that goes past a mock.
    pub(super) missed: Vec<&'static str>,
    /// There is code that nobody has looked at.
    pub(super) is_unread: bool,
    /// The code of the program's root is led there as well.
    pub(super) has_root: bool,
}

/// What is known of the function of this path.
pub(super) fn of(path: &str) -> Known {
    let wanted = ident(path);
    let mut known = Known::default();
    for text in texts() {
        known.add(text, &wanted);
    }
    known.missed.sort_unstable();
    known.missed.dedup();
    known
}

/// Why a crate of the program has no sites, if it was to have some.
pub(super) fn unmodified(krate: &str) -> Option<&'static str> {
    let mut lines = texts().flat_map(str::lines).filter_map(Line::parse);
    lines.find_map(|line| match line {
        Line::Unmodified(name, reason) if name == krate => Some(reason),
        _ => None,
    })
}

impl Known {
    fn add(&mut self, text: &'static str, wanted: &str) {
        let mut lines = text.lines();
        if lines.next() != Some(READ) {
            self.is_unread = true;
        }
        for line in lines.filter_map(Line::parse) {
            match line {
                Line::Reached(ident) if ident == wanted => self.is_reached = true,
                Line::Missed(ident, place) if ident == wanted => self.missed.push(place),
                Line::Root => self.has_root = true,
                _ => {}
            }
        }
    }
}

fn texts() -> impl Iterator<Item = &'static str> {
    // Refers to it, so that a linker that drops unused sections keeps it.
    std::hint::black_box(&NONE);
    let (start, stop) = ((&raw const START).addr(), (&raw const STOP).addr());
    // SAFETY: the linker makes both symbols as the bounds of the section, in which nothing is ever
    // changed while the program runs.
    let all: &'static [u8] =
        unsafe { std::slice::from_raw_parts((&raw const START).cast(), stop - start) };
    // A text ends with zeros; the next one begins where those end.
    all.split(|byte| *byte == 0)
        .filter(|text| !text.is_empty())
        .map(|text| std::str::from_utf8(text).unwrap_or_else(|_| unread()))
}

/// A text that says nothing.
fn unread() -> &'static str {
    const TEXT: [u8; 1] = [UNREAD];
    std::str::from_utf8(&TEXT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_function_and_of_no_other() {
        let mut known = Known::default();
        known.add(
            "1\n+std_fs_read\n-std_fs_read\t`app::load` (src/lib.rs:3)\n-std_fs_write\tx\n*\n",
            "std_fs_read",
        );
        let expected = Known {
            is_reached: true,
            missed: vec!["`app::load` (src/lib.rs:3)"],
            is_unread: false,
            has_root: true,
        };
        assert_eq!(known, expected);
        known.add("?", "std_fs_read");
        assert!(known.is_unread);
    }

    #[test]
    fn this_program_was_not_read_by_anybody() {
        assert_eq!(of("std::fs::read"), Known::default());
    }
}
