//! Functions of two compilations: do they take, return and hold the same?
//!
//! The code of a closure or a future works on what that has captured. Which type that is says its
//! number, among those of the function around it; all of these have to be the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::describe::{Described, Function};
use super::pool::{Pool, Text};
use super::Library;

/// The functions of two compilations.
pub struct Functions<'a> {
    pool: &'a Pool,
    old: Side,
    new: Side,
}

#[derive(Default)]
struct Side {
    functions: HashMap<Text, Vec<Function>>,
    /// What closures and futures hold, by name.
    environments: BTreeMap<String, BTreeSet<Text>>,
}

impl<'a> Functions<'a> {
    pub(super) fn new(pool: &'a Pool, old: &[Library], new: &[Library]) -> Self {
        let side = |libraries: &[Library]| {
            let mut side = Side::default();
            for described in libraries.iter().flat_map(|library| &library.objects) {
                side.add(pool, described);
            }
            side
        };
        Self {
            pool,
            old: side(old),
            new: side(new),
        }
    }

    /// The line of the function of this path in the new compilation, if it takes, returns and holds
    /// the same in both.
    pub fn line_of_same(&self, path: &str) -> Option<u32> {
        let path = self.pool.find(path)?;
        let (old, new) = (
            self.old.functions.get(&path)?,
            self.new.functions.get(&path)?,
        );
        let shapes = |functions: &[Function]| -> BTreeSet<(Text, Option<Text>)> {
            functions
                .iter()
                .map(|function| (function.shape, function.outer))
                .collect()
        };
        let all = shapes(new);
        let is_same = all.len() == 1 && all == shapes(old);
        let outer = new.first()?.outer.map(|outer| self.pool.get(outer));
        (is_same && outer.is_none_or(|outer| self.holds_same(outer)))
            .then(|| new.first().map(|function| function.line))?
    }

    /// Whether all closures and futures of a function hold the same.
    fn holds_same(&self, outer: &str) -> bool {
        let (old, new) = (self.old.inside(outer), self.new.inside(outer));
        let mut shapes = new.iter().flat_map(|(_, shapes)| shapes.iter());
        // Those of other functions stand there without their numbers.
        let is_known = |shape: &Text| {
            let shape = self.pool.get(*shape);
            let own = shape.matches(&format!("{outer}::{{")).count();
            shape.matches("_env}").count() <= own
        };
        !new.is_empty() && old == new && shapes.all(is_known)
    }
}

impl Side {
    fn add(&mut self, pool: &Pool, described: &Described) {
        for function in &described.functions {
            let known = self.functions.entry(function.path).or_default();
            known.push(*function);
        }
        for environment in &described.environments {
            let name = pool.get(environment.name).to_owned();
            let shapes = self.environments.entry(name).or_default();
            shapes.insert(environment.shape);
        }
    }

    fn inside(&self, outer: &str) -> Vec<(&String, &BTreeSet<Text>)> {
        let start = format!("{outer}::{{");
        let from = self.environments.range(start.clone()..);
        from.take_while(|(name, _)| name.starts_with(&start))
            .collect()
    }
}
