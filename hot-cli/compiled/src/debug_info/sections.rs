//! The sections with debug information of one object, as a linker would have filled them in.
//!
//! Knows nothing of what they say.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{bail, Result};
use gimli::{EndianSlice, LittleEndian, SectionId};
use object::elf;

use crate::objects::{Object, Relocation};

/// Bytes of a section.
pub(super) type Bytes<'s> = EndianSlice<'s, LittleEndian>;

/// The sections of one object.
pub(super) struct Sections<'d> {
    /// Those with entries: one, and one for each type that has a unit of its own.
    pub(super) units: Vec<UnitSection<'d>>,
    others: HashMap<&'static str, Section<'d>>,
}

/// A section with entries.
pub(super) struct UnitSection<'d> {
    section: Section<'d>,
    /// It is a `.debug_types` of DWARF 4.
    pub(super) only_types: bool,
}

struct Section<'d> {
    bytes: Cow<'d, [u8]>,
    /// Where addresses are written, in order.
    addresses: Vec<Relocation>,
}

/// Where the address of a variable is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// In one of the sections with entries.
    Entry { section: usize, offset: usize },
    /// In the table of addresses.
    Table { offset: usize },
}

/// Sections that others refer into.
const OTHERS: [SectionId; 6] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
];

impl<'d> Sections<'d> {
    pub(super) fn read(object: &Object<'d>) -> Result<Self> {
        let mut found = Self {
            units: Vec::new(),
            others: HashMap::new(),
        };
        for (index, section) in object.sections.iter().enumerate() {
            let only_types = section.name == SectionId::DebugTypes.name();
            if only_types || section.name == SectionId::DebugInfo.name() {
                found.units.push(UnitSection {
                    section: Section::read(object, index)?,
                    only_types,
                });
            } else if let Some(id) = OTHERS.iter().find(|id| id.name() == section.name) {
                let section = Section::read(object, index)?;
                found.others.insert(id.name(), section);
            }
        }
        Ok(found)
    }

    /// What a reader of entries needs beside them.
    pub(super) fn dwarf(&self) -> gimli::Dwarf<Bytes<'_>> {
        let load = |id: SectionId| -> Result<Bytes<'_>, std::convert::Infallible> {
            let bytes = self.others.get(id.name());
            let bytes = bytes.map_or(&[][..], |section| section.bytes.as_ref());
            Ok(EndianSlice::new(bytes, LittleEndian))
        };
        match gimli::Dwarf::load(load) {
            Ok(dwarf) => dwarf,
            Err(never) => match never {},
        }
    }

    /// What stands at an address.
    pub(super) fn at(&self, address: Address) -> Option<&Relocation> {
        let (section, offset) = match address {
            Address::Entry { section, offset } => (&self.units.get(section)?.section, offset),
            Address::Table { offset } => (self.others.get(SectionId::DebugAddr.name())?, offset),
        };
        let addresses = &section.addresses;
        let found = addresses.binary_search_by_key(&offset, |relocation| relocation.offset);
        addresses.get(found.ok()?)
    }
}

impl UnitSection<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.section.bytes
    }
}

impl<'d> Section<'d> {
    /// Reads a section, with what its relocations stand for.
    fn read(object: &Object<'d>, index: usize) -> Result<Self> {
        let section = &object.sections[index];
        if section.has(elf::SHF_COMPRESSED) {
            bail!("the debug information is compressed");
        }
        let data: &'d [u8] = object.data;
        let Some(raw) = data.get(section.file.clone()) else {
            bail!("an object is damaged");
        };
        let mut found = Self {
            bytes: Cow::Borrowed(raw),
            addresses: Vec::new(),
        };
        for relocation in object.relocations(index) {
            fill(object, found.bytes.to_mut(), &relocation);
            if relocation.kind == elf::R_X86_64_64 {
                found.addresses.push(relocation);
            }
        }
        found.addresses.sort_by_key(|relocation| relocation.offset);
        Ok(found)
    }
}

/// Writes what a relocation stands for, as if each section began at 0.
fn fill(object: &Object<'_>, bytes: &mut [u8], relocation: &Relocation) {
    let size = match relocation.kind {
        elf::R_X86_64_64 => 8,
        elf::R_X86_64_32 | elf::R_X86_64_32S => 4,
        // Addresses of thread-locals, which nobody here reads.
        _ => return,
    };
    let symbol = object.symbols.get(relocation.symbol);
    let value = symbol.map_or(0, |symbol| symbol.value);
    let value = value.wrapping_add_signed(relocation.addend).to_le_bytes();
    let place = bytes.get_mut(relocation.offset..relocation.offset + size);
    if let Some(place) = place {
        place.copy_from_slice(&value[..size]);
    }
}
