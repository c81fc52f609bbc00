//! The dep-info file of a unit: cargo must watch the user's files, not their shadows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use soft_mock_rewriter::syntax::plain_path;

use super::unit::Unit;
use crate::os::files::{content_hash, replace_file};

/// Rewrites the dep-info file `from` to `to`, with the user's paths in place of those below
/// `shadow`. Returns the files that rustc read.
pub(crate) fn fix(from: &Path, to: &Path, shadow: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(from)
        .with_context(|| format!("rustc wrote no dep-info file {}", from.display()))?;
    let escaped = shadow.to_string_lossy().replace(' ', "\\ ");
    let fixed = text.replace(&format!("{escaped}/"), "/");
    replace_file(to, fixed.as_bytes())?;
    Ok(dependencies(&fixed))
}

/// Adds files that rustc didn't read, but that cargo must watch.
pub(crate) fn add(path: &Path, files: &[PathBuf]) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("rustc wrote no dep-info file {}", path.display()))?;
    let Some((rule, rest)) = text.split_once('\n') else {
        return Ok(());
    };
    let mut rule = rule.to_owned();
    for file in files {
        rule.push(' ');
        rule.push_str(&file.to_string_lossy().replace(' ', "\\ "));
    }
    replace_file(path, format!("{rule}\n{rest}").as_bytes())
}

/// The files that rustc read, from a dep-info file of its own.
pub(crate) fn read(path: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("rustc wrote no dep-info file {}", path.display()))?;
    Ok(dependencies(&text))
}

/// The names of the variables that the crate was compiled with.
pub(crate) fn variables(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("rustc wrote no dep-info file {}", path.display()))?;
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("# env-dep:"));
    let names = lines.map(|line| line.split('=').next().unwrap_or(line));
    Ok(names.map(str::to_owned).collect())
}

/// A call of rustc that began at a time.
pub(crate) struct Reading<'a> {
    pub(crate) unit: &'a Unit,
    /// Files below it stand for the user's.
    pub(crate) shadow: &'a Path,
    pub(crate) began: SystemTime,
}

impl Reading<'_> {
    /// The files that rustc read, by its dep-info file, and that are neither sources nor known as
    /// inputs of the unit: with hashes of what they held. What was written meanwhile has none: it
    /// may have been read before.
    pub(crate) fn included(
        &self,
        dep_info: &Path,
        is_source: &dyn Fn(&Path) -> bool,
    ) -> Result<BTreeMap<PathBuf, u64>> {
        let ended = SystemTime::now();
        let place = |path: PathBuf| match path.strip_prefix(self.shadow) {
            Ok(below) => Path::new("/").join(below),
            Err(_) => self.unit.cwd.join(path),
        };
        let files = read(dep_info)?.into_iter().map(place);
        let included = files.filter(|path| {
            let Unit {
                sources, inputs, ..
            } = self.unit;
            let is_input = inputs.contains_key(path) || inputs.contains_key(&plain_path(path));
            !is_source(path) && !sources.contains(path) && !is_input
        });
        let with_hash = |path: PathBuf| {
            let written = path.metadata().and_then(|meta| meta.modified());
            let meanwhile = written.is_ok_and(|at| (self.began..=ended).contains(&at));
            let hash = match meanwhile {
                true => 0,
                false => content_hash(&path),
            };
            (path, hash)
        };
        Ok(included.map(with_hash).collect())
    }
}

/// The files on the right side of the first rule.
fn dependencies(text: &str) -> Vec<PathBuf> {
    let Some(line) = text.lines().find(|line| line.contains(": ")) else {
        return Vec::new();
    };
    let Some((_, list)) = line.split_once(": ") else {
        return Vec::new();
    };
    let mut files = Vec::new();
    let mut name = String::new();
    for part in list.split(' ') {
        match part.strip_suffix('\\') {
            Some(first_half) => {
                name.push_str(first_half);
                name.push(' ');
            }
            None => {
                name.push_str(part);
                if !name.is_empty() {
                    files.push(PathBuf::from(std::mem::take(&mut name)));
                }
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shadow_paths_become_the_users() {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("from.d"), dir.path().join("to.d"));
        let text =
            "/t/app.d: /t/my\\ hot/shadow/w/my\\ app/src/main.rs /w/x.txt\n\n# env-dep:A=1\n";
        std::fs::write(&from, text).expect("a file");
        let files = fix(&from, &to, Path::new("/t/my hot/shadow")).expect("fixed");
        assert_eq!(
            files,
            [Path::new("/w/my app/src/main.rs"), Path::new("/w/x.txt")]
        );
        let fixed = std::fs::read_to_string(&to).expect("a file");
        assert_eq!(
            fixed,
            "/t/app.d: /w/my\\ app/src/main.rs /w/x.txt\n\n# env-dep:A=1\n"
        );
    }
}
