//! The object that stands beside the new code: the manifest, and the site that is never hooked.

use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use soft_mock_abi::section::MANIFEST;

use crate::select::OWN_SITE;

/// More than a site has in any version of its layout.
const SITE_SIZE: u64 = 256;

/// Writes the object.
pub fn object(manifest: &str) -> anyhow::Result<Vec<u8>> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let section = object.add_section(
        Vec::new(),
        MANIFEST.as_bytes().to_vec(),
        SectionKind::ReadOnlyData,
    );
    let manifest = manifest.as_bytes();
    object.append_section_data(section, manifest, 1);
    // Exported: what nothing refers to would be dropped.
    object.add_symbol(Symbol {
        name: b"__soft_mock_manifest".to_vec(),
        value: 0,
        size: manifest.len() as u64,
        kind: SymbolKind::Data,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    let section = object.add_section(
        Vec::new(),
        b".bss.__soft_mock_own_site".to_vec(),
        SectionKind::UninitializedData,
    );
    object.append_section_bss(section, SITE_SIZE, 16);
    object.add_symbol(Symbol {
        name: OWN_SITE.as_bytes().to_vec(),
        value: 0,
        size: SITE_SIZE,
        kind: SymbolKind::Data,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    Ok(object.write()?)
}
