//! Why a plugin could not be built.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::cargo::metadata::MetadataError;
use crate::os::process::ProcessError;

/// Why a plugin could not be built.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    #[error("{} is no folder with a Cargo.toml, nor one with such folders in it", .0.display())]
    NoPackage(PathBuf),
    #[error("no plugin in {} is left by --include and --exclude", .0.display())]
    NothingIncluded(PathBuf),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("cargo's answer can't be read: {0}")]
    Answer(String),
    #[error("the package in {} has no library; a plugin is a library crate", .0.display())]
    NoLibrary(PathBuf),
    #[error("package `{name}` declares no plugin: put `#[plugin]` on `impl Plugin for …` in {}", root.display())]
    NoPlugin { name: String, root: PathBuf },
    #[error("package `{dependent}` depends on plugin `{plugin}`: it must not know the plugin's crate; put what both need into a crate of shared types")]
    DependsOnPlugin { dependent: String, plugin: String },
    #[error("package `{krate}` is shared by plugin `{plugin}` and `{other}`, but records no fingerprint: add `soft_mock::plugin::shared!();` to {}", root.display())]
    NotShared {
        krate: String,
        plugin: String,
        other: String,
        root: PathBuf,
    },
    #[error("package `{krate}`, which plugin `{plugin}` shares with its host, depends on `{dependency}`: {why}. Use it on one side only, behind a trait, or list it in `[package.metadata.soft-mock] allow = [\"{dependency}\"]` if none of its values cross")]
    PerImage {
        krate: String,
        plugin: String,
        dependency: String,
        why: &'static str,
    },
    #[error("{}:{line}: package `{krate}`, which plugin `{plugin}` shares with its host, hands over `{what}`: one version of a plugin could take what another has made for a type of its own, by name alone. Give an enum of `{krate}`, or text; or list it in `[package.metadata.soft-mock] allow = [\"{what}\"]` if nobody takes it apart", file.display())]
    Erased {
        krate: String,
        plugin: String,
        file: PathBuf,
        line: usize,
        what: &'static str,
    },
    #[error("{0} has been written by something else; give a folder of its own for static linking")]
    ForeignCrate(PathBuf),
    #[error("no plugin can be built for patching: {0:#}")]
    Patchable(anyhow::Error),
    #[error("--patchable is for `hot build`: the session of `hot cargo run` itself builds such plugins again, where an edit can't be patched")]
    WatchPatchable,
    #[error("files can't be watched: {0}")]
    Watch(#[from] notify::Error),
}

impl BuildError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
