//! What is compiled against the twin of a test harness, and has to meet the harness.
//!
//! The twin is a library and the harness an executable: rustc gives them other ids, and so other
//! symbols. Knows nothing of what stands in the object.

use std::path::Path;

use anyhow::{Context, Result};
use soft_mock_compiled::crate_id;

use crate::os::files::replace_file;
use crate::program::Program;
use crate::rustc::unit::Unit;

/// Has an object refer to the harness. Why not, if it can't be had.
pub(super) fn meet(object: &Path, unit: &Unit, program: &Program) -> Result<Option<String>> {
    if unit.rustc_args().is_optimised() {
        let why = "optimised code may hold ids of types, which are others in a test harness";
        return Ok(Some(why.to_owned()));
    }
    let symbols = program.symbols()?.defined.iter().map(String::as_str);
    let id = match crate_id::of_program(symbols, &unit.crate_name) {
        Ok(id) => id,
        Err(why) => return Ok(Some(why.to_string())),
    };
    let failed = || format!("can't read {}", object.display());
    let mut bytes = std::fs::read(object).with_context(failed)?;
    let refused = crate_id::rename(&mut bytes, &unit.crate_name, &id).with_context(failed)?;
    if refused.is_none() {
        replace_file(object, &bytes)?;
    }
    Ok(refused)
}
