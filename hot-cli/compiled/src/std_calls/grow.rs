//! An object with relocations that are about other symbols. Symbols that it hasn't yet are put
//! behind the others: symbol table and names move to the end of the file, everything else stays.

use std::collections::HashMap;

use anyhow::{Context, Result};
use object::elf;

use super::Turn;
use crate::objects::Object;

/// Offsets in an entry of the section headers.
const SH_OFFSET: usize = 24;
const SH_SIZE: usize = 32;
const SH_ENTRY: usize = size_of::<elf::SectionHeader64<object::LittleEndian>>();

/// The size of an entry of the symbol table.
const SYMBOL: usize = size_of::<elf::Sym64<object::LittleEndian>>();

/// Where the index of the symbol stands in a relocation.
const R_SYMBOL: usize = 12;

/// The object with these relocations turned.
pub(super) fn turned(object: &Object<'_>, turns: &[Turn<'_>]) -> Result<Vec<u8>> {
    let mut indices: HashMap<&str, usize> = HashMap::new();
    let of_section = |kind: u8| kind == elf::STT_SECTION;
    for (index, symbol) in object.symbols.iter().enumerate() {
        if !of_section(symbol.kind) && (!symbol.local || symbol.section.is_some()) {
            indices.entry(symbol.name).or_insert(index);
        }
    }
    let mut data = object.data.to_vec();
    let mut added = Vec::new();
    for turn in turns {
        let next = object.symbols.len() + added.len();
        let index = *indices.entry(turn.to).or_insert_with(|| {
            added.push(turn.to);
            next
        });
        let index = u32::try_from(index).context("an object has too many symbols")?;
        let place = turn.relocation.place + R_SYMBOL;
        data[place..place + 4].copy_from_slice(&index.to_le_bytes());
    }
    if !added.is_empty() {
        add(object, &added, &mut data)?;
    }
    Ok(data)
}

fn add(object: &Object<'_>, added: &[&str], data: &mut Vec<u8>) -> Result<()> {
    let (table, names) = object.tables;
    let mut name_bytes = object.data[object.sections[names].file.clone()].to_vec();
    let mut symbols = object.data[object.sections[table].file.clone()].to_vec();
    for name in added {
        let start = u32::try_from(name_bytes.len()).context("an object has too many names")?;
        name_bytes.extend_from_slice(name.as_bytes());
        name_bytes.push(0);
        let mut symbol = [0; SYMBOL];
        symbol[..4].copy_from_slice(&start.to_le_bytes());
        // Global, without a type, and defined elsewhere.
        symbol[4] = elf::STB_GLOBAL << 4;
        symbols.extend(symbol);
    }
    for (section, contents) in [(table, symbols), (names, name_bytes)] {
        data.resize(data.len().next_multiple_of(8), 0);
        let header = object.headers + section * SH_ENTRY;
        let (start, size) = (data.len() as u64, contents.len() as u64);
        data.extend(contents);
        data[header + SH_OFFSET..][..8].copy_from_slice(&start.to_le_bytes());
        data[header + SH_SIZE..][..8].copy_from_slice(&size.to_le_bytes());
    }
    Ok(())
}
