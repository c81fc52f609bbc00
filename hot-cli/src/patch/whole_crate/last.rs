//! What was compiled last of each crate, for whoever needs just that: the binaries of a project's
//! tests share crates, and an edit of one leaves those that it uses as they were for the last
//! patch.
//!
//! Knows nothing of how crates are compiled, and of what they are compiled from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compile::Compiled;
use crate::os::files::{content_hash, Stamp};

/// By the folders that they are compiled into.
static LAST: Mutex<BTreeMap<PathBuf, Last>> = Mutex::new(BTreeMap::new());

struct Last {
    made_from: u64,
    /// Of the library.
    stamp: Stamp,
    compiled: Arc<Compiled>,
}

/// It, if it was made from the same.
pub(super) fn get(place: &Path, made_from: u64) -> Option<Arc<Compiled>> {
    let all = all();
    let last = all.get(place).filter(|last| last.made_from == made_from)?;
    let is_there = Stamp::of(&last.compiled.library) == Some(last.stamp);
    let mut read = last.compiled.included.iter();
    let is_read_now = read.all(|(path, hash)| content_hash(path) == *hash);
    (is_there && is_read_now).then(|| Arc::clone(&last.compiled))
}

/// It is about to be another one.
pub(super) fn forget(place: &Path) {
    all().remove(place);
}

pub(super) fn put(place: &Path, made_from: u64, compiled: &Arc<Compiled>) {
    if let Some(stamp) = Stamp::of(&compiled.library) {
        let last = Last {
            made_from,
            stamp,
            compiled: Arc::clone(compiled),
        };
        all().insert(place.to_owned(), last);
    }
}

fn all() -> MutexGuard<'static, BTreeMap<PathBuf, Last>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}
