//! What cargo has compiled in one target folder, given to another: a dependency with the same
//! version, features and profile is the same file there, and cargo compiles whatever isn't.
//!
//! Knows nothing of the projects to which the folders belong.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Lets a folder of a profile, if there is none, begin with what another one has of these packages.
/// It appears as a whole, also for other programs that want it at the same time. Both have one
/// name: it stands in what cargo knows of each file, which else is compiled again.
pub fn give(packages: &BTreeSet<String>, from: &Path, to: &Path) {
    let target = to.parent().expect("a profile is in a target folder");
    fs::create_dir_all(target).expect("a target folder");
    let lock = File::create(target.with_extension("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    if to.exists() || !from.join(".fingerprint").is_dir() {
        return;
    }
    let begun = to.with_extension("begun");
    let _ = fs::remove_dir_all(&begun);
    copy(packages, from, &begun)
        .and_then(|()| fs::rename(&begun, to))
        .unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}

/// First what cargo writes last: whatever it calls compiled is there when it is copied.
fn copy(packages: &BTreeSet<String>, from: &Path, to: &Path) -> io::Result<()> {
    let mut ids = BTreeSet::new();
    for entry in fs::read_dir(from.join(".fingerprint"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some((_, id)) = name
            .rsplit_once('-')
            .filter(|(name, _)| packages.contains(*name))
        else {
            continue;
        };
        ids.insert(id.to_owned());
        for part in [".fingerprint", "build"] {
            let source = from.join(part).join(&name);
            if source.is_dir() {
                copy_tree(&source, &to.join(part).join(&name))?;
            }
        }
    }
    fs::create_dir_all(to.join("deps"))?;
    for entry in fs::read_dir(from.join("deps"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stem = name.split('.').next().unwrap_or_default();
        if stem
            .rsplit_once('-')
            .is_some_and(|(_, id)| ids.contains(id))
        {
            copy_file(&from.join("deps").join(&name), &to.join("deps").join(&name))?;
        }
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type()?.is_dir() {
            true => copy_tree(&source, &copy)?,
            false => copy_file(&source, &copy)?,
        }
    }
    Ok(())
}

/// With its time: cargo compiles anew what is older than what it was made from.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let time = fs::metadata(from)?.modified()?;
    File::options().append(true).open(to)?.set_modified(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_given_and_only_at_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("debug"), folder.path().join("of/debug"));
        let wanted = [
            ".fingerprint/one-two-1a/lib",
            "build/one-two-1a/out/text",
            "deps/libone_two-1a.rlib",
        ];
        let other = [".fingerprint/one-2b/lib", "deps/libone-2b.rlib"];
        for file in wanted.iter().chain(&other) {
            let path = from.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, file).expect("written");
        }
        let file = File::options().append(true).open(from.join(wanted[2]));
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        file.and_then(|file| file.set_modified(time)).expect("set");

        let packages = BTreeSet::from(["one-two".to_owned()]);
        give(&packages, &from, &to);
        let has = |file: &&str| to.join(file).exists();
        assert!(wanted.iter().all(has) && !other.iter().any(has));
        let copied = fs::metadata(to.join(wanted[2])).and_then(|file| file.modified());
        assert_eq!(copied.expect("a time"), time);

        fs::remove_file(to.join(wanted[2])).expect("removed");
        give(&packages, &from, &to);
        assert!(!has(&wanted[2]), "what cargo made of it stays");
    }
}
