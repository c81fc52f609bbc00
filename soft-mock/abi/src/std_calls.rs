//! How a rewritten crate's own code is led to what stands in for functions of the standard library,
//! and what is known of it afterwards.
//!
//! The crate's support module has a replacement for each function that can be mocked, and beside it
//! a pair of pointers, the function and its replacement, in a [section](crate::section::STD_PAIRS)
//! of its own: so the compiler itself says which symbols these are. `hot` then reads the objects,
//! lets the crate's own code refer to the replacements, and writes what it found into
//! [another section](crate::section::STD_PLACES), as lines of text.
//!
//! Knows nothing of how objects are read, and nothing of mocks.

/// What the symbols of replacements start with. The crate's unit, the function and, for instances,
/// a number follow: see [`replacement`].
pub const REPLACEMENT: &str = "__soft_mock_std_";

/// The bytes of a crate's places. Before `hot` has looked, the first one is [`UNREAD`] and all
/// others are zero.
pub const PLACES: usize = 16 * 1024;

/// Nobody has looked which functions the crate's code refers to.
pub const UNREAD: u8 = b'?';

/// The first line once somebody has.
pub const READ: &str = "1";

/// The symbol of a replacement, for a unit and a function's [name](ident).
pub fn replacement(unit: u64, ident: &str) -> String {
    format!("{REPLACEMENT}{unit:016x}__{ident}")
}

/// A function of std as part of a symbol: `std_time_Instant_now`.
pub fn ident(path: &str) -> String {
    path.replace("::", "_")
}

/// The function's name in the symbol of a replacement.
pub fn ident_of(symbol: &str) -> Option<&str> {
    let (_, ident) = symbol.strip_prefix(REPLACEMENT)?.split_once("__")?;
    ident.split("__").next()
}

/// What is known of a function in one crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// The crate's code was led to the function's replacement.
    Reached(&'a str),
    /// Code that goes past the replacement, and where it is.
    Missed(&'a str, &'a str),
    /// Another crate of the program has no sites and was led nowhere; why.
    Unmodified(&'a str, &'a str),
    /// The crate is the root of the program: its code was led as well.
    Root,
}

impl<'a> Line<'a> {
    /// Reads what [`Display`](std::fmt::Display) writes.
    pub fn parse(line: &'a str) -> Option<Self> {
        match line.split_at_checked(1)? {
            ("+", ident) => Some(Self::Reached(ident)),
            ("-", rest) => rest
                .split_once('\t')
                .map(|(ident, place)| Self::Missed(ident, place)),
            ("!", rest) => rest
                .split_once('\t')
                .map(|(name, why)| Self::Unmodified(name, why)),
            ("*", "") => Some(Self::Root),
            _ => None,
        }
    }
}

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reached(ident) => writeln!(f, "+{ident}"),
            Self::Missed(ident, place) => writeln!(f, "-{ident}\t{place}"),
            Self::Unmodified(name, why) => writeln!(f, "!{name}\t{why}"),
            Self::Root => writeln!(f, "*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_lines_are_read_as_they_are_written() {
        let symbol = replacement(0xab, &ident("std::time::Instant::now"));
        assert_eq!(ident_of(&symbol), Some("std_time_Instant_now"));
        assert_eq!(ident_of(&(symbol + "__3")), Some("std_time_Instant_now"));
        assert_eq!(ident_of("other"), None);
        for line in [
            Line::Reached("std_fs_read"),
            Line::Missed("std_fs_read", "app::load (src/lib.rs:3)"),
            Line::Unmodified("old", "it is a `dylib`"),
            Line::Root,
        ] {
            assert_eq!(Line::parse(line.to_string().trim_end()), Some(line));
        }
        assert_eq!(Line::parse(""), None);
    }
}
