//! Loads over a private socket, in messages of [`protocol`](super::protocol).
//!
//! Two ways round: a program that starts the reloader itself listens, and `hot` may come
//! ([`start`]); a program that `hot` started calls `hot` back ([`connect`]). The socket lies in a
//! folder that is this user's alone, and both ends make sure that the other one is this user.

mod address;
mod connection;
mod first_calls;
mod fork;
mod handover;
mod lineage;
mod plugins;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use super::{Handle, StartError, Stop, THREAD};
use crate::loader::is_private;
use crate::{registry, signals};

use address::Address;
use connection::Program;
use fork::Connected;

/// The name of the socket in a session's folder.
pub const SOCKET: &str = "socket";

/// How long a program waits before it calls `hot` again.
const RETRY: Duration = Duration::from_secs(1);

/// Listens at `socket`, which must lie in a folder that only this user can enter. A socket that an
/// ended process left behind is replaced.
pub fn start(socket: impl AsRef<Path>) -> Result<Handle, StartError> {
    registry::check()?;
    let path = socket.as_ref().to_owned();
    let listener = listen(&path)?;
    let stop = Stop::default();
    let seen = stop.clone();
    Handle::spawn(&stop, move || {
        accept(&listener, &seen);
        // Whoever comes later must not wait for an answer; that it is gone already is as good.
        let _ = fs::remove_file(&path);
    })
}

fn listen(path: &Path) -> Result<UnixListener, StartError> {
    let place = |cause| StartError::Place {
        place: path.to_owned(),
        cause,
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    is_private(folder).map_err(place)?;
    let address = Address::of(path).map_err(place)?;
    let listener = match UnixListener::bind(address.path()) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if UnixStream::connect(address.path()).is_ok() {
                return Err(StartError::InUse(path.to_owned()));
            }
            fs::remove_file(path).map_err(place)?;
            UnixListener::bind(address.path())
        }
        result => result,
    };
    let listener = listener.map_err(place)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(place)?;
    Ok(listener)
}

fn accept(listener: &UnixListener, stop: &Stop) {
    while !stop.is_set() {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(RETRY); // Out of files, for instance: it may pass.
            continue;
        };
        let stop = stop.clone();
        let Some(peer) = own_peer(&stream).filter(|_| !stop.is_set()) else {
            continue;
        };
        let program = Program {
            logged: Some(peer),
            ..Program::default()
        };
        // Without a thread the peer sees its connection closed, and may try again.
        let _ = signals::spawn(THREAD, move || {
            // The peer went away: nobody is left who could be told.
            let _ = connection::serve(Connected::new(stream), program, &stop);
        });
    }
}

/// Calls `hot` back at the socket in `session`, and again when the connection ends, for as long as
/// that folder exists. `program` is what `hot` called the program when it built it.
pub fn connect(session: impl AsRef<Path>, program: &str) -> Result<Handle, StartError> {
    registry::check()?;
    let session = session.as_ref().to_owned();
    let place = |cause| StartError::Place {
        place: session.clone(),
        cause,
    };
    is_private(&session).map_err(place)?;
    let copies = folder_for_copies(&session).map_err(place)?;
    let program = Program {
        name: program.to_owned(),
        copies: Some(copies.clone()),
        image: None,
        session: Some(session.clone()),
        logged: None, // `hot` says itself what it does.
    };
    plugins::follow(&session, copies)?;
    lineage::record(Path::new(&program.name), &session).map_err(|cause| StartError::Place {
        place: PathBuf::from(&program.name),
        cause,
    })?;
    // Before the program's main, which will ask for it.
    handover::take(&session, &program.name);
    let stop = Stop::default();
    let seen = stop.clone();
    let (of_child, for_child) = (program.clone(), (session.clone(), stop.clone()));
    fork::follow(move || {
        let (session, stop) = &for_child;
        // Without a place for copies nothing could be loaded.
        let Ok(copies) = folder_for_copies(session) else {
            return;
        };
        let program = Program {
            copies: Some(copies),
            ..of_child.clone()
        };
        keep_calling(session, &program, stop, &|_| {});
    })
    .map_err(StartError::Thread)?;
    Handle::spawn(&stop, move || {
        keep_calling(&session, &program, &seen, &|_| {})
    })
}

/// Calls `hot` for as long as the session's folder exists. `called` is given every new connection.
fn keep_calling(session: &Path, program: &Program, stop: &Stop, called: &dyn Fn(&UnixStream)) {
    let socket = session.join(SOCKET);
    while !stop.is_set() && session.is_dir() {
        // Whatever ended it, the program goes on, and `hot` may come back.
        let _ = call(&socket, program, stop, called);
        thread::sleep(RETRY);
    }
}

/// Copies of plugins go where the session's owner removes them, so that nothing is left behind even
/// if the program is killed.
fn folder_for_copies(session: &Path) -> io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;

    let folder = session.join(format!("loaded-{}", std::process::id()));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    Ok(folder)
}

fn call(
    socket: &Path,
    program: &Program,
    stop: &Stop,
    called: &dyn Fn(&UnixStream),
) -> io::Result<()> {
    let stream = Connected::new(connect_to(socket)?);
    called(&stream);
    connection::serve(stream, program.clone(), stop)
}

/// A connection to a socket of the session, if it is this user's.
fn connect_to(socket: &Path) -> io::Result<UnixStream> {
    let address = Address::of(socket)?;
    let stream = UnixStream::connect(address.path())?;
    match own_peer(&stream) {
        Some(_) => Ok(stream),
        None => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// The process at the other end, if it is one of this user.
fn own_peer(stream: &UnixStream) -> Option<u32> {
    let own = rustix::process::geteuid();
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).ok()?;
    (peer.uid == own).then_some(pid)
}
