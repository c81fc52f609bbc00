//! What a vtable holds: whether values are dropped, and which method has which place.
//!
//! Debug information only counts the places; what stands there are relocations. Knows nothing of
//! the types behind.

use super::describe::SEPARATOR;
use super::methods;
use super::sections::{Address, Sections};
use crate::objects::{Object, Relocation, Symbol};

/// Whether a variable of this name is a vtable.
pub(super) fn is_variable(name: &str) -> bool {
    name.ends_with("::{vtable}")
}

/// Whether a type of this name is that of a vtable.
pub(super) fn is_type(name: &str) -> bool {
    name.ends_with("::{vtable_type}")
}

/// The type whose vtable for `Any` a variable is.
pub(super) fn any(name: &str) -> Option<&str> {
    name.strip_suffix(" as core::any::Any>::{vtable}")?
        .strip_prefix('<')
}

/// The size of one place.
const PLACE: u64 = 8;
/// Drop glue, size and alignment stand before the methods.
const METHODS: u64 = 3;

/// What stands for a method whose name can't be told.
pub(super) const UNKNOWN: &str = "?";

/// The section of the vtable whose address is written at `address`, if it holds nothing else.
pub(super) fn section(
    object: &Object<'_>,
    sections: &Sections<'_>,
    address: Address,
    size: u64,
) -> Option<usize> {
    let to_vtable = sections.at(address)?;
    let symbol = object.symbols.get(to_vtable.symbol)?;
    let section = symbol.section?;
    let start = symbol.value.checked_add_signed(to_vtable.addend)?;
    let is_all = start == 0 && object.sections.get(section)?.size == size;
    is_all.then_some(section)
}

/// Describes the vtable whose address is written at `address`.
pub(super) fn describe(
    object: &Object<'_>,
    sections: &Sections<'_>,
    address: Address,
    size: Option<u64>,
    name: &str,
) -> Option<String> {
    let to_vtable = sections.at(address)?;
    let symbol = object.symbols.get(to_vtable.symbol)?;
    let place = symbol.section?;
    let start = symbol.value.checked_add_signed(to_vtable.addend)?;
    let size = size.or_else(|| object.sections.get(place).map(|section| section.size))?;
    let relocations: Vec<Relocation> = object.relocations(place).collect();
    let holder = |number: u64| -> Option<&Symbol<'_>> {
        let offset = usize::try_from(start + number * PLACE).ok()?;
        let found = relocations.iter().find(|found| found.offset == offset)?;
        object.symbols.get(found.symbol)
    };
    let ty = name.strip_prefix('<').unwrap_or(name);
    let drops = match holder(0) {
        Some(_) => "yes",
        None => "no",
    };
    let mut out = format!("vtable{SEPARATOR}\ndrops its value{SEPARATOR}{drops}\n");
    for number in METHODS..size / PLACE {
        let method = match holder(number) {
            None => "nothing".to_owned(),
            Some(symbol) => methods::method(symbol.name, ty).unwrap_or_else(|| UNKNOWN.to_owned()),
        };
        let number = number - METHODS + 1;
        out.push_str(&format!("method {number}{SEPARATOR}{method}\n"));
    }
    Some(out)
}
