//! What is listed of each function of a crate that was rewritten.

use std::path::PathBuf;

use crate::analysis::eligibility::{Ineligible, Kind};

/// A function that has a body, and whether it got a site.
#[derive(Debug, Clone)]
pub struct FunctionInfo {
    /// The name of its site.
    pub name: String,
    /// Its signature.
    pub signature: String,
    /// The file.
    pub path: PathBuf,
    /// The line of its name.
    pub line: usize,
    /// The first line of its attributes, if there are any, else that of its name: what a macro
    /// among them says of the function it says there.
    pub first_line: usize,
    /// The line of its opening brace: the one that text was inserted into.
    pub brace_line: usize,
    /// How it is replaced, or why it can't be.
    pub kind: Result<Kind, Ineligible>,
}
