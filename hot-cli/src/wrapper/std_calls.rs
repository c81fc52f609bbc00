//! Leads a compiled crate's own code to what stands in for functions of std, so that a test can
//! mock them: in the library that rustc wrote, or in the objects that it hands to the linker of a
//! test program.
//!
//! Where that isn't possible the objects stay as they are. They say so themselves, and a mock of
//! such a function is refused.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use soft_mock_compiled::objects;
use soft_mock_compiled::std_calls::{self, archive};
use soft_mock_rewriter::analysis::FunctionInfo;

use super::unmodified::{self, Unmodified};
use crate::os::files::replace_file;
use crate::rustc::args::RustcArgs;
use crate::rustc::unit::{records, Unit, UnitKind};

/// What has to be known of a crate beside its objects.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Surroundings {
    /// The names of all crates whose functions of std can be mocked, or should be.
    crates: HashSet<String>,
    /// The crate is a program's root.
    is_root: bool,
    /// Of a whole program, the crates that aren't rewritten.
    unmodified: Vec<Unmodified>,
    /// The compiler puts functions into others.
    optimised: bool,
    /// Where its functions are.
    places: HashMap<String, String>,
}

impl Surroundings {
    /// `out_dir`: where cargo has libraries put.
    pub(super) fn new(
        args: &RustcArgs,
        unit: &Unit,
        out_dir: &Path,
        functions: &[FunctionInfo],
    ) -> Self {
        let mut crates = rewritten(out_dir);
        crates.insert(unit.crate_name.clone());
        // Only now have all others been compiled.
        let is_root = unit.kind == UnitKind::Test;
        let unmodified = match is_root {
            true => unmodified::of(args),
            false => Vec::new(),
        };
        crates.extend(unmodified.iter().map(|other| other.name.clone()));
        let place = |function: &FunctionInfo| {
            let path = function.path.strip_prefix(&unit.cwd);
            let path = path.unwrap_or(&function.path).display();
            (function.name.clone(), format!("{path}:{}", function.line))
        };
        Self {
            crates,
            is_root,
            unmodified,
            optimised: args.is_optimised(),
            places: functions.iter().map(place).collect(),
        }
    }

    /// Turns the references of the crate's objects.
    fn turned(&self, objects: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>> {
        let read = |other: &Unmodified| std::fs::read(&other.library).unwrap_or_default();
        let others: Vec<Vec<u8>> = self.unmodified.iter().map(read).collect();
        let unmodified = self.unmodified.iter().zip(&others);
        let unmodified = unmodified.map(|(other, bytes)| std_calls::Unmodified {
            name: &other.name,
            reason: &other.reason,
            objects: objects::places(bytes)
                .ok()
                .map(|ranges| ranges.into_iter().map(|range| &bytes[range]).collect()),
        });
        let program = std_calls::Program {
            crates: &self.crates,
            is_root: self.is_root,
            unmodified: &unmodified.collect::<Vec<_>>(),
            optimised: self.optimised,
            place: &|path| self.place(path),
        };
        std_calls::redirect(objects, &program)
    }

    /// Where code is, given the path of the function around it.
    fn place(&self, path: &str) -> String {
        if path.is_empty() {
            return "a table".to_owned();
        }
        let function = path.split("::{").next().unwrap_or(path);
        let plain = function.replace(['<', '>'], "");
        let known = self
            .places
            .get(function)
            .or_else(|| self.places.get(&plain));
        match known {
            Some(place) => format!("`{plain}` ({place})"),
            None => format!("`{function}`"),
        }
    }
}

/// The crates whose shadow tree stands in the records: their generic functions are compiled where
/// they are used. It is there before they are compiled, as cargo doesn't wait for their code.
fn rewritten(out_dir: &Path) -> HashSet<String> {
    let folder = records(out_dir.parent().unwrap_or(out_dir));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().join("shadow").is_dir())
        .filter_map(|entry| {
            let stem = entry.file_name().into_string().ok()?;
            Some(stem.rsplit_once('-')?.0.to_owned())
        })
        .collect()
}

/// Turns the references in what a library holds. Says whether any changed.
pub(super) fn in_library(library: &Path, bytes: &mut Vec<u8>, around: &Surroundings) -> bool {
    match turn_library(bytes, around) {
        Ok(changed) => changed,
        Err(error) => {
            eprintln!(
                "hot: functions of std can't be mocked in {}: {error:#}",
                library.display()
            );
            false
        }
    }
}

fn turn_library(bytes: &mut Vec<u8>, surroundings: &Surroundings) -> Result<bool> {
    let ranges = objects::places(bytes)?;
    let objects: Vec<&[u8]> = ranges.iter().map(|range| &bytes[range.clone()]).collect();
    let changed = surroundings.turned(&objects)?;
    let members: HashMap<usize, Vec<u8>> = ranges
        .iter()
        .zip(changed)
        .filter_map(|(range, changed)| Some((range.start, changed?)))
        .collect();
    if !members.is_empty() {
        *bytes = archive::replaced(bytes, &members)?;
    }
    Ok(!members.is_empty())
}

/// Turns the references in objects. Those that change are written anew into `folder`: rustc's own
/// are part of its cache. Returns which file to take for each.
pub(super) fn in_objects(
    objects: &[PathBuf],
    folder: &Path,
    surroundings: &Surroundings,
) -> Result<Vec<PathBuf>> {
    let read = |path: &PathBuf| {
        std::fs::read(path).with_context(|| format!("can't read {}", path.display()))
    };
    let bytes: Vec<Vec<u8>> = objects.iter().map(read).collect::<Result<_>>()?;
    let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    let changed = surroundings.turned(&slices)?;
    let mut files = Vec::new();
    for (path, changed) in objects.iter().zip(changed) {
        files.push(match (changed, path.file_name()) {
            (Some(bytes), Some(name)) => {
                let file = folder.join(name);
                replace_file(&file, &bytes)?;
                file
            }
            _ => path.clone(),
        });
    }
    Ok(files)
}
