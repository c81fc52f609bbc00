//! Puts files where others look for them: whole or not at all.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use soft_mock_abi::checksum;

use super::error::BuildError;
use super::package::Package;

/// Copies the library to `<folder>/<plugin>.so`, sealed. A file that is the same already is left as
/// it is.
pub(crate) fn install(
    library: &Path,
    package: &Package,
    folder: &Path,
) -> Result<PathBuf, BuildError> {
    let mut bytes = fs::read(library).map_err(BuildError::io(library))?;
    bytes.extend(checksum::of(&bytes));
    let file = folder.join(format!("{}.so", package.name));
    write(&file, &bytes)?;
    Ok(file)
}

/// Writes a file beside its place and renames it, so that nobody reads half of it.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(BuildError::io(folder))?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".hot-")
        .tempfile_in(folder)
        .map_err(BuildError::io(folder))?;
    let mode = if file
        .extension()
        .is_some_and(|kind| kind == "so" || kind == "sh")
    {
        0o755
    } else {
        0o644
    };
    temporary
        .write_all(bytes)
        .and_then(|()| {
            temporary
                .as_file()
                .set_permissions(fs::Permissions::from_mode(mode))
        })
        .map_err(BuildError::io(file))?;
    temporary.persist(file).map_err(|error| BuildError::Io {
        path: file.to_owned(),
        source: error.error,
    })?;
    Ok(())
}
