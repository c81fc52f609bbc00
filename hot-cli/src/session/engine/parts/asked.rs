//! A question to the processes of a program: who hasn't answered yet, and what the others said.
//!
//! Knows nothing of who wants to know it.

use std::collections::HashMap;

use soft_mock_abi::protocol::{AskHistory, ToProgram};
use soft_mock_abi::report::Status;

use crate::control::Connection;
use crate::session::engine::effect::Effect;

/// A question that was asked.
#[derive(Debug)]
pub(super) struct Asked {
    /// The id of the message.
    id: u64,
    waiting: Vec<Connection>,
    pub(super) told: HashMap<Connection, Status>,
}

impl Asked {
    /// Asks these processes what they run, and what of that was called.
    pub(super) fn of(id: u64, processes: Vec<Connection>) -> (Self, Vec<Effect>) {
        let ask = |conn: &Connection| Effect::Send(*conn, ToProgram::History(AskHistory { id }));
        let effects = processes.iter().map(ask).collect();
        let asked = Self {
            id,
            waiting: processes,
            told: HashMap::new(),
        };
        (asked, effects)
    }

    /// A process has answered the question with this id.
    pub(super) fn answered(&mut self, conn: Connection, id: u64, status: &Status) {
        if self.id == id {
            self.told.insert(conn, status.clone());
            self.left(conn);
        }
    }

    /// Nobody waits for a process that is gone.
    pub(super) fn left(&mut self, conn: Connection) {
        self.waiting.retain(|other| *other != conn);
    }

    /// Whether there is nobody who may still answer.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }
}
