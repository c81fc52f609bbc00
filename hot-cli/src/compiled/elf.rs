//! What an ELF file defines, needs and holds.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::read::archive::ArchiveFile;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, SectionKind};

/// The dynamic symbols of an executable or a shared library.
#[derive(Debug, Default)]
pub(crate) struct DynamicSymbols {
    pub(crate) defined: HashSet<String>,
    pub(crate) undefined: HashSet<String>,
    /// The library itself, where patches have to name it: where it isn't the program.
    pub(crate) library: Option<PathBuf>,
}

/// Reads the dynamic symbols of `path`.
pub(crate) fn dynamic_symbols(path: &Path) -> Result<DynamicSymbols> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let file: ElfFile64<'_> =
        ElfFile64::parse(&*bytes).with_context(|| format!("{} is damaged", path.display()))?;
    let mut symbols = DynamicSymbols::default();
    for symbol in file.dynamic_symbols() {
        let name = symbol.name()?.to_owned();
        match symbol.is_undefined() {
            true => symbols.undefined.insert(name),
            false => symbols.defined.insert(name),
        };
    }
    Ok(symbols)
}

/// Names of the variables that an object or library keeps state in.
pub(crate) fn state(path: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let file: ElfFile64<'_> =
        ElfFile64::parse(&*bytes).with_context(|| format!("{} is damaged", path.display()))?;
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

/// A symbol as people write it.
pub(crate) fn demangled(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// Whether one of the symbols in `wanted` is defined by a member of the archive.
pub(crate) fn archive_defines(path: &Path, wanted: &HashSet<&str>) -> Result<bool> {
    let file =
        std::fs::File::open(path).with_context(|| format!("can't open {}", path.display()))?;
    let cache = object::ReadCache::new(file);
    let archive =
        ArchiveFile::parse(&cache).with_context(|| format!("{} is no archive", path.display()))?;
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
