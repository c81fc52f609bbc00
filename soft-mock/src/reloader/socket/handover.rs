//! Gives what the process hands over to the session, and takes what the session has for it.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::connection;
use super::conversation::Program;
use crate::handover::parcel::{self, Parcel, Words};
use crate::handover::{keep, save_all};
use crate::registry::registry;
use crate::reloader::protocol::HandedOver;

/// `hot` keeps a parcel in memory: it answers at once, or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let (mut parcel, sockets, problems) = save_all(registry.shared());
    handed.problems = problems;
    if parcel.states.is_empty() && parcel.sockets.is_empty() {
        return handed;
    }
    parcel.program = program.name.clone();
    let names = parcel.states.iter().map(|(name, _)| name.clone()).collect();
    let socket_names = parcel.sockets.clone();
    let given = ask(session, &Words::Give(parcel), &sockets);
    match given {
        Ok((Words::Kept, _)) => {
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

/// Takes what the process before this one left. Where there is nothing, or nobody to ask, the program
/// simply starts fresh.
pub(super) fn take(session: &Path, program: &str) {
    let words = Words::Take {
        program: program.to_owned(),
    };
    let taken = ask(session, &words, &[]);
    if let (Ok((Words::Parcel(Some(parcel)), sockets)), Ok(registry)) = (taken, registry()) {
        let complete: Parcel = parcel;
        keep(registry.shared(), complete, sockets);
    }
}

fn ask(
    session: &Path,
    words: &Words,
    files: &[std::os::fd::BorrowedFd<'_>],
) -> io::Result<(Words, Vec<std::os::fd::OwnedFd>)> {
    let stream = connection(&session.join(parcel::SOCKET))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    parcel::send(&stream, words, files)?;
    parcel::receive(&stream)
}
