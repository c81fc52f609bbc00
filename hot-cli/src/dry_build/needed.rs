//! Which line of a manifest brings a package: the one that names it, or else one of those who need
//! it, as the lock file has it.
//!
//! Knows nothing of why that is asked.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// The first line of a manifest's text that names this, or the nearest package that needs it.
pub(super) fn line(manifest: &Path, text: &str, word: &str) -> Option<usize> {
    let named = |word: &str| {
        let at = text
            .lines()
            .position(|line| !word.is_empty() && mentions(line, word));
        at.map(|at| at + 1)
    };
    named(word).or_else(|| {
        let lock = read(manifest)?;
        let mut seen = HashSet::from([word]);
        let mut nearest = vec![word];
        while !nearest.is_empty() {
            let users = lock.package.iter().filter(|package| {
                // A version may follow the name.
                let mut names = package
                    .dependencies
                    .iter()
                    .filter_map(|one| one.split(' ').next());
                names.any(|name| nearest.contains(&name))
            });
            let users: Vec<&str> = users.map(|package| package.name.as_str()).collect();
            if let Some(line) = users.iter().find_map(|user| named(user)) {
                return Some(line);
            }
            nearest = users.into_iter().filter(|user| seen.insert(user)).collect();
        }
        None
    })
}

/// The lock file of the workspace that a manifest belongs to.
fn read(manifest: &Path) -> Option<Lock> {
    let mut files = manifest
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("Cargo.lock"));
    let text = files.find_map(|file| std::fs::read_to_string(file).ok())?;
    toml::from_str(&text).ok()
}

/// Whether a line of TOML holds a name, as a key or in quotes.
fn mentions(line: &str, name: &str) -> bool {
    let code = line.split('#').next().unwrap_or_default();
    let is_part = |char: char| char.is_alphanumeric() || char == '-' || char == '_';
    code.split(|char| !is_part(char)).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_needs_a_package_is_blamed_where_nothing_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = folder.path().join("app/Cargo.toml");
        let text = "[package]\nname = \"app\"\n[dependencies]\nrand = \"1\"\nratatui = \"0.30\"\n";
        let of = |word: &str| line(&manifest, text, word);
        assert_eq!((of("ratatui"), of("widgets")), (Some(5), None));
        let lock = "version = 4\n\
                    [[package]]\nname = \"app\"\ndependencies = [\"rand\", \"ratatui\"]\n\
                    [[package]]\nname = \"ratatui\"\ndependencies = [\"core 0.1.0\", \"all\"]\n\
                    [[package]]\nname = \"all\"\ndependencies = [\"widgets\", \"all\"]\n\
                    [[package]]\nname = \"widgets\"\ndependencies = [\"core 0.1.0\"]\n\
                    [[package]]\nname = \"core\"\n";
        std::fs::write(folder.path().join("Cargo.lock"), lock).expect("written");
        assert_eq!(
            (of("widgets"), of("core"), of("none")),
            (Some(5), Some(5), None)
        );
        assert_eq!(of(""), None);
    }
}
