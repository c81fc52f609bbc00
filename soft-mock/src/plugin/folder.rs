//! The plugin folder: which files there are, and what each says of itself.

use std::fs;
use std::path::{Path, PathBuf};

use soft_mock_abi::symbol::PLUGIN_ENTRY;

use super::error::PluginError;
use super::file::{self, ManagedFile};
use super::image::hash_text;

/// A plugin's file, checked as far as its bytes go.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) file: ManagedFile,
    pub(crate) hash: String,
}

impl Found {
    pub(crate) fn name(&self) -> &str {
        &self.file.manifest.plugin
    }
}

/// The plugins of a folder, sorted by name.
pub(crate) fn read(folder: &Path, whitelist: Option<&[String]>) -> Result<Vec<Found>, PluginError> {
    let mut files = files(folder)?;
    if let Some(wanted) = whitelist {
        files = listed(folder, files, wanted)?;
    }
    if files.is_empty() {
        return Err(PluginError::NoPlugins {
            path: folder.to_owned(),
        });
    }
    let mut found = Vec::with_capacity(files.len());
    for path in files {
        let bytes = file::read(&path)?;
        let hash = hash_text(bytes.hash());
        found.push(Found {
            file: bytes.parse(PLUGIN_ENTRY)?,
            hash,
        });
    }
    found.sort_by(|a, b| (a.name(), a.file.path()).cmp(&(b.name(), b.file.path())));
    for pair in found.windows(2) {
        if pair[0].name() == pair[1].name() {
            return Err(PluginError::DuplicateName {
                name: pair[0].name().to_owned(),
                first: pair[0].file.path().display().to_string(),
                second: pair[1].file.path().display().to_string(),
            });
        }
    }
    Ok(found)
}

/// The files that end in `.so`; those with a leading dot are being written.
fn files(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let unreadable = |source| PluginError::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|kind| kind == "so") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn listed(
    folder: &Path,
    files: Vec<PathBuf>,
    wanted: &[String],
) -> Result<Vec<PathBuf>, PluginError> {
    let present: Vec<String> = files.iter().map(|file| stem(file)).collect();
    match wanted.iter().find(|name| !present.contains(name)) {
        Some(name) => Err(PluginError::NotThere {
            name: name.clone(),
            path: folder.to_owned(),
            present,
        }),
        None => Ok(files
            .into_iter()
            .filter(|file| wanted.contains(&stem(file)))
            .collect()),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
