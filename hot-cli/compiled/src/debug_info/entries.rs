//! The entries of one object that types and variables are described by, in the order of the file.
//!
//! Reads only, and knows nothing of Rust.

use std::collections::HashMap;

use anyhow::Result;
use gimli::{
    AttributeValue, DebugInfo, DebugTypeSignature, DebugTypes, DwAt, DwTag, Dwarf, LittleEndian,
    UnitHeader, UnitOffset, UnitType,
};

use super::sections::{Address, Bytes, Sections};

/// All entries of an object.
pub(super) struct Entries<'s> {
    pub(super) all: Vec<Entry<'s>>,
    units: Vec<Unit>,
    signatures: HashMap<DebugTypeSignature, (usize, usize)>,
}

/// An entry.
pub(super) struct Entry<'s> {
    pub(super) tag: DwTag,
    /// What it stands in, if that was read.
    pub(super) parent: Option<usize>,
    /// The first entry behind it that does not stand in it.
    pub(super) end: usize,
    pub(super) name: Option<&'s str>,
    pub(super) linkage_name: Option<&'s str>,
    pub(super) size: Option<u64>,
    pub(super) alignment: Option<u64>,
    /// Where a member stands.
    pub(super) offset: Option<u64>,
    /// The value of an enumerator, or the discriminant of a variant.
    pub(super) value: Option<i128>,
    /// The length of an array.
    pub(super) count: Option<u64>,
    /// The line of its declaration.
    pub(super) line: Option<u64>,
    pub(super) is_declaration: bool,
    /// A member for the compiler's own use.
    pub(super) is_artificial: bool,
    pub(super) address: Option<Address>,
    unit: usize,
    ty: Option<Reference>,
}

#[derive(Clone, Copy)]
enum Reference {
    /// An offset in the unit.
    Unit(usize),
    /// An offset in the section.
    Section(usize),
    Signature(DebugTypeSignature),
}

struct Unit {
    section: usize,
    start: usize,
    end: usize,
    /// The entries of the unit by their offsets in it.
    offsets: Vec<(usize, usize)>,
}

/// Entries that describe neither a type nor a variable of a type, nor where one of them stands.
fn is_read(tag: DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_namespace
            | gimli::DW_TAG_structure_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
            | gimli::DW_TAG_enumerator
            | gimli::DW_TAG_member
            | gimli::DW_TAG_variant_part
            | gimli::DW_TAG_variant
            | gimli::DW_TAG_array_type
            | gimli::DW_TAG_subrange_type
            | gimli::DW_TAG_base_type
            | gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_subroutine_type
            | gimli::DW_TAG_typedef
            | gimli::DW_TAG_unspecified_type
            | gimli::DW_TAG_subprogram
            | gimli::DW_TAG_formal_parameter
            | gimli::DW_TAG_variable
    )
}

impl<'s> Entries<'s> {
    pub(super) fn read(sections: &'s Sections<'_>) -> Result<Self> {
        let dwarf = sections.dwarf();
        let mut entries = Self {
            all: Vec::new(),
            units: Vec::new(),
            signatures: HashMap::new(),
        };
        for (section, found) in sections.units.iter().enumerate() {
            let bytes = found.bytes();
            let mut types = DebugTypes::new(bytes, LittleEndian).units();
            let mut all = DebugInfo::new(bytes, LittleEndian).units();
            let mut next = || match found.only_types {
                true => types.next(),
                false => all.next(),
            };
            while let Some(header) = next()? {
                entries.unit(&dwarf, section, bytes, header)?;
            }
        }
        Ok(entries)
    }

    fn unit(
        &mut self,
        dwarf: &Dwarf<Bytes<'s>>,
        section: usize,
        bytes: &'s [u8],
        header: UnitHeader<Bytes<'s>>,
    ) -> Result<()> {
        let start = match header.offset() {
            gimli::UnitSectionOffset::DebugInfoOffset(offset) => offset.0,
            gimli::UnitSectionOffset::DebugTypesOffset(offset) => offset.0,
        };
        let own = self.units.len();
        if let UnitType::Type {
            type_signature,
            type_offset,
        } = header.type_()
        {
            self.signatures.insert(type_signature, (own, type_offset.0));
        }
        self.units.push(Unit {
            section,
            start,
            end: start + header.length_including_self(),
            offsets: Vec::new(),
        });
        let unit = dwarf.unit(header)?;
        let reader = UnitReader {
            dwarf,
            unit: &unit,
            section,
            bytes: Bytes::new(bytes, LittleEndian),
        };
        let mut raw = unit.entries_raw(None)?;
        // What is read, and how deep it stands.
        let mut open: Vec<(isize, usize)> = Vec::new();
        while !raw.is_empty() {
            let UnitOffset(offset) = raw.next_offset();
            let depth = raw.next_depth();
            while open.last().is_some_and(|(outer, _)| *outer >= depth) {
                self.close(open.pop());
            }
            let Some(abbreviation) = raw.read_abbreviation()? else {
                continue;
            };
            if !is_read(abbreviation.tag()) {
                raw.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let mut entry = Entry::new(abbreviation.tag(), own);
            entry.parent = open.last().map(|(_, parent)| *parent);
            for attribute in abbreviation.attributes() {
                let attribute = raw.read_attribute(*attribute)?;
                reader.attribute(&mut entry, attribute.name(), attribute.value())?;
            }
            let index = self.all.len();
            self.all.push(entry);
            self.units[own].offsets.push((offset, index));
            open.push((depth, index));
        }
        while !open.is_empty() {
            self.close(open.pop());
        }
        Ok(())
    }

    fn close(&mut self, open: Option<(isize, usize)>) {
        let end = self.all.len();
        if let Some(entry) = open.and_then(|(_, entry)| self.all.get_mut(entry)) {
            entry.end = end;
        }
    }

    /// What stands in an entry, one level down.
    pub(super) fn children(&self, entry: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.all[entry].end;
        let mut next = entry + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = next;
                next = self.all[child].end.max(child + 1);
                child
            })
        })
    }

    /// The entry of an entry's type.
    pub(super) fn ty(&self, entry: usize) -> Option<usize> {
        let found = self.referred(entry)?;
        // A type that has a unit of its own is declared where it is used.
        match self.all[found].is_declaration {
            true => self.referred(found).or(Some(found)),
            false => Some(found),
        }
    }

    fn referred(&self, entry: usize) -> Option<usize> {
        let own = &self.units[self.all[entry].unit];
        match self.all[entry].ty? {
            Reference::Unit(offset) => own.entry(offset),
            Reference::Section(offset) => {
                let mut units = self.units.iter();
                let unit = units.find(|unit| {
                    unit.section == own.section && (unit.start..unit.end).contains(&offset)
                })?;
                unit.entry(offset - unit.start)
            }
            Reference::Signature(signature) => {
                let (unit, offset) = self.signatures.get(&signature)?;
                self.units[*unit].entry(*offset)
            }
        }
    }
}

impl Unit {
    fn entry(&self, offset: usize) -> Option<usize> {
        let found = self.offsets.binary_search_by_key(&offset, |(at, _)| *at);
        found.ok().map(|at| self.offsets[at].1)
    }
}

impl Entry<'_> {
    fn new(tag: DwTag, unit: usize) -> Self {
        Self {
            tag,
            parent: None,
            end: 0,
            name: None,
            linkage_name: None,
            size: None,
            alignment: None,
            offset: None,
            value: None,
            count: None,
            line: None,
            is_declaration: false,
            is_artificial: false,
            address: None,
            unit,
            ty: None,
        }
    }
}

struct UnitReader<'u, 's> {
    dwarf: &'u Dwarf<Bytes<'s>>,
    unit: &'u gimli::Unit<Bytes<'s>>,
    section: usize,
    /// The whole section.
    bytes: Bytes<'s>,
}

impl<'s> UnitReader<'_, 's> {
    fn attribute(
        &self,
        entry: &mut Entry<'s>,
        name: DwAt,
        value: AttributeValue<Bytes<'s>>,
    ) -> Result<()> {
        match name {
            gimli::DW_AT_name => entry.name = Some(self.text(value)?),
            gimli::DW_AT_linkage_name => entry.linkage_name = Some(self.text(value)?),
            gimli::DW_AT_byte_size => entry.size = value.udata_value(),
            gimli::DW_AT_alignment => entry.alignment = value.udata_value(),
            gimli::DW_AT_data_member_location => entry.offset = value.udata_value(),
            gimli::DW_AT_const_value | gimli::DW_AT_discr_value => entry.value = number(&value),
            gimli::DW_AT_count => entry.count = value.udata_value(),
            gimli::DW_AT_decl_line => entry.line = value.udata_value(),
            gimli::DW_AT_upper_bound => {
                let last = value.udata_value();
                entry.count = entry.count.or(last.and_then(|last| last.checked_add(1)));
            }
            gimli::DW_AT_declaration => entry.is_declaration = true,
            gimli::DW_AT_artificial => entry.is_artificial = true,
            gimli::DW_AT_location => entry.address = self.address(&value),
            gimli::DW_AT_type => entry.ty = reference(&value),
            gimli::DW_AT_signature => entry.ty = entry.ty.or(reference(&value)),
            _ => {}
        }
        Ok(())
    }

    fn text(&self, value: AttributeValue<Bytes<'s>>) -> Result<&'s str> {
        Ok(self.dwarf.attr_string(self.unit, value)?.to_string()?)
    }

    fn address(&self, value: &AttributeValue<Bytes<'s>>) -> Option<Address> {
        let AttributeValue::Exprloc(expression) = value else {
            return None;
        };
        let mut operations = expression.0;
        match gimli::DwOp(gimli::Reader::read_u8(&mut operations).ok()?) {
            gimli::DW_OP_addr => Some(Address::Entry {
                section: self.section,
                offset: operations.offset_from(self.bytes),
            }),
            gimli::DW_OP_addrx => {
                let index = gimli::Reader::read_uleb128(&mut operations).ok()?;
                let index = usize::try_from(index).ok()?;
                let offset = index.checked_mul(usize::from(self.unit.encoding().address_size))?;
                let offset = self.unit.addr_base.0.checked_add(offset)?;
                Some(Address::Table { offset })
            }
            _ => None,
        }
    }
}

fn number(value: &AttributeValue<Bytes<'_>>) -> Option<i128> {
    if let AttributeValue::Block(bytes) = value {
        let mut wide = [0; 16];
        wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
        return Some(i128::from_le_bytes(wide));
    }
    let signed = value.sdata_value().map(i128::from);
    signed.or(value.udata_value().map(i128::from))
}

fn reference(value: &AttributeValue<Bytes<'_>>) -> Option<Reference> {
    match value {
        AttributeValue::UnitRef(offset) => Some(Reference::Unit(offset.0)),
        AttributeValue::DebugInfoRef(offset) => Some(Reference::Section(offset.0)),
        AttributeValue::DebugTypesRef(signature) => Some(Reference::Signature(*signature)),
        _ => None,
    }
}
