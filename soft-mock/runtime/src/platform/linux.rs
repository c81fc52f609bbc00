//! Linux: open files and loaded libraries by way of `/proc`.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// A library's own symbols come before those of the program, if the dynamic linker can do that;
/// else 0.
#[cfg(target_env = "gnu")]
pub const OWN_SYMBOLS_FIRST: i32 = libc::RTLD_DEEPBIND;
#[cfg(not(target_env = "gnu"))]
pub const OWN_SYMBOLS_FIRST: i32 = 0;

/// A path that leads to the open file, whatever is at its own path by now.
pub fn through(file: &File) -> PathBuf {
    Path::new("/proc/self/fd").join(file.as_raw_fd().to_string())
}

/// The path of the open file itself, whatever links led to it.
pub fn path_of(file: &File) -> io::Result<PathBuf> {
    fs::read_link(through(file))
}

/// Whether a file is in the memory of this process; yes if that can't be told.
pub fn is_mapped(file: &Path) -> bool {
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else {
        return true;
    };
    let file = file.to_string_lossy();
    maps.lines().any(|line| line.ends_with(&*file))
}
