//! The difference of two states of some files, as `diff -u` shows it.

use std::path::Path;

use similar::TextDiff;

use crate::protocol::FileDiff;

/// The lines around a change.
const CONTEXT: usize = 3;

pub(super) fn unified(files: &[FileDiff], here: &Path) -> String {
    let mut text = String::new();
    for file in files.iter().filter(|file| file.before != file.after) {
        let path = file.path.strip_prefix(here).unwrap_or(&file.path);
        let path = path.display().to_string();
        let path = path.trim_start_matches('/');
        let diff = TextDiff::from_lines(&file.before, &file.after);
        let mut unified = diff.unified_diff();
        unified
            .context_radius(CONTEXT)
            .header(&format!("a/{path}"), &format!("b/{path}"));
        text.push_str(&unified.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_of_changed_files() {
        let file = |path: &str, before: &str, after: &str| FileDiff {
            path: path.into(),
            before: before.into(),
            after: after.into(),
        };
        let files = [
            file("/work/app/src/a.rs", "one\ntwo\n", "one\nthree\n"),
            file("/work/app/src/same.rs", "x\n", "x\n"),
        ];
        assert_eq!(
            unified(&files, Path::new("/work/app")),
            "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
        );
    }
}
