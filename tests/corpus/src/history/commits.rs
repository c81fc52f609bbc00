//! A project's history: commits, and the files that each changes. Knows nothing of what is done
//! with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};

/// A copy of a project.
pub(super) struct Repository {
    folder: PathBuf,
}

/// A commit, against the first of those before it.
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) subject: String,
}

/// A file that a commit changes: what it held, and what it holds.
pub(super) struct File {
    pub(super) path: String,
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
    /// Where they differ, as git sees it: lines before and after.
    pub(super) hunks: Vec<Hunk>,
}

/// A place where two texts differ: the first line and the number of lines, counted from 0, in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) before: (usize, usize),
    pub(super) after: (usize, usize),
}

impl Commit {
    pub(super) fn short(&self) -> &str {
        self.id.get(..9).unwrap_or(&self.id)
    }
}

impl Repository {
    /// A clone with files of its own, in place of what an earlier run has left there.
    pub(super) fn copy(from: &Path, to: &Path) -> Result<Self> {
        if to.exists() {
            std::fs::remove_dir_all(to)?;
        }
        let from = from.canonicalize()?;
        let (from, to_text) = (from.to_string_lossy(), to.to_string_lossy());
        git(
            Path::new("/"),
            &["clone", "--quiet", "--no-checkout", &from, &to_text],
        )?;
        Ok(Self {
            folder: to.to_owned(),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn check_out(&self, commit: &str) -> Result<()> {
        git(
            &self.folder,
            &["checkout", "--quiet", "--force", "--detach", commit],
        )?;
        Ok(())
    }

    /// The newest commits up to `to` on one line, oldest first.
    pub(super) fn commits(&self, to: &str, count: usize) -> Result<Vec<Commit>> {
        let format = "--format=%H%x09%P%x09%s";
        let count = format!("--max-count={count}");
        let text = git_text(&self.folder, &["log", "--first-parent", format, &count, to])?;
        let commits = text.lines().filter_map(|line| {
            let mut parts = line.splitn(3, '\t');
            let (id, parents, subject) = (parts.next()?, parts.next()?, parts.next()?);
            Some(Commit {
                id: id.to_owned(),
                // The very first has none.
                parent: parents
                    .split(' ')
                    .next()
                    .filter(|id| !id.is_empty())?
                    .to_owned(),
                subject: subject.to_owned(),
            })
        });
        let mut commits: Vec<Commit> = commits.collect();
        commits.reverse();
        Ok(commits)
    }

    /// The files that a commit changes.
    pub(super) fn files(&self, commit: &Commit) -> Result<Vec<File>> {
        let range = [commit.parent.as_str(), commit.id.as_str()];
        let names = ["diff", "--no-renames", "--name-status", "-z"];
        let text = git_text(&self.folder, &[&names[..], &range].concat())?;
        let mut parts = text.split('\0');
        let mut files = Vec::new();
        while let (Some(kind), Some(path)) = (parts.next(), parts.next()) {
            let at = |commit: &str| git(&self.folder, &["show", &format!("{commit}:{path}")]);
            let before = (kind != "A").then(|| at(&commit.parent)).transpose()?;
            let after = (kind != "D").then(|| at(&commit.id)).transpose()?;
            let hunks = match (&before, &after) {
                (Some(_), Some(_)) => self.hunks(&range, path)?,
                _ => Vec::new(),
            };
            files.push(File {
                path: path.to_owned(),
                before,
                after,
                hunks,
            });
        }
        Ok(files)
    }

    fn hunks(&self, range: &[&str], path: &str) -> Result<Vec<Hunk>> {
        let options = ["diff", "--no-renames", "--no-color", "--unified=0"];
        let text = git_text(&self.folder, &[&options[..], range, &["--", path]].concat())?;
        text.lines()
            .filter(|line| line.starts_with("@@ "))
            .map(hunk)
            .collect()
    }
}

/// `@@ -3,2 +4 @@ fn main`
fn hunk(line: &str) -> Result<Hunk> {
    let side = |word: &str| {
        let (start, length) = word.split_once(',').unwrap_or((word, "1"));
        let (start, length): (usize, usize) = (start.parse().ok()?, length.parse().ok()?);
        // Of nothing, git says what it stands behind.
        Some((start - usize::from(length > 0), length))
    };
    let mut words = line.split(' ').skip(1);
    let before = words.next().and_then(|word| side(word.strip_prefix('-')?));
    let after = words.next().and_then(|word| side(word.strip_prefix('+')?));
    let (before, after) = before
        .zip(after)
        .with_context(|| format!("no hunk: {line}"))?;
    Ok(Hunk { before, after })
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .context("can't start git")?;
    if !output.status.success() {
        bail!(
            "git {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output.stdout)
}

fn git_text(folder: &Path, arguments: &[&str]) -> Result<String> {
    Ok(String::from_utf8_lossy(&git(folder, arguments)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_of_git() {
        let check = |line: &str, before, after| {
            assert_eq!(hunk(line).expect("a hunk"), Hunk { before, after });
        };
        check("@@ -3,2 +4 @@ fn main() {", (2, 2), (3, 1));
        check("@@ -0,0 +1,5 @@", (0, 0), (0, 5));
        check("@@ -7 +6,0 @@", (6, 1), (6, 0));
        assert!(hunk("@@ x @@").is_err());
    }
}
