//! Units that programs of this process have: of each that several have, one. The binaries of a
//! project's tests share most of theirs.
//!
//! Knows nothing of what is read of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::Result;

use super::LoadedUnit;
use crate::rustc::unit::Unit;

/// The one that a program has, or a new one.
pub(super) fn unit(folder: PathBuf, unit: Unit) -> Result<Arc<LoadedUnit>> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Weak<LoadedUnit>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known().get(&folder).and_then(Weak::upgrade);
    if let Some(found) = found.filter(|found| found.unit == unit) {
        return Ok(found);
    }
    let loaded = Arc::new(LoadedUnit::load(folder, unit)?);
    known().insert(loaded.folder.clone(), Arc::downgrade(&loaded));
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::files::{below, replace_file};

    #[test]
    fn a_unit_is_read_once_until_it_is_built_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("lib.rs");
        let compiled = |text: &str| {
            let copy = below(&folder.path().join("sources"), &root);
            replace_file(&copy, text.as_bytes()).expect("a source");
        };
        let read = |id: u64| {
            let unit = Unit {
                id,
                root: root.clone(),
                ..Unit::empty()
            };
            super::unit(folder.path().to_owned(), unit).expect("a unit")
        };
        compiled("fn first() {}");
        let first = read(1);
        assert!(Arc::ptr_eq(&first, &read(1)));
        compiled("fn second() {}");
        let second = read(2);
        assert_eq!(second.files[&root].functions[0].name, "second");
        assert_eq!(first.files[&root].functions[0].name, "first");
        assert!(Arc::ptr_eq(&second, &read(2)));
    }
}
