//! What the running program exports of its units.

use std::collections::{HashMap, HashSet};

use crate::library::DynamicSymbols;
use crate::symbols::{is_rust, order, path};

/// The functions and variables of the running program's units.
#[derive(Debug)]
pub struct ProgramSymbols {
    /// Their symbols, by their paths. More than one: several things in one body have one name, and
    /// stand here in the order of the source.
    paths: HashMap<String, Vec<String>>,
}

impl ProgramSymbols {
    /// `crates`: those whose symbols are wanted.
    pub fn new(symbols: &DynamicSymbols, crates: &HashSet<String>) -> Self {
        let marks: Vec<String> = crates
            .iter()
            .map(|name| format!("{}{name}", name.len()))
            .collect();
        let mut paths: HashMap<String, Vec<String>> = HashMap::new();
        for name in &symbols.defined {
            if is_rust(name) && marks.iter().any(|mark| name.contains(mark)) {
                paths.entry(path(name)).or_default().push(name.clone());
            }
        }
        for several in paths.values_mut().filter(|symbols| symbols.len() > 1) {
            several.sort_by_cached_key(|name| order(name));
        }
        Self { paths }
    }

    /// The one symbol of a path.
    pub fn symbol(&self, path: &str) -> Option<&str> {
        match self.paths.get(path)?.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    pub(super) fn symbols_of(&self, path: &str) -> &[String] {
        self.paths.get(path).map_or(&[], Vec::as_slice)
    }

    /// All instances of the function of a path.
    pub fn functions(&self, path: &str) -> Vec<String> {
        self.symbols_of(path).to_vec()
    }

    /// The function of a path: instances that several crates made are the same.
    pub fn function(&self, path: &str) -> Option<&str> {
        self.symbols_of(path).first().map(String::as_str)
    }
}
