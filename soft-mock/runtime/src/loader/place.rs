//! Where plugins lie: reads a file that only this user could have written, and keeps the private
//! copy that is opened in its place.
//!
//! The file is opened once, and everything is asked of that open file: who swaps the file at the
//! path, or goes on writing it, changes nothing. What was checked are bytes in memory, and those
//! very bytes go into the copy.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::error::Refusal;
use crate::platform;

/// More than any plugin: a debug build of a large one has a few MiB.
const LARGEST: u64 = 512 << 20;

const ROOT: u32 = 0;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// The bytes of a plugin's file, if nobody else could have written them.
pub fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(Refusal::Unreadable)?;
    is_plugin_like(&metadata)?;
    let real = real_path(&file, path).map_err(Refusal::Unreadable)?;
    is_ours(&real, &metadata)?;
    is_safe_folder(&real)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(Refusal::Unreadable)?;
    match bytes.len() as u64 {
        0 => Err(Refusal::Empty),
        size if size > LARGEST => Err(Refusal::TooLarge {
            size,
            limit: LARGEST,
        }),
        _ => Ok(bytes),
    }
}

fn open(path: &Path) -> Result<File, Refusal> {
    // Not blocking: the path could be that of a pipe that nobody writes to.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(Errno::NOENT | Errno::NOTDIR) => Err(Refusal::Missing),
        Err(error) => Err(Refusal::Unreadable(error.into())),
    }
}

fn is_plugin_like(metadata: &Metadata) -> Result<(), Refusal> {
    if metadata.is_dir() {
        return Err(Refusal::Folder);
    }
    if !metadata.is_file() {
        return Err(Refusal::NotAFile);
    }
    match metadata.len() {
        0 => Err(Refusal::Empty),
        size if size > LARGEST => Err(Refusal::TooLarge {
            size,
            limit: LARGEST,
        }),
        _ => Ok(()),
    }
}

/// The path of the open file itself, whatever links led to it.
fn real_path(file: &File, path: &Path) -> io::Result<PathBuf> {
    platform::path_of(file).or_else(|_| fs::canonicalize(path))
}

/// Whether only this user (and root) can have written it.
fn is_ours(place: &Path, metadata: &Metadata) -> Result<(), Refusal> {
    let own = rustix::process::geteuid().as_raw();
    let owner = metadata.uid();
    if owner != own && owner != ROOT {
        return Err(Refusal::ForeignOwner {
            place: place.to_owned(),
            owner,
            own,
        });
    }
    match metadata.mode() & OTHERS_WRITE {
        0 => Ok(()),
        _ => Err(writable(place, metadata)),
    }
}

/// Whether nobody else can put a file in this one's place.
fn is_safe_folder(file: &Path) -> Result<(), Refusal> {
    for (depth, folder) in file.ancestors().skip(1).enumerate() {
        let metadata = match fs::metadata(folder) {
            Ok(metadata) => metadata,
            // Deleted or replaced since the file was opened; the open file is still the checked
            // one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Refusal::Unreadable(error)),
        };
        match depth {
            0 => is_ours(folder, &metadata)?,
            // In a sticky folder such as /tmp nobody can rename what isn't theirs.
            _ if metadata.mode() & (OTHERS_WRITE | STICKY) == OTHERS_WRITE => {
                return Err(writable(folder, &metadata));
            }
            _ => {}
        }
    }
    Ok(())
}

fn writable(place: &Path, metadata: &Metadata) -> Refusal {
    Refusal::WorldWritable {
        place: place.to_owned(),
        mode: metadata.mode() & 0o7777,
    }
}

/// Fails unless `folder` is a folder of this user that not everybody can write into.
pub(crate) fn is_own_folder(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    is_ours(folder, &metadata)
        .map_err(|refusal| io::Error::new(io::ErrorKind::PermissionDenied, refusal))
}

/// Fails unless `folder` is a folder of this user that nobody else can enter.
pub(crate) fn is_private(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    let own = rustix::process::geteuid().as_raw();
    let problem = match &metadata {
        metadata if !metadata.is_dir() => format!("{} is not a folder", folder.display()),
        metadata if metadata.uid() != own => {
            format!(
                "{} belongs to user {}, not to user {own}",
                folder.display(),
                metadata.uid()
            )
        }
        metadata if metadata.mode() & 0o077 != 0 => {
            let mode = metadata.mode() & 0o7777;
            format!(
                "{} is open to others (mode {mode:o}): `chmod 700` it",
                folder.display()
            )
        }
        _ => return Ok(()),
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, problem))
}

/// Writes the private copy that is opened in place of the plugin's own file, into a folder that
/// this process makes, and removes when it exits.
pub fn copy(plugin: &Path, bytes: &[u8]) -> Result<PathBuf, Refusal> {
    copy_into(&own_folder()?, plugin, bytes)
}

/// Writes the private copy into `folder`, which is private and whose owner removes it.
pub(super) fn copy_into(folder: &Path, plugin: &Path, bytes: &[u8]) -> Result<PathBuf, Refusal> {
    let stem = plugin.file_stem().unwrap_or_default();
    let written = tempfile::Builder::new()
        .prefix(stem)
        .suffix(".so")
        .tempfile_in(folder)
        .and_then(|mut copy| {
            copy.write_all(bytes)?;
            // Kept as long as the process lives: debuggers and backtraces read it.
            copy.into_temp_path().keep().map_err(io::Error::from)
        });
    written.map_err(|cause| Refusal::Copy {
        folder: folder.to_owned(),
        cause,
    })
}

fn own_folder() -> Result<PathBuf, Refusal> {
    static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut own = FOLDER.lock();
    if let Some(folder) = own.as_ref().filter(|folder| folder.is_dir()) {
        return Ok(folder.clone());
    }
    let base = std::env::temp_dir();
    let made = tempfile::Builder::new()
        .prefix("soft-mock-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&base);
    let folder = match made {
        Ok(folder) => folder.keep(),
        Err(cause) => {
            return Err(Refusal::Copy {
                folder: base,
                cause,
            })
        }
    };
    remove_at_exit(&folder);
    *own = Some(folder.clone());
    Ok(folder)
}

/// The folder that this process made, and the process that made it.
static TO_REMOVE: OnceLock<(PathBuf, u32)> = OnceLock::new();

fn remove_at_exit(folder: &Path) {
    if TO_REMOVE
        .set((folder.to_owned(), std::process::id()))
        .is_ok()
    {
        // SAFETY: the function neither unwinds nor needs anything that is torn down before it.
        unsafe { libc::atexit(remove_copies) };
    }
}

extern "C" fn remove_copies() {
    // Not in a forked child: the copies are its parent's.
    if let Some((folder, _)) = TO_REMOVE
        .get()
        .filter(|(_, maker)| *maker == std::process::id())
    {
        // At exit nobody is left who could be told.
        let _ = fs::remove_dir_all(folder);
    }
}
