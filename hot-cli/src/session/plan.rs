//! From changed files to what is to be done: nothing, a patch, or a restart.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use soft_mock_rewriter::{FileItems, Fingerprint, SyntaxError};

/// A function that gets a new body, or its original one again.
#[derive(Debug, Clone)]
pub(crate) struct PlannedFunction {
    /// The name of its site.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    /// Identifies the body that it shall have.
    pub(crate) body: Fingerprint,
}

/// The changes of one crate.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnitPlan {
    /// Functions that get the body that the file has now.
    pub(crate) patch: Vec<PlannedFunction>,
    /// Functions that get back the body that the program was built with.
    pub(crate) restore: Vec<PlannedFunction>,
    /// Files that differ from what was compiled: their text and what they declare.
    pub(crate) files: BTreeMap<PathBuf, ChangedFile>,
}

/// A file as it is now.
#[derive(Debug, Clone)]
pub(crate) struct ChangedFile {
    pub(crate) text: Arc<str>,
    pub(crate) items: Arc<FileItems>,
}

/// What is to be installed as one: by the position of the unit in the program.
pub(crate) type Plan = BTreeMap<usize, UnitPlan>;

/// An edit that can't be patched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rude {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) why: String,
}

/// What a change comes to.
#[derive(Debug)]
pub(crate) enum Change {
    /// The program already is what the files say.
    Nothing,
    /// A file is no Rust at the moment.
    Syntax(SyntaxError),
    /// The program can't become what the files say.
    Rude(Vec<Rude>),
    /// It can.
    Patch(Plan),
}
