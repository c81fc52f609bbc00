//! A plugin that was made from whole crates: what it replaces, and what it leaves in the program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use soft_mock_compiled::debug_info::Library;
use soft_mock_compiled::select::NewStatic;
use soft_mock_compiled::symbols::without_marks;

/// A function that a plugin replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// The name of its site.
    pub(crate) name: String,
    /// Where it stands now.
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
}

/// A plugin that was built.
#[derive(Debug, Clone)]
pub(crate) struct WholeCratePlugin {
    /// The position of its unit in the request.
    pub(crate) position: usize,
    pub(crate) path: PathBuf,
    /// May be empty: it then only brings statics that the next ones use.
    pub(crate) functions: Vec<Replaced>,
    /// The name by which other plugins refer to it.
    pub(crate) statics: Vec<NewStatic>,
    /// Code that objects may lead to from now on.
    pub(crate) left: BTreeMap<String, u64>,
    /// Types and variables of the compilation that it was taken from.
    pub(crate) layouts: Vec<Library>,
    /// Stands for the code and data in it: two with the same do the same.
    pub(crate) content: u64,
}

impl WholeCratePlugin {
    /// What a later patch would have to know of this one.
    pub(crate) fn must_be_known(&self) -> Option<String> {
        let new = self
            .statics
            .first()
            .map(|new| format!("it brings a static (`{}`)", new.path));
        new.or_else(|| {
            let path = self.left.keys().next()?;
            Some(format!(
                "objects may lead to `{}` from then on",
                without_marks(path)
            ))
        })
    }
}
