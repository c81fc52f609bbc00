//! What to leave out when the compiler refuses a rewritten crate: rustc's errors name the lines
//! into which text was inserted, and with them the functions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use soft_mock_rewriter::analysis::FunctionInfo;

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    line_end: usize,
}

/// The first error in rustc's JSON output, in one line.
pub(crate) fn first_error(lines: &[String]) -> Option<String> {
    errors(lines).next().map(|error| match error.spans.first() {
        Some(span) => format!("{}:{}: {}", span.file_name, span.line_start, error.message),
        None => error.message,
    })
}

/// Names of the functions whose inserted text the errors point at, or what stands before it: a
/// macro that is handed the text says at its attribute what is wrong with it.
pub(crate) fn refused(
    lines: &[String],
    functions: &[FunctionInfo],
    cwd: &Path,
) -> BTreeSet<String> {
    let spans = spans(lines, cwd);
    functions
        .iter()
        .filter(|function| function.kind.is_ok())
        .filter(|function| {
            spans.iter().any(|(path, start, end)| {
                let lines = function.first_line..=function.brace_line;
                *path == function.path && start <= lines.end() && lines.start() <= end
            })
        })
        .map(|function| function.name.clone())
        .collect()
}

/// The first lines of the closures that the errors point at.
pub(crate) fn refused_lines(
    lines: &[String],
    closures: &[(PathBuf, (usize, usize))],
    cwd: &Path,
) -> BTreeSet<(PathBuf, usize)> {
    let spans = spans(lines, cwd);
    let is_meant = |(path, (first, last)): &&(PathBuf, (usize, usize))| {
        let mut spans = spans.iter().filter(|(in_file, _, _)| in_file == path);
        spans.any(|(_, start, end)| start <= last && first <= end)
    };
    let meant = closures.iter().filter(is_meant);
    meant
        .map(|(path, (first, _))| (path.clone(), *first))
        .collect()
}

/// Where the errors point: files, first and last lines.
fn spans(lines: &[String], cwd: &Path) -> Vec<(PathBuf, usize, usize)> {
    errors(lines)
        .flat_map(|error| error.spans)
        .map(|span| (cwd.join(&span.file_name), span.line_start, span.line_end))
        .collect()
}

fn errors(lines: &[String]) -> impl Iterator<Item = Diagnostic> + '_ {
    lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Diagnostic>(line).ok())
        .filter(|diagnostic| diagnostic.level.starts_with("error"))
}
