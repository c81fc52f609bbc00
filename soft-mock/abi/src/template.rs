//! What `hot test` and a *template* say to each other: a test binary that is held before its main,
//! and forked for each test. One JSON object a line, both ways, over the socket that the template
//! is started with as its standard input.
//!
//! ```text
//! hot:       {"patch":{"plugins":["/…/p.so"],"copies":"/…"}}     before the first test
//! template:  "patched"   or   {"refused":{"why":"…"}}
//! hot:       {"run":{"number":7,"name":"a::b","folder":"/…","stdout":"/…","stderr":"/…","reach":"/…"}}
//! hot:       {"kill":{"number":7}}
//! template:  {"ended":{"number":7,"status":0}}
//! ```
//!
//! Only the messages. A path that isn't Unicode can't be said.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The variable that makes a process a template. Its value means nothing.
pub const TEMPLATE: &str = "HOT_TEST_TEMPLATE";

/// What is said to a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToTemplate {
    /// Install these plugins together.
    Patch {
        /// The plugins.
        plugins: Vec<PathBuf>,
        /// A private folder for what is opened in their place; the sender removes it.
        copies: PathBuf,
    },
    /// Run a test in a process of its own.
    Run(RunTest),
    /// End it, with all that it started.
    Kill {
        /// Its number.
        number: u64,
    },
}

/// A test to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTest {
    /// Returned with the end.
    pub number: u64,
    /// The test. It takes the place of the last argument that the template was started with.
    pub name: String,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// Existing files for what it prints.
    pub stdout: PathBuf,
    /// As above.
    pub stderr: PathBuf,
    /// Where to write which functions it enters; see [`reach`](crate::reach).
    pub reach: Option<PathBuf>,
}

/// What a template says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromTemplate {
    /// The plugins are installed.
    Patched,
    /// They are not.
    Refused {
        /// The reason.
        why: String,
    },
    /// The process of a test has ended.
    Ended {
        /// The number of the test.
        number: u64,
        /// As `wait` tells it.
        status: i32,
    },
    /// There is none: it could not be started.
    NotRun {
        /// The number of the test.
        number: u64,
        /// The reason.
        why: String,
    },
}
