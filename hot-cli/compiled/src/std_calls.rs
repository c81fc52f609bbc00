//! Leads a crate's own code to what stands in for functions of the standard library: the
//! relocations that refer to such a function are turned to its replacement, whatever the source
//! calls it. What can't be turned is listed.
//!
//! ```text
//! call  <std::time::Instant>::elapsed@GOTPCREL      in app::load
//! call  __soft_mock_std_…__std_time_Instant_elapsed@GOTPCREL
//! ```
//!
//! Which symbols these are say the crate's pairs (`soft_mock_abi::std_calls`). Of a generic
//! function there are pairs for some instances; another one is listed, and so is code into which
//! the compiler has copied an instance: it refers to what only the instance refers to.
//!
//! Knows nothing of what stands in a replacement and of mocks.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Result;
use object::elf;
use soft_mock_abi::section::{STD_PAIRS, STD_PLACES};
use soft_mock_abi::std_calls::{ident_of, Line, READ};
use soft_mock_abi::symbol::SUPPORT_MODULE;

use self::owner::Owners;
use crate::objects::{Object, Relocation};
use crate::symbols::demangled;

pub mod archive;
mod grow;
mod owner;

/// The size of a pair.
const PAIR: usize = 16;

/// Code that goes past a replacement: the function of std, and the path of what refers to it.
type Missed = BTreeSet<(String, String)>;

/// Another crate of the program, which was compiled as it is.
#[derive(Debug, Clone)]
pub struct Unmodified<'d> {
    /// Its name.
    pub name: &'d str,
    /// Why, in one line.
    pub reason: &'d str,
    /// Its objects; none if they can't be read.
    pub objects: Option<Vec<&'d [u8]>>,
}

/// What is known around a crate's objects.
pub struct Program<'d> {
    /// The names of all rewritten crates: their generic functions have code here.
    pub crates: &'d HashSet<String>,
    /// Crates that aren't.
    pub unmodified: &'d [Unmodified<'d>],
    /// The crate is the program's root.
    pub is_root: bool,
    /// Functions are put into others.
    pub optimised: bool,
    /// Says where a function is, given its path.
    pub place: &'d dyn Fn(&str) -> String,
}

/// Turns the references of a crate's objects. Returns the new contents of those that change.
pub fn redirect(objects: &[&[u8]], program: &Program<'_>) -> Result<Vec<Option<Vec<u8>>>> {
    let read: Vec<Object<'_>> = objects
        .iter()
        .map(|data| Object::read(data))
        .collect::<Result<_>>()?;
    let named: Vec<Named<'_, '_>> = read.iter().map(Named::of).collect();
    let known = Known::of(&named);
    if known.pairs.is_empty() {
        return Ok(vec![None; objects.len()]);
    }
    let owners = Owners::new(program.crates, program.optimised);
    let mut reached = BTreeSet::new();
    let mut missed = Missed::new();
    let mut changed = Vec::new();
    for named in &named {
        let turns = known.look_into(named, &owners, &mut reached, &mut missed);
        changed.push(match turns.is_empty() {
            true => None,
            false => Some(grow::turned(named.object, &turns)?),
        });
    }
    let mut lines = lines(&reached, &missed, program.place);
    if program.is_root {
        lines += &Line::Root.to_string();
    }
    for other in program.unmodified {
        lines += &known.lines_of(other, &owners, program.place);
    }
    for (object, changed) in read.iter().zip(&mut changed) {
        for section in object.sections.iter().filter(|s| s.name == STD_PLACES) {
            let data = changed.get_or_insert_with(|| object.data.to_vec());
            write(&mut data[section.file.clone()], &lines);
        }
    }
    Ok(changed)
}

/// A relocation, and the symbol that it is to be about.
struct Turn<'k> {
    relocation: Relocation,
    to: &'k str,
    /// The path of what refers to it.
    owner: String,
}

/// What the pairs say.
struct Known<'d> {
    /// The symbols of functions of std, and of their replacements.
    pairs: HashMap<&'d str, &'d str>,
    /// What all instances of a generic function are called, and the function.
    families: HashMap<String, &'d str>,
    /// What only instances of these functions refer to.
    witnesses: HashMap<&'d str, BTreeSet<&'d str>>,
}

impl<'d> Known<'d> {
    fn of(objects: &[Named<'_, 'd>]) -> Self {
        let pairs: HashMap<&str, &str> = objects.iter().flat_map(pairs).collect();
        let mut known = Self {
            families: HashMap::new(),
            witnesses: HashMap::new(),
            pairs,
        };
        for (function, replacement) in &known.pairs {
            if let Some(ident) = ident_of(replacement) {
                known.families.insert(family(function), ident);
            }
        }
        for named in objects {
            known.find_witnesses(named.object);
        }
        known
    }

    /// What the code of a function of std that was compiled here refers to of std's own.
    fn find_witnesses(&mut self, object: &Object<'d>) {
        for symbol in &object.symbols {
            let (Some(section), Some(replacement)) = (symbol.section, self.pairs.get(symbol.name))
            else {
                continue;
            };
            let Some(ident) = ident_of(replacement) else {
                continue;
            };
            for relocation in object.relocations(section) {
                let Some(target) = object.symbols.get(relocation.symbol) else {
                    continue;
                };
                let is_elsewhere =
                    target.section.is_none() && !self.pairs.contains_key(target.name);
                if is_elsewhere && owner::is_behind_a_shell(&demangled(target.name)) {
                    self.witnesses.entry(target.name).or_default().insert(ident);
                }
            }
        }
    }

    /// Finds what is to be turned in an object, and what can't be.
    fn look_into<'k>(
        &'k self,
        named: &Named<'_, 'd>,
        owners: &Owners<'_>,
        reached: &mut BTreeSet<String>,
        missed: &mut Missed,
    ) -> Vec<Turn<'k>> {
        let mut turns = Vec::new();
        let object = named.object;
        for (number, section) in object.sections.iter().enumerate() {
            if !section.has(elf::SHF_ALLOC) || section.name.starts_with("soft_mock_") {
                continue;
            }
            for relocation in object.relocations(number) {
                let Some(target) = named.target(&relocation) else {
                    continue;
                };
                let is_own = |owner: &str| owners.are_own(owner, &demangled(target));
                let owner = || named.owner(number, relocation.offset);
                if let Some(&to) = self.pairs.get(target) {
                    let owner = owner();
                    if is_own(&owner) {
                        reached.extend(ident_of(to).map(str::to_owned));
                        turns.push(Turn {
                            relocation,
                            to,
                            owner,
                        });
                    }
                } else if target.contains(SUPPORT_MODULE) {
                    if let Some(ident) = owner::replacement_in(&demangled(target)) {
                        if is_own(&owner()) {
                            reached.insert(ident);
                        }
                    }
                } else {
                    let missing = self.passed_by(target).into_iter();
                    let missing = missing.map(|ident| (ident.to_owned(), owner()));
                    missed.extend(missing.filter(|(_, owner)| is_own(owner)));
                }
            }
        }
        turns
    }

    /// What there is to say of a crate that isn't rewritten: its own code goes past every
    /// replacement.
    fn lines_of(
        &self,
        other: &Unmodified<'d>,
        owners: &Owners<'_>,
        place: &dyn Fn(&str) -> String,
    ) -> String {
        let mut text = Line::Unmodified(other.name, other.reason).to_string();
        let mut say = |ident: &str, place: &str| {
            let place = format!("{place}, in `{}`, which is built unmodified", other.name);
            text += &Line::Missed(ident, &place).to_string();
        };
        let objects = other.objects.iter().flatten();
        let read: Result<Vec<Object<'d>>> = objects.map(|data| Object::read(data)).collect();
        let (Some(_), Ok(read)) = (&other.objects, read) else {
            let idents = self.pairs.values().filter_map(|to| ident_of(to));
            let idents: BTreeSet<&str> = idents.collect();
            idents
                .iter()
                .for_each(|ident| say(ident, "code that can't be read"));
            return text;
        };
        let mut missed = Missed::new();
        for named in read.iter().map(Named::of) {
            let turns = self.look_into(&named, owners, &mut BTreeSet::new(), &mut missed);
            missed.extend(turns.into_iter().filter_map(|turn| {
                let ident = ident_of(turn.to)?;
                Some((ident.to_owned(), turn.owner))
            }));
        }
        missed
            .iter()
            .for_each(|(ident, path)| say(ident, &place(path)));
        text
    }

    /// The functions whose replacement isn't there for this symbol.
    fn passed_by(&self, symbol: &str) -> BTreeSet<&'d str> {
        if let Some(functions) = self.witnesses.get(symbol) {
            return functions.clone();
        }
        // Most symbols have nothing to do with std.
        match symbol.contains("3std") {
            true => self
                .families
                .get(&family(symbol))
                .copied()
                .into_iter()
                .collect(),
            false => BTreeSet::new(),
        }
    }
}

/// The pairs of an object: each is two pointers that the linker fills in.
fn pairs<'d>(named: &Named<'_, 'd>) -> Vec<(&'d str, &'d str)> {
    let object = named.object;
    let mut found: BTreeMap<(usize, usize), [Option<&'d str>; 2]> = BTreeMap::new();
    for (number, section) in object.sections.iter().enumerate() {
        if section.name != STD_PAIRS {
            continue;
        }
        for relocation in object.relocations(number) {
            let half = (relocation.offset % PAIR) / (PAIR / 2);
            let pair = found.entry((number, relocation.offset / PAIR)).or_default();
            pair[half] = named.target(&relocation);
        }
    }
    found
        .into_values()
        .filter_map(|[function, replacement]| Some((function?, replacement?)))
        .collect()
}

/// What all instances of a function have in common.
fn family(symbol: &str) -> String {
    let path = demangled(symbol);
    match path.strip_suffix('>') {
        // `std::fs::read::<&str>`; the older mangling leaves the types out.
        Some(_) => path.split("::<").next().unwrap_or(&path).to_owned(),
        None => path.replace(['<', '>'], ""),
    }
}

/// An object, and what stands where in it.
struct Named<'o, 'd> {
    object: &'o Object<'d>,
    /// By section, and where they start in it.
    starts: BTreeMap<(usize, u64), &'d str>,
    /// The function at the start of a section.
    first: HashMap<Option<usize>, &'d str>,
}

impl<'o, 'd> Named<'o, 'd> {
    fn of(object: &'o Object<'d>) -> Self {
        let (mut starts, mut first) = (BTreeMap::new(), HashMap::new());
        for symbol in &object.symbols {
            if symbol.kind == elf::STT_FUNC && symbol.value == 0 {
                first.entry(symbol.section).or_insert(symbol.name);
            }
            if let Some(section) = symbol.section.filter(|_| symbol.kind != elf::STT_SECTION) {
                starts.insert((section, symbol.value), symbol.name);
            }
        }
        Self {
            object,
            starts,
            first,
        }
    }

    /// The path of the function or static around a place; empty for data without a name.
    fn owner(&self, section: usize, offset: usize) -> String {
        let mut before = self.starts.range((section, 0)..=(section, offset as u64));
        let last = before.next_back();
        last.map_or_else(String::new, |(_, name)| demangled(name))
    }

    /// The name of what a relocation is about: of a function that nobody else sees, the compiler
    /// may give the section in place of the symbol.
    fn target(&self, relocation: &Relocation) -> Option<&'d str> {
        let symbol = self.object.symbols.get(relocation.symbol)?;
        if symbol.kind != elf::STT_SECTION {
            return Some(symbol.name);
        }
        // Where an instruction refers to its own end.
        let start = match relocation.kind {
            elf::R_X86_64_64 => 0,
            _ => -4,
        };
        let function = self.first.get(&symbol.section).copied();
        function.filter(|_| relocation.addend == start)
    }
}

fn lines(reached: &BTreeSet<String>, missed: &Missed, place: &dyn Fn(&str) -> String) -> String {
    let mut text = format!("{READ}\n");
    for ident in reached {
        text += &Line::Reached(ident).to_string();
    }
    // One for each function first: if there isn't room for all, each is known to have some.
    let mut seen = HashSet::new();
    let (first, others): (Vec<_>, Vec<_>) =
        missed.iter().partition(|(ident, _)| seen.insert(ident));
    for (ident, path) in first.into_iter().chain(others) {
        text += &Line::Missed(ident, &place(path)).to_string();
    }
    text
}

/// Writes whole lines, as many as there is room for, and a zero.
fn write(into: &mut [u8], lines: &str) {
    let mut length = 0;
    for line in lines.split_inclusive('\n') {
        if length + line.len() >= into.len() {
            break;
        }
        length += line.len();
    }
    into.fill(0);
    into[..length].copy_from_slice(&lines.as_bytes()[..length]);
}
