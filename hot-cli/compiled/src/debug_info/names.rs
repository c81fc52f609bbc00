//! Names of types and variables: as they are compared, and as a person reads them.
//!
//! rustc writes types with all their paths and arguments, closures and impl blocks with a number.
//! Knows nothing of what the names stand for.

use std::collections::HashSet;

use super::entries::Entries;
use crate::sites::attached;

/// The names of all types of one object.
pub(super) struct Names<'e, 's> {
    entries: &'e Entries<'s>,
    known: Vec<Option<String>>,
}

impl<'e, 's> Names<'e, 's> {
    pub(super) fn new(entries: &'e Entries<'s>) -> Self {
        Self {
            entries,
            known: vec![None; entries.all.len()],
        }
    }

    /// The name of a type, with the path to it.
    pub(super) fn of(&mut self, ty: Option<usize>) -> String {
        let Some(ty) = ty else {
            return "()".to_owned();
        };
        if let Some(known) = &self.known[ty] {
            return known.clone();
        }
        let name = self.spell(ty);
        self.known[ty] = Some(name.clone());
        name
    }

    fn spell(&mut self, ty: usize) -> String {
        let entries = self.entries;
        let entry = &entries.all[ty];
        if let Some(name) = entry.name {
            return match entry.parent {
                Some(outer) => format!("{}::{name}", self.of(Some(outer))),
                None => name.to_owned(),
            };
        }
        match entry.tag {
            gimli::DW_TAG_array_type => {
                let element = self.of(entries.ty(ty));
                let range = entries
                    .children(ty)
                    .find_map(|child| entries.all[child].count);
                match range {
                    Some(count) => format!("[{element}; {count}]"),
                    None => format!("[{element}]"),
                }
            }
            gimli::DW_TAG_pointer_type => format!("*{}", self.of(entries.ty(ty))),
            // A function's own type: its pointer has a name.
            gimli::DW_TAG_subroutine_type => "fn".to_owned(),
            // Declared here, and described elsewhere.
            _ if entry.is_declaration && entries.ty(ty).is_some() => self.of(entries.ty(ty)),
            _ => match entry.parent {
                Some(outer) => self.of(Some(outer)),
                None => String::new(),
            },
        }
    }
}

/// A name without the numbers of closures, impl blocks and nameless constants, which shift when
/// another one is inserted: `app::f::{closure#1}::T` is `app::f::{closure}::T`.
pub(super) fn without_numbers(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('#') {
        let behind = &rest[at + 1..];
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let is_number = digits > 0 && behind[digits..].starts_with('}');
        out.push_str(&rest[..at]);
        match is_number {
            true => rest = &behind[digits..],
            false => {
                out.push('#');
                rest = behind;
            }
        }
    }
    out + rest
}

/// Whether a type is what a closure or a future holds, or is made of one.
pub(super) fn is_environment(name: &str) -> bool {
    name.contains("_env#")
}

/// Whether a type (without numbers) was declared where no other code can name it: in a constant
/// without a name, or in the body of a closure or future.
pub(super) fn is_of_one_call(name: &str) -> bool {
    let path = name.split('<').next().unwrap_or(name);
    path.contains("::_::") || path.contains("::{closure}::") || path.contains("::{async_")
}

/// Whether a name mentions one of the crates: `Vec<app::Point>` does, if `app` is one.
pub(super) fn mentions(name: &str, crates: &HashSet<String>) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    name.match_indices("::").any(|(at, _)| {
        let start = name[..at]
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_name(*c))
            .last()
            .map_or(at, |(start, _)| start);
        !name[..start].ends_with("::") && crates.contains(&name[start..at])
    })
}

/// Whether a type was declared in one of the crates.
pub(super) fn is_declared_in(name: &str, crates: &HashSet<String>) -> bool {
    let first = name.split("::").next().unwrap_or(name);
    crates.contains(first)
}

/// A name as it is shown: std's types without their paths and allocators, and all paths without
/// what has no name in the sources.
pub(super) fn shown(name: &str) -> String {
    let mut name = name.replace(", alloc::alloc::Global", "");
    name = attached(&name);
    for nameless in [
        "{impl}::",
        "{closure}::",
        "{constant}::",
        "{async_fn}::",
        "{async_block}::",
    ] {
        name = name.replace(nameless, "");
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name.as_str();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let is_std = matches!(&rest[..end], "core" | "alloc" | "std") && !out.ends_with("::");
        let path = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(rest.len());
        let from = rest[..path].rfind("::").map_or(0, |at| at + 2);
        match is_std && from < path && from > 0 {
            true => {
                out.push_str(&rest[from..path]);
                rest = &rest[path..];
            }
            false => {
                let end = end.max(rest.chars().next().map_or(0, char::len_utf8));
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_left_out() {
        let check = |name: &str, expected: &str| assert_eq!(without_numbers(name), expected);
        check("app::f::{closure#12}::T", "app::f::{closure}::T");
        check("Vec<app::{impl#0}::f::L>", "Vec<app::{impl}::f::L>");
        check("app::Letter<'#'>", "app::Letter<'#'>");
        check("app::Two<'#', {const#1}>", "app::Two<'#', {const}>");
    }

    #[test]
    fn types_of_one_call() {
        for of_one in [
            "app::_::{impl}::visit::Field",
            "app::f::{async_fn}::util::Out<u8>",
        ] {
            assert!(is_of_one_call(of_one), "{of_one}");
        }
        for other in [
            "app::f::Local",
            "app::{impl}::f::Local",
            "app::W<app::_::V>",
        ] {
            assert!(!is_of_one_call(other), "{other}");
        }
    }

    #[test]
    fn crates_in_names() {
        let crates = HashSet::from(["app".to_owned(), "io".to_owned()]);
        for own in [
            "app::A",
            "alloc::vec::Vec<app::A>",
            "&mut app::A",
            "fn(u8) -> io::B",
        ] {
            assert!(mentions(own, &crates), "{own}");
        }
        for foreign in ["std::io::Error", "my_app::A", "app", "u8", "<app2::A>"] {
            assert!(!mentions(foreign, &crates), "{foreign}");
        }
        assert!(is_declared_in("app::A<u8>", &crates));
        assert!(!is_declared_in("alloc::vec::Vec<app::A>", &crates));
    }

    #[test]
    fn names_are_shown_short() {
        let check = |name: &str, expected: &str| assert_eq!(shown(name), expected);
        check(
            "alloc::vec::Vec<app::a::Val, alloc::alloc::Global>",
            "Vec<app::a::Val>",
        );
        check(
            "core::option::Option<&mut app::core::Val>",
            "Option<&mut app::core::Val>",
        );
        check("dyn core::any::Any + core::marker::Send", "dyn Any + Send");
        check("[(u8, std::time::Instant); 3]", "[(u8, Instant); 3]");
    }
}
