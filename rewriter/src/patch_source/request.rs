//! What is asked for and what comes back: the crate, the functions, the sources, the reasons why
//! not.
//!
//! Knows nothing of how sources are written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::declaration::Declaration;
use crate::analysis::eligibility::Ineligible;
use crate::analysis::hidden::Hidden;
use crate::analysis::items::FileItems;
use crate::syntax::columns::Columns;
use crate::syntax::edition::Edition;

/// The name of the root file of a plugin's sources.
pub const PLUGIN_ROOT: &str = "soft_mock_plugin.rs";

/// The name under which the plugin knows the crate that it patches.
pub const HOST: &str = "__hot_host";

/// What a plugin's sources are made from.
#[derive(Clone, Copy)]
pub struct PatchRequest<'a> {
    /// The crate.
    pub options: &'a PatchedCrate,
    /// All files of the crate in their new state, parents before children: the root first.
    pub files: &'a [Arc<FileItems>],
    /// The new text of a file; asked for files with changed functions only.
    pub text: &'a dyn Fn(&Path) -> Option<&'a str>,
    /// The names that the twin did not widen.
    pub hidden: &'a [Hidden],
    /// The changed functions.
    pub functions: &'a [PatchFunction],
    /// What is new, and that nothing but them mentions: positions of files, and what it is. Some
    /// may be among the functions.
    pub additions: &'a [(usize, Declaration)],
    /// How the manifest names a file.
    pub shown: &'a dyn Fn(&Path) -> String,
}

/// The crate that a plugin patches.
#[derive(Debug, Clone)]
pub struct PatchedCrate {
    /// Its name.
    pub crate_name: String,
    /// Its edition.
    pub edition: Edition,
    /// The build of it that runs.
    pub unit: u64,
    /// The first line of `rustc -V`.
    pub rustc: String,
}

/// A function to put into a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchFunction {
    /// Index of its file.
    pub file: usize,
    /// Its index in the file's functions.
    pub function: usize,
    /// Its new future may be anything, if its original one is not `Send`.
    pub not_send: bool,
    /// Its site carries the id of its type: the plugin gets a symbol that compares it.
    pub typed: bool,
    /// It is new, and [may have a site](super::may_have_site): the program gets one with the first
    /// plugin that has it.
    pub added: bool,
}

/// The sources of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchSource {
    /// Paths relative to the plugin's folder, and texts; the root file first. All others are at
    /// the user's absolute path, without the leading slash.
    pub files: Vec<(PathBuf, String)>,
    /// Of the user's files, those in which code stands in other columns.
    pub columns: Vec<(PathBuf, Columns)>,
    /// The functions, in the order of the request.
    pub functions: Vec<PatchEntry>,
}

/// A function of a plugin, as its manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchEntry {
    /// The name of its site.
    pub name: String,
    /// Its signature.
    pub signature: String,
    /// The symbol of the new code.
    pub symbol: String,
    /// The symbol that compares the function's type with the site's.
    pub check: Option<String>,
    /// It is new: the symbols of the cell for its site, and of what says its type.
    pub late: Option<[String; 2]>,
    /// The file, as the manifest names it.
    pub file: String,
    /// The line of its name.
    pub line: usize,
}

/// Why a plugin's sources can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchSourceError {
    /// An index leads nowhere.
    #[error("no function {function} in file {file} of crate {crate_name}")]
    NoSuchFunction {
        /// The crate.
        crate_name: String,
        /// The index of the file.
        file: usize,
        /// The index of the function.
        function: usize,
    },
    /// The function has no site.
    #[error("{title} can't be patched: {reason}")]
    NoSite {
        /// The function.
        title: String,
        /// Why not.
        reason: Ineligible,
    },
    /// The text of a file is missing or isn't the one that its items were read from.
    #[error("the text of {} is not the one that was read", .0.display())]
    Text(PathBuf),
    /// A part of a file could not be read again.
    #[error("{title} in {}: {message}", path.display())]
    Syntax {
        /// The function.
        title: String,
        /// The file.
        path: PathBuf,
        /// What the parser said.
        message: String,
    },
    /// A file stands for two modules, and functions of both changed.
    #[error("{} is the file of two modules", .0.display())]
    FileOfTwoModules(PathBuf),
}
