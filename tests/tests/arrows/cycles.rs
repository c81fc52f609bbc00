//! Ways back among arrows. Knows nothing of where they come from.

use std::collections::BTreeSet;

use crate::arrows::{Arrows, Place};

/// An arrow: from a module to another one, and where it stands.
pub(crate) type Arrow = (String, String, Place);

/// Arrows that lead from a module back to itself, the closing one last. None, if there is no such
/// way.
pub(crate) fn first(arrows: &Arrows) -> Option<Vec<Arrow>> {
    let mut done = BTreeSet::new();
    arrows
        .keys()
        .find_map(|start| back(arrows, start, &mut Vec::new(), &mut done))
}

/// Goes on from `at`, which `way` has led to.
fn back(
    arrows: &Arrows,
    at: &str,
    way: &mut Vec<Arrow>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<Arrow>> {
    if done.contains(at) {
        return None;
    }
    for (to, place) in arrows.get(at).into_iter().flatten() {
        way.push((at.to_owned(), to.clone(), place.clone()));
        if let Some(start) = way.iter().position(|(from, _, _)| from == to) {
            return Some(way.split_off(start));
        }
        if let Some(found) = back(arrows, to, way, done) {
            return Some(found);
        }
        way.pop();
    }
    done.insert(at.to_owned());
    None
}

/// A cycle as a person reads it.
pub(crate) fn described(cycle: &[Arrow]) -> String {
    let line = |(from, to, place): &Arrow| {
        format!("{}:{}: {from} -> {to}", place.file.display(), place.line)
    };
    let lines: Vec<String> = cycle.iter().map(line).collect();
    let (closing, rest) = lines.split_last().expect("a cycle has arrows");
    let rest: String = rest.iter().map(|line| format!("\n  {line}")).collect();
    format!("{closing}\n  closes a circle:{rest}")
}
