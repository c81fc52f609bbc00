//! The user's own sources, checked as rustc would check them: what decides whether an edit that
//! could not be built is the user's error, and what is shown if it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::os::process::Cancel;
use crate::program::Program;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::{diagnostics, run};
use crate::ui::{shown, CompilerOutput};

/// Compiles the crate as it is now, without writing anything of use. Returns what rustc says, if
/// it refuses it.
///
/// As the user's own build would, it is compiled against the crates that it uses as those are now:
/// `edited` are the units of which more than bodies was edited.
pub(crate) fn errors(
    program: &Program,
    position: usize,
    edited: &BTreeSet<usize>,
    coloured: bool,
    cancel: &Cancel,
) -> Result<Option<CompilerOutput>> {
    let other = edited.iter().flat_map(|unit| program.with_users(*unit));
    let mut check = Check {
        program,
        other: other.collect(),
        coloured,
        cancel,
        made: BTreeMap::new(),
    };
    check.unit(position)
}

/// Checks of a crate, and of those before it on which it depends.
struct Check<'a> {
    program: &'a Program,
    /// The units whose libraries aren't those that the program was built from.
    other: BTreeSet<usize>,
    coloured: bool,
    cancel: &'a Cancel,
    /// What was made of them, by the stems of the libraries that it takes the place of.
    made: BTreeMap<String, PathBuf>,
}

impl Check<'_> {
    fn unit(&mut self, position: usize) -> Result<Option<CompilerOutput>> {
        // Crates don't use each other in circles; were it so, this ends it.
        self.other.remove(&position);
        for used in self.program.used_by(position) {
            if self.other.contains(&used) {
                if let Some(errors) = self.unit(used)? {
                    return Ok(Some(errors));
                }
            }
        }
        let loaded = &self.program.units[position];
        let unit = &loaded.unit;
        let call = unit.rustc_args();
        let place = loaded.folder.join("check");
        std::fs::create_dir_all(&place)
            .with_context(|| format!("can't create {}", place.display()))?;
        let mut args = Call::Check.args(
            &call.with_libraries(&self.made),
            &Places {
                root: call.input().context("the record names no root file")?,
                crate_type: call.crate_types().first().copied().unwrap_or("lib"),
                out_dir: &place.to_string_lossy(),
                incremental: &place.join("incremental").to_string_lossy(),
                ..Places::default()
            },
        );
        args.push(diagnostics::arguments(self.coloured));
        let finished = run::run(&self.program.rustc, unit, &args, self.cancel)?;
        if !finished.success {
            return Ok(Some(diagnostics::read(&finished.stderr, &unit.cwd)));
        }
        if let Some(stem) = call.stem() {
            let metadata = place.join(format!("lib{}.rmeta", unit.crate_name));
            self.made.insert(stem, metadata);
        }
        Ok(None)
    }
}

/// What rustc says of a file that can't be parsed; nothing if it has nothing to say of it.
pub(crate) fn of_file(
    program: &Program,
    file: &Path,
    coloured: bool,
    cancel: &Cancel,
) -> Result<Option<CompilerOutput>> {
    let units = 0..program.units.len();
    let holds = |unit: &usize| program.units[*unit].files.contains_key(file);
    let mut asked: Vec<usize> = units.clone().filter(holds).collect();
    if asked.is_empty() {
        // A new module: it isn't known whose.
        asked = units.collect();
    }
    let name = shown(file);
    for unit in asked {
        let said = errors(program, unit, &BTreeSet::new(), coloured, cancel)?;
        let is_about = |said: &CompilerOutput| {
            let mut spans = said.diagnostics.iter().flat_map(|one| &one.spans);
            spans.any(|span| span.file == name)
        };
        if let Some(said) = said.filter(is_about) {
            return Ok(Some(said));
        }
    }
    Ok(None)
}
