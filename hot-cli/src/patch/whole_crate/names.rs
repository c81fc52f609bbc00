//! The names in the sources of all units, as the program was built or as they are now.
//!
//! Knows nothing of what they are asked for.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use soft_mock_rewriter::syntax::SourceNames;

use super::units::Built;
use super::{Request, UnitSources};
use crate::wrapper::shadow;

/// Read when somebody asks for the first time.
pub(super) struct Names<'a> {
    request: &'a Request<'a>,
    /// What was compiled of it. None: they are to be those of the program as it was built.
    built: Option<&'a Built>,
    /// Those of each unit. None: they can't be read.
    found: OnceCell<Option<Vec<Arc<SourceNames>>>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(request: &'a Request<'a>, built: Option<&'a Built>) -> Self {
        Self {
            request,
            built,
            found: OnceCell::new(),
        }
    }

    /// Whether anything may have this name.
    pub(super) fn may_have(&self, name: &str) -> bool {
        let found = self.found();
        found.is_none_or(|all| all.iter().any(|found| found.has(name)))
    }

    /// Whether a type is declared by this name.
    pub(super) fn has_type(&self, name: &str) -> bool {
        let found = self.found();
        found.is_some_and(|all| all.iter().any(|found| found.has_type(name)))
    }

    fn found(&self) -> Option<&Vec<Arc<SourceNames>>> {
        self.found.get_or_init(|| self.read()).as_ref()
    }

    fn read(&self) -> Option<Vec<Arc<SourceNames>>> {
        let units = self.request.units.iter().enumerate();
        let names = units.map(|(position, unit)| {
            let compiled = self.built.and_then(|built| built.compiled.get(&position));
            match compiled {
                Some(compiled) => Some(Arc::clone(&compiled.names)),
                None => as_built(unit),
            }
        });
        names.collect()
    }
}

/// What identifies a build of a unit, and the names.
type Known = (u64, Arc<SourceNames>);

/// Those of units as they were built into programs, by the units' folders: to read the sources
/// takes longer than anything else that most patches need.
static AS_BUILT: Mutex<BTreeMap<PathBuf, Known>> = Mutex::new(BTreeMap::new());

/// Reads them ahead.
pub(super) fn prepare(request: &Request<'_>) {
    for unit in request.units {
        as_built(unit);
    }
}

fn as_built(unit: &UnitSources<'_>) -> Option<Arc<SourceNames>> {
    let mut known = AS_BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let id = unit.unit.id;
    let last = known.get(unit.folder).filter(|(last, _)| *last == id);
    if let Some((_, names)) = last {
        return Some(Arc::clone(names));
    }
    let tree = shadow::tree(unit.unit, unit.compiled.read).ok()?;
    if !tree.errors.is_empty() {
        return None;
    }
    let mut names = SourceNames::default();
    names.add(&tree);
    let names = Arc::new(names);
    known.insert(unit.folder.to_owned(), (id, Arc::clone(&names)));
    Some(names)
}
