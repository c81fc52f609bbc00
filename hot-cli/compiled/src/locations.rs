//! Places in sources that code holds: `core::panic::Location`, and constants that are laid out like
//! it. Their columns can be written anew.
//!
//! Knows nothing of which they ought to be.

use std::collections::HashSet;

use anyhow::Result;
use object::elf;

use crate::objects::{self, Object};

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'d> {
    /// The file, as the compiler names it.
    pub file: &'d str,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
}

/// What it is laid out like: the file's name, its length, line and column.
const SIZE: u64 = 24;
const LENGTH: usize = 8;
const LINE: usize = 16;
const COLUMN: usize = 20;

/// The place that a section holds, and nothing else. What has a name isn't looked for.
pub(crate) fn location<'d>(object: &Object<'d>, section: usize) -> Option<Location<'d>> {
    let held = &object.sections[section];
    if held.size != SIZE || held.is_state() {
        return None;
    }
    let data = object.data.get(held.file.clone())?;
    let mut relocations = object.relocations(section);
    let (relocation, None) = (relocations.next()?, relocations.next()) else {
        return None;
    };
    let (0, elf::R_X86_64_64) = (relocation.offset, relocation.kind) else {
        return None;
    };
    let symbol = object.symbols.get(relocation.symbol)?;
    let text = object.sections.get(symbol.section?)?;
    let length = u64::from_le_bytes(data.get(LENGTH..LINE)?.try_into().ok()?);
    let start = usize::try_from(i64::try_from(symbol.value).ok()? + relocation.addend).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let name = object.data.get(text.file.clone())?.get(start..end)?;
    let number = |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?));
    Some(Location {
        file: std::str::from_utf8(name)
            .ok()
            .filter(|name| name.ends_with(".rs"))?,
        line: number(LINE)?,
        column: number(COLUMN)?,
    })
}

/// Writes columns anew, in place, in all objects of an archive, or in one object. Returns how many
/// were others.
pub fn set_columns(
    bytes: &mut [u8],
    column: &dyn Fn(&Location<'_>) -> Option<u32>,
) -> Result<usize> {
    let mut changes = Vec::new();
    for object in objects::places_in(bytes)? {
        in_object(&bytes[object.clone()], object.start, column, &mut changes)?;
    }
    for (place, column) in &changes {
        bytes[*place..*place + 4].copy_from_slice(&column.to_le_bytes());
    }
    Ok(changes.len())
}

type Changes = Vec<(usize, u32)>;

/// Where columns stand that ought to be others.
fn in_object(
    data: &[u8],
    start: usize,
    column: &dyn Fn(&Location<'_>) -> Option<u32>,
    changes: &mut Changes,
) -> Result<()> {
    let object = Object::read(data)?;
    let symbols = object.symbols.iter();
    let named: HashSet<usize> = symbols
        .filter(|symbol| !symbol.name.is_empty() && symbol.kind != elf::STT_SECTION)
        .filter_map(|symbol| symbol.section)
        .collect();
    for section in (0..object.sections.len()).filter(|section| !named.contains(section)) {
        let Some(held) = location(&object, section) else {
            continue;
        };
        let wanted = column(&held).filter(|column| *column != held.column);
        let place = start + object.sections[section].file.start + COLUMN;
        changes.extend(wanted.map(|column| (place, column)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use object::write::{Object as Written, Relocation, Symbol, SymbolSection};
    use object::{
        Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags,
        SymbolKind, SymbolScope,
    };

    use super::*;

    const NAME: &[u8] = b"src/main.rs";

    /// An object with places in a source, each with its line and column, and maybe a name.
    fn object(places: &[(u32, u32, Option<&str>)]) -> Vec<u8> {
        let (format, machine) = (BinaryFormat::Elf, Architecture::X86_64);
        let mut object = Written::new(format, machine, Endianness::Little);
        let mut section =
            |name: &[u8]| object.add_section(Vec::new(), name.into(), SectionKind::ReadOnlyData);
        let text = section(b".rodata.name");
        let sections: Vec<_> = places
            .iter()
            .map(|_| section(b".data.rel.ro..Lanon"))
            .collect();
        object.append_section_data(text, NAME, 1);
        let text = object.section_symbol(text);
        for ((line, column, name), section) in places.iter().zip(sections) {
            let mut data = vec![0; LENGTH];
            data.extend((NAME.len() as u64).to_le_bytes());
            data.extend(line.to_le_bytes());
            data.extend(column.to_le_bytes());
            object.append_section_data(section, &data, 8);
            let relocation = Relocation {
                offset: 0,
                symbol: text,
                addend: 0,
                flags: RelocationFlags::Elf {
                    r_type: elf::R_X86_64_64,
                },
            };
            object
                .add_relocation(section, relocation)
                .expect("a relocation");
            if let Some(name) = name {
                object.add_symbol(Symbol {
                    name: name.as_bytes().into(),
                    value: 0,
                    size: SIZE,
                    kind: SymbolKind::Data,
                    scope: SymbolScope::Linkage,
                    weak: false,
                    section: SymbolSection::Section(section),
                    flags: SymbolFlags::None,
                });
            }
        }
        object.write().expect("an object")
    }

    fn columns(bytes: &[u8]) -> Vec<u32> {
        let object = Object::read(bytes).expect("an object");
        let all = (0..object.sections.len()).filter_map(|section| location(&object, section));
        all.map(|place| place.column).collect()
    }

    #[test]
    fn columns_of_places_without_a_name_are_set() {
        let mut bytes = object(&[(3, 70, None), (4, 70, None), (3, 71, Some("PLACE"))]);
        let column = |held: &Location<'_>| {
            let is_meant = held.file.as_bytes() == NAME && held.line == 3;
            is_meant.then(|| held.column - 60)
        };
        assert_eq!(set_columns(&mut bytes, &column).expect("it is read"), 1);
        assert_eq!(columns(&bytes), [10, 70, 71]);
        assert_eq!(set_columns(&mut bytes, &|_| None).expect("it is read"), 0);
    }
}
