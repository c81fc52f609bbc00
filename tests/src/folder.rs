//! Folders: where fixtures are, where tests may keep things, how a tree is copied and searched.

use std::fs;
use std::path::{Path, PathBuf};

/// The workspace that is tested.
pub fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("this package is a member of a workspace")
        .to_owned()
}

/// A project that a test works on.
pub fn fixture(name: &str) -> PathBuf {
    let path = workspace().join("tests/fixtures").join(name);
    assert!(path.is_dir(), "no fixture {}", path.display());
    path
}

/// What may stay from one run of the tests to the next: dependencies that were compiled, for
/// instance.
pub fn kept() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this program");
    // Cargo marks its target folders as something that needs no backup.
    let target = own
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .expect("this program is in a target folder");
    let folder = target.join("e2e");
    fs::create_dir_all(&folder).expect("a folder below target/");
    folder
}

/// Copies a tree. Build results and what a registry adds to a package are left out.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries.map(|entry| entry.expect("an entry of a folder")) {
        let (name, source) = (entry.file_name(), entry.path());
        if name == "target" || name == ".cargo-ok" {
            continue;
        }
        if source.is_dir() {
            copy(&source, &to.join(name));
        } else {
            // Not `fs::copy`: files of a registry may be read-only, and these are going to be
            // edited.
            let content =
                fs::read(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
            fs::write(to.join(name), content).expect("a file of the copy");
        }
    }
}

/// Files below a folder whose names end so, the newest last.
pub fn files_below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ if path.to_string_lossy().ends_with(end) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort_by_key(|path| fs::metadata(path).and_then(|meta| meta.modified()).ok());
    found
}
