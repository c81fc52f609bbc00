//! The checksum: the last bytes of a plugin's file, which say that all bytes before them are the
//! ones that were written.
//!
//! ```text
//! ELF file … | hash of all that (16) | its length (8) | MAGIC (8)
//! ```
//!
//! A flipped bit in a plugin's code can't be told from code, so it has to be found before the
//! dynamic linker sees the file. The checksum is against damage: half a copy, a bad disk, a file
//! that two processes wrote. It is not a signature: who may write a plugin is asked of the file
//! system by whoever loads it. The dynamic linker doesn't look behind the last section. Knows
//! nothing of ELF and of manifests.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use thiserror::Error;
use xxhash_rust::xxh3::xxh3_128;

/// The end of a file with a checksum. The digit is the version of its form.
const MAGIC: [u8; 8] = *b"hotseal1";

const HASH: usize = 16;
const LENGTH: usize = 8;
const SIZE: usize = HASH + LENGTH + MAGIC.len();

/// A file whose bytes aren't known to be those that were written.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumError {
    /// It has no checksum.
    #[error("it does not end with a checksum, so its end is missing, or it was not made by `hot`")]
    Missing,
    /// It is shorter or longer than it was.
    #[error("it had {written} bytes when its checksum was made, and has {found} now")]
    Length {
        /// The length that the checksum names.
        written: u64,
        /// The length of what is before the checksum.
        found: u64,
    },
    /// Its bytes are others.
    #[error("its bytes are not those that its checksum was made of")]
    Content,
}

/// The checksum of these bytes, to be written right behind them.
pub fn of(bytes: &[u8]) -> [u8; SIZE] {
    let mut checksum = [0; SIZE];
    let (hash, rest) = checksum.split_at_mut(HASH);
    hash.copy_from_slice(&xxh3_128(bytes).to_le_bytes());
    let (length, magic) = rest.split_at_mut(LENGTH);
    length.copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    magic.copy_from_slice(&MAGIC);
    checksum
}

/// Puts a checksum at the end of a file. A file that has one already gets a second one, around the
/// first.
pub fn append(file: &Path) -> io::Result<()> {
    let checksum = of(&fs::read(file)?);
    fs::OpenOptions::new()
        .append(true)
        .open(file)?
        .write_all(&checksum)
}

/// Fails unless these bytes are whole: what was written, and its checksum.
pub fn check(bytes: &[u8]) -> Result<(), ChecksumError> {
    let (content, checksum) = bytes
        .split_last_chunk::<SIZE>()
        .ok_or(ChecksumError::Missing)?;
    if !checksum.ends_with(&MAGIC) {
        return Err(ChecksumError::Missing);
    }
    let expected = of(content);
    if *checksum == expected {
        return Ok(());
    }
    let found = content.len() as u64;
    match checksum[HASH..HASH + LENGTH]
        .try_into()
        .map(u64::from_le_bytes)
    {
        Ok(written) if written != found => Err(ChecksumError::Length { written, found }),
        _ => Err(ChecksumError::Content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_checksum(content: &[u8]) -> Vec<u8> {
        [content, &of(content)].concat()
    }

    #[test]
    fn whole_files_pass() {
        for content in [&b""[..], b"x", &[7; 100_000]] {
            assert_eq!(check(&with_checksum(content)), Ok(()));
        }
        assert_eq!(check(&with_checksum(&with_checksum(b"twice"))), Ok(()));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let whole = with_checksum(&[0x5a; 300]);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            check(&damaged).expect_err("a bit is wrong");
        }
    }

    #[test]
    fn missing_and_additional_bytes_are_found() {
        let whole = with_checksum(b"some content");
        for length in 0..whole.len() {
            check(&whole[..length]).expect_err("the end is missing");
            if length > 0 {
                check(&whole[length..]).expect_err("the beginning is missing");
            }
        }
        assert_eq!(
            check(&[&whole[..], b"x"].concat()),
            Err(ChecksumError::Missing)
        );
        let inserted = [&b"x"[..], &whole].concat();
        let expected = ChecksumError::Length {
            written: 12,
            found: 13,
        };
        assert_eq!(check(&inserted), Err(expected));
        assert_eq!(check(&[]), Err(ChecksumError::Missing));
    }

    #[test]
    fn files_get_it_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plugin");
        fs::write(&file, b"content").expect("a file");
        append(&file).expect("appended");
        assert_eq!(
            fs::read(&file).expect("the file"),
            with_checksum(b"content")
        );
        append(&folder.path().join("missing")).expect_err("no such file");
    }
}
