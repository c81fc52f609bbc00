//! The seal: the last bytes of a plugin's file, which say that all bytes before them are the ones that
//! were written.
//!
//! ```text
//! ELF file … | hash of all that (16) | its length (8) | MAGIC (8)
//! ```
//!
//! A flipped bit in a plugin's code can't be told from code, so it has to be found before the dynamic linker
//! sees the file. The seal is against damage: half a copy, a bad disk, a file that two processes wrote. It
//! is not a signature: who may write a plugin is what `loader` asks of the file system. The dynamic linker
//! doesn't look behind the last section. Knows nothing of ELF and of manifests.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use thiserror::Error;
use xxhash_rust::xxh3::xxh3_128;

/// The end of a sealed file. The digit is the version of the seal.
const MAGIC: [u8; 8] = *b"hotseal1";

const HASH: usize = 16;
const LENGTH: usize = 8;
const SEAL: usize = HASH + LENGTH + MAGIC.len();

/// A file whose bytes aren't known to be those that were written.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// It has no seal.
    #[error("it does not end with a seal, so its end is missing, or it was not made by `hot`")]
    Missing,
    /// It is shorter or longer than it was.
    #[error("it had {sealed} bytes when it was sealed, and has {found} now")]
    Length {
        /// The length that the seal names.
        sealed: u64,
        /// The length of what is before the seal.
        found: u64,
    },
    /// Its bytes are others.
    #[error("its bytes are not those that were sealed")]
    Content,
}

/// The seal for these bytes, to be written right behind them.
pub fn of(bytes: &[u8]) -> [u8; SEAL] {
    let mut seal = [0; SEAL];
    let (hash, rest) = seal.split_at_mut(HASH);
    hash.copy_from_slice(&xxh3_128(bytes).to_le_bytes());
    let (length, magic) = rest.split_at_mut(LENGTH);
    length.copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    magic.copy_from_slice(&MAGIC);
    seal
}

/// Puts a seal at the end of a file. A file that is sealed already gets a second one, around the first.
pub fn seal(file: &Path) -> io::Result<()> {
    let seal = of(&fs::read(file)?);
    fs::OpenOptions::new()
        .append(true)
        .open(file)?
        .write_all(&seal)
}

/// Fails unless these bytes are whole: what was sealed, and its seal.
pub fn check(bytes: &[u8]) -> Result<(), SealError> {
    let (content, seal) = bytes.split_last_chunk::<SEAL>().ok_or(SealError::Missing)?;
    if !seal.ends_with(&MAGIC) {
        return Err(SealError::Missing);
    }
    let expected = of(content);
    if *seal == expected {
        return Ok(());
    }
    let found = content.len() as u64;
    match seal[HASH..HASH + LENGTH].try_into().map(u64::from_le_bytes) {
        Ok(sealed) if sealed != found => Err(SealError::Length { sealed, found }),
        _ => Err(SealError::Content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(content: &[u8]) -> Vec<u8> {
        [content, &of(content)].concat()
    }

    #[test]
    fn whole_files_pass() {
        for content in [&b""[..], b"x", &[7; 100_000]] {
            assert_eq!(check(&sealed(content)), Ok(()));
        }
        assert_eq!(check(&sealed(&sealed(b"twice"))), Ok(()));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let whole = sealed(&[0x5a; 300]);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            check(&damaged).expect_err("a bit is wrong");
        }
    }

    #[test]
    fn missing_and_additional_bytes_are_found() {
        let whole = sealed(b"some content");
        for length in 0..whole.len() {
            check(&whole[..length]).expect_err("the end is missing");
            if length > 0 {
                check(&whole[length..]).expect_err("the beginning is missing");
            }
        }
        assert_eq!(check(&[&whole[..], b"x"].concat()), Err(SealError::Missing));
        let inserted = [&b"x"[..], &whole].concat();
        let expected = SealError::Length {
            sealed: 12,
            found: 13,
        };
        assert_eq!(check(&inserted), Err(expected));
        assert_eq!(check(&[]), Err(SealError::Missing));
    }

    #[test]
    fn files_are_sealed_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plugin");
        fs::write(&file, b"content").expect("a file");
        seal(&file).expect("sealed");
        assert_eq!(fs::read(&file).expect("the file"), sealed(b"content"));
        seal(&folder.path().join("missing")).expect_err("no such file");
    }
}
