//! The functions of which a program holds code, by its symbols.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use object::{Object, ObjectSymbol, SymbolKind};

/// The paths of all code of a program.
pub(super) struct Symbols {
    /// By the names of the functions.
    paths: HashMap<String, Vec<String>>,
}

impl Symbols {
    pub(super) fn of(executable: &Path) -> Result<Self> {
        let bytes = fs::read(executable)?;
        let file = object::File::parse(bytes.as_slice())?;
        let mut paths: HashMap<String, Vec<String>> = HashMap::new();
        let code = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && !symbol.is_undefined());
        for symbol in code {
            let path = format!("{:#}", rustc_demangle::demangle(symbol.name()?));
            for name in names(&path) {
                paths.entry(name.to_owned()).or_default().push(path.clone());
            }
        }
        Ok(Self { paths })
    }

    /// Code of a function of this name in what `scope` names (a module, a type or a trait), or of a
    /// closure in it. By name: what is found may be another function's.
    pub(super) fn code_of(&self, name: &str, scope: Option<&str>) -> Option<&str> {
        let mut paths = self.paths.get(name)?.iter();
        let within =
            |path: &&String| scope.is_none_or(|scope| words(path).any(|word| word == scope));
        paths.find(within).map(String::as_str)
    }
}

/// The names that stand outside of all brackets: `g` and `f` of `<a::T as b::U<c>>::f::g::<d>`.
fn names(path: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, letter) in path.char_indices() {
        let arrow = letter == '>' && path[..at].ends_with('-');
        match letter {
            '<' | '{' | '(' | '[' => depth += 1,
            '>' | '}' | ')' | ']' if !arrow => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_name = depth == 0 && (letter.is_alphanumeric() || letter == '_');
        if !is_name {
            if start < at {
                found.push(&path[start..at]);
            }
            start = at + letter.len_utf8();
        }
    }
    if start < path.len() {
        found.push(&path[start..]);
    }
    found
}

fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions() {
        let check = |path: &str, expected: &[&str]| assert_eq!(names(path), expected);
        check("a::b::f", &["a", "b", "f"]);
        check("<a::T as b::U<c>>::f::g::<d>", &["f", "g"]);
        check("<a::T<fn() -> u8>>::f::{closure#0}", &["f"]);
    }
}
