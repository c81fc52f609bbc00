//! What the running program exports of its units.

use std::collections::{HashMap, HashSet};

use crate::library::DynamicSymbols;
use crate::symbols::{is_rust, order, path};

/// The functions and variables of the running program's units.
pub struct ProgramSymbols<'a> {
    /// Their symbols, by their paths. More than one: several things in one body have one name, and
    /// stand here in the order of the source.
    paths: HashMap<String, Vec<&'a str>>,
}

impl<'a> ProgramSymbols<'a> {
    /// `crates`: those whose symbols are wanted.
    pub fn new(symbols: &'a DynamicSymbols, crates: &HashSet<String>) -> Self {
        let marks: Vec<String> = crates
            .iter()
            .map(|name| format!("{}{name}", name.len()))
            .collect();
        let mut paths: HashMap<String, Vec<&str>> = HashMap::new();
        for name in &symbols.defined {
            if is_rust(name) && marks.iter().any(|mark| name.contains(mark)) {
                paths.entry(path(name)).or_default().push(name);
            }
        }
        for several in paths.values_mut().filter(|symbols| symbols.len() > 1) {
            several.sort_by_cached_key(|name| order(name));
        }
        Self { paths }
    }

    /// The one symbol of a path.
    pub fn symbol(&self, path: &str) -> Option<&'a str> {
        match self.paths.get(path)?.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    pub(super) fn symbols_of(&self, path: &str) -> &[&'a str] {
        self.paths.get(path).map_or(&[], Vec::as_slice)
    }

    /// All instances of the function of a path.
    pub fn functions(&self, path: &str) -> Vec<String> {
        let all = self.symbols_of(path).iter();
        all.map(|symbol| (*symbol).to_owned()).collect()
    }

    /// The function of a path: instances that several crates made are the same.
    pub fn function(&self, path: &str) -> Option<&'a str> {
        self.symbols_of(path).first().copied()
    }
}
