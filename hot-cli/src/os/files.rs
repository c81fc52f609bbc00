//! Files: written whole or not at all, told apart by their contents and by what the system notes of
//! them.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A hash of a file's contents; 0 if there is none to read.
pub(crate) fn content_hash(path: &Path) -> u64 {
    std::fs::read(path).map_or(0, |bytes| hash_of(&bytes))
}

/// The same of what was read.
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish().max(1)
}

/// What `read` finds in a file; what is wrong names the file.
pub(crate) fn examine<T>(path: &Path, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    read(&bytes).with_context(|| format!("{} is damaged", path.display()))
}

/// The place of an absolute path below another folder.
pub(crate) fn below(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes a folder and those above it. What is wrong names the one in which it went wrong.
pub(crate) fn create_folders(folder: &Path) -> Result<()> {
    let Err(error) = std::fs::create_dir_all(folder) else {
        return Ok(());
    };
    let there = folder.ancestors().find(|above| above.exists());
    let there = there.unwrap_or(folder).display();
    Err(error).with_context(|| format!("nothing can be created in {there}"))
}

/// The end of a removal: what isn't there needn't be removed.
pub(crate) fn removed(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Lets `edit` change what a file holds, and writes that if it says that it did.
pub(crate) fn edit_file(
    path: &Path,
    edit: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
) -> Result<()> {
    let mut bytes =
        std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    match edit(&mut bytes)? {
        true => replace_file(path, &bytes),
        false => Ok(()),
    }
}

/// Writes a file so that nobody sees half of it.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    // As rustc and cargo create files: the umask decides.
    replace_with_mode(path, bytes, 0o666)
}

/// The same, with the bits of its mode.
pub(crate) fn replace_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folders(folder).with_context(|| format!("can't write {}", path.display()))?;
    let write = || -> std::io::Result<()> {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        let mut file = tempfile::Builder::new()
            .permissions(mode)
            .tempfile_in(folder)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("can't write {}", path.display()))
}

/// What tells cheaply that a file was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64, u64, u64, i64, i64);

impl Stamp {
    /// Of the file as it is now; none if there is no such file.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let meta = path.metadata().ok()?;
        let (mtime, nanos) = (meta.mtime(), meta.mtime_nsec());
        Some(Self(meta.dev(), meta.ino(), meta.len(), mtime, nanos))
    }
}

/// What a folder lies on, if that is a kind of file system that other machines write to as well.
pub(crate) fn remote_kind(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    remote_kind_of(u32::try_from(kind & 0xffff_ffff).ok()?)
}

/// By the numbers of statfs(2).
fn remote_kind_of(number: u32) -> Option<&'static str> {
    Some(match number {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9p",
        0x6573_5546 => "FUSE",
        0x786f_4256 => "a folder shared by VirtualBox",
        0x00c3_6400 => "Ceph",
        0x5346_414f => "AFS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_made_names_the_one_that_is_wrong() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join("file");
        std::fs::write(&file, "").expect("written");
        let error = create_folders(&file.join("a/b")).expect_err("a file is no folder");
        let error = format!("{error:#}");
        let expected = format!("nothing can be created in {}: ", file.display());
        assert!(error.starts_with(&expected), "{error}");
        create_folders(&place.path().join("a/b")).expect("made");
        assert!(place.path().join("a/b").is_dir());
    }
}
