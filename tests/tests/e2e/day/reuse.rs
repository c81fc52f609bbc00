//! What an edit doesn't reach isn't compiled once more, also by the first patch of whole crates.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use soft_mock_tests::folder::files_below;

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
    let all = files_below(folder, ".o").into_iter();
    let cached = all.filter(|path| path.components().any(|part| part.as_os_str() == "whole"));
    let numbers = cached.map(|path| Some(path.metadata().ok()?.ino()));
    numbers.flatten().collect()
}
