//! What a patch stands on: the records of the running program, its compiler, and what earlier
//! patches have left in it.
//!
//! Knows nothing of how plugins are made.

use super::build::{BuildError, Job};
use crate::program::left_behind::Edited;
use crate::program::plan::Rude;

/// Whether the records are those of the running program, and the compiler that of the records.
pub(super) fn still_built_so(job: &Job) -> Result<(), BuildError> {
    let outdated = || {
        let name = job.program.outdated()?;
        Some(format!(
            "crate `{name}` was built again after the program was started"
        ))
    };
    let Some(why) = outdated().or_else(|| job.program.other_compiler()) else {
        return Ok(());
    };
    let first = job.wanted.bodies.values().next();
    let first = first.map(|function| (&function.file, function.line));
    let mut edits = job.wanted.indirect.iter();
    let first = first.or_else(|| edits.next().map(|edit| (&edit.file, edit.line)));
    let rude = first.map(|(file, line)| Rude {
        file: file.clone(),
        line,
        why,
    });
    match rude {
        Some(rude) => Err(BuildError::Rude(vec![rude])),
        // Only bodies that are in the program already are to be given back.
        None => Ok(()),
    }
}

/// Why functions can't get their original bodies again: an earlier patch has left code that would
/// not be the original.
pub(super) fn no_way_back(job: &Job) -> Option<Rude> {
    let units = job.wanted.plan.values();
    let restored = units.flat_map(|unit| &unit.restore);
    let mut restored = restored.filter(|function| function.brought.is_none());
    let first = restored.next()?;
    let now = Edited::of(&job.wanted);
    let mut left = job.wanted.left.iter();
    let why = left.find_map(|left| left.no_way_back(&now))?;
    Some(Rude {
        file: first.file.clone(),
        line: first.line,
        why: format!("undone: {why}"),
    })
}
