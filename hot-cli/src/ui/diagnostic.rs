//! What a compiler said: as people read it, and by place.
//!
//! Knows nothing of who called the compiler.

use serde::Serialize;

/// What a compiler said of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CompilerOutput {
    /// As it would have printed it.
    pub(crate) rendered: String,
    /// The same, one by one.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl CompilerOutput {
    /// The same without colours.
    pub(crate) fn plain(&self) -> String {
        anstream::adapter::strip_str(&self.rendered).to_string()
    }

    /// Where the first error stands: the file and the line.
    pub(super) fn place(&self) -> Option<(&str, usize)> {
        let errors = self.diagnostics.iter().filter(|one| one.level == "error");
        let span = errors.flat_map(|error| &error.spans).next()?;
        Some((&span.file, span.line))
    }
}

/// One thing that it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnostic {
    /// `error`, `warning`, …
    pub(crate) level: String,
    /// `E0308`.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    /// What it is about, the main place first.
    pub(crate) spans: Vec<Span>,
}

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
    /// What is wrong there.
    pub(crate) label: Option<String>,
}
