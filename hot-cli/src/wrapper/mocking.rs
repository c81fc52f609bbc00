//! Whether functions of a test program's root can be mocked by another crate that it is linked
//! with, one that uses `soft-mock` itself: by the records of rewritten crates, and for all others
//! by what their metadata name.
//!
//! Knows nothing of what follows from it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::rustc::args::RustcArgs;
use crate::rustc::unit::Unit;

/// The crate that makes mocks.
const MOCKS: &str = "soft_mock";

/// Whether one of the crates that the call names makes mocks, or uses one that does.
pub(super) fn others_mock(args: &RustcArgs) -> bool {
    let mut seen = HashSet::new();
    let mut libraries = args.externs().filter(|(_, path)| !is_soft_mock(path));
    libraries.any(|(_, library)| uses_mocks(library, &mut seen))
}

fn uses_mocks(library: &Path, seen: &mut HashSet<PathBuf>) -> bool {
    if !seen.insert(library.to_owned()) {
        return false;
    }
    if library
        .extension()
        .is_some_and(|extension| extension == "so")
    {
        // Macros: what they write may name it anywhere.
        let bytes = std::fs::read(library);
        return bytes.map_or(true, |bytes| {
            memmem::find(&bytes, MOCKS.as_bytes()).is_some()
        });
    }
    let unit = Unit::of_library(library).and_then(|folder| Unit::read(&folder).ok());
    match unit {
        Some(unit) => {
            let args = unit.rustc_args();
            let mut externs = args.externs();
            externs.any(|(_, library)| is_soft_mock(library) || uses_mocks(library, seen))
        }
        None => names_mocks(library),
    }
}

/// Whether a library is the crate that makes mocks.
pub(crate) fn is_soft_mock(library: &Path) -> bool {
    let stem = library.file_stem().and_then(|stem| stem.to_str());
    let name = stem.and_then(|stem| stem.strip_prefix("lib"));
    name.is_some_and(|name| name == MOCKS || name.starts_with("soft_mock-"))
}

/// Whether a library's metadata have the crate's name, as the list of what it uses has. What can't
/// be read may be anything.
fn names_mocks(library: &Path) -> bool {
    let metadata = library.with_extension("rmeta");
    let metadata = match metadata.is_file() {
        true => metadata,
        false => library.to_owned(),
    };
    std::fs::read(metadata).map_or(true, |bytes| has_word(&bytes, MOCKS))
}

/// Whether a text has a word, and not only longer ones that hold it.
fn has_word(text: &[u8], word: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    memmem::find_iter(text, word).any(|at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        !is_part(before) && !is_part(text.get(at + word.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_a_word_of_its_own() {
        assert!(has_word(b"\x09soft_mock\xc1", MOCKS));
        assert!(has_word(b"__soft_mock soft_mock", MOCKS));
        assert!(!has_word(b"__soft_mock::soft_mock_sites", MOCKS));
        assert!(is_soft_mock(Path::new("/deps/libsoft_mock-0a1.rlib")));
        assert!(!is_soft_mock(Path::new("/deps/libsoft_mock_kit-0a1.rlib")));
    }

    #[test]
    fn what_cant_be_read_may_mock() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |name: &str, text: &str, expected: bool| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).expect("written");
            let found = uses_mocks(&file, &mut HashSet::new());
            assert_eq!(found, expected, "{name}");
        };
        check("liba.rlib", "core alloc std", false);
        check("libkit.rlib", "std soft_mock", true);
        check("libmacros.so", "quotesoft_mockmock", true);
        check("libothers.so", "quote", false);
        let none = folder.path().join("libnone.rlib");
        assert!(uses_mocks(&none, &mut HashSet::new()));
    }
}
