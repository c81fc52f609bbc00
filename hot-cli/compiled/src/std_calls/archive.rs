//! An archive whose members get new contents, of other sizes.
//!
//! Only what depends on sizes is written anew: headers, and the positions in the table of symbols
//! that stands first. Knows nothing of what members hold.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{bail, ensure, Context, Result};
use object::archive::{Header, MAGIC};

/// Where the size stands in the header of a member, in decimal.
const SIZE: Range<usize> = 48..58;
const HEADER: usize = size_of::<Header>();

/// The name of the table of symbols.
const SYMBOLS: &[u8] = b"/               ";

/// The archive with other contents for the members that start there.
pub fn replaced(archive: &[u8], members: &HashMap<usize, Vec<u8>>) -> Result<Vec<u8>> {
    ensure!(archive.starts_with(&MAGIC), "it is no archive");
    let mut out = MAGIC.to_vec();
    let mut moved = HashMap::new();
    let mut symbols = None;
    let mut at = MAGIC.len();
    while at < archive.len() {
        let header = archive
            .get(at..at + HEADER)
            .context("an archive is damaged")?;
        let size = std::str::from_utf8(&header[SIZE])?
            .trim_end()
            .parse::<usize>()?;
        let start = at + HEADER;
        let old = archive
            .get(start..start + size)
            .context("an archive is damaged")?;
        if header.starts_with(b"/SYM64/") {
            bail!("an archive is too large");
        }
        moved.insert(at, out.len());
        if header.starts_with(SYMBOLS) {
            symbols = Some(out.len() + HEADER);
        }
        let data = members.get(&start).map_or(old, Vec::as_slice);
        out.extend_from_slice(header);
        let digits = format!("{:<10}", data.len());
        let place = out.len() - HEADER;
        out[place + SIZE.start..place + SIZE.end].copy_from_slice(digits.as_bytes());
        out.extend_from_slice(data);
        if data.len() % 2 == 1 {
            out.push(b'\n');
        }
        at = start + size + size % 2;
    }
    if let Some(table) = symbols {
        move_positions(&mut out[table..], &moved)?;
    }
    Ok(out)
}

/// The table: how many positions, and these, each of a header.
fn move_positions(table: &mut [u8], moved: &HashMap<usize, usize>) -> Result<()> {
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_be_bytes).map(|n| n as usize);
    let count = number(table.get(..4).context("an archive is damaged")?)?;
    for entry in 1..=count {
        let place = table
            .get_mut(entry * 4..entry * 4 + 4)
            .context("an archive is damaged")?;
        let position = moved
            .get(&number(place)?)
            .context("an archive is damaged")?;
        place.copy_from_slice(&u32::try_from(*position)?.to_be_bytes());
    }
    Ok(())
}
