//! Gives the places in sources that compiled code holds, of panics and callers, the columns that
//! they have in the user's files: before some of them a check was inserted.
//!
//! Knows nothing of what was inserted.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use soft_mock_compiled::locations::{set_columns, Location};
use soft_mock_rewriter::syntax::Columns;

use crate::os::files::edit_file;

/// Rewrites a library or an object. `folder`: where the compiler was called, from where it names
/// files.
pub(crate) fn restore(library: &Path, folder: &Path, columns: &[(PathBuf, Columns)]) -> Result<()> {
    if columns.is_empty() {
        return Ok(());
    }
    edit_file(library, |bytes| {
        restore_in(bytes, folder, columns)
            .with_context(|| format!("can't read the places in {}", library.display()))
    })
}

/// The same for its bytes. Says whether any change.
pub(super) fn restore_in(
    bytes: &mut [u8],
    folder: &Path,
    columns: &[(PathBuf, Columns)],
) -> Result<bool> {
    if columns.is_empty() {
        return Ok(false);
    }
    let original = |held: &Location<'_>| {
        let file = folder.join(held.file);
        let (_, columns) = columns.iter().find(|(path, _)| *path == file)?;
        let column = columns.original(held.line as usize, held.column as usize);
        u32::try_from(column).ok()
    };
    Ok(set_columns(bytes, &original)? > 0)
}
