//! The names in the sources of all units, as the program was built or as they are now.
//!
//! Knows nothing of what they are asked for.

use std::cell::OnceCell;

use soft_mock_rewriter::syntax::SourceNames;

use super::Request;
use crate::wrapper::shadow;

/// Read when somebody asks for the first time.
pub(super) struct Names<'a> {
    request: &'a Request<'a>,
    /// As they are now.
    now: bool,
    /// None: they can't be read.
    found: OnceCell<Option<SourceNames>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(request: &'a Request<'a>, now: bool) -> Self {
        Self {
            request,
            now,
            found: OnceCell::new(),
        }
    }

    /// Whether anything may have this name.
    pub(super) fn may_have(&self, name: &str) -> bool {
        self.found().is_none_or(|found| found.has(name))
    }

    /// Whether a type is declared by this name.
    pub(super) fn has_type(&self, name: &str) -> bool {
        self.found().is_some_and(|found| found.has_type(name))
    }

    fn found(&self) -> Option<&SourceNames> {
        self.found.get_or_init(|| self.read()).as_ref()
    }

    fn read(&self) -> Option<SourceNames> {
        let mut found = SourceNames::default();
        for unit in self.request.units {
            let edited = unit.edited.filter(|_| self.now);
            let read = edited.unwrap_or(unit.compiled);
            let tree = shadow::tree(unit.unit, read.read).ok()?;
            if !tree.errors.is_empty() {
                return None;
            }
            found.add(&tree);
        }
        Some(found)
    }
}
