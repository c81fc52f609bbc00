//! What the parts of a session want done.

use std::sync::mpsc::Sender;
use std::time::Duration;

use soft_mock_abi::protocol::ToProgram;

use super::jobs::Job;
use super::Event;
use crate::control::Connection;
use crate::protocol::Reply;
use crate::ui;

/// Something to be done outside of the parts.
pub(super) enum Effect {
    /// A message for a process.
    Send(Connection, ToProgram),
    /// An answer for another terminal.
    Reply(Sender<Reply>, Reply),
    /// A line for the user.
    Tell(ui::Event),
    /// Something slow, on a thread of its own; what comes of it is an event.
    Start(Job),
    /// An event after some time.
    Later(Duration, Event),
}
