//! A plugin that was made from whole crates: what it replaces, and what it leaves in the program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use soft_mock_compiled::counterparts::Variable;
use soft_mock_compiled::debug_info::Library;
use soft_mock_compiled::select::NewStatic;

/// A function that a plugin replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// The name of its site.
    pub(crate) name: String,
    /// Where it stands now.
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    /// Stands for its new code and all that comes along for it, if it has new code of its own.
    pub(crate) content: Option<u64>,
    /// The program wasn't built with it: its signature, by which its site is found.
    pub(crate) brought: Option<String>,
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
    /// What is known of those that stand in closures.
    pub(crate) variables: Vec<Variable>,
    /// Variables of the program that stand elsewhere now: their paths now and then.
    pub(crate) moved: BTreeMap<String, String>,
    /// Types and variables of the compilation that it was taken from.
    pub(crate) layouts: Vec<Library>,
    /// Stands for the code and data in it: two with the same do the same.
    pub(crate) content: u64,
}
