//! What an edit doesn't reach isn't compiled once more, also by the first patch of whole crates.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{with, Day, Way, SCALED};

#[test]
fn machine_code_of_other_modules_is_reused() {
    let mut day = Day::scaled("");
    let before = objects(&day.project.target());
    assert!(before.len() > 3, "{before:?}");
    let larger = with(SCALED, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 200m1", Way::WholeCrate);
    let after = objects(&day.project.target());
    let kept = before.intersection(&after).count();
    let made = after.len() - kept;
    assert!(made < before.len() / 2, "{made} of {}", before.len());
}

/// The objects in the caches of whole crates. One that is used again is a link to the file that
/// was there.
fn objects(folder: &Path) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_cache = path.components().any(|part| part.as_os_str() == "whole");
            match entry.metadata() {
                Ok(data) if data.is_dir() => waiting.push(path),
                Ok(data) if is_cache && path.extension().is_some_and(|end| end == "o") => {
                    found.insert(data.ino());
                }
                _ => {}
            }
        }
    }
    found
}
