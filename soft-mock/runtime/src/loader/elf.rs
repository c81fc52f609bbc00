//! Looks into a plugin's file before it is opened as a library: is it whole, is it of our kind,
//! what is its manifest, which functions does it define.
//!
//! The dynamic linker maps what the headers say and trusts it: a truncated file would be found out
//! by a SIGBUS. So every range that a header names is compared with the file's length here.

use std::collections::HashSet;

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable, Sym};
use object::{Endianness, FileKind};
use soft_mock_abi::section;

use super::error::Refusal;

/// The page size that memory is counted in; larger pages make the count a little too low.
const PAGE: u64 = 4096;

/// What the headers of a plugin's file say.
#[derive(Debug)]
pub struct Headers<'data> {
    /// The bytes of the manifest's section.
    pub manifest: &'data [u8],
    /// The memory that it takes when it is loaded.
    pub memory: u64,
    functions: HashSet<&'data [u8]>,
}

impl<'data> Headers<'data> {
    /// Reads a file of this process's kind of ELF.
    pub fn read(data: &'data [u8]) -> Result<Self, Refusal> {
        match FileKind::parse(data) {
            Ok(FileKind::Elf64) => read::<elf::FileHeader64<Endianness>>(data),
            Ok(FileKind::Elf32) => read::<elf::FileHeader32<Endianness>>(data),
            _ if data.starts_with(&elf::ELFMAG) => Err(damaged("its header is incomplete")),
            _ => Err(Refusal::NotElf),
        }
    }

    /// Whether the plugin itself defines a function of this name.
    pub fn defines(&self, symbol: &str) -> bool {
        self.functions.contains(symbol.as_bytes())
    }
}

fn read<'data, Elf>(data: &'data [u8]) -> Result<Headers<'data>, Refusal>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = Elf::parse(data).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    is_our_kind(header, endian)?;
    let memory = check_segments(header, endian, data)?;
    let sections = header.sections(endian, data).map_err(damaged)?;
    check_sections(&sections, endian, data)?;
    let (_, manifest) = sections
        .section_by_name(endian, section::MANIFEST.as_bytes())
        .ok_or(Refusal::NoManifest)?;
    Ok(Headers {
        manifest: manifest.data(endian, data).map_err(damaged)?,
        memory,
        functions: functions(&sections, endian, data)?,
    })
}

fn damaged(cause: impl ToString) -> Refusal {
    Refusal::Damaged {
        cause: cause.to_string(),
    }
}

fn is_our_kind<Elf: FileHeader>(header: &Elf, endian: Elf::Endian) -> Result<(), Refusal> {
    let kind = header.e_type(endian);
    if kind != elf::ET_DYN {
        return Err(Refusal::NotLibrary);
    }
    let width = usize::from(header.is_class_64()) * 4 + 4;
    let machine = header.e_machine(endian);
    let fits = OUR_MACHINE.is_none_or(|ours| machine == ours);
    match width == size_of::<usize>()
        && fits
        && header.is_little_endian() == cfg!(target_endian = "little")
    {
        true => Ok(()),
        false => Err(Refusal::OtherMachine { found: machine }),
    }
}

/// None: the dynamic linker will say whether it fits.
const OUR_MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(elf::EM_X86_64)
} else if cfg!(target_arch = "aarch64") {
    Some(elf::EM_AARCH64)
} else if cfg!(target_arch = "riscv64") {
    Some(elf::EM_RISCV)
} else {
    None
};

/// Checks what the dynamic linker will map, and returns how much memory that is.
fn check_segments<Elf: FileHeader>(
    header: &Elf,
    endian: Elf::Endian,
    data: &[u8],
) -> Result<u64, Refusal> {
    let mut memory = 0_u64;
    for segment in header.program_headers(endian, data).map_err(damaged)? {
        let (offset, size) = segment.file_range(endian);
        within(data, offset, size, "a segment")?;
        if segment.p_type(endian) == elf::PT_LOAD {
            let size: u64 = segment.p_memsz(endian).into();
            memory = memory.saturating_add(size.div_ceil(PAGE).saturating_mul(PAGE));
        }
    }
    Ok(memory)
}

fn check_sections<'data, Elf: FileHeader>(
    sections: &SectionTable<'data, Elf>,
    endian: Elf::Endian,
    data: &'data [u8],
) -> Result<(), Refusal> {
    for section in sections.iter() {
        if let Some((offset, size)) = section.file_range(endian) {
            within(data, offset, size, "a section")?;
        }
    }
    Ok(())
}

fn within(data: &[u8], offset: u64, size: u64, what: &str) -> Result<(), Refusal> {
    let length = data.len() as u64;
    match offset.checked_add(size) {
        Some(end) if end <= length => Ok(()),
        _ => Err(damaged(format!(
            "{what} goes beyond its end ({length} bytes)"
        ))),
    }
}

fn functions<'data, Elf: FileHeader>(
    sections: &SectionTable<'data, Elf>,
    endian: Elf::Endian,
    data: &'data [u8],
) -> Result<HashSet<&'data [u8]>, Refusal> {
    let symbols = sections
        .symbols(endian, data, elf::SHT_DYNSYM)
        .map_err(damaged)?;
    let mut functions = HashSet::new();
    for symbol in symbols.iter() {
        let defined = !symbol.is_undefined(endian) && symbol.st_type() == elf::STT_FUNC;
        if defined {
            functions.insert(symbols.symbol_name(endian, symbol).map_err(damaged)?);
        }
    }
    Ok(functions)
}
