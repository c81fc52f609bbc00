//! Where the sources of this crate and of its dependencies are, as the compiler was told and as it
//! has left word beside what it made of them.
//!
//! Knows nothing of what is looked for.

use std::fs;
use std::path::{Path, PathBuf};

use syn::File;

use crate::record::{arguments, values_of};

/// A file of a crate.
#[derive(Clone)]
pub(super) struct Source {
    file: PathBuf,
    /// How this crate calls the other one that it belongs to.
    krate: Option<String>,
}

impl Source {
    /// The file, if these words stand in it.
    pub(super) fn read(&self, words: &str) -> Option<File> {
        let text = fs::read_to_string(&self.file).ok()?;
        match text.contains(words) {
            true => syn::parse_file(&text).ok(),
            false => None,
        }
    }

    pub(super) fn krate(&self) -> Option<&str> {
        self.krate.as_deref()
    }

    /// What its path says of the module that it is.
    pub(super) fn modules(&self) -> Vec<String> {
        let folder = self.file.parent().and_then(Path::file_name);
        let names = [folder, self.file.file_stem()];
        let names = names
            .iter()
            .flatten()
            .map(|name| name.to_string_lossy().into_owned());
        names.collect()
    }
}

/// Whether this is a call of the compiler, which says what the crate is made of.
pub(super) fn is_compiled() -> bool {
    !values_of(&arguments(), "--crate-name").is_empty()
}

/// All files in which that can stand whose path begins with `first`.
pub(super) fn sources(first: Option<&str>) -> Vec<Source> {
    let arguments = arguments();
    let externs = values_of(&arguments, "--extern");
    let externs = externs.iter().filter_map(|text| {
        let (name, path) = text.split_once('=')?;
        Some((name.rsplit(':').next().unwrap_or(name), Path::new(path)))
    });
    let mut externs: Vec<_> = externs.collect();
    let named: Vec<_> = externs
        .iter()
        .copied()
        .filter(|(name, _)| Some(*name) == first)
        .collect();
    let is_own = named.is_empty();
    if !is_own {
        externs = named;
    }
    let mut sources = Vec::new();
    if is_own {
        let root = arguments.iter().find(|argument| argument.ends_with(".rs"));
        let folder = root
            .and_then(|root| Path::new(root).parent())
            .map(Path::to_owned);
        // A rewritten copy lies elsewhere, with all that belongs to it.
        let folder = folder
            .or_else(|| Some(Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?).join("src")));
        let mut files = Vec::new();
        below(&folder.unwrap_or_default(), &mut files);
        sources.extend(files.into_iter().map(|file| Source { file, krate: None }));
    }
    if !matches!(first, Some("crate" | "self" | "super")) {
        for (name, path) in externs {
            let files = files_of(path).into_iter().map(|file| Source {
                file,
                krate: Some(name.to_owned()),
            });
            sources.extend(files);
        }
    }
    sources
}

/// The files that the compiler read for a library: beside it there is a list of them, as cargo asks
/// for.
fn files_of(library: &Path) -> Vec<PathBuf> {
    let stem = library
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let list = library
        .with_file_name(stem.strip_prefix("lib").unwrap_or(&stem))
        .with_extension("d");
    let text = fs::read_to_string(list).unwrap_or_default();
    let line = text.lines().next().and_then(|line| line.split_once(": "));
    let Some((_, names)) = line else {
        return Vec::new();
    };
    // A blank that belongs to a name stands behind a backslash.
    let names = names.replace("\\ ", "\0");
    let names = names.split(' ').map(|name| name.replace('\0', " "));
    names
        .filter(|name| name.ends_with(".rs"))
        .map(PathBuf::from)
        .collect()
}

/// The Rust files in a folder and below, without what cargo has made, and not through links.
fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && name != "target" && !name.as_encoded_bytes().starts_with(b".") {
            below(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}
