//! The crates that a unit is built from, directly or through others, of which nothing is recorded
//! though people may edit them: path dependencies outside of the workspace.
//!
//! Which sources a crate has stands in the dep-info beside its library. Which other libraries it
//! uses stands in its metadata, that of rustc: by the hash that cargo puts behind their names. In
//! metadata that can't be read so (that of macros is compressed) there is none.
//!
//! Knows nothing of what becomes of an edit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::dep_info;
use super::unit::Unit;

/// What cargo leaves in packages that it takes for unchangeable: from registries, from git,
/// vendored.
const UNCHANGEABLE: [&str; 2] = [".cargo-ok", ".cargo-checksum.json"];

/// The length of the hash behind a library's name.
const HASH: usize = 16;

/// A library in a folder of cargo's.
struct Library {
    /// `name-hash`, as files are called.
    stem: String,
    folder: PathBuf,
}

/// The sources of such crates, each with the name of its crate.
pub(super) fn sources(unit: &Unit) -> Vec<(PathBuf, String)> {
    let args = unit.rustc_args();
    let externs: Vec<PathBuf> = args
        .externs()
        .map(|(_, library)| unit.cwd.join(library))
        .collect();
    let folders = args.dependency_folders();
    let folders = folders.map(|folder| unit.cwd.join(folder));
    let parents = externs.iter().filter_map(|library| library.parent());
    let folders: HashSet<PathBuf> = folders.chain(parents.map(Path::to_owned)).collect();
    let libraries: HashMap<String, Library> = folders.iter().flat_map(|f| in_folder(f)).collect();
    let editable: BTreeMap<&str, Vec<PathBuf>> = libraries
        .iter()
        .filter_map(|(hash, library)| Some((hash.as_str(), library.editable_sources(unit)?)))
        .collect();
    if editable.is_empty() {
        return Vec::new();
    }
    let used = reached(&externs, &libraries);
    let own = editable
        .into_iter()
        .filter(|(hash, _)| used.contains(*hash));
    own.flat_map(|(hash, files)| {
        let name = libraries[hash].crate_name();
        files.into_iter().map(move |file| (file, name.clone()))
    })
    .collect()
}

/// The libraries of a folder, by their hashes.
fn in_folder(folder: &Path) -> Vec<(String, Library)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let library = |path: PathBuf| {
        let hash = hash_of(&path)?;
        let stem = path.file_stem()?.to_str()?.strip_prefix("lib")?.to_owned();
        let folder = folder.to_owned();
        Some((hash, Library { stem, folder }))
    };
    entries.filter_map(|entry| library(entry.path())).collect()
}

/// The hash in the name of a library's file.
fn hash_of(library: &Path) -> Option<String> {
    let extension = library.extension()?.to_str()?;
    let stem = library.file_stem()?.to_str()?;
    let (_, hash) = stem.rsplit_once('-')?;
    let is_library = ["rmeta", "rlib", "so"].contains(&extension) && stem.starts_with("lib");
    let is_hash = hash.len() == HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_library && is_hash).then(|| hash.to_owned())
}

/// The hashes of all libraries that are used, but for what only units use, which have their own
/// records.
fn reached(externs: &[PathBuf], libraries: &HashMap<String, Library>) -> HashSet<String> {
    let mut found: HashSet<String> = HashSet::new();
    let mut waiting: Vec<String> = externs.iter().filter_map(|path| hash_of(path)).collect();
    while let Some(hash) = waiting.pop() {
        let Some(library) = libraries.get(&hash) else {
            continue;
        };
        if library.is_unit() || !found.insert(hash) {
            continue;
        }
        let bytes = ["rmeta", "rlib"]
            .iter()
            .find_map(|extension| std::fs::read(library.file(extension)).ok());
        let used = hashes(bytes.as_deref().unwrap_or_default());
        waiting.extend(
            used.filter(|hash| libraries.contains_key(*hash))
                .map(str::to_owned),
        );
    }
    found
}

/// All that may be such a hash: what stands behind a hyphen.
fn hashes(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes.windows(HASH + 1).filter_map(|window| {
        let (b'-', hash) = window.split_first().map(|(first, rest)| (*first, rest))? else {
            return None;
        };
        let is_hash = hash.iter().all(u8::is_ascii_hexdigit);
        std::str::from_utf8(hash).ok().filter(|_| is_hash)
    })
}

impl Library {
    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("lib{}.{extension}", self.stem))
    }

    fn is_unit(&self) -> bool {
        Unit::of_library(&self.file("rlib")).is_some()
    }

    fn crate_name(&self) -> String {
        let name = self.stem.rsplit_once('-');
        name.map_or_else(|| self.stem.clone(), |(name, _)| name.to_owned())
    }

    /// Its sources, if people may edit them and nothing is recorded of them.
    fn editable_sources(&self, unit: &Unit) -> Option<Vec<PathBuf>> {
        // Without it nothing is known of the sources.
        let list = dep_info::read(&self.folder.join(format!("{}.d", self.stem))).ok()?;
        let files: Vec<PathBuf> = list.into_iter().map(|path| unit.cwd.join(path)).collect();
        (!is_unchangeable(files.first()?) && !self.is_unit()).then_some(files)
    }
}

fn is_unchangeable(source: &Path) -> bool {
    source.ancestors().any(|folder| {
        let mut marks = UNCHANGEABLE.iter();
        marks.any(|mark| folder.join(mark).is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_in_names_and_metadata() {
        let hash = |path: &str| hash_of(Path::new(path));
        let known = Some("0123456789abcdef".to_owned());
        assert_eq!(hash("/t/libmy_dep-0123456789abcdef.rlib"), known);
        assert_eq!(hash("/t/libmy_dep-0123456789abcdef.d"), None);
        assert_eq!(hash("/t/libmy_dep.rlib"), None);
        let bytes = b"\x00dep\x11-0123456789abcdef--fedcba9876543210 -0123456789abcdeg -0123";
        let found: Vec<&str> = hashes(bytes).collect();
        assert_eq!(found, ["0123456789abcdef", "fedcba9876543210"]);
    }

    #[test]
    fn packages_of_registries_stay_as_they_are() {
        let dir = tempfile::tempdir().expect("a folder");
        let source = dir.path().join("dep/src/lib.rs");
        assert!(!is_unchangeable(&source));
        std::fs::create_dir_all(dir.path().join("dep/src")).expect("folders");
        std::fs::write(dir.path().join("dep/.cargo-ok"), "").expect("a file");
        assert!(is_unchangeable(&source));
    }
}
