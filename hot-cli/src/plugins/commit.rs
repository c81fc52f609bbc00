//! The commit that last changed a plugin, where there is version control.

use std::path::Path;
use std::process::Command;

/// The short name of the commit, with a `+` if the folder has changes beyond it.
pub(crate) fn of(folder: &Path) -> Option<String> {
    let commit = git(folder, &["log", "-1", "--format=%h", "--", "."])?;
    if commit.is_empty() {
        return None;
    }
    let changes = git(folder, &["status", "--porcelain", "--", "."])?;
    Some(if changes.is_empty() {
        commit
    } else {
        format!("{commit}+")
    })
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
