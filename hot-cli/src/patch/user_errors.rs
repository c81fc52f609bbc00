//! The user's own sources, checked as rustc would check them: what decides whether an edit that
//! could not be built is the user's error, and what is shown if it is.

use anyhow::{Context, Result};

use crate::os::process::Cancel;
use crate::program::{LoadedUnit, Program};
use crate::rustc::recipe::{Call, Places};
use crate::rustc::run;

/// Compiles the crate as it is now, without writing anything of use. Returns rustc's errors, if
/// any, as rustc prints them.
pub(crate) fn errors(
    program: &Program,
    loaded: &LoadedUnit,
    coloured: bool,
    cancel: &Cancel,
) -> Result<Option<String>> {
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
    args.push(&["--color", if coloured { "always" } else { "never" }]);
    let finished = run::run(&program.rustc, unit, &args, cancel)?;
    Ok((!finished.success).then_some(finished.stderr))
}
