//! The number that tells an included crate's files from those of other builds of it.

use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::graph::Package;

/// No number of codegen units that anybody sets.
const BASE: u32 = 1 << 30;

/// The mark of a package: another one whenever it would be rewritten to something else.
///
/// `sources` is the hash of its files, if cargo takes them for unchangeable.
pub(super) fn of(
    package: &Package,
    sources: Option<u64>,
    for_tests: bool,
    skip: &[String],
) -> Result<u32> {
    let mut hasher = DefaultHasher::new();
    let (_, hot) = crate::toolchain::own_build()?;
    (
        hot,
        for_tests,
        &package.name,
        &package.version,
        sources,
        skip,
    )
        .hash(&mut hasher);
    Ok(BASE | (hasher.finish() as u32 >> 2))
}

/// A hash of all files of a package.
pub(crate) fn sources(folder: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in files(folder)? {
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        (path.strip_prefix(folder).unwrap_or(&path), bytes).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// The files below a folder, without what isn't the package's own and what editors leave for a moment.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let name = name.to_string_lossy();
            if name.starts_with('.') || name.ends_with('~') || name == "target" {
                continue;
            }
            match kind.is_dir() {
                true => folders.push(entry.path()),
                false if kind.is_file() => {
                    found.insert(entry.path());
                }
                false => {}
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_of_the_sources_is_another_mark() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        let package = Package {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            folder: folder.path().to_owned(),
            spec: "a".to_owned(),
            is_kept: true,
        };
        let mark = |for_tests| {
            let sources = sources(folder.path()).expect("a hash");
            of(&package, Some(sources), for_tests, &[]).expect("a mark")
        };
        write("src/lib.rs", "fn a() {}");
        let first = mark(false);
        assert!(first >= BASE);
        write("src/lib.rs", "fn b() {}");
        assert_ne!(mark(false), first);
        write("src/.lib.rs.swp", "half");
        write("src/lib.rs", "fn a() {}");
        assert_eq!(mark(false), first);
        assert_ne!(mark(true), first);
        write("build.rs", "fn main() {}");
        assert_ne!(mark(false), first);
    }
}
