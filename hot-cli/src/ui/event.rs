//! What a session tells the user: each thing that can happen, with what is known of it.
//!
//! Knows nothing of how things were found out, nor of how they are worded.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use super::diagnostic::CompilerOutput;
use super::overview::{Compiling, Overview, Summary};
use super::Tone;
use crate::protocol::RolledBack;
use soft_mock_abi::report::Installed;

/// A function, as it is shown: `their_crate::store::Store::get (src/store.rs:41)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionPlace {
    /// Full name.
    pub(crate) name: String,
    /// File, relative to where `hot` was called.
    pub(crate) file: String,
    /// Line of its signature.
    pub(crate) line: u32,
}

/// A closure or an async block, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptPlace {
    /// The function that made it.
    pub(crate) function: String,
    /// File, relative to where `hot` was called, and line.
    pub(crate) place: Option<(String, u32)>,
}

impl From<&Installed> for FunctionPlace {
    fn from(installed: &Installed) -> Self {
        Self {
            name: installed.name.clone(),
            file: installed.file.clone(),
            line: installed.line,
        }
    }
}

impl Display for FunctionPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.file, self.line)
    }
}

/// A place in a file, and what is to be said of it: `src/model.rs:12: field added to struct User:
/// its layout changes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// File, relative to where `hot` was called.
    pub(crate) file: String,
    /// Line in its new text.
    pub(crate) line: u32,
    /// What is there.
    pub(crate) why: String,
}

impl Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// What follows from an edit that can't be patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// The project is built again, then the program is restarted.
    BuildAndRestart,
    /// There is nothing to build before.
    Restart,
    /// Only a plugin is built again, for its host to reload.
    BuildPlugin,
    /// Nothing: the user wants no restarts.
    NoRestart,
    /// Nothing: this session did not start the programs.
    Attached,
    /// Nothing: a restart has changed nothing about it.
    RestartInVain,
    /// Nothing: what would have to follow failed.
    Failed,
}

/// Why patches can't be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoWayBack {
    pub(crate) why: String,
    /// It will be so for as long as the program runs.
    pub(crate) stays: bool,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestEnded {
    /// Its name, that of its crate first.
    pub(crate) name: String,
    pub(crate) binary: String,
    pub(crate) elapsed: Duration,
    /// How often it had failed before it passed.
    pub(crate) retries: usize,
    /// What is to be shown of one that failed.
    pub(crate) failure: Option<String>,
}

/// What came of a run of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestsRan {
    pub(crate) all: usize,
    pub(crate) ignored: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// They are those that reach what was edited.
    pub(crate) by_reach: bool,
    /// Tests that weren't run, and failed when they last were.
    pub(crate) still_failing: Vec<String>,
    /// Tests that are due and weren't run, since they don't match the filter.
    pub(crate) left_out: usize,
    pub(crate) elapsed: Duration,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The build before the program's start compiles crates that cargo may have built already.
    Compiling(Compiling),
    /// A program has joined, and is known; `named` is what the user wants watched besides.
    Ready {
        overview: Overview,
        named: Vec<String>,
    },
    /// The session ends.
    Ended(Summary),
    /// The next call of these functions is new; `elapsed` is since the save. `because` is what
    /// else was edited: `value of const LIMIT changed`.
    Patched {
        functions: Vec<FunctionPlace>,
        elapsed: Duration,
        because: Option<String>,
        keep: Vec<KeptPlace>,
    },
    /// The new bodies of these functions were called for the first time, so long after the switch.
    /// Of interest to those who want details, or read along.
    FirstCall {
        functions: Vec<FunctionPlace>,
        after: Duration,
    },
    /// The new bodies of these functions weren't called for some seconds.
    NotCalled(Vec<FunctionPlace>),
    /// So many files were saved. People know that themselves.
    Saved { files: usize },
    /// This is still compiled, some time after it was saved. Programs know how to wait.
    StillBuilding(String),
    /// Cargo waits for a lock that another process holds: this one, if it is known.
    CargoWaits(Option<String>),
    /// These functions have their original bodies again.
    Restored {
        functions: Vec<FunctionPlace>,
        elapsed: Duration,
        keep: Vec<KeptPlace>,
    },
    /// Patches were taken back, because another terminal asked for it.
    RolledBack { done: RolledBack, elapsed: Duration },
    /// These are patched, but the call in progress goes on with the old body, and no other is to
    /// be expected.
    StillRunning(Vec<FunctionPlace>),
    /// They can't be, for this reason.
    NotRolledBack(NoWayBack),
    /// These are running and won't be called again: the edit has no effect before a restart.
    WithoutEffect(Vec<FunctionPlace>),
    /// A patch waits for the program's safe point; the names of some of its functions.
    WaitsForSafePoint(Vec<String>),
    /// An edit was compiled, and the code of the program is what comes out.
    NothingUsesIt(Reason),
    /// The same, where not even an edit can be named: it means what was there before.
    NothingDiffers,
    /// A patch was built, and no process is there to get it.
    NobodyRuns,
    /// Closures that may be alive keep the bodies that they were made with.
    KeepBodies(Vec<KeptPlace>),
    /// A static keeps its value although its initialiser changed.
    KeepsValue { name: String },
    /// The same, for one that may not have been used yet; the edit says where.
    KeepsUsedValue { edit: Reason, name: String },
    /// A static stands in place of one that is gone: the `same` variable, or one that begins with
    /// its own value.
    Succeeds {
        name: String,
        gone: String,
        same: bool,
    },
    /// A function was patched with what it doesn't mean: in what its crate, as the compiler takes
    /// it, is another one. A right patch follows.
    MeansOther {
        function: FunctionPlace,
        alone: Vec<String>,
        in_crate: Vec<String>,
    },
    /// A function was patched, and its crate doesn't compile with it. That follows.
    CompilesAlone { function: FunctionPlace },
    /// Edits can't be patched, and what follows; `again` if that was said already, and another
    /// save came.
    Refused {
        edits: Vec<Reason>,
        then: Consequence,
        again: bool,
    },
    /// A patch was made without these edits, which can't be patched.
    StillWithout(Vec<Reason>),
    /// Nothing can be had beside what was refused: these edits wait as well.
    WaitAsWell(Vec<Reason>),
    /// What stood in the way was taken back: the files are what runs.
    TakenBack,
    /// These manifests and lock files differ, and all crates would be compiled as they were.
    ManifestsMeanNothing { files: Vec<String> },
    /// Settings of `hot` changed that a session begins with.
    SettingsWait(Vec<&'static str>),
    /// A file can't be parsed at present: most often someone is typing.
    SyntaxError { at: Reason, again: bool },
    /// An edit doesn't compile: what the compiler said, as it said it.
    CompileError {
        compiler: CompilerOutput,
        again: bool,
    },
    /// Somebody wants the programs restarted.
    RestartWanted(Consequence),
    /// The command was started again, and a program of it runs.
    Restarted,
    /// The command was started again, but no program of it has joined.
    StartedAgain,
    /// Saves are collected from now on.
    Paused,
    /// So many files have been saved since.
    SavedInPause { files: usize },
    /// Keys are read from now on.
    KeysReady,
    /// Somebody wants to know them.
    KeysHelp,
    /// The program reads the terminal itself now.
    KeysTaken,
    /// They are applied; `manual` if those that follow are collected again.
    Resumed { files: usize, manual: bool },
    /// A build before a restart failed.
    BuildFailed,
    /// A plugin was built again.
    PluginBuilt,
    /// Processes handed this over to the next ones.
    HandedOver(Vec<String>),
    /// A process took too long to hand something over.
    HandoverTooSlow,
    /// A program has joined that another session had started.
    Joined { pid: u32, exe: PathBuf },
    /// An edit was made in cargo's own copy of a package.
    CargosCopyEdited { folder: PathBuf },
    /// The pages of the server at a port are shown at another one, where they refresh themselves.
    PagesShown {
        server: u16,
        pages: u16,
        /// The program listens at these as well.
        others: Vec<u16>,
    },
    /// What cargo said while nothing could be written.
    Quoted(String),
    /// Files are looked at again and again from now on, because of this.
    Polls(String),
    /// A test has ended. People are told of all of them together.
    TestEnded(TestEnded),
    /// All tests that were due were run; what people are told of it.
    TestsRan(TestsRan, Tone, String),
    /// Something that a command tells in words of its own.
    Told(Tone, String),
    /// Something that went wrong while the session goes on.
    Warning(String),
    /// Something that failed.
    Error(String),
    /// What is said only with `--verbose`.
    Detail(String),
}
