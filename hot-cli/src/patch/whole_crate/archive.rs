//! The objects that rustc leaves of a test harness, put together as it does those of a library.
//!
//! Knows nothing of what they hold.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};

use crate::os::files::{removed, replace_file};

/// Removes the objects that an earlier compilation has left in a folder.
pub(super) fn clear(folder: &Path) -> Result<()> {
    let objects = objects(folder)?.into_iter();
    Ok(objects.map(std::fs::remove_file).try_for_each(removed)?)
}

/// An archive of all objects in a folder, which are removed.
pub(super) fn of_objects(folder: &Path, archive: &Path) -> Result<()> {
    let objects = objects(folder)?;
    ensure!(
        !objects.is_empty(),
        "rustc left no object in {}",
        folder.display()
    );
    let mut bytes = b"!<arch>\n".to_vec();
    for (number, object) in objects.iter().enumerate() {
        let read = std::fs::read(object);
        let content = read.with_context(|| format!("can't read {}", object.display()))?;
        bytes.extend(header(number, content.len()).into_bytes());
        bytes.extend(&content);
        // Each begins at an even place.
        bytes.extend(b"\n".iter().take(content.len() % 2));
    }
    replace_file(archive, &bytes)?;
    clear(folder)
}

/// Name, time, owner, group, mode and size, each as wide as `ar` has it.
fn header(number: usize, size: usize) -> String {
    let mut header = String::new();
    let name = format!("{number}.o/");
    let _ = writeln!(
        header,
        "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`",
        0, 0, 0, 644
    );
    header
}

/// In the same order each time.
fn objects(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("can't read {}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "o") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
