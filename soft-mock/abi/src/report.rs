//! What is told about patches that were installed. Knows nothing of how they were.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What a patch did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The number of the patch in this process, from 1.
    pub patch: u64,
    /// The generation that it made active: of two patches, the one with the higher generation
    /// runs.
    pub generation: u64,
    /// The functions that were changed.
    pub functions: Vec<Installed>,
    /// The memory that its plugins take for as long as the process lives.
    pub bytes: u64,
    /// From the call to the switch.
    pub elapsed: Duration,
    /// The patches that it took back, the newest first, if it is a rollback.
    #[serde(default)]
    pub undone: Vec<u64>,
    /// What went wrong beside it: a listener that panicked.
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
    /// Whether its new code was called since it became active; none where that isn't known, or
    /// other code runs by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<bool>,
}

/// A patch of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPatch {
    /// Its number in this process, from 1.
    pub patch: u64,
    /// When it became active.
    pub at: SystemTime,
    /// The functions that it changed. How many calls were in progress then isn't kept.
    pub functions: Vec<Installed>,
    /// The memory that its plugins take for as long as the process lives, also when it was undone.
    pub bytes: u64,
    /// The patches that it took back, the oldest first, if it is a rollback.
    pub undone: Vec<u64>,
    /// The rollback that took it back.
    pub undone_by: Option<u64>,
}

/// What a program runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Functions that can be redirected.
    pub sites: usize,
    /// Functions that run other code than the program was built with, because of a patch.
    pub patched: usize,
    /// Those of them whose new code wasn't called yet.
    #[serde(default)]
    pub not_called: Vec<String>,
    /// Patches that were installed so far, rollbacks among them.
    pub patches: usize,
    /// Patches that nobody took back.
    pub in_effect: usize,
    /// Patches that wait for a safe point.
    pub waiting: usize,
    /// The memory that all plugins take.
    pub bytes: u64,
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
        if self.called == Some(false) {
            f.write_str(", not called yet")?;
        }
        match self.running {
            0 => Ok(()),
            running => write!(f, ", {running} running with the old code"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_read_well() {
        let mut report = Report {
            patch: 3,
            generation: 3,
            functions: vec![Installed {
                name: "app::f".into(),
                file: "src/main.rs".into(),
                line: 7,
                running: 1,
                restored: false,
                called: None,
            }],
            bytes: 0,
            elapsed: Duration::ZERO,
            undone: vec![],
            warnings: vec![],
        };
        let text = "patch 3: 1 function: app::f (src/main.rs:7), 1 running with the old code";
        assert_eq!(report.to_string(), text);
        report.functions.push(Installed {
            running: 0,
            restored: true,
            ..report.functions[0].clone()
        });
        assert!(report.to_string().starts_with("patch 3: 2 functions: "));
        assert!(report
            .to_string()
            .ends_with("app::f (src/main.rs:7), original restored"));
        let waits = Installed {
            restored: false,
            called: Some(false),
            ..report.functions[1].clone()
        };
        assert_eq!(waits.to_string(), "app::f (src/main.rs:7), not called yet");
    }
}
