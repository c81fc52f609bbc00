//! The modules of a room have no circles: read from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOMS: [&str; 6] = [
    "syntax",
    "analysis",
    "instrument",
    "diff",
    "patch_source",
    "whole_crate",
];

/// A module of a room: `syntax::tree`. What is inside of it belongs to it.
type Place = (String, String);

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if !path.ends_with("tests.rs")
            && !path.components().any(|c| c.as_os_str() == "tests")
        {
            found.push(path);
        }
    }
}

/// What each module refers to by `crate::room::module` or `super::module`.
fn arrows() -> BTreeMap<Place, BTreeSet<Place>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    let mut arrows: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    for path in paths {
        let inner = path
            .strip_prefix(&source)
            .expect("a source")
            .with_extension("");
        let names: Vec<String> = inner
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        let [room, module, ..] = names.as_slice() else {
            continue;
        };
        let text = fs::read_to_string(&path).expect("a text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let known = arrows.entry((room.clone(), module.clone())).or_default();
        for line in code {
            for reference in line.split("crate::").skip(1) {
                let mut parts = reference.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                let (to, inner) = (
                    parts.next().unwrap_or_default(),
                    parts.nth(1).unwrap_or_default(),
                );
                if ROOMS.contains(&to) {
                    known.insert((to.to_owned(), inner.to_owned()));
                }
            }
            if names.len() == 2 {
                for reference in line.split("super::").skip(1) {
                    let to = reference.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                    let to = to.into_iter().next().unwrap_or_default();
                    known.insert((room.clone(), to.to_owned()));
                }
            }
        }
    }
    arrows
}

#[test]
fn modules_of_a_room_have_no_circles() {
    let arrows = arrows();
    let mut left: BTreeMap<&Place, BTreeSet<&Place>> = BTreeMap::new();
    for (from, known) in &arrows {
        let inside = |to: &&Place| to.0 == from.0 && *to != from && arrows.contains_key(*to);
        left.insert(from, known.iter().filter(inside).collect());
    }
    // Whatever refers to nothing that is left can't be in a circle.
    loop {
        let free: Vec<&Place> = left
            .iter()
            .filter(|(_, known)| known.iter().all(|to| !left.contains_key(to)))
            .map(|(from, _)| *from)
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|from, _| !free.contains(from));
    }
    let circle: Vec<String> = left
        .iter()
        .map(|(from, known)| format!("{from:?} refers to {known:?}"))
        .collect();
    assert!(circle.is_empty(), "{circle:#?}");
}
