//! What is linked, or waits to be: executables, shared libraries and archives. What they define,
//! what they need from others, and where they keep state.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use anyhow::Result;
use object::read::archive::ArchiveFile;
use object::read::elf::{Dyn, ElfFile64, FileHeader};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind};

use crate::symbols::demangled;

/// The dynamic symbols of an executable or a shared library.
#[derive(Debug, Default)]
pub struct DynamicSymbols {
    /// What others can use.
    pub defined: HashSet<String>,
    /// What it uses of others.
    pub undefined: HashSet<String>,
    /// What is defined at the same address as something else: the linker may have folded functions
    /// with the same code.
    pub folded: HashSet<String>,
    /// It stands where it was linked to: nobody has to put its addresses anywhere.
    pub is_fixed: bool,
}

/// Reads the dynamic symbols of an executable or a shared library.
pub fn dynamic_symbols(file: &[u8]) -> Result<DynamicSymbols> {
    let file: ElfFile64<'_> = ElfFile64::parse(file)?;
    let mut symbols = DynamicSymbols {
        is_fixed: file.elf_header().e_type(file.endian()) == object::elf::ET_EXEC,
        ..DynamicSymbols::default()
    };
    let mut addresses: HashMap<u64, &str> = HashMap::new();
    for symbol in file.dynamic_symbols() {
        let name = symbol.name()?;
        if symbol.is_definition() {
            if let Some(other) = addresses.insert(symbol.address(), name) {
                symbols.folded.extend([other, name].map(str::to_owned));
            }
        }
        match symbol.is_undefined() {
            true => symbols.undefined.insert(name.to_owned()),
            false => symbols.defined.insert(name.to_owned()),
        };
    }
    Ok(symbols)
}

/// The libraries that an executable is started with, by their file names.
pub fn needed(file: &[u8]) -> Result<Vec<String>> {
    let bytes = file;
    let file: ElfFile64<'_> = ElfFile64::parse(bytes)?;
    let (endian, header) = (file.endian(), file.elf_header());
    let sections = header.sections(endian, bytes)?;
    let Some((entries, link)) = sections.dynamic(endian, bytes)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, bytes, link)?;
    let needed = entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(object::elf::DT_NEEDED));
    let names = needed.map(|entry| entry.string(endian, strings));
    names
        .map(|name| Ok(String::from_utf8_lossy(name?).into_owned()))
        .collect()
}

/// Names of the variables that an object or a library keeps state in.
pub fn state(file: &[u8]) -> Result<Vec<String>> {
    let file: ElfFile64<'_> = ElfFile64::parse(file)?;
    let mut found = Vec::new();
    for section in file.sections() {
        let name = section.name()?;
        const OF_THE_LINKER: [&str; 5] = [
            ".data.rel.ro",
            ".tm_clone",
            ".got",
            ".dynamic",
            ".relro_padding",
        ];
        let constant = OF_THE_LINKER.iter().any(|start| name.starts_with(start));
        let writable = matches!(
            section.kind(),
            SectionKind::Data
                | SectionKind::UninitializedData
                | SectionKind::Tls
                | SectionKind::UninitializedTls
        );
        if !writable || constant || section.size() == 0 {
            continue;
        }
        let symbols = file
            .symbols()
            .filter(|symbol| symbol.section_index() == Some(section.index()) && symbol.size() > 0);
        let names: Vec<String> = symbols
            .filter_map(|symbol| symbol.name().ok().map(demangled))
            .collect();
        match names.is_empty() {
            true => found.push(name.to_owned()),
            false => found.extend(names),
        }
    }
    Ok(found)
}

/// The section of a library that holds code or tables of code to be run when it is loaded, if there
/// is one.
pub fn runs_when_loaded(library: &[u8]) -> Result<Option<String>> {
    let file: ElfFile64<'_> = ElfFile64::parse(library)?;
    let mut names = file
        .sections()
        .filter_map(|section| section.name().ok().map(str::to_owned));
    Ok(names.find(|name| name.starts_with(".init_array") || name.starts_with(".ctors")))
}

/// The contents of a section; none if there is no such section.
pub fn section(file: &[u8], name: &str) -> Option<Vec<u8>> {
    let file = object::File::parse(file).ok()?;
    let data = file.section_by_name(name)?.data().ok()?;
    Some(data.to_vec())
}

/// Whether one of the symbols in `wanted` is defined by a member of the archive. Reads the
/// archive's own table alone.
pub fn archive_defines(archive: impl Read + Seek, wanted: &HashSet<&str>) -> Result<bool> {
    let cache = object::ReadCache::new(archive);
    let archive = ArchiveFile::parse(&cache)?;
    let Some(symbols) = archive.symbols()? else {
        return Ok(false);
    };
    for symbol in symbols {
        if std::str::from_utf8(symbol?.name()).is_ok_and(|name| wanted.contains(name)) {
            return Ok(true);
        }
    }
    Ok(false)
}
