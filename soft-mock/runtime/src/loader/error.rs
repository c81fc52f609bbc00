//! Why a plugin wasn't installed: what, where, and what to do about it.
//!
//! Every message is whole, on one line; what lies beneath is part of it and isn't given as a source
//! again, so that whoever prints the chain of sources says nothing twice.

use std::io;
use std::path::PathBuf;

use soft_mock_abi::checksum::ChecksumError;
use soft_mock_abi::manifest::ManifestError;
use thiserror::Error;

use crate::registry::{FindError, RegistryError};

/// Nothing was installed, and why. Program and state are as they were.
#[derive(Debug, Error)]
#[error("{}{refusal}", .plugin.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default())]
pub struct LoadError {
    /// The plugin that is to blame; none if it isn't a plugin's fault.
    pub plugin: Option<PathBuf>,
    /// The reason.
    pub refusal: Refusal,
}

impl LoadError {
    /// The functions that are to blame, where the reason lies in some.
    pub fn functions(&self) -> Vec<String> {
        self.refusal
            .function()
            .map(str::to_owned)
            .into_iter()
            .collect()
    }
}

/// The reasons for which a plugin is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It is a folder.
    #[error("this is a folder; give the path of one plugin file")]
    Folder,
    /// It is a device, a pipe or the like.
    #[error("this is not a regular file")]
    NotAFile,
    /// It is empty.
    #[error("the file is empty; was it still being written?")]
    Empty,
    /// It is larger than any plugin.
    #[error("the file has {size} bytes, more than any plugin ({limit} at most)")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// It can't be read.
    #[error("the file can't be read: {0}")]
    Unreadable(io::Error),
    /// Somebody else may put code there.
    #[error("{} may be written by everybody (mode {mode:o}), so anybody could put code into this program: `chmod o-w` it, or use a private folder", place.display())]
    WorldWritable {
        /// The file, or the folder above it.
        place: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Somebody else owns it.
    #[error("{} belongs to user {owner}, but this program runs as user {own}: only code of one's own is loaded", place.display())]
    ForeignOwner {
        /// The file, or the folder above it.
        place: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user of this process.
        own: u32,
    },
    /// It is something else than a plugin.
    #[error("this is not a plugin: it is no ELF file")]
    NotElf,
    /// It is truncated or otherwise damaged.
    #[error("the file is truncated or damaged: {cause}; was it still being written?")]
    Damaged {
        /// What doesn't fit.
        cause: String,
    },
    /// Code without a site can't be given one.
    #[error("the program's vtables can't be changed: {0}")]
    Slots(io::Error),
    /// It isn't what was written when it was built.
    #[error("the file is incomplete or damaged: {0}; copy or build it again")]
    Checksum(#[from] ChecksumError),
    /// It is an object file or a program.
    #[error("this is not a plugin: it is an object file or a program, not a shared library")]
    NotLibrary,
    /// It is for another processor.
    #[error("it is for another machine (ELF machine {found}) than this program")]
    OtherMachine {
        /// The machine's number.
        found: u16,
    },
    /// It is a library, but not one that was made as a plugin.
    #[error(
        "this is not a plugin: it has no manifest (section `{}`)",
        soft_mock_abi::section::MANIFEST
    )]
    NoManifest,
    /// Its manifest can't be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It was built by another compiler.
    #[error(
        "it was built by `{plugin}`, this program by `{program}`: build both with one compiler"
    )]
    OtherCompiler {
        /// The plugin's compiler.
        plugin: String,
        /// The program's.
        program: String,
    },
    /// It was built for another program, or for another build of this one.
    #[error("it is for unit {unit} of crate `{krate}`, which is not in this program (it has {}): build it for this program, or restart the program", list(.program))]
    OtherUnit {
        /// The unit that it was built for.
        unit: String,
        /// That unit's crate.
        krate: String,
        /// The program's units of that crate, or all of them.
        program: Vec<String>,
    },
    /// The program has no such function.
    #[error(transparent)]
    Function(FindError),
    /// Two replacements for one function.
    #[error("function `{name}` is changed twice in one patch")]
    Twice {
        /// The function's name.
        name: String,
    },
    /// The function has another signature in this program.
    #[error("function `{name}` has signature `{plugin}` in the plugin and `{program}` in this program: restart the program")]
    Signature {
        /// The function's name.
        name: String,
        /// Its signature in the plugin.
        plugin: String,
        /// Its signature in the program.
        program: String,
    },
    /// The signature reads the same, but its types are others.
    #[error("function `{name}` has the signature `{signature}` in both plugin and program, but it names other types there: restart the program")]
    Types {
        /// The function's name.
        name: String,
        /// Its signature.
        signature: String,
    },
    /// The manifest promises what isn't there.
    #[error(
        "it doesn't define the symbol `{symbol}` that its manifest names for function `{name}`"
    )]
    Symbol {
        /// The function's name.
        name: String,
        /// The symbol.
        symbol: String,
    },
    /// The dynamic linker refuses it.
    #[error("the dynamic linker refuses it: {cause}")]
    Dlopen {
        /// In the dynamic linker's words.
        cause: String,
    },
    /// It was linked for a program and not for the library of a managed plugin, or the other way
    /// round.
    #[error("it was linked for {linked}, but is to change {wanted}")]
    OtherImage {
        /// What it was linked for.
        linked: &'static str,
        /// What it is to change.
        wanted: &'static str,
    },
    /// There is no private place for a copy.
    #[error("no private copy can be made in {}: {cause}", folder.display())]
    Copy {
        /// The folder for copies.
        folder: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// A listener of [`on_patch`](crate::patch::on_patch) asked for it.
    #[error("an `on_patch` listener can't change functions while it is told of a patch")]
    InListener,
    /// The program ran into a panic at its safe point.
    #[error("the program didn't finish it at its safe point")]
    Interrupted,
    /// The program's sites can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Refusal {
    /// The error, with the plugin that is to blame.
    pub fn of(self, plugin: impl Into<PathBuf>) -> LoadError {
        LoadError {
            plugin: Some(plugin.into()),
            refusal: self,
        }
    }

    fn function(&self) -> Option<&str> {
        match self {
            Self::Function(FindError::Unknown { name, .. } | FindError::Ambiguous { name, .. })
            | Self::Twice { name }
            | Self::Signature { name, .. }
            | Self::Types { name, .. }
            | Self::Symbol { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl From<Refusal> for LoadError {
    fn from(refusal: Refusal) -> Self {
        Self {
            plugin: None,
            refusal,
        }
    }
}

/// The program took a patch that waited for its safe point, and didn't finish it.
#[derive(Debug, Error)]
#[error("the program didn't finish the patch at its safe point")]
pub(crate) struct Interrupted;

impl From<Interrupted> for LoadError {
    fn from(_: Interrupted) -> Self {
        Refusal::Interrupted.into()
    }
}

fn list(units: &[String]) -> String {
    match units {
        [] => "none".to_owned(),
        units => units.join(", "),
    }
}
