//! The sources of a patch: a tiny crate that holds the changed functions of one crate and nothing else.
//!
//! ```text
//! soft_mock_plugin.rs        pub use ::__hot_host::*;  mod store { pub use ::__hot_host::store::*; use …;  include!("home/me/app/src/store.rs"); }
//! home/me/app/src/store.rs   blank but for the changed functions, each at its own line and column
//! ```
//!
//! It is compiled under the user's crate name with the widened copy of the crate (the twin) as
//! `__hot_host`; `--remap-path-prefix <folder>=` makes panics, `file!()` and diagnostics name the
//! user's file. Calls to other functions go to the host's, through their sites; so do recursive ones.
//!
//! An async function's new future is boxed and claims every auto trait, since the site's type does.
//! `Send` is checked: either the new future is `Send`, or the function's original one is not, so that
//! nobody can have relied on it. `Sync` needs no check: nothing can be done through a shared
//! reference to an unnamed future. The unwind-safety traits are hints that guard no memory.
//!
//! Knows nothing of rustc's arguments, of files and of what is done with the result.

mod crate_modules;
mod function;
mod layout;
mod manifest;
mod reach;
mod root;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::edition::Edition;
use crate::eligibility::Ineligible;
use crate::items::{FileItems, Function};
use crate::visibility::Hidden;

use crate_modules::CrateModules;
use function::Emitted;
use reach::Reach;

/// The name of the root file of a plugin's sources.
pub const PLUGIN_ROOT: &str = "soft_mock_plugin.rs";

/// The name under which the plugin knows the crate that it patches.
pub const HOST: &str = "__hot_host";

/// What a plugin's sources are made from.
#[derive(Clone, Copy)]
pub struct PluginRequest<'a> {
    /// The crate.
    pub options: &'a PluginOptions,
    /// All files of the crate in their new state, parents before children: the root first.
    pub files: &'a [Arc<FileItems>],
    /// The new text of a file; asked for files with changed functions only.
    pub text: &'a dyn Fn(&Path) -> Option<&'a str>,
    /// The names that the twin did not widen.
    pub hidden: &'a [Hidden],
    /// The changed functions.
    pub functions: &'a [PatchFunction],
    /// How the manifest names a file.
    pub shown: &'a dyn Fn(&Path) -> String,
}

/// The crate that a plugin patches.
#[derive(Debug, Clone)]
pub struct PluginOptions {
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
}

/// The sources of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginSource {
    /// Paths relative to the plugin's folder, and texts; the root file first. All others are at the
    /// user's absolute path, without the leading slash.
    pub files: Vec<(PathBuf, String)>,
    /// The functions, in the order of the request.
    pub functions: Vec<PluginFunction>,
}

/// A function of a plugin, as its manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFunction {
    /// The name of its site.
    pub name: String,
    /// Its signature.
    pub signature: String,
    /// The symbol of the new code.
    pub symbol: String,
    /// The symbol that compares the function's type with the site's.
    pub check: Option<String>,
    /// The file, as the manifest names it.
    pub file: String,
    /// The line of its name.
    pub line: usize,
}

/// Why a plugin's sources can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
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

/// A function to be written, with all that belongs to it.
struct Target<'a> {
    index: usize,
    request: PatchFunction,
    file: &'a FileItems,
    function: &'a Function,
    text: &'a str,
}

impl<'a> Target<'a> {
    fn of(
        request: &PluginRequest<'a>,
        index: usize,
        wanted: PatchFunction,
    ) -> Result<Self, PluginError> {
        let file = request.files.get(wanted.file);
        let found = file.and_then(|file| Some((file, file.functions.get(wanted.function)?)));
        let Some((file, function)) = found else {
            return Err(PluginError::NoSuchFunction {
                crate_name: request.options.crate_name.clone(),
                file: wanted.file,
                function: wanted.function,
            });
        };
        if let Err(reason) = function.kind {
            let title = function.title();
            return Err(PluginError::NoSite { title, reason });
        }
        let text =
            (request.text)(&file.path).ok_or_else(|| PluginError::Text(file.path.clone()))?;
        Ok(Self {
            index,
            request: wanted,
            file,
            function,
            text,
        })
    }
}

/// Writes the sources of a plugin.
pub fn plugin_source(request: &PluginRequest<'_>) -> Result<PluginSource, PluginError> {
    let mut targets = Vec::new();
    for (index, wanted) in request.functions.iter().enumerate() {
        targets.push(Target::of(request, index, *wanted)?);
    }
    let modules = CrateModules::of(request.files);
    let mut emitted = Vec::new();
    let borrowing: HashSet<String> = request
        .files
        .iter()
        .flat_map(|file| file.borrowing.iter().cloned())
        .collect();
    for target in &targets {
        let cfgs = modules.file_conditions(target.request.file);
        emitted.push(function::emit(target, request.options, &borrowing, cfgs)?);
    }
    let kept = Reach::of(&modules, &targets, request.options.edition, request.hidden);
    let functions: Vec<PluginFunction> = targets
        .iter()
        .zip(&emitted)
        .map(|(target, emitted)| listed(target, emitted, request))
        .collect();
    let manifest = manifest::manifest(request.options, &functions);
    let files = root::write(
        request.options,
        &modules,
        &kept,
        &targets,
        &emitted,
        &manifest,
    )?;
    Ok(PluginSource { files, functions })
}

fn listed(target: &Target<'_>, emitted: &Emitted, request: &PluginRequest<'_>) -> PluginFunction {
    PluginFunction {
        name: target.function.site_name(&request.options.crate_name),
        signature: target.function.signature.clone(),
        symbol: function::symbol(target.index),
        check: emitted.check.clone(),
        file: (request.shown)(&target.file.path),
        line: target.function.line,
    }
}

#[cfg(test)]
mod tests;
