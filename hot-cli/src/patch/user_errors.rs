//! The user's own sources, checked as rustc would check them: what decides whether an edit that
//! could not be built is the user's error, and what is shown if it is.

use anyhow::{Context, Result};

use crate::program::{LoadedUnit, Program};
use crate::rustc::run::{self, Cancel};

/// Compiles the crate as it is now, without writing anything of use. Returns rustc's errors, if any,
/// as rustc prints them.
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
    let mut args = call.compile_flags();
    let input = call.input().context("the record names no root file")?;
    args.push(&[input, "--crate-name", &unit.crate_name]);
    args.push(&[
        "--crate-type",
        call.crate_types().first().copied().unwrap_or("lib"),
    ]);
    args.push(&["--emit=metadata", "--out-dir", &place.to_string_lossy()]);
    let incremental = format!("incremental={}", place.join("incremental").display());
    args.push(&["-C", &incremental, "--cap-lints", "allow"]);
    if let Some(metadata) = call.codegen("metadata") {
        args.push(&["-C", &format!("metadata={metadata}")]);
    }
    args.push(&["--color", if coloured { "always" } else { "never" }]);
    let finished = run::run(&program.rustc, unit, &args, cancel)?;
    Ok((!finished.success).then_some(finished.stderr))
}
