//! What a file holds, small enough to keep: two equal values mean equal content.
//!
//! Knows nothing of watching.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Larger files aren't read: a new time or length counts as new content.
const READ_MAX: u64 = 16 << 20;

/// A file read so soon after its last write may be written again under the same time.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// The content of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// No such file (or it is a folder, a pipe, a device).
    Missing,
    /// Something that can't be read.
    Unreadable,
    /// A file that was read.
    Hash(u64, u64),
    /// A file too large to read: length and time.
    Large(u64, i64, i64),
}

/// The content and what tells cheaply that it can't have changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) content: Content,
    /// Nothing for what is no file, and for one that may be written again under the same time.
    stamp: Option<Stamp>,
}

/// The kernel stamps every write with its clock, which ticks every few milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    /// Reads the content.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        // Opening a pipe would wait for a writer: look first.
        match path.metadata() {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Ok(Self::MISSING),
            Err(error) => return Self::absent(error),
        }
        match File::open(path) {
            Ok(file) => Self::of(file),
            Err(error) => Self::absent(error),
        }
    }

    const MISSING: Self = Self {
        content: Content::Missing,
        stamp: None,
    };

    pub(super) const UNREADABLE: Self = Self {
        content: Content::Unreadable,
        stamp: None,
    };

    fn absent(error: io::Error) -> io::Result<Self> {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Self::MISSING),
            _ => Err(error),
        }
    }

    fn of(mut file: File) -> io::Result<Self> {
        let meta = file.metadata()?;
        let stamp = Some(Stamp::of(&meta)).filter(|_| is_settled(&meta));
        if meta.len() > READ_MAX {
            let content = Content::Large(meta.len(), meta.mtime(), meta.mtime_nsec());
            return Ok(Self { content, stamp });
        }
        let mut hasher = DefaultHasher::new();
        let mut buffer = vec![0; 64 << 10];
        let mut total = 0;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.write(&buffer[..count]);
                    total += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            content: Content::Hash(total, hasher.finish()),
            stamp,
        })
    }

    /// Whether the file is, by its times and length, still what was read.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        let now = path
            .metadata()
            .ok()
            .filter(Metadata::is_file)
            .map(|meta| Stamp::of(&meta));
        match self.content {
            Content::Missing => now.is_none(),
            Content::Unreadable => Self::read(path).is_err(),
            _ => self.stamp.is_some() && self.stamp == now,
        }
    }
}

fn is_settled(meta: &Metadata) -> bool {
    let (seconds, nanos) = (meta.ctime(), meta.ctime_nsec());
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u64::try_from(nanos)) else {
        return false;
    };
    let changed = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_nanos(nanos);
    // A time in the future, after a jump of the clock, tells nothing either.
    changed.elapsed().is_ok_and(|age| age > CLOCK_TICK)
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            len: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(path: &Path) -> Content {
        Seen::read(path).expect("readable").content
    }

    #[test]
    fn same_bytes_same_content() {
        let folder = tempfile::tempdir().expect("folder");
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        for text in ["", "x", &"long ".repeat(100_000)] {
            std::fs::write(&a, text)
                .and_then(|()| std::fs::write(&b, text))
                .expect("written");
            assert_eq!(content(&a), content(&b));
            std::fs::write(&b, format!("{text}.")).expect("written");
            assert_ne!(content(&a), content(&b));
        }
    }

    #[test]
    fn what_is_no_file_is_missing() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert_eq!(content(folder.path()), Content::Missing);
        assert_eq!(content(&folder.path().join("no")), Content::Missing);
        assert_eq!(content(&file.join("below")), Content::Missing);
        assert_eq!(content(Path::new("/dev/null")), Content::Missing);
        assert_ne!(content(&file), Content::Missing, "an empty file is a file");
    }

    #[test]
    fn large_files_count_by_time_and_length() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("file");
        File::create(&file)
            .and_then(|file| file.set_len(READ_MAX + 1))
            .expect("written");
        assert!(matches!(content(&file), Content::Large(..)));
    }

    #[test]
    fn a_write_makes_it_outdated() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "1").expect("written");
        let seen = Seen::read(&file).expect("readable");
        assert!(
            !seen.is_current(&file),
            "it may be written again within the same tick"
        );
        std::thread::sleep(CLOCK_TICK * 2);
        let seen = Seen::read(&file).expect("readable");
        assert!(seen.is_current(&file));
        std::fs::write(&file, "2").expect("written");
        assert!(!seen.is_current(&file));
        let just_written = Seen::read(&file).expect("readable");
        std::fs::remove_file(&file).expect("removed");
        assert!(!seen.is_current(&file) && !just_written.is_current(&file));
        assert!(Seen::MISSING.is_current(&file));
    }
}
