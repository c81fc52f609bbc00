//! What is said between a session and other terminals: one question and one answer a connection,
//! one JSON object a line.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use soft_mock_abi::report::{Installed, Status};

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Who is there?
    Who,
    /// What runs where?
    Status,
    /// What was patched?
    History,
    /// How do the sources of what runs differ from those that were built? Or what did one patch
    /// change?
    Diff {
        /// The number of that patch.
        patch: Option<u64>,
    },
    /// Take patches back.
    Rollback {
        /// How many.
        patches: usize,
    },
    /// Build again and restart.
    Restart,
    /// Collect saves.
    Pause,
    /// Apply what was collected.
    Resume,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Who(SessionInfo),
    Status(SessionStatus),
    History(Vec<PastPatch>),
    Diff(Vec<FileDiff>),
    RolledBack(RolledBack),
    /// The programs do it at their next safe points.
    Waiting,
    /// What follows, in words.
    Done(String),
    Refused(String),
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionInfo {
    pub(crate) pid: u32,
    /// Where `hot` was called.
    pub(crate) folder: PathBuf,
    pub(crate) command: Vec<String>,
    pub(crate) since: SystemTime,
}

/// What a session's programs run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionStatus {
    #[serde(flatten)]
    pub(crate) session: SessionInfo,
    pub(crate) processes: Vec<ProcessStatus>,
    /// Saves are collected, not applied.
    pub(crate) paused: bool,
    /// What stands in the way of saved files, in full.
    pub(crate) refused: Option<String>,
    /// Why the programs were restarted last, in full.
    pub(crate) restarted_because: Option<String>,
    /// The port at which pages of the program's server refresh themselves.
    #[serde(default)]
    pub(crate) pages: Option<u16>,
}

/// A process of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessStatus {
    pub(crate) pid: u32,
    pub(crate) exe: PathBuf,
    /// When it joined the session.
    pub(crate) since: SystemTime,
    /// What it says itself; nothing if it doesn't answer.
    pub(crate) status: Option<Status>,
}

/// A patch of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PastPatch {
    /// Its number in the session, from 1.
    pub(crate) patch: u64,
    pub(crate) at: SystemTime,
    /// The crate of the program.
    pub(crate) program: String,
    /// The functions that it changed.
    pub(crate) functions: Vec<Installed>,
    /// The memory that it takes in each process.
    pub(crate) bytes: u64,
    /// The patches that it took back, if it is a rollback.
    pub(crate) undone: Vec<u64>,
    /// The rollback that took it back.
    pub(crate) undone_by: Option<u64>,
}

/// Two states of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileDiff {
    pub(crate) path: PathBuf,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RolledBack {
    /// The patches that were taken back, the newest first.
    pub(crate) undone: Vec<u64>,
    /// The functions that run their former code.
    pub(crate) functions: Vec<Installed>,
    /// The processes that did it.
    pub(crate) processes: usize,
    /// Which did not, and why.
    pub(crate) refused: Vec<String>,
}
