//! What is said over a reloader's socket: one JSON object a line, both ways.
//!
//! ```text
//! program:  {"hello":{"version":1,"pid":4711,"exe":"/…/app","units":[…],"program":"…"}}
//! peer:     {"load":{"id":7,"plugins":["/…/p.so"],"restore":[{"unit":"…","name":"app::f"}]}}
//! program:  {"loaded":{"id":7,"report":{…}}}   or   {"refused":{"id":7,"error":"…","functions":[]}}
//! program:  {"called":{"id":7,"functions":[…],"after":{…}}}   if the load asked for it with "calls":true
//! peer:     {"sites":{"id":8}}
//! program:  {"sites":{"id":8,"sites":[…]}}
//! peer:     {"rollback":{"id":9,"patches":1}}
//! program:  {"waiting":{"id":9}}                   if it patches at its safe points only
//! program:  {"loaded":{"id":9,"report":{…}}}
//! peer:     {"history":{"id":10}}
//! program:  {"history":{"id":10,"status":{…},"patches":[…]}}
//! ```
//!
//! Only the messages; who sends what when is the business of both ends.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::report::{Installed, PastPatch, Report, Status};

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// What the program says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromProgram {
    /// First of all: who this is.
    Hello(Hello),
    /// A patch was installed.
    Loaded(Loaded),
    /// Functions of a patch were called for the first time since it was installed.
    Called(Called),
    /// A patch waits for the program's safe point; `Loaded` or `Refused` follows.
    Waiting(Waiting),
    /// Nothing was installed.
    Refused(Refused),
    /// What was installed so far.
    History(History),
    /// The process may be ended: what it hands over is with the peer.
    HandedOver(HandedOver),
    /// The functions of the program.
    Sites(SiteList),
}

/// What is said to the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToProgram {
    /// Install a patch.
    Load(Load),
    /// List the functions.
    Sites(ListSites),
    /// Take patches back.
    Rollback(Rollback),
    /// Say what was installed so far.
    History(AskHistory),
    /// Hand over what the next process shall have; see [`handover`](crate::handover).
    HandOver(HandOver),
}

/// Who a program is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the protocol, [`VERSION`].
    pub version: u32,
    /// Its process.
    pub pid: u32,
    /// Its executable.
    pub exe: PathBuf,
    /// The units that it consists of.
    pub units: Vec<UnitInfo>,
    /// What its builder called it; empty if nobody did.
    pub program: String,
    /// The file of the library that this is about, if it isn't the program itself but the library
    /// of a managed plugin in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<PathBuf>,
    /// The plugins that are installed in it already: in the child of a process that forked, and in
    /// one that calls again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installed: Vec<PathBuf>,
}

/// A unit of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitInfo {
    /// The crate's name.
    #[serde(rename = "crate")]
    pub crate_name: String,
    /// The unit, in 16 hexadecimal digits.
    pub unit: String,
    /// The compiler, as the first line of `rustc -V` names it.
    pub rustc: String,
    /// How many of its functions can be redirected.
    pub sites: usize,
}

/// A patch to be installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Returned with the answer.
    pub id: u64,
    /// The plugins.
    #[serde(default)]
    pub plugins: Vec<PathBuf>,
    /// The functions that get their original bodies back.
    #[serde(default)]
    pub restore: Vec<Restore>,
    /// The first calls of the new code are to be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub calls: bool,
}

/// A function that gets its original body back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The unit of its crate, in 16 hexadecimal digits.
    pub unit: String,
    /// Its name.
    pub name: String,
}

/// A patch was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// The id of the load.
    pub id: u64,
    /// What was done.
    pub report: Report,
}

/// Functions of a patch were called for the first time since it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The id of the load.
    pub id: u64,
    /// The functions.
    pub functions: Vec<Installed>,
    /// How long after the switch that was seen.
    pub after: Duration,
}

/// A patch waits for the program's safe point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The id of the load or rollback.
    pub id: u64,
}

/// The newest patches in effect are to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Returned with the answer.
    pub id: u64,
    /// How many.
    pub patches: usize,
}

/// A question for what was installed so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskHistory {
    /// Returned with the answer.
    pub id: u64,
}

/// The process is to be replaced by another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Returned with the answer.
    pub id: u64,
}

/// What a process handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// The id of the question.
    pub id: u64,
    /// The names of its states.
    pub states: Vec<String>,
    /// The names of its sockets.
    pub sockets: Vec<String>,
    /// What it couldn't hand over, and why.
    pub problems: Vec<String>,
}

/// What was installed so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The id of the question.
    pub id: u64,
    /// What the process runs.
    pub status: Status,
    /// All patches, the oldest first.
    pub patches: Vec<PastPatch>,
}

/// A patch was refused, or a line wasn't understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The id of the load; 0 for a line that wasn't understood.
    pub id: u64,
    /// Why.
    pub error: String,
    /// The functions that are to blame, where the reason lies in some.
    pub functions: Vec<String>,
}

/// A question for the functions of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSites {
    /// Returned with the answer.
    pub id: u64,
}

/// The functions of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteList {
    /// The id of the question.
    pub id: u64,
    /// The functions.
    pub sites: Vec<SiteInfo>,
}

/// A function that can be redirected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// Its name.
    pub name: String,
    /// Its source file.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// Its signature.
    pub signature: String,
    /// The unit of its crate, in 16 hexadecimal digits.
    pub unit: String,
    /// Whether a patch runs in its place.
    pub patched: bool,
    /// Calls in progress; 0 where they aren't counted.
    pub running: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_documented() {
        let check = |line: &str, expected: ToProgram| {
            assert_eq!(
                serde_json::from_str::<ToProgram>(line).expect(line),
                expected
            );
        };
        check(
            r#"{"sites":{"id":8}}"#,
            ToProgram::Sites(ListSites { id: 8 }),
        );
        check(
            r#"{"load":{"id":7,"plugins":["/p.so"],"restore":[{"unit":"00","name":"app::f"}]}}"#,
            ToProgram::Load(Load {
                id: 7,
                plugins: vec!["/p.so".into()],
                restore: vec![Restore {
                    unit: "00".into(),
                    name: "app::f".into(),
                }],
                calls: false,
            }),
        );
        let refused = FromProgram::Refused(Refused {
            id: 7,
            error: "no".into(),
            functions: vec![],
        });
        let line = serde_json::to_string(&refused).expect("JSON");
        assert_eq!(line, r#"{"refused":{"id":7,"error":"no","functions":[]}}"#);
    }
}
