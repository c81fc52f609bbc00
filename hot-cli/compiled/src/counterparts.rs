//! Which variable of the program is the one that a closure declares: a closure that is inserted
//! before it shifts the number in its path.
//!
//! ```text
//! app::next::{closure#0}::IDS   as the program was built
//! app::next::{closure#1}::IDS   now: the same variable
//! ```
//!
//! Told by name, size and content. Where these don't tell, nothing is guessed. Knows nothing of
//! plugins.

use std::collections::{BTreeMap, HashMap};

use crate::compare::is_accessor;
use crate::world::World;

/// What a variable of the new code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counterpart {
    /// The one that had this path.
    Of(String),
    /// A new one.
    New,
    /// It can't be told.
    Unclear,
}

/// A path, and what stands for size and content.
type Known = (String, u64);

/// What is known of the variables whose numbers have changed, by their paths in the new code.
pub fn counterparts(
    old: &dyn Fn() -> Vec<Known>,
    new: &dyn Fn() -> Vec<Known>,
    brought: &[Known],
) -> HashMap<String, Counterpart> {
    let groups = |all: Vec<Known>| {
        let mut groups: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (path, print) in all {
            groups
                .entry(without_numbers(&path))
                .or_default()
                .insert(path, print);
        }
        groups
    };
    let numbered = brought
        .iter()
        .filter(|(path, _)| is_numbered(path))
        .cloned();
    let mut then = groups(old());
    for (path, print) in numbered {
        then.entry(without_numbers(&path))
            .or_default()
            .entry(path)
            .or_insert(print);
    }
    let mut found = HashMap::new();
    for (name, now) in groups(new()) {
        let Some(then) = then.get(&name) else {
            continue;
        };
        if !now.keys().eq(then.keys()) {
            group(then, &now, &mut found);
        }
    }
    found
}

/// The variables of a compilation that stand in something that has but a number.
pub fn numbered(world: &World<'_>, print: &dyn Fn(&str) -> u64) -> Vec<Known> {
    let all = world.paths().filter(|(path, pieces)| {
        let is_variable = !world.is_code(pieces[0]) || is_accessor(world, path, pieces[0]);
        is_variable && is_numbered(path)
    });
    all.map(|(path, _)| (path.to_string(), print(path)))
        .collect()
}

fn is_numbered(path: &str) -> bool {
    path.contains('#')
}

/// A path without the numbers of the closures around a variable. What std's macro makes for a
/// thread-local has numbers of its own.
fn without_numbers(path: &str) -> String {
    let own = ["::{K#", "::{constant#"]
        .iter()
        .filter_map(|start| path.rfind(start))
        .max();
    let (path, own) = path.split_at(own.unwrap_or(path.len()));
    let mut parts = path.split('#');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push('#');
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out + own
}

/// Variables of one name, in closures of one function.
fn group(
    then: &BTreeMap<String, u64>,
    now: &BTreeMap<String, u64>,
    found: &mut HashMap<String, Counterpart>,
) {
    if let (1, Some((was, _)), Some((is, _))) = (
        then.len().max(now.len()),
        then.iter().next(),
        now.iter().next(),
    ) {
        found.insert(is.clone(), Counterpart::Of(was.clone()));
        return;
    }
    let alike = |all: &BTreeMap<String, u64>, print: u64| {
        all.values().filter(|other| **other == print).count()
    };
    let mut rest: Vec<&String> = Vec::new();
    let mut matched = 0;
    for (path, print) in now {
        let was = then.iter().find(|(_, other)| *other == print);
        match was.filter(|_| alike(then, *print) == 1 && alike(now, *print) == 1) {
            Some((was, _)) => {
                matched += 1;
                found.insert(path.clone(), Counterpart::Of(was.clone()));
            }
            None => rest.push(path),
        }
    }
    for path in rest {
        // A new one of a path that the program has would be taken for that one by its symbol.
        let is_new = matched == then.len() && !then.contains_key(path);
        found.insert(
            path.clone(),
            if is_new {
                Counterpart::New
            } else {
                Counterpart::Unclear
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(all: &[(u32, u64)]) -> Vec<Known> {
        all.iter()
            .map(|(number, print)| (format!("app[1]::f::{{closure#{number}}}::N"), *print))
            .collect()
    }

    #[track_caller]
    fn check(old: &[(u32, u64)], new: &[(u32, u64)], expected: &[(u32, Option<Option<u32>>)]) {
        let found = counterparts(&|| known(old), &|| known(new), &[]);
        let path = |number: u32| known(&[(number, 0)]).remove(0).0;
        let expected: HashMap<String, Counterpart> = expected
            .iter()
            .map(|(number, what)| {
                let what = match what {
                    Some(Some(was)) => Counterpart::Of(path(*was)),
                    Some(None) => Counterpart::New,
                    None => Counterpart::Unclear,
                };
                (path(*number), what)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_number_that_shifts() {
        check(&[(0, 7)], &[(0, 7)], &[]);
        check(&[(0, 7)], &[(1, 7)], &[(1, Some(Some(0)))]);
        // With another initial value.
        check(&[(0, 7)], &[(1, 8)], &[(1, Some(Some(0)))]);
        check(&[], &[(1, 8)], &[]);
    }

    #[test]
    fn a_thread_local_in_a_closure() {
        let path = |closure: u32, own: u32| {
            (
                format!("app[1]::f::{{closure#{closure}}}::N::{{K#0}}::{{closure#{own}}}::VAL"),
                7,
            )
        };
        let old = || vec![path(0, 0), path(0, 1)];
        let found = counterparts(&old, &|| vec![path(1, 0), path(1, 1)], &[]);
        let expected = [0, 1].map(|own| (path(1, own).0, Counterpart::Of(path(0, own).0)));
        assert_eq!(found, HashMap::from(expected));
    }

    #[test]
    fn several_of_one_name() {
        let content = [(1, Some(Some(0))), (2, Some(Some(1)))];
        check(&[(0, 7), (1, 8)], &[(1, 7), (2, 8)], &content);
        check(
            &[(0, 7), (1, 7)],
            &[(1, 7), (2, 7)],
            &[(1, None), (2, None)],
        );
        // One more, and one less.
        check(
            &[(0, 7)],
            &[(0, 7), (1, 8)],
            &[(0, Some(Some(0))), (1, Some(None))],
        );
        check(
            &[(0, 7)],
            &[(0, 8), (1, 7)],
            &[(0, None), (1, Some(Some(0)))],
        );
        check(&[(0, 7)], &[(0, 7), (1, 7)], &[(0, None), (1, None)]);
        check(&[(0, 7), (1, 8)], &[(0, 8)], &[(0, Some(Some(1)))]);
        check(&[(0, 7), (1, 8)], &[(0, 9)], &[(0, None)]);
    }
}
