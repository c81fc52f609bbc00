//! The visibility of Rust symbols in objects and archives.

use anyhow::Result;
use object::read::elf::{FileHeader, SectionHeader};
use object::{elf, Endianness, U32};

use crate::objects;

/// Makes the hidden Rust symbols in all objects of an archive, or in one object, visible, in place.
/// Returns how many there were.
pub fn unhide(bytes: &mut [u8]) -> Result<usize> {
    let places = hidden_symbols(bytes)?;
    for &place in &places {
        bytes[place] &= !3;
    }
    Ok(places.len())
}

/// Offsets of the visibility bytes of hidden Rust symbols.
fn hidden_symbols(bytes: &[u8]) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    for object in objects::places_in(bytes)? {
        in_object(&bytes[object.clone()], object.start, &mut places)?;
    }
    Ok(places)
}

fn in_object(data: &[u8], start: usize, places: &mut Vec<usize>) -> Result<()> {
    let header = elf::FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    for (index, section) in sections.enumerate() {
        if section.sh_type(endian) != elf::SHT_SYMTAB {
            continue;
        }
        let table = sections.symbol_table_by_index(endian, data, index)?;
        let offset = start + section.sh_offset(endian) as usize;
        let size = size_of::<elf::Sym64<Endianness>>();
        for (number, symbol) in table.iter().enumerate() {
            let global = matches!(symbol.st_bind(), elf::STB_GLOBAL | elf::STB_WEAK);
            if !global || symbol.st_visibility() != elf::STV_HIDDEN {
                continue;
            }
            let name = table.symbol_name(endian, symbol)?;
            if name.starts_with(b"_R") || name.starts_with(b"_ZN") {
                // `st_other` follows `st_name` (4 bytes) and `st_info` (1 byte).
                places.push(offset + number * size + size_of::<U32<Endianness>>() + 1);
            }
        }
    }
    Ok(())
}
