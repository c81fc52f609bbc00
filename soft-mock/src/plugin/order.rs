//! The order of plugins: each after all that it imports, by name where that leaves a choice.

use std::collections::BTreeMap;

use super::error::PluginError;

/// The names in order.
///
/// # Errors
/// A cycle, named from its smallest member on.
pub(crate) fn order(
    dependencies: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<String>, PluginError> {
    let mut ordered: Vec<String> = Vec::with_capacity(dependencies.len());
    while ordered.len() < dependencies.len() {
        let is_ready = |(name, needs): &(&String, &Vec<String>)| {
            !ordered.contains(name)
                && needs
                    .iter()
                    .all(|need| ordered.contains(need) || !dependencies.contains_key(need))
        };
        match dependencies.iter().find(is_ready) {
            Some((name, _)) => ordered.push(name.clone()),
            None => {
                return Err(PluginError::Cycle {
                    path: cycle(dependencies, &ordered),
                })
            }
        }
    }
    Ok(ordered)
}

/// One cycle among those that are not `done`: there is one, since each of them needs another of
/// them.
fn cycle(dependencies: &BTreeMap<String, Vec<String>>, done: &[String]) -> Vec<String> {
    let mut path: Vec<&String> = Vec::new();
    let mut next = dependencies.keys().find(|name| !done.contains(name));
    while let Some(name) = next {
        if let Some(start) = path.iter().position(|seen| *seen == name) {
            return from_smallest(&path[start..]);
        }
        path.push(name);
        let needs = dependencies.get(name).into_iter().flatten();
        next = needs
            .filter(|need| !done.contains(need) && dependencies.contains_key(*need))
            .min();
    }
    path.into_iter().cloned().collect()
}

fn from_smallest(members: &[&String]) -> Vec<String> {
    let start = (0..members.len())
        .min_by_key(|index| members[*index])
        .unwrap_or(0);
    let around = members.iter().cycle().skip(start).take(members.len() + 1);
    around.map(|name| (*name).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(lines: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        lines
            .iter()
            .map(|(name, needs)| ((*name).to_owned(), owned(needs)))
            .collect()
    }

    #[test]
    fn dependencies_come_first_and_names_decide_the_rest() {
        let ordered = order(&graph(&[
            ("a", &["c"]),
            ("b", &[]),
            ("c", &["d"]),
            ("d", &[]),
        ]))
        .expect("an order");
        assert_eq!(ordered, ["b", "d", "c", "a"]);
    }

    #[test]
    fn cycles_are_printed_from_their_smallest_member() {
        let check = |lines: &[(&str, &[&str])], expected: &str| {
            let error = order(&graph(lines)).expect_err("a cycle").to_string();
            assert!(error.ends_with(expected), "{error}");
        };
        check(&[("x", &["x"])], ": x -> x");
        check(
            &[("a", &["c"]), ("c", &["b"]), ("b", &["c"])],
            ": b -> c -> b",
        );
        check(
            &[("c", &["a"]), ("a", &["b"]), ("b", &["c"]), ("d", &[])],
            ": a -> b -> c -> a",
        );
    }
}
