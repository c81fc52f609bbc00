//! Repeating a unit's rustc call for our own purposes.

use std::path::Path;

use anyhow::Result;

use super::args::RustcArgs;
use super::recipe::environment;
use super::unit::Unit;
use crate::os::process::{Cancel, Cancelled, Process};

/// How a compiler ended.
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) stderr: String,
}

/// Runs the unit's compiler with other arguments, in the unit's folder and environment.
pub(crate) fn run(
    rustc: &Path,
    unit: &Unit,
    args: &RustcArgs,
    cancel: &Cancel,
) -> Result<Finished> {
    let mut process = Process::new(rustc)
        .args(&args.all)
        .folder(&unit.cwd)
        .environment(environment(unit));
    let output = process.output_unless(cancel)?.ok_or(Cancelled)?;
    Ok(Finished {
        success: output.status.success(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The first line of rustc's output that names an error, and where it is.
pub(crate) fn first_error(stderr: &str) -> String {
    let mut lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    let what = lines.next().unwrap_or("rustc failed");
    match lines
        .next()
        .filter(|line| line.trim_start().starts_with("-->"))
    {
        Some(place) => format!("{what} {}", place.trim()),
        None => what.to_owned(),
    }
}
