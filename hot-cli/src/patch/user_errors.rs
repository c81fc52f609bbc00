//! The user's own sources, checked as rustc would check them: what decides whether an edit that
//! could not be built is the user's error, and what is shown if it is.

use std::path::Path;

use anyhow::{Context, Result};

use crate::os::process::Cancel;
use crate::program::{LoadedUnit, Program};
use crate::rustc::recipe::{Call, Places};
use crate::rustc::{diagnostics, run};
use crate::ui::{shown, CompilerOutput};

/// Compiles the crate as it is now, without writing anything of use. Returns what rustc says, if
/// it refuses it.
pub(crate) fn errors(
    program: &Program,
    loaded: &LoadedUnit,
    coloured: bool,
    cancel: &Cancel,
) -> Result<Option<CompilerOutput>> {
    let unit = &loaded.unit;
    let call = unit.rustc_args();
    let place = loaded.folder.join("check");
    std::fs::create_dir_all(&place).with_context(|| format!("can't create {}", place.display()))?;
    let mut args = Call::Check.args(
        &call,
        &Places {
            root: call.input().context("the record names no root file")?,
            crate_type: call.crate_types().first().copied().unwrap_or("lib"),
            out_dir: &place.to_string_lossy(),
            incremental: &place.join("incremental").to_string_lossy(),
            ..Places::default()
        },
    );
    args.push(diagnostics::arguments(coloured));
    let finished = run::run(&program.rustc, unit, &args, cancel)?;
    Ok((!finished.success).then(|| diagnostics::read(&finished.stderr, &unit.cwd)))
}

/// What rustc says of a file that can't be parsed; nothing if it has nothing to say of it.
pub(crate) fn of_file(
    program: &Program,
    file: &Path,
    coloured: bool,
    cancel: &Cancel,
) -> Result<Option<CompilerOutput>> {
    let units = program.units.iter();
    let holds = |loaded: &&LoadedUnit| loaded.files.contains_key(file);
    let mut asked: Vec<&LoadedUnit> = units.clone().filter(holds).collect();
    if asked.is_empty() {
        // A new module: it isn't known whose.
        asked = units.collect();
    }
    let name = shown(file);
    for loaded in asked {
        let said = errors(program, loaded, coloured, cancel)?;
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
