//! What a crate is compiled with beside its sources and its arguments: files whose contents are
//! values in it (`include_str!`), and variables of the environment.
//!
//! Copies of the files are compiled, so that it is known what was. Knows nothing of edits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{bail, Context, Result};
use soft_mock_rewriter::syntax::{included_files, CrateTree};

use super::inputs::Role;
use super::unit::Unit;
use crate::os::files::{below, hash_of};

/// What files hold, by their paths.
pub(crate) type DataFiles = BTreeMap<PathBuf, Arc<[u8]>>;

/// Larger files aren't copied, and their edits not patched.
const LENGTH_MAX: u64 = 4 << 20;

/// A unit's in one state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    pub(crate) data: DataFiles,
    /// The variables that aren't those of the unit's record. None: it isn't set.
    pub(crate) variables: BTreeMap<String, Option<String>>,
}

impl Beside {
    /// As the unit was compiled; the copies lie in its `folder`.
    pub(crate) fn compiled(unit: &Unit, folder: &Path) -> Result<Self> {
        let sources = folder.join("sources");
        let files = unit.inputs.iter();
        let data = files.filter(|(_, input)| input.role == Role::Data);
        let data = data.map(|(path, input)| {
            let copy = below(&sources, path);
            let bytes =
                std::fs::read(&copy).with_context(|| format!("can't read {}", copy.display()))?;
            if hash_of(&bytes) != input.hash {
                bail!("crate `{}` was built again", unit.crate_name);
            }
            Ok((path.clone(), bytes.into()))
        });
        Ok(Self {
            data: data.collect::<Result<_>>()?,
            variables: BTreeMap::new(),
        })
    }

    /// The unit with these variables.
    pub(crate) fn unit(&self, unit: &Unit) -> Unit {
        let mut unit = unit.clone();
        for (name, value) in &self.variables {
            match value {
                Some(value) => unit.env.insert(name.clone(), value.clone()),
                None => unit.env.remove(name),
            };
        }
        unit
    }
}

/// The files of a crate that can be values in it, as they are now.
pub(crate) fn data_files(tree: &CrateTree) -> DataFiles {
    let named = included_files(tree).into_iter();
    // What can't be read is the compiler's to complain about.
    let files = named.filter_map(|path| Some((data(&path)?, path)));
    files.map(|(bytes, path)| (path, bytes)).collect()
}

/// What such a file holds.
pub(crate) fn data(path: &Path) -> Option<Arc<[u8]>> {
    let is_small = path.metadata().ok()?.len() <= LENGTH_MAX;
    // Code may stand in it as well.
    let is_source = path.extension().is_some_and(|extension| extension == "rs");
    (is_small && !is_source).then(|| std::fs::read(path).ok().map(Into::into))?
}
