//! The running `hot` itself.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The path of `hot` itself, and a hash of this very build of it.
pub(crate) fn own_build() -> Result<(PathBuf, u64)> {
    let own = std::env::current_exe().context("can't find the path of `hot` itself")?;
    let meta = own.metadata().context("can't read `hot` itself")?;
    let mut hasher = DefaultHasher::new();
    (
        env!("CARGO_PKG_VERSION"),
        &own,
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec(),
    )
        .hash(&mut hasher);
    let build = hasher.finish();
    Ok((own, build))
}
