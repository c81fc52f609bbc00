//! Gives what the process hands over to the session, and takes what the session has for it.

use std::io;
use std::path::Path;
use std::time::Duration;

use soft_mock_abi::handover::{self, Message};
use soft_mock_abi::protocol::HandedOver;

use super::connect_to;
use super::connection::Program;
use crate::handover::{keep, save_all};
use crate::registry::registry;

/// `hot` keeps what it is given in memory: it answers at once, or not at all.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Saves everything and gives it to the session.
pub(super) fn give(id: u64, program: &Program) -> HandedOver {
    let mut handed = HandedOver {
        id,
        states: Vec::new(),
        sockets: Vec::new(),
        problems: Vec::new(),
    };
    let (Ok(registry), Some(session)) = (registry(), &program.session) else {
        handed.problems.push("there is no session".to_owned());
        return handed;
    };
    let (mut contents, sockets, problems) = save_all(registry.shared());
    handed.problems = problems;
    if contents.states.is_empty() && contents.sockets.is_empty() {
        return handed;
    }
    contents.program = program.name.clone();
    let names = contents
        .states
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let socket_names = contents.sockets.clone();
    let given = ask(session, &Message::Give(contents), &sockets);
    match given {
        Ok((Message::Kept, _)) => {
            handed.states = names;
            handed.sockets = socket_names;
        }
        Ok(_) => handed
            .problems
            .push("the session didn't keep it".to_owned()),
        Err(error) => {
            let why = format!("the session can't be given anything: {error}");
            handed.problems.push(why);
        }
    }
    handed
}

/// Takes what the process before this one left. Where there is nothing, or nobody to ask, the
/// program simply starts fresh.
pub(super) fn take(session: &Path, program: &str) {
    let message = Message::Take {
        program: program.to_owned(),
    };
    let taken = ask(session, &message, &[]);
    if let (Ok((Message::Contents(Some(contents)), sockets)), Ok(registry)) = (taken, registry()) {
        keep(registry.shared(), contents, sockets);
    }
}

fn ask(
    session: &Path,
    message: &Message,
    files: &[std::os::fd::BorrowedFd<'_>],
) -> io::Result<(Message, Vec<std::os::fd::OwnedFd>)> {
    let stream = connect_to(&session.join(handover::SOCKET))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    handover::send(&stream, message, files)?;
    handover::receive(&stream)
}
