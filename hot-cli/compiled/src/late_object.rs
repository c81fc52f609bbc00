//! The object with the entries of late sites, and their cells: see `soft_mock_abi::late`.
//!
//! An entry is called like the code that it stands for, whatever that takes. So it keeps all
//! registers in which arguments are passed, and leaves nothing on the stack.

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    elf, Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags,
    SymbolKind, SymbolScope,
};
use soft_mock_abi::late::{offset, sharing, CELL, ENTRY};
use soft_mock_abi::site::Site;

/// Loads the site, and what stands behind it.
const LOAD: &[u8] = &[
    0xf3, 0x0f, 0x1e, 0xfa, // endbr64
    0x4c, 0x8b, 0x1d, 0, 0, 0, 0, // mov SITE(%rip), %r11
    0x4d, 0x8b, 0x1b, // mov (%r11), %r11
];
/// If that is nothing: the original.
const ORIGINAL: &[u8] = &[
    0x4d, 0x85, 0xdb, // test %r11, %r11
    0x75, 0x06, // jne behind the jump
    0xff, 0x25, 0, 0, 0, 0, // jmp *ORIGINAL(%rip)
];
/// Keeps the registers, and asks.
const ASK: &[u8] = &[
    0x55, // push %rbp
    0x48, 0x89, 0xe5, // mov %rsp, %rbp
    0x50, 0x57, 0x56, 0x52, 0x51, // push %rax, %rdi, %rsi, %rdx, %rcx
    0x41, 0x50, 0x41, 0x51, 0x41, 0x52, // push %r8, %r9, %r10
    0x48, 0x81, 0xec, 0x80, 0, 0, 0, // sub $128, %rsp
    0x0f, 0x11, 0x04, 0x24, // movups %xmm0, (%rsp)
    0x0f, 0x11, 0x4c, 0x24, 0x10, 0x0f, 0x11, 0x54, 0x24, 0x20, // … %xmm1, %xmm2
    0x0f, 0x11, 0x5c, 0x24, 0x30, 0x0f, 0x11, 0x64, 0x24, 0x40, // … %xmm3, %xmm4
    0x0f, 0x11, 0x6c, 0x24, 0x50, 0x0f, 0x11, 0x74, 0x24, 0x60, // … %xmm5, %xmm6
    0x0f, 0x11, 0x7c, 0x24, 0x70, // … %xmm7
    0x48, 0x8b, 0x3d, 0, 0, 0, 0, // mov SITE(%rip), %rdi
    0x4c, 0x89, 0xde, // mov %r11, %rsi
    0x41, 0xff, 0x13, // call *(%r11)
    0x49, 0x89, 0xc3, // mov %rax, %r11
    0x0f, 0x10, 0x04, 0x24, // movups (%rsp), %xmm0
    0x0f, 0x10, 0x4c, 0x24, 0x10, 0x0f, 0x10, 0x54, 0x24, 0x20, // … %xmm1, %xmm2
    0x0f, 0x10, 0x5c, 0x24, 0x30, 0x0f, 0x10, 0x64, 0x24, 0x40, // … %xmm3, %xmm4
    0x0f, 0x10, 0x6c, 0x24, 0x50, 0x0f, 0x10, 0x74, 0x24, 0x60, // … %xmm5, %xmm6
    0x0f, 0x10, 0x7c, 0x24, 0x70, // … %xmm7
    0x48, 0x81, 0xc4, 0x80, 0, 0, 0, // add $128, %rsp
    0x41, 0x5a, 0x41, 0x59, 0x41, 0x58, // pop %r10, %r9, %r8
    0x59, 0x5a, 0x5e, 0x5f, 0x58, // pop %rcx, %rdx, %rsi, %rdi, %rax
    0x5d, // pop %rbp
];
/// Goes on with what was answered.
const JUMP: &[u8] = &[0x41, 0xff, 0xe3]; // jmp *%r11

/// Where a displacement stands in its part.
const SITE_IN_LOAD: usize = 7;
const ORIGINAL_IN_ORIGINAL: usize = 7;
const SITE_IN_ASK: usize = 64;

/// The size of an address.
const WORD: usize = 8;

/// The name of the cell with this number.
pub fn cell(number: usize) -> String {
    format!("{CELL}{number}")
}

/// The name of the entry with this number.
pub fn entry(number: usize) -> String {
    format!("{ENTRY}{number}")
}

/// Writes an object with sites that the runtime fills in, of the functions at these positions.
pub fn sites(positions: impl Iterator<Item = usize>) -> anyhow::Result<Vec<u8>> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for position in positions {
        let name = sharing(position);
        let section = object.add_section(
            Vec::new(),
            format!(".bss.{name}").into_bytes(),
            SectionKind::UninitializedData,
        );
        object.append_section_bss(section, size_of::<Site>() as u64, WORD as u64);
        add(
            &mut object,
            (section, size_of::<Site>()),
            &name,
            SymbolKind::Data,
        );
    }
    Ok(object.write()?)
}

/// Writes the object: a late site for each group of symbols of the program, which are the same
/// code.
pub fn object(originals: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for (number, originals) in originals.iter().enumerate() {
        let name = format!(".data.{}", cell(number));
        let section = object.add_section(Vec::new(), name.into_bytes(), SectionKind::Data);
        let size = offset::ORIGINALS + originals.len() * WORD;
        let mut bytes = vec![0; size];
        bytes[offset::COUNT..offset::COUNT + WORD].copy_from_slice(&originals.len().to_le_bytes());
        object.append_section_data(section, &bytes, WORD as u64);
        let cell = add(
            &mut object,
            (section, size),
            &cell(number),
            SymbolKind::Data,
        );
        let entry = code(&mut object, number, cell)?;
        address(&mut object, section, offset::ENTRY, entry)?;
        for (position, name) in originals.iter().enumerate() {
            let original = object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: 0,
                kind: SymbolKind::Unknown,
                scope: SymbolScope::Unknown,
                weak: false,
                section: SymbolSection::Undefined,
                flags: SymbolFlags::None,
            });
            address(
                &mut object,
                section,
                offset::ORIGINALS + position * WORD,
                original,
            )?;
        }
    }
    Ok(object.write()?)
}

/// The entry that reads `cell`.
fn code(object: &mut Object<'_>, number: usize, cell: SymbolId) -> anyhow::Result<SymbolId> {
    let name = format!(".text.{}", entry(number));
    let section = object.add_section(Vec::new(), name.into_bytes(), SectionKind::Text);
    let parts = [LOAD, ORIGINAL, ASK, ORIGINAL, JUMP];
    let code = parts.concat();
    object.append_section_data(section, &code, 16);
    let (ask, again) = (LOAD.len() + ORIGINAL.len(), ASK.len());
    for (place, field) in [
        (SITE_IN_LOAD, offset::SITE),
        (LOAD.len() + ORIGINAL_IN_ORIGINAL, offset::ORIGINALS),
        (ask + SITE_IN_ASK, offset::SITE),
        (ask + again + ORIGINAL_IN_ORIGINAL, offset::ORIGINALS),
    ] {
        object.add_relocation(
            section,
            Relocation {
                offset: place as u64,
                symbol: cell,
                // A displacement counts from behind itself.
                addend: field as i64 - 4,
                flags: RelocationFlags::Elf {
                    r_type: elf::R_X86_64_PC32,
                },
            },
        )?;
    }
    let size = code.len();
    Ok(add(
        object,
        (section, size),
        &entry(number),
        SymbolKind::Text,
    ))
}

/// A symbol for all of a section. The cell has to be found by its name; the code next to it is
/// reached without the help of the dynamic linker, which might find another plugin's.
fn add(
    object: &mut Object<'_>,
    (section, size): (SectionId, usize),
    name: &str,
    kind: SymbolKind,
) -> SymbolId {
    let visibility = match kind {
        SymbolKind::Data => elf::STV_PROTECTED,
        _ => elf::STV_HIDDEN,
    };
    let ty = match kind {
        SymbolKind::Data => elf::STT_OBJECT,
        _ => elf::STT_FUNC,
    };
    object.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: size as u64,
        kind,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::Elf {
            st_info: elf::STB_GLOBAL << 4 | ty,
            st_other: visibility,
        },
    })
}

fn address(
    object: &mut Object<'_>,
    section: SectionId,
    offset: usize,
    symbol: SymbolId,
) -> anyhow::Result<()> {
    let relocation = Relocation {
        offset: offset as u64,
        symbol,
        addend: 0,
        flags: RelocationFlags::Elf {
            r_type: elf::R_X86_64_64,
        },
    };
    Ok(object.add_relocation(section, relocation)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displacements_stand_where_the_instructions_have_them() {
        let before = |code: &[u8], place: usize, opcode: &[u8]| {
            assert!(code[..place].ends_with(opcode), "{place}");
            assert_eq!(code[place..place + 4], [0; 4]);
        };
        before(LOAD, SITE_IN_LOAD, &[0x4c, 0x8b, 0x1d]);
        before(ORIGINAL, ORIGINAL_IN_ORIGINAL, &[0xff, 0x25]);
        before(ASK, SITE_IN_ASK, &[0x48, 0x8b, 0x3d]);
        // The short jump leads behind the long one.
        assert_eq!(usize::from(ORIGINAL[4]), ORIGINAL.len() - 5);
    }
}
