//! With which metadata the twin of a test harness is compiled: one with which its crate's id is as
//! long in symbols as that of the harness, since the one has to take the other's place there (see
//! `soft_mock_compiled::crate_id`).
//!
//! An id is a number that rustc makes of the crate's name, its metadata and whether it is an
//! executable. How, only rustc knows: so it is asked, with an empty crate. Knows nothing of twins.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use soft_mock_compiled::crate_id;

use crate::os::files::replace_file;
use crate::os::process::Cancel;
use crate::rustc::args::RustcArgs;
use crate::rustc::run::{self, first_error};
use crate::rustc::unit::Unit;

/// More than are ever needed: the rarer length is that of one id in twenty-two.
const SALTS: u32 = 200;

/// The metadata. `place` is a folder of the twin's.
pub(super) fn metadata(unit: &Unit, place: &Path, rustc: &Path, cancel: &Cancel) -> Result<String> {
    let own = unit.library_metadata();
    let length =
        |crate_type: &str, metadata: &str| length(unit, place, rustc, cancel, crate_type, metadata);
    let wanted = length("bin", &own)?;
    let salted = (0..SALTS).map(|salt| format!("{own}t{salt}"));
    for metadata in std::iter::once(own.clone()).chain(salted) {
        if length("lib", &metadata)? == wanted {
            return Ok(metadata);
        }
    }
    // Who needs the length says that it is another one.
    Ok(own)
}

/// How long the id is.
fn length(
    unit: &Unit,
    place: &Path,
    rustc: &Path,
    cancel: &Cancel,
    crate_type: &str,
    metadata: &str,
) -> Result<usize> {
    let folder = place.join("id");
    let (root, object) = (folder.join("empty.rs"), folder.join("empty.o"));
    replace_file(&root, b"pub fn main() {}\n")?;
    let args = [
        format!("--crate-name={}", unit.crate_name),
        format!("--crate-type={crate_type}"),
        format!("--emit=obj={}", object.display()),
        // What rustc needs for a moment goes there too.
        format!("--out-dir={}", folder.display()),
        format!("-Cmetadata={metadata}"),
        "-Csymbol-mangling-version=v0".to_owned(),
        root.to_string_lossy().into_owned(),
    ];
    let finished = run::run(rustc, unit, &RustcArgs::new(args.to_vec()), cancel)?;
    ensure!(finished.success, "{}", first_error(&finished.stderr));
    let failed = || format!("can't read {}", object.display());
    let bytes = std::fs::read(&object).with_context(failed)?;
    let id = crate_id::of_object(&bytes, &unit.crate_name).with_context(failed)?;
    Ok(id.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rustc::toolchain;

    #[test]
    fn the_id_of_a_twin_is_as_long_as_that_of_its_harness() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path();
        // One in eleven has another length without salt.
        for number in 0..12 {
            let unit: Unit = serde_json::from_value(serde_json::json!({
                "crate_name": "shelf", "kind": "test", "id": 1, "rustc": "rustc", "chained": null,
                "version": "", "args": [format!("-Cmetadata={number}")], "cwd": place,
                "env": { "PATH": std::env::var("PATH").expect("there is one") },
                "root": place.join("lib.rs"), "sources": [], "inputs": {}, "untyped": [],
                "without": [], "unmodified": null, "optimisation_differs": false,
            }))
            .expect("a record");
            let rustc = toolchain::real_rustc(&unit.rustc, &std::env::vars().collect(), place);
            let rustc = rustc.expect("a compiler");
            let salted = metadata(&unit, place, &rustc, &Cancel::default()).expect("metadata");
            let id = |crate_type: &str, metadata: &str| {
                length(
                    &unit,
                    place,
                    &rustc,
                    &Cancel::default(),
                    crate_type,
                    metadata,
                )
            };
            let harness = id("bin", &unit.library_metadata()).expect("an id");
            assert_eq!(id("lib", &salted).expect("an id"), harness, "{salted}");
        }
    }
}
