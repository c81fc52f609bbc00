//! Functions of two compilations: do they take, return and hold the same?
//!
//! The code of a closure or a future works on what that has captured. Which type that is says its
//! number, among those of the function around it; all of these have to be the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::describe::{Described, Function, SEPARATOR};
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

    /// Whether the function of this path returns a boxed future, in both compilations.
    pub fn returns_boxed_future(&self, path: &str) -> bool {
        let result = |side: &Side, path: Text| {
            let mut functions = side.functions.get(&path).into_iter().flatten().peekable();
            let is_known = functions.peek().is_some();
            is_known && functions.all(|function| is_boxed_future(self.pool.get(function.shape)))
        };
        let path = self.pool.find(path);
        path.is_some_and(|path| result(&self.old, path) && result(&self.new, path))
    }

    /// Whether all closures of a function hold the same, and none of them a future: those that a
    /// comparison compiles aren't laid out as the program's.
    fn holds_same(&self, outer: &str) -> bool {
        let (old, new) = (
            self.old.closures_inside(outer),
            self.new.closures_inside(outer),
        );
        let mut shapes = new.iter().flat_map(|(_, shapes)| shapes.iter());
        // Those of other functions stand there without their numbers.
        let is_known = |shape: &Text| {
            let shape = self.pool.get(*shape);
            let own = shape.matches(&format!("{outer}::{{")).count();
            let closures = shape.matches("{closure_env}").count();
            shape.matches("_env}").count() == closures && closures <= own
        };
        !new.is_empty() && old == new && shapes.all(is_known)
    }
}

/// Whether what a function takes and returns begins with such a result.
fn is_boxed_future(shape: &str) -> bool {
    let ty = shape
        .lines()
        .next()
        .and_then(|line| line.split(SEPARATOR).nth(1));
    let inside = ty.and_then(|ty| ty.strip_prefix("core::pin::Pin<alloc::boxed::Box<"));
    let inside = inside.map(|inside| inside.trim_start_matches('('));
    inside.is_some_and(|inside| inside.starts_with("dyn core::future::future::Future<"))
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

    /// What the closures in a function hold, by name. What its futures hold is nobody's business
    /// but that of the code that makes them.
    fn closures_inside(&self, outer: &str) -> Vec<(&String, &BTreeSet<Text>)> {
        let start = format!("{outer}::{{");
        let from = self.environments.range(start.clone()..);
        let inside = from.take_while(|(name, _)| name.starts_with(&start));
        let is_future = |name: &str| {
            let own = name.find("_env#").map_or(name, |end| &name[..end]);
            !own.ends_with("closure")
        };
        let inside = inside.filter(|(name, _)| !is_future(&name[start.len()..]));
        inside.collect()
    }
}
