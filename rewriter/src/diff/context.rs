//! The program around a file that is compared.

use crate::analysis::layout_names::LayoutNames;

/// What has to be known of the program around a file.
#[derive(Clone, Copy)]
pub struct ProgramContext<'a> {
    /// The number of the file's crate.
    pub unit: usize,
    /// The program as it runs.
    pub before: &'a LayoutNames,
    /// The program as its files are now. Made when it is first needed.
    pub after: &'a dyn std::ops::Deref<Target = LayoutNames>,
}
