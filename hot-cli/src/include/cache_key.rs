//! The number that tells an included crate's files from those of other builds of it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use anyhow::Result;

use super::graph::Package;

/// No number of codegen units that anybody sets.
const BASE: u32 = 1 << 30;

/// The cache key of a package: another one whenever it would be rewritten to something else.
///
/// `sources` is the hash of its files, if cargo takes them for unchangeable.
pub(super) fn of(
    package: &Package,
    sources: Option<u64>,
    for_tests: bool,
    skip: &[String],
) -> Result<u32> {
    let mut hasher = DefaultHasher::new();
    let (_, hot) = crate::os::own_build()?;
    (
        hot,
        for_tests,
        &package.name,
        &package.version,
        package.tasks_only,
        sources,
        skip,
    )
        .hash(&mut hasher);
    Ok(BASE | (hasher.finish() as u32 >> 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::included_list::sources;

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
            is_immutable: true,
            tasks_only: false,
        };
        let cache_key = |for_tests| {
            let sources = sources(folder.path()).expect("a hash");
            of(&package, Some(sources), for_tests, &[]).expect("a cache key")
        };
        write("src/lib.rs", "fn a() {}");
        let first = cache_key(false);
        assert!(first >= BASE);
        write("src/lib.rs", "fn b() {}");
        assert_ne!(cache_key(false), first);
        write("src/.lib.rs.swp", "half");
        write("src/lib.rs", "fn a() {}");
        assert_eq!(cache_key(false), first);
        assert_ne!(cache_key(true), first);
        write("build.rs", "fn main() {}");
        assert_ne!(cache_key(false), first);
    }
}
