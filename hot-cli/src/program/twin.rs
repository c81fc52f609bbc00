//! The twin of a unit: the crate that plugins are compiled against.
//!
//! It is the running program's crate once more (same name, same metadata, same flags, so that all
//! symbols meet), with everything widened that can be without changing what a name means. Made when
//! it is first needed, from the sources as they were compiled, and kept beside the unit.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use soft_mock_rewriter::analysis::Hidden;
use soft_mock_rewriter::instrument::Output;

use super::harness_id;
use crate::os::files::{below, replace_file};
use crate::os::process::Cancel;
use crate::os::turns::turn;
use crate::rustc::beside::Beside;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::run::{self, first_error};
use crate::rustc::unit::{Unit, UnitKind};
use crate::wrapper::shadow;

/// A twin that plugins can be compiled against.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) metadata: PathBuf,
    /// What could not be widened.
    pub(crate) hidden: Vec<Hidden>,
}

/// What is noted beside a finished twin.
#[derive(Serialize, Deserialize)]
struct Note {
    unit: u64,
    hidden: Vec<(String, bool, Vec<String>)>,
}

/// The twin of the unit in `folder`: a finished one if there is one, or a new one.
pub(crate) fn twin(unit: &Unit, folder: &Path, real_rustc: &Path, cancel: &Cancel) -> Result<Twin> {
    let place = folder.join("twin");
    // Programs that share a crate make its twin one after the other.
    let turn = turn(&place);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let metadata = place.join(format!("lib{}.rmeta", unit.crate_name));
    let note = place.join("twin.json");
    if let Some(known) = read(&note, unit.id).filter(|_| metadata.is_file()) {
        return Ok(Twin {
            metadata,
            hidden: known,
        });
    }
    let shadow_root = place.join("shadow");
    let read_source = |path: &Path| std::fs::read_to_string(below(&folder.join("sources"), path));
    let tree = shadow::tree(unit, &read_source)?;
    let Beside { data, .. } = Beside::compiled(unit, folder)?;
    let rewritten = shadow::write(unit, (&tree, &data), Output::Twin, &shadow_root)?;
    compile(unit, &place, &shadow_root, real_rustc, cancel)?;
    let hidden: Vec<_> = rewritten
        .hidden
        .iter()
        .map(|h| (h.name.clone(), h.field, h.scope.clone()))
        .collect();
    let text = serde_json::to_vec(&Note {
        unit: unit.id,
        hidden,
    })?;
    replace_file(&note, &text)?;
    Ok(Twin {
        metadata,
        hidden: rewritten.hidden,
    })
}

/// A crate that the compiler doesn't take with everything in it public.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the widened twin of `{crate_name}` does not compile: {why}")]
pub(crate) struct NoTwin {
    crate_name: String,
    why: String,
}

fn read(note: &Path, unit: u64) -> Option<Vec<Hidden>> {
    let text = std::fs::read(note).ok()?;
    let note: Note = serde_json::from_slice(&text).ok()?;
    let hidden = note
        .hidden
        .into_iter()
        .map(|(name, field, scope)| Hidden { name, field, scope });
    (note.unit == unit).then(|| hidden.collect())
}

fn compile(
    unit: &Unit,
    place: &Path,
    shadow_root: &Path,
    real_rustc: &Path,
    cancel: &Cancel,
) -> Result<()> {
    let root = below(shadow_root, &unit.root);
    let metadata = match unit.kind {
        UnitKind::Test => harness_id::metadata(unit, place, real_rustc, cancel)?,
        UnitKind::Lib | UnitKind::Bin | UnitKind::Plugin | UnitKind::Macro => {
            unit.library_metadata()
        }
    };
    let args = Call::Twin.args(
        &unit.rustc_args(),
        &Places {
            root: &root.to_string_lossy(),
            out_dir: &place.to_string_lossy(),
            metadata: &metadata,
            shadow: Some((shadow_root, &unit.cwd)),
            ..Places::default()
        },
    );
    let finished = run::run(real_rustc, unit, &args, cancel)?;
    if !finished.success {
        bail!(NoTwin {
            crate_name: unit.crate_name.clone(),
            why: first_error(&finished.stderr),
        });
    }
    let metadata = place.join(format!("lib{}.rmeta", unit.crate_name));
    std::fs::metadata(&metadata)
        .map(drop)
        .with_context(|| format!("rustc wrote no {}", metadata.display()))
}
