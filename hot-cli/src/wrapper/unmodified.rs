//! Which crates of a program are compiled as they are: by the records of what it is linked with,
//! and of what that is.
//!
//! Knows nothing of what follows from it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::rustc::args::RustcArgs;
use crate::rustc::unit::{Unit, UnitKind, NOT_INCLUDED};

/// How long a reason is to be.
const LENGTH: usize = 200;

/// A crate that was to be rewritten and wasn't.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Unmodified {
    pub(super) name: String,
    /// In one line.
    pub(super) reason: String,
    pub(super) library: PathBuf,
}

/// All in a program whose root is compiled by this call.
pub(super) fn of(args: &RustcArgs) -> Vec<Unmodified> {
    let libraries = |args: &RustcArgs| -> Vec<PathBuf> {
        args.externs().map(|(_, path)| path.to_owned()).collect()
    };
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut open = libraries(args);
    while let Some(library) = open.pop() {
        let folder = Unit::of_library(&library).filter(|folder| seen.insert(folder.clone()));
        let Some(unit) = folder.and_then(|folder| Unit::read(&folder).ok()) else {
            continue;
        };
        open.extend(libraries(&unit.rustc_args()));
        let reason = unit.unmodified.as_deref();
        if let (UnitKind::Lib, Some(reason)) =
            (unit.kind, reason.filter(|why| *why != NOT_INCLUDED))
        {
            found.push(Unmodified {
                reason: line(reason),
                library: with_code(&library),
                name: unit.crate_name,
            });
        }
    }
    found
}

/// The file with the code: a crate may have been compiled against what says only what it is.
fn with_code(library: &Path) -> PathBuf {
    let code = library.with_extension("rlib");
    match code.is_file() {
        true => code,
        false => library.to_owned(),
    }
}

fn line(reason: &str) -> String {
    let first = reason.lines().next().unwrap_or_default();
    first.replace('\t', " ").chars().take(LENGTH).collect()
}
