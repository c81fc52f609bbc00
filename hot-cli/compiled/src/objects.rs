//! The objects of a library: sections, symbols and relocations, as far as code is to be taken out.
//!
//! Reads only. Knows nothing of what is taken.

use std::ops::Range;

use anyhow::{bail, Context, Result};
use object::elf;
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{LittleEndian, SectionIndex};

type Header = elf::FileHeader64<LittleEndian>;
type RawRelocation = elf::Rela64<LittleEndian>;

/// One object of the library.
pub struct Object<'d> {
    /// The whole file.
    pub data: &'d [u8],
    /// By their indices in the file.
    pub sections: Vec<Section<'d>>,
    /// By their indices in the symbol table.
    pub symbols: Vec<Symbol<'d>>,
    /// The indices of the symbol table and of its names.
    pub tables: (usize, usize),
    /// Where the section headers stand.
    pub headers: usize,
}

/// A section.
pub struct Section<'d> {
    /// Its name.
    pub name: &'d str,
    /// `sh_flags`.
    pub flags: u64,
    /// Where its contents stand; empty for what has none in the file.
    pub file: Range<usize>,
    /// Its size in memory.
    pub size: u64,
    /// The size of its entries, where the linker may merge equal ones.
    pub entry: u64,
    /// Where its relocations stand.
    relocations: Range<usize>,
}

impl Section<'_> {
    /// Whether one of the flags `SHF_…` is set.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & u64::from(flag) != 0
    }

    /// Whether it holds instructions.
    pub fn is_code(&self) -> bool {
        self.has(elf::SHF_EXECINSTR)
    }

    /// Whether the program writes to it: what only the dynamic linker writes to is constant.
    pub fn is_state(&self) -> bool {
        self.has(elf::SHF_WRITE) && !self.name.starts_with(".data.rel.ro")
    }

    /// The cell through which unwinding finds its personality function.
    pub fn is_personality(&self) -> bool {
        self.name.starts_with(".data.") && self.name.contains("DW.ref.")
    }
}

/// An entry of the symbol table.
pub struct Symbol<'d> {
    /// Its name.
    pub name: &'d str,
    /// Other objects don't see it.
    pub local: bool,
    /// `STT_…`.
    pub kind: u8,
    /// The section that defines it.
    pub section: Option<usize>,
    /// Where it starts in its section.
    pub value: u64,
}

/// A place that the linker fills in.
#[derive(Debug, Clone, Copy)]
pub struct Relocation {
    /// Inside the section.
    pub offset: usize,
    /// `R_X86_64_…`.
    pub kind: u32,
    /// The index of the symbol that it is about.
    pub symbol: usize,
    /// Added to where that symbol is.
    pub addend: i64,
    /// Where the relocation itself stands in the file.
    pub place: usize,
}

/// Where the contents of a section stand in its file.
fn contents(section: &elf::SectionHeader64<LittleEndian>, data: &[u8]) -> Result<Range<usize>> {
    let (start, size) = section.file_range(LittleEndian).unwrap_or((0, 0));
    let end = start.checked_add(size).context("an object is damaged")?;
    if end > data.len() as u64 {
        bail!("an object is damaged");
    }
    Ok(start as usize..end as usize)
}

/// Where the objects of an archive stand in it.
pub fn places(archive: &[u8]) -> Result<Vec<Range<usize>>> {
    let mut found = Vec::new();
    let file = ArchiveFile::parse(archive).context("rustc wrote no library")?;
    for member in file.members() {
        let member = member?;
        if member.data(archive)?.starts_with(&elf::ELFMAG) {
            let (start, size) = member.file_range();
            found.push(start as usize..(start + size) as usize);
        }
    }
    Ok(found)
}

/// The same for a file that may be an object itself: then it is the only one.
pub fn places_in(file: &[u8]) -> Result<Vec<Range<usize>>> {
    match file.starts_with(&elf::ELFMAG) {
        true => Ok(std::iter::once(0..file.len()).collect()),
        false => places(file),
    }
}

/// Reads all objects of an archive.
pub fn read<'d>(archive: &'d [u8], objects: &mut Vec<Object<'d>>) -> Result<()> {
    for place in places(archive)? {
        objects.push(Object::read(&archive[place])?);
    }
    Ok(())
}

impl<'d> Object<'d> {
    /// Reads one object.
    pub fn read(data: &'d [u8]) -> Result<Self> {
        let header = Header::parse(data)?;
        let endian = header.endian()?;
        if header.e_machine(endian) != elf::EM_X86_64 {
            bail!("an object is not for x86-64");
        }
        let table = header.sections(endian, data)?;
        let symbols = table.symbols(endian, data, elf::SHT_SYMTAB)?;
        if symbols.shndx_section() != SectionIndex(0) {
            bail!("an object has too many sections");
        }
        let mut sections = Vec::new();
        for section in table.iter() {
            let file = contents(section, data)?;
            sections.push(Section {
                name: std::str::from_utf8(table.section_name(endian, section)?)?,
                flags: section.sh_flags(endian),
                file,
                size: section.sh_size(endian),
                entry: section.sh_entsize(endian),
                relocations: 0..0,
            });
        }
        for section in table.iter() {
            if section.sh_type(endian) == elf::SHT_REL {
                bail!("an object has relocations without addends");
            }
            if section.sh_type(endian) != elf::SHT_RELA {
                continue;
            }
            let range = contents(section, data)?;
            let target = sections
                .get_mut(section.sh_info(endian) as usize)
                .filter(|target| target.relocations.is_empty());
            target.context("an object is damaged")?.relocations = range;
        }
        let names = symbols.string_section();
        let mut found = Vec::new();
        for (index, symbol) in symbols.enumerate() {
            found.push(Symbol {
                name: std::str::from_utf8(symbols.symbol_name(endian, symbol)?)?,
                local: symbol.is_local(),
                kind: symbol.st_type(),
                value: symbol.st_value(endian),
                section: symbols
                    .symbol_section(endian, symbol, index)?
                    .map(|section| section.0),
            });
        }
        Ok(Self {
            data,
            sections,
            symbols: found,
            tables: (symbols.section().0, names.0),
            headers: header.e_shoff.get(endian) as usize,
        })
    }

    /// The symbols of all functions that the debug information names: those whose code is here, by
    /// itself or as part of others'.
    pub fn described(&self) -> impl Iterator<Item = &'d str> {
        let mut sections = self.sections.iter();
        let names = sections.find(|section| section.name == ".debug_str");
        let names = names.and_then(|section| self.data.get(section.file.clone()));
        let names = names.unwrap_or_default().split(|byte| *byte == 0);
        names
            .filter(|name| name.starts_with(b"_R"))
            .filter_map(|name| std::str::from_utf8(name).ok())
    }

    /// The relocations of a section.
    pub fn relocations(&self, section: usize) -> impl Iterator<Item = Relocation> + 'd {
        let places = self.sections[section].relocations.clone();
        let size = std::mem::size_of::<RawRelocation>();
        let data: &'d [u8] = self.data;
        let all = object::pod::slice_from_all_bytes::<RawRelocation>(&data[places.clone()]);
        let all = all.unwrap_or_default().iter().enumerate();
        all.map(move |(number, raw)| Relocation {
            offset: raw.r_offset.get(LittleEndian) as usize,
            kind: raw.r_type(LittleEndian, false),
            symbol: raw.r_sym(LittleEndian, false) as usize,
            addend: raw.r_addend.get(LittleEndian),
            place: places.start + number * size,
        })
    }
}
