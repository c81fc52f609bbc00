//! What was read of the units that an edit doesn't reach, kept from one patch to the next: of a big
//! program that is nearly all of it.
//!
//! Knows nothing of what is done with it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use soft_mock_compiled::world::Kept;

use super::layouts::{version, Version};
use super::Library;

/// The last one: an edit that follows reaches the same units, or more.
static LAST: Mutex<Option<Last>> = Mutex::new(None);

struct Last {
    libraries: Vec<(PathBuf, Version)>,
    kept: Arc<Kept>,
}

/// Libraries of more bytes than this are read for each patch. What is known of them takes about as
/// much memory as they do.
const MOST: usize = 256 << 20;

/// What is in libraries. None: there are none.
pub(super) fn libraries(libraries: &[Library]) -> Result<Option<Arc<Kept>>> {
    if libraries.is_empty() {
        return Ok(None);
    }
    let paths = libraries.iter().map(|(_, path)| path);
    // Before they are read: one that is replaced meanwhile is read again the next time.
    let wanted = paths.map(|path| Ok((path.clone(), version(path)?)));
    let wanted = wanted.collect::<Result<Vec<_>>>()?;
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(last) = last.as_ref().filter(|last| last.libraries == wanted) {
        return Ok(Some(Arc::clone(&last.kept)));
    }
    // Not two of them at once.
    *last = None;
    let read = super::read(libraries)?;
    let bytes = read.into_iter().map(|(_, bytes)| bytes).collect();
    let kept = Arc::new(Kept::new(bytes)?);
    if kept.size() <= MOST {
        *last = Some(Last {
            libraries: wanted,
            kept: Arc::clone(&kept),
        });
    }
    Ok(Some(kept))
}
