//! Sessions and programs from another terminal: `hot status`, `hot history`, `hot diff`, `hot
//! rollback`, `hot restart`, `hot pause`, `hot resume`.
//!
//! ```text
//! hot rollback ─► the session's request server (a private socket in its folder) ─► engine ─► its programs
//!          └────► a program's own socket (`--pid`, `--socket`)
//! ```
//!
//! Knows nothing of how patches are made. Both ends of every connection make sure that the other
//! one is this user.

mod args;
mod command;
mod diff;
mod find;
mod follow;
pub(crate) mod program;
pub(crate) mod server;
mod show;

pub(crate) use args::{
    DiffArgs, HistoryArgs, PauseArgs, RestartArgs, ResumeArgs, RollbackArgs, StatusArgs,
};
pub(crate) use command::{diff, history, pause, programs_here, restart, resume, rollback, status};
