//! The id of a crate in the names of symbols: what tells two compilations of one crate apart.
//!
//! rustc gives an executable another id than a library of the same sources. What is compiled
//! against the library names things by its id; with the executable's in its place, it finds them
//! there. Both stand in symbols of the newer kind (`_RNvCs…_7globset4main`), and nowhere else but
//! in values of `TypeId`: so whatever may hold one is refused.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{bail, Context, Result};
use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{elf, Endianness};

use crate::objects::Object;

/// What may come to a `TypeId`: names of functions and traits that do, as symbols have them.
const TYPE_IDS: [&str; 6] = [
    "6TypeId",
    "7type_id",
    "3Any",
    "8downcast",
    "12downcast_",
    // `is` of an object's type.
    "L_2is",
];

/// The crates of the standard library. Their generic code was optimised when it was compiled, but
/// which of it asks for a `TypeId` is known.
const STANDARD: [&str; 3] = ["4core", "5alloc", "3std"];

/// The id of the only crate of this name that a program's symbols tell of.
pub fn of_program<'a>(symbols: impl Iterator<Item = &'a str>, krate: &str) -> Result<String> {
    let ids: BTreeSet<&str> = symbols.filter_map(|name| root(name, krate)).collect();
    let mut ids = ids.into_iter();
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.to_owned()),
        (Some(_), Some(_)) => bail!("the program has several crates named `{krate}`"),
        (None, _) => bail!("the program shows nothing of the crate `{krate}`"),
    }
}

/// The id of the crate of this name that an object is of.
pub fn of_object(bytes: &[u8], krate: &str) -> Result<String> {
    let object = Object::read(bytes)?;
    of_program(object.symbols.iter().map(|symbol| symbol.name), krate)
}

/// Puts the id `to` in the place of that by which an object refers to the crate. Why not, if it
/// can't be had.
pub fn rename(bytes: &mut [u8], krate: &str, to: &str) -> Result<Option<String>> {
    let (from, strings) = match find(bytes, krate)? {
        Found::Nothing => return Ok(None),
        Found::Refused(why) => return Ok(Some(why)),
        Found::Crate { id, strings } => (id, strings),
    };
    if from.len() != to.len() {
        return Ok(Some(
            "the names of the crate's symbols have another length in a library".to_owned(),
        ));
    }
    let (from, to) = (in_symbol(&from, krate), in_symbol(to, krate));
    let names = bytes.get_mut(strings).context("the object is cut off")?;
    replace(names, from.as_bytes(), to.as_bytes());
    Ok(None)
}

/// What an object has of a crate.
enum Found {
    Nothing,
    /// It refers to it by this id; where the names of its symbols are.
    Crate {
        id: String,
        strings: Range<usize>,
    },
    Refused(String),
}

fn find(bytes: &[u8], krate: &str) -> Result<Found> {
    let header = elf::FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let table = sections.symbols(endian, bytes, elf::SHT_SYMTAB)?;
    let mut names = Vec::new();
    let mut ids = BTreeSet::new();
    for symbol in table.iter() {
        let name = table.symbol_name(endian, symbol)?;
        let name = std::str::from_utf8(name).context("a symbol isn't Unicode")?;
        names.push(name);
        if symbol.st_shndx(endian) == elf::SHN_UNDEF {
            ids.extend(root(name, krate));
        }
    }
    let mut ids = ids.into_iter();
    let (id, None) = (ids.next(), ids.next()) else {
        let why = format!("it refers to several crates named `{krate}`");
        return Ok(Found::Refused(why));
    };
    let mut names = names.into_iter();
    if let Some(why) = names.find_map(|name| may_hold_id(name, krate, id)) {
        return Ok(Found::Refused(why.to_owned()));
    }
    let Some(id) = id else {
        return Ok(Found::Nothing);
    };
    let strings = sections.section(table.string_section())?;
    let (start, size) = strings
        .file_range(endian)
        .context("the symbols have no names")?;
    Ok(Found::Crate {
        id: id.to_owned(),
        strings: start as usize..(start + size) as usize,
    })
}

/// Why a symbol's code may hold the id of a type of the crate, of which only the name may be known.
fn may_hold_id(symbol: &str, krate: &str, id: Option<&str>) -> Option<&'static str> {
    let name = named(krate);
    let mentions = match id {
        Some(id) => symbol.contains(&in_symbol(id, krate)),
        // At its end there is the crate that generic code was compiled in.
        None => symbol.strip_suffix(&name).unwrap_or(symbol).contains(&name),
    };
    if !mentions {
        return None;
    }
    if TYPE_IDS.iter().any(|name| symbol.contains(name)) {
        return Some("it may ask for the id of a type of its crate");
    }
    // Another crate's generic code, which may have been optimised. Its own comes to one of those
    // names.
    let foreign = path(symbol)
        .and_then(|path| Some(path.strip_prefix("Cs")?.split_once('_')?.1))
        .filter(|_| !symbol.starts_with("_RNv"))
        .filter(|root| !root.starts_with(&name[1..]))
        .filter(|root| !STANDARD.iter().any(|standard| root.starts_with(standard)));
    foreign.map(|_| "it has generic code of another crate for a type of its own")
}

/// The id of the crate in which a symbol's path begins, if that is its name.
fn root<'a>(symbol: &'a str, krate: &str) -> Option<&'a str> {
    let (id, rest) = path(symbol)?.strip_prefix("Cs")?.split_once('_')?;
    rest.starts_with(&named(krate)[1..]).then_some(id)
}

/// A symbol from the crate on in which its path begins.
fn path(symbol: &str) -> Option<&str> {
    let mut rest = symbol.strip_prefix("_R")?;
    loop {
        rest = match rest.as_bytes().first()? {
            b'C' => return Some(rest),
            // A namespace follows.
            b'N' => rest.get(2..)?,
            b'I' => rest.get(1..)?,
            // An impl: its number may follow, and then the path of what it stands in.
            b'M' | b'X' => {
                let rest = rest.get(1..)?;
                match rest.strip_prefix('s') {
                    Some(number) => number.split_once('_')?.1,
                    None => rest,
                }
            }
            _ => return None,
        };
    }
}

/// How a symbol names a crate after its id.
fn named(krate: &str) -> String {
    // A name that begins like a number or a separator has one in front of it.
    let separator = match krate.starts_with(|first: char| first == '_' || first.is_ascii_digit()) {
        true => "_",
        false => "",
    };
    format!("_{}{separator}{krate}", krate.len())
}

fn in_symbol(id: &str, krate: &str) -> String {
    format!("Cs{id}{}", named(krate))
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let mut at = 0;
    while let Some(window) = bytes.get_mut(at..at + from.len()) {
        if window == from {
            window.copy_from_slice(to);
            at += from.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, SymbolFlags, SymbolKind, SymbolScope};

    use super::*;

    /// An object that refers to these symbols.
    fn object(names: &[&str]) -> Vec<u8> {
        let mut object = Object::new(
            BinaryFormat::Elf,
            Architecture::X86_64,
            object::Endianness::Little,
        );
        for name in names {
            object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: 0,
                kind: SymbolKind::Text,
                scope: SymbolScope::Unknown,
                weak: false,
                section: SymbolSection::Undefined,
                flags: SymbolFlags::None,
            });
        }
        object.write().expect("an object")
    }

    fn names(bytes: &[u8]) -> BTreeSet<String> {
        use object::{Object as _, ObjectSymbol};
        let file = object::File::parse(bytes).expect("an object");
        let names = file.symbols().filter_map(|symbol| symbol.name().ok());
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_symbol_tells_its_crate() {
        let ids = [
            ("_RNvCsab3_5shelf4main", Some("ab3")),
            ("_RNvNtCsab3_5shelf4deep1f", Some("ab3")),
            ("_RNvMs2_NtCsab3_5shelf4deepNtB5_1T3new", Some("ab3")),
            (
                "_RNvXCsab3_5shelfNtB2_1TNtNtCs9_4core3fmt7Display3fmt",
                Some("ab3"),
            ),
            ("_RINvCsab3_5shelf4likeNtB2_1TEB2_", Some("ab3")),
            ("_RNvCsab3_6shelf24main", None),
            (
                "_RINvNtCs9_4core3ptr13drop_in_placeNtCsab3_5shelf1TECsz_5shelf",
                None,
            ),
            ("main", None),
        ];
        for (symbol, id) in ids {
            assert_eq!(root(symbol, "shelf"), id, "{symbol}");
        }
        let program = ["_RNvCsab3_5shelf4main", "_RNvCsx_4base1f"];
        let id = of_program(program.into_iter(), "shelf").expect("the only one");
        assert_eq!(id, "ab3");
        let two = ["_RNvCsab3_5shelf4main", "_RNvCsab4_5shelf4main"];
        assert!(of_program(two.into_iter(), "shelf").is_err());
        assert!(of_program(two.into_iter(), "other").is_err());
    }

    #[test]
    fn all_that_is_of_the_crate_is_renamed() {
        let mut bytes = object(&[
            "_RNvCsab3_5shelf4main",
            "_RINvNtCs9_4core3ptr13drop_in_placeNtCsab3_5shelf1TECsz_5shelf",
            "_RNvCsab3_6shelfs1f",
        ]);
        assert_eq!(rename(&mut bytes, "shelf", "xyz").expect("read"), None);
        let expected = [
            "_RNvCsxyz_5shelf4main",
            "_RINvNtCs9_4core3ptr13drop_in_placeNtCsxyz_5shelf1TECsz_5shelf",
            "_RNvCsab3_6shelfs1f",
        ];
        assert_eq!(names(&bytes), expected.map(str::to_owned).into());
    }

    #[test]
    fn what_may_hold_the_id_of_a_type_is_refused() {
        let refused = |symbol: &str| {
            let mut bytes = object(&["_RNvCsab3_5shelf4main", symbol]);
            rename(&mut bytes, "shelf", "xyz").expect("read").is_some()
        };
        for symbol in [
            "_RINvMNtCs9_4core3anyNtB3_6TypeId2ofNtCsab3_5shelf1TECsz_5shelf",
            "_RNvXNtCs9_4core3anyNtCsab3_5shelf1TNtB2_3Any7type_id",
            "_RINvCs7_5serde4makeNtCsab3_5shelf1TECsz_5shelf",
            // Another crate of the name.
            "_RNvCsab4_5shelf4main",
        ] {
            assert!(refused(symbol), "{symbol}");
        }
        assert!(!refused(
            "_RINvNtCs9_4core3ptr4readNtCsab3_5shelf1TECsz_5shelf"
        ));
        let mut bytes = object(&["_RNvCsab3_5shelf4main"]);
        assert_eq!(of_object(&bytes, "shelf").expect("an object"), "ab3");
        let longer = rename(&mut bytes, "shelf", "longer").expect("read");
        assert!(longer.is_some(), "names keep their lengths");
    }
}
