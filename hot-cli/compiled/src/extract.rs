//! Writes an object with just what was taken of it.
//!
//! The file keeps its layout: sections that aren't taken are marked as excluded, entries of the
//! symbol table are changed in a copy behind the end of the file, where there is room for new ones.
//! Debug information and unwind tables stay; the linker drops what concerns excluded sections.

use std::collections::{HashMap, HashSet};

use object::elf;

use crate::objects::Object;
use crate::select::{Fate, Taken};

/// The sizes of a section header and of an entry of the symbol table.
const HEADER: usize = 64;
const SYMBOL: usize = 24;

/// The name of all symbols that nothing refers to any more.
const GONE: &str = "__soft_mock_gone";

/// What the names of the plugin's own symbols end with where the program's are meant as well.
const OWN: &str = ".own";

/// The object with what was taken of it. `outside`: the names by which the plugin's objects refer
/// to code of the program in particular places; where the plugin has code of that name as well, it
/// stays what all others mean.
pub fn write(object: &Object<'_>, taken: &Taken, outside: &HashSet<&str>) -> Vec<u8> {
    let mut out = object.data.to_vec();
    exclude(object, taken, &mut out);
    for &(place, value) in &taken.bytes {
        out[place] = value;
    }
    let (table, names) = object.tables;
    let mut symbols = Symbols {
        table: object.data[object.sections[table].file.clone()].to_vec(),
        names: object.data[object.sections[names].file.clone()].to_vec(),
        known: HashMap::new(),
        added: HashMap::new(),
    };
    for (index, symbol) in object.symbols.iter().enumerate() {
        if symbol.local {
            continue;
        }
        let fate = taken.symbols.get(&index);
        symbols.settle(index, symbol.kind, symbol.section.is_some(), fate);
        if fate == Some(&Fate::Kept) && outside.contains(symbol.name) {
            symbols.rename(index * SYMBOL, &format!("{}{OWN}", symbol.name));
        }
    }
    for (relocation, change, name) in &taken.changes {
        let symbol = match name {
            Some(name) => symbols.undefined(name),
            None => relocation.symbol,
        };
        let kind = change.kind.unwrap_or(relocation.kind);
        // `r_info` follows `r_offset`: the kind in its lower half, the symbol in its upper half.
        put(&mut out, relocation.place + 8, &kind.to_le_bytes());
        put(
            &mut out,
            relocation.place + 12,
            &(symbol as u32).to_le_bytes(),
        );
    }
    append(object, table, &symbols.table, &mut out);
    append(object, names, &symbols.names, &mut out);
    out
}

fn exclude(object: &Object<'_>, taken: &Taken, out: &mut [u8]) {
    for (index, section) in object.sections.iter().enumerate() {
        let stays = taken.sections.contains(&index)
            || section.name == ".eh_frame"
            || section.name.starts_with(".gcc_except_table");
        if section.has(elf::SHF_ALLOC) && !stays {
            let flags = section.flags | u64::from(elf::SHF_EXCLUDE);
            put(
                out,
                object.headers + index * HEADER + 8,
                &flags.to_le_bytes(),
            );
        }
    }
}

/// Puts new contents of a section behind the end of the file.
fn append(object: &Object<'_>, section: usize, contents: &[u8], out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
    let header = object.headers + section * HEADER;
    let offset = out.len() as u64;
    put(out, header + 24, &offset.to_le_bytes());
    put(out, header + 32, &(contents.len() as u64).to_le_bytes());
    out.extend_from_slice(contents);
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

struct Symbols {
    table: Vec<u8>,
    names: Vec<u8>,
    known: HashMap<String, u32>,
    added: HashMap<String, usize>,
}

impl Symbols {
    fn settle(&mut self, index: usize, kind: u8, defined: bool, fate: Option<&Fate>) {
        let at = index * SYMBOL;
        match fate {
            Some(Fate::Kept) => self.table[at + 5] = elf::STV_HIDDEN,
            Some(Fate::Exported(name)) => {
                self.rename(at, name);
                self.table[at + 4] = elf::STB_GLOBAL << 4 | elf::STT_FUNC;
                self.table[at + 5] = elf::STV_DEFAULT;
            }
            Some(Fate::Shared) => self.table[at + 5] = elf::STV_DEFAULT,
            Some(Fate::Elsewhere(name)) => {
                self.rename(at, name);
                if defined {
                    self.undefine(at, elf::STB_GLOBAL, kind);
                }
                self.table[at + 5] = elf::STV_DEFAULT;
            }
            None => {
                self.rename(at, GONE);
                self.undefine(at, elf::STB_WEAK, elf::STT_NOTYPE);
                self.table[at + 5] = elf::STV_HIDDEN;
            }
        }
    }

    fn rename(&mut self, at: usize, name: &str) {
        let offset = self.name(name);
        put(&mut self.table, at, &offset.to_le_bytes());
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.known.get(name) {
            return known;
        }
        let offset = self.names.len() as u32;
        self.names.extend_from_slice(name.as_bytes());
        self.names.push(0);
        self.known.insert(name.to_owned(), offset);
        offset
    }

    fn undefine(&mut self, at: usize, binding: u8, kind: u8) {
        let kind = if kind == elf::STT_TLS {
            kind
        } else {
            elf::STT_NOTYPE
        };
        self.table[at + 4] = binding << 4 | kind;
        self.table[at + 6..at + SYMBOL].fill(0);
    }

    /// A new symbol that something else defines.
    fn undefined(&mut self, name: &str) -> usize {
        if let Some(&known) = self.added.get(name) {
            return known;
        }
        let at = self.table.len();
        self.table.resize(at + SYMBOL, 0);
        self.rename(at, name);
        self.undefine(at, elf::STB_GLOBAL, elf::STT_NOTYPE);
        self.added.insert(name.to_owned(), at / SYMBOL);
        at / SYMBOL
    }
}
