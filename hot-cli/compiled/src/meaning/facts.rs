//! What a piece of code refers to, and which numbers stand in it.
//!
//! Knows nothing of which function it is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};
use object::elf;
use soft_mock_abi::symbol::{SITE, SUPPORT_MODULE};

use crate::locations::location;
use crate::objects::Relocation;
use crate::symbols::{demangled, is_rust, without_marks};
use crate::world::{Piece, Target, World};

/// What the compiler calls for values that are moved, and where a panic goes on: how often is a
/// matter of parameters.
const MADE: [&str; 8] = [
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "_Unwind_Resume",
    "__tls_get_addr",
    "rust_eh_personality",
];

/// Nameless constants refer to each other in chains, not in depth.
const DEEPEST: usize = 16;

/// Reads the code of one compilation.
pub(super) struct Reader<'a, 'd> {
    pub(super) world: &'a World<'d>,
    /// By object, the functions that its debug information names.
    described: RefCell<HashMap<usize, HashSet<Arc<str>>>>,
}

/// What is known of a piece of code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// What it refers to, with its text for people.
    references: BTreeMap<Reference, String>,
    numbers: BTreeSet<u64>,
}

/// Something that code refers to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Reference {
    Named(String),
    /// A nameless constant, by what it holds.
    Constant(u64),
}

impl Facts {
    /// What `other` doesn't have, for people; `numbers` as well, but not what is `known`.
    pub(super) fn without(
        &self,
        other: &Self,
        numbers: bool,
        known: &BTreeSet<String>,
    ) -> Vec<String> {
        let is_known = |reference: &Reference| {
            other.references.contains_key(reference)
                || matches!(reference, Reference::Named(name) if known.contains(name))
        };
        let references = self.references.iter();
        let references = references.filter(|(reference, _)| !is_known(reference));
        let mut found: Vec<String> = references.map(|(_, text)| text.clone()).collect();
        if numbers {
            let numbers = self.numbers.difference(&other.numbers);
            found.extend(numbers.map(|number| format!("the number {number:#x}")));
        }
        found
    }

    /// The functions and statics that it refers to.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.references
            .keys()
            .filter_map(|reference| match reference {
                Reference::Named(name) => Some(name.as_str()),
                Reference::Constant(_) => None,
            })
    }

    /// Whether it refers to something with this name.
    pub(super) fn refers_to(&self, name: &str) -> bool {
        self.references
            .contains_key(&Reference::Named(name.to_owned()))
    }

    /// Whether there are numbers that `other` doesn't have.
    pub(super) fn has_other_numbers(&self, other: &Self) -> bool {
        !self.numbers.is_subset(&other.numbers)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.references.extend(other.references);
        self.numbers.extend(other.numbers);
    }
}

impl<'a, 'd> Reader<'a, 'd> {
    pub(super) fn new(world: &'a World<'d>) -> Self {
        Self {
            world,
            described: RefCell::default(),
        }
    }

    /// Whether code of a function may be part of this piece, or of others of its object.
    pub(super) fn describes(&self, piece: Piece, function: &str) -> bool {
        let mut described = self.described.borrow_mut();
        let names = described.entry(piece.0).or_insert_with(|| {
            let names = self.world.objects[piece.0].described();
            names.map(|name| self.world.path(name)).collect()
        });
        names.contains(function)
    }

    /// What a piece of code refers to.
    pub(super) fn facts(&self, piece: Piece) -> Facts {
        let mut facts = Facts::default();
        let relocations = self.world.objects[piece.0].relocations(piece.1);
        let relocations: BTreeMap<usize, Relocation> =
            relocations.map(|found| (found.offset, found)).collect();
        let section = &self.world.objects[piece.0].sections[piece.1];
        let code = self.world.objects[piece.0].data.get(section.file.clone());
        for instruction in Decoder::with_ip(64, code.unwrap_or_default(), 0, DecoderOptions::NONE) {
            let bytes = instruction.ip() as usize..instruction.next_ip() as usize;
            let mut found = relocations.range(bytes.clone()).peekable();
            if found.peek().is_none() {
                facts.numbers.extend(numbers(&instruction));
            }
            for (offset, relocation) in found {
                // A displacement counts from the end of the instruction.
                let ahead = match relocation.kind {
                    elf::R_X86_64_64 | elf::R_X86_64_32 | elf::R_X86_64_32S => 0,
                    _ => bytes.end - offset,
                };
                if let Some((reference, text)) = self.reference(piece, relocation, ahead, 0) {
                    facts.references.insert(reference, text);
                }
            }
        }
        facts
    }

    fn reference(
        &self,
        piece: Piece,
        relocation: &Relocation,
        ahead: usize,
        depth: usize,
    ) -> Option<(Reference, String)> {
        let world = self.world;
        let symbol = world.symbol(piece.0, relocation)?;
        let to = match world.target(piece.0, relocation)? {
            Target::Piece(to) if symbol.local && !is_mangled(symbol.name) => to,
            _ => return self.named(symbol.name),
        };
        if world.is_code(to) {
            // Functions that nobody else sees are called by their sections.
            let section = world.objects[to.0].sections[to.1].name;
            return self.named(section.strip_prefix(".text.").unwrap_or(section));
        }
        if to == piece || self.is_jump_table(to, piece) {
            return None;
        }
        let start = (symbol.value as i64).wrapping_add(relocation.addend) + ahead as i64;
        let constant = match self.entry(to, start) {
            Some(entry) => {
                let mut hasher = DefaultHasher::new();
                entry.hash(&mut hasher);
                hasher.finish()
            }
            None => self.constant(to, depth),
        };
        Some((Reference::Constant(constant), self.shown(to)))
    }

    /// What stands at a place of a section in which the linker may put equal constants together.
    fn entry(&self, piece: Piece, start: i64) -> Option<&'d [u8]> {
        let object = &self.world.objects[piece.0];
        let section = &object.sections[piece.1];
        let data = object.data.get(section.file.clone())?;
        let rest = data.get(usize::try_from(start).ok()?..)?;
        if !section.has(elf::SHF_MERGE) {
            return None;
        }
        let length = match section.has(elf::SHF_STRINGS) {
            true => rest.iter().position(|byte| *byte == 0)?,
            false => section.entry as usize,
        };
        rest.get(..length)
    }

    /// What a nameless constant holds.
    fn constant(&self, piece: Piece, depth: usize) -> u64 {
        let object = &self.world.objects[piece.0];
        let section = &object.sections[piece.1];
        let mut hasher = DefaultHasher::new();
        if let Some(place) = location(object, piece.1) {
            place.file.hash(&mut hasher);
            return hasher.finish();
        }
        (section.size, object.data.get(section.file.clone())).hash(&mut hasher);
        if depth < DEEPEST {
            for relocation in object.relocations(piece.1) {
                let reference = self.reference(piece, &relocation, 0, depth + 1);
                (relocation.offset, reference.map(|(what, _)| what)).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// Something with a name, unless the rewriter or the compiler adds it.
    fn named(&self, symbol: &'d str) -> Option<(Reference, String)> {
        if MADE.contains(&symbol) {
            return None;
        }
        let path = match is_rust(symbol) {
            true => self.world.path(symbol).to_string(),
            // The older mangling has a hash, which is another one in each crate.
            false => demangled(symbol),
        };
        let added = path.contains(SITE) || path.contains(SUPPORT_MODULE);
        let unwinds = [
            "::drop_in_place",
            "::panic_in_cleanup",
            "::panic_cannot_unwind",
        ];
        let dropped = path.starts_with("core") && unwinds.iter().any(|name| path.contains(name));
        let text = without_marks(&path);
        (!added && !dropped).then_some((Reference::Named(path), text))
    }

    /// Places in the function itself, to which it jumps.
    fn is_jump_table(&self, table: Piece, function: Piece) -> bool {
        let mut relocations = self.world.objects[table.0].relocations(table.1).peekable();
        relocations.peek().is_some()
            && relocations.all(|relocation| {
                let target = self.world.target(table.0, &relocation);
                relocation.kind == elf::R_X86_64_PC32
                    && matches!(target, Some(Target::Piece(piece)) if piece == function)
            })
    }

    /// A nameless constant, for people.
    fn shown(&self, piece: Piece) -> String {
        let object = &self.world.objects[piece.0];
        let mut names = object.relocations(piece.1).filter_map(|relocation| {
            let symbol = self.world.symbol(piece.0, &relocation)?;
            let path = is_rust(symbol.name).then(|| self.world.path(symbol.name));
            path.map(|path| without_marks(&path))
        });
        if let Some(first) = names.next() {
            return format!("a constant with {first}");
        }
        let data = object.data.get(object.sections[piece.1].file.clone());
        let text = data.and_then(|data| std::str::from_utf8(data).ok());
        match text {
            Some(text) if !text.contains('\0') && !text.is_empty() => {
                let start: String = text.chars().take(60).collect();
                format!("{start:?}")
            }
            _ => "a constant".to_owned(),
        }
    }
}

/// Whether a symbol is one of Rust's.
fn is_mangled(symbol: &str) -> bool {
    is_rust(symbol) || symbol.starts_with("_ZN")
}

/// Numbers that stand in an instruction, but for the smallest, those that depend on the frame, and
/// sizes of what is copied: these tell which values were moved.
fn numbers(instruction: &Instruction) -> Vec<u64> {
    const SMALLEST: [u64; 4] = [0, 1, u64::MAX, u32::MAX as u64];
    const NOT: [Register; 4] = [Register::RSP, Register::RBP, Register::RDX, Register::EDX];
    if NOT.contains(&instruction.op0_register()) {
        return Vec::new();
    }
    let immediate = |operand: &u32| {
        matches!(
            instruction.op_kind(*operand),
            OpKind::Immediate8
                | OpKind::Immediate16
                | OpKind::Immediate32
                | OpKind::Immediate64
                | OpKind::Immediate8to16
                | OpKind::Immediate8to32
                | OpKind::Immediate8to64
                | OpKind::Immediate32to64
        )
    };
    let operands = (0..instruction.op_count()).filter(immediate);
    let numbers = operands.map(|operand| instruction.immediate(operand));
    numbers
        .filter(|number| !SMALLEST.contains(number))
        .collect()
}
