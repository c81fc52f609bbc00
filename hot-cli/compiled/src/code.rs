//! x86-64 code that refers to a symbol of its own module, made to refer to one of the program.
//!
//! ```text
//! lea  COUNT(%rip), %rax      R_X86_64_PC32        mov  COUNT@GOTPCREL(%rip), %rax      R_X86_64_GOTPCREL
//! call f                      R_X86_64_PC32        call f@PLT                           R_X86_64_PLT32
//! ```
//!
//! What is not known here is refused: nothing is guessed.

use object::elf;

use crate::objects::{Object, Relocation, Section};

/// What must be changed so that a relocation can be bound to another module.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rebinding {
    /// The relocation's new kind.
    pub kind: Option<u32>,
    /// A byte of code: where it stands in the section, and its new value.
    pub byte: Option<(usize, u8)>,
}

/// Kinds of relocations that any symbol of the same module can have.
const WITHIN: [u32; 9] = [
    elf::R_X86_64_64,
    elf::R_X86_64_PC32,
    elf::R_X86_64_PLT32,
    elf::R_X86_64_GOTPCREL,
    elf::R_X86_64_GOTPCRELX,
    elf::R_X86_64_REX_GOTPCRELX,
    elf::R_X86_64_TLSGD,
    elf::R_X86_64_TLSLD,
    elf::R_X86_64_DTPOFF32,
];

/// Whether a relocation may stand as it is when its symbol stays in the same module.
pub fn is_known(relocation: &Relocation) -> bool {
    WITHIN.contains(&relocation.kind)
}

/// Whether a relocation is about thread-local data.
pub fn is_thread_local(kind: u32) -> bool {
    const KINDS: [u32; 6] = [
        elf::R_X86_64_TLSGD,
        elf::R_X86_64_TLSLD,
        elf::R_X86_64_DTPOFF32,
        elf::R_X86_64_DTPOFF64,
        elf::R_X86_64_GOTTPOFF,
        elf::R_X86_64_TPOFF32,
    ];
    KINDS.contains(&kind)
}

/// How a relocation becomes one to a symbol of the program; `None` where it can't.
pub fn towards_program(
    object: &Object<'_>,
    section: &Section<'_>,
    relocation: &Relocation,
) -> Option<Rebinding> {
    let code = section.has(elf::SHF_EXECINSTR);
    match relocation.kind {
        elf::R_X86_64_64 if !code => Some(Rebinding::default()),
        elf::R_X86_64_PLT32
        | elf::R_X86_64_GOTPCREL
        | elf::R_X86_64_GOTPCRELX
        | elf::R_X86_64_REX_GOTPCRELX
        | elf::R_X86_64_TLSGD
        | elf::R_X86_64_GOTTPOFF
            if code =>
        {
            Some(Rebinding::default())
        }
        elf::R_X86_64_PC32 if code => direct(object.data.get(section.file.clone())?, relocation),
        _ => None,
    }
}

/// `code` holds an instruction with a displacement of 32 bits at the place of `relocation`.
fn direct(code: &[u8], relocation: &Relocation) -> Option<Rebinding> {
    let at = relocation.offset;
    // Anything but the symbol's own address can't be had from the global offset table.
    if relocation.addend != -4 {
        return None;
    }
    match code.get(at.checked_sub(3)?..at)? {
        // REX.W lea disp32(%rip), %reg
        [rex, 0x8d, modrm] if rex & 0xf8 == 0x48 && modrm & 0xc7 == 0x05 => Some(Rebinding {
            kind: Some(elf::R_X86_64_GOTPCREL),
            byte: Some((at - 2, 0x8b)),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_can_come_from_the_table() {
        let at = |addend| Relocation {
            offset: 3,
            kind: elf::R_X86_64_PC32,
            symbol: 1,
            addend,
            place: 0,
        };
        let check = |code: &[u8], addend| direct(code, &at(addend));
        let lea = Some(Rebinding {
            kind: Some(elf::R_X86_64_GOTPCREL),
            byte: Some((1, 0x8b)),
        });
        assert_eq!(check(b"\x48\x8d\x05\0\0\0\0", -4), lea);
        assert_eq!(check(b"\x4c\x8d\x3d\0\0\0\0", -4), lea);
        // Another field of it, a load, a store, another base register.
        assert_eq!(check(b"\x48\x8d\x05\0\0\0\0", 4), None);
        assert_eq!(check(b"\x48\x8b\x05\0\0\0\0", -4), None);
        assert_eq!(check(b"\x48\x89\x05\0\0\0\0", -4), None);
        assert_eq!(check(b"\x48\x8d\x80\0\0\0\0", -4), None);
    }
}
