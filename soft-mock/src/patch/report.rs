//! What is told about a patch that was installed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a patch did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The number of the patch in this process, from 1.
    pub patch: u64,
    /// The generation that it made active: of two patches, the one with the higher generation runs.
    pub generation: u64,
    /// The functions that were changed.
    pub functions: Vec<Installed>,
    /// The memory that its plugins take for as long as the process lives.
    pub bytes: u64,
    /// From the call to the switch.
    pub elapsed: Duration,
    /// The patches that it took back, the newest first, if it was made by
    /// [`rollback`](crate::rollback).
    #[serde(default)]
    pub undone: Vec<u64>,
    /// What went wrong beside it: a listener of [`on_patch`](crate::on_patch) that panicked.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// A function that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The function's name.
    pub name: String,
    /// The file that its code comes from, as the user knows it.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// Calls that were in progress at the switch, and go on with the old code; 0 where they aren't
    /// counted.
    pub running: usize,
    /// It has its original body back.
    #[serde(default)]
    pub restored: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.functions.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "patch {}", self.patch)?;
        if !self.undone.is_empty() {
            let undone: Vec<String> = self.undone.iter().map(u64::to_string).collect();
            write!(f, " (takes back {})", undone.join(", "))?;
        }
        write!(f, ": {count} function{plural}")?;
        let mut separator = ": ";
        for function in &self.functions {
            write!(f, "{separator}{function}")?;
            separator = ", ";
        }
        self.warnings
            .iter()
            .try_for_each(|warning| write!(f, "; {warning}"))
    }
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.file, self.line)?;
        if self.restored {
            f.write_str(", original restored")?;
        }
        match self.running {
            0 => Ok(()),
            running => write!(f, ", {running} running with the old code"),
        }
    }
}
