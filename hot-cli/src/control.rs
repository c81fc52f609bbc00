//! The control socket: the programs of the session connect to it, say who they are, and are told
//! what to load.
//!
//! Knows nothing of plugins or of what the messages mean, only that the first line of a program is
//! its hello. A connection that doesn't keep to the protocol is closed, with an event that says
//! why; the others don't notice.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use soft_mock_abi::protocol::{FromProgram, Hello, ToProgram, VERSION};

use crate::os::private_socket::{self, peer_pid};

/// The list of all sites of a large program has some megabytes.
const LINE_MAX: u64 = 64 << 20;

/// A program says hello at once.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// A program that doesn't read for so long won't: it must not stop the whole session.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Far more than the programs of a session; each costs a thread.
const CONNECTIONS_MAX: usize = 256;

/// After an accept that failed (no file descriptors left, say): not at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One connection; the number isn't used again in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Connection(u64);

#[cfg(test)]
impl Connection {
    /// For tests of what is done about a connection.
    pub(crate) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// What happens on the socket.
#[derive(Debug)]
pub(crate) enum ControlEvent {
    /// A program said who it is.
    Joined {
        /// From now on its name here.
        conn: Connection,
        /// Its pid by the kernel's account, as it is seen from here; `hello.pid` is its own view.
        pid: u32,
        /// What it said.
        hello: Hello,
    },
    /// It said something else.
    Message {
        /// Who.
        conn: Connection,
        /// What.
        message: FromProgram,
    },
    /// A program that had joined is gone.
    Left {
        /// Who.
        conn: Connection,
        /// Why the connection was closed from here; nothing when the program ended or closed it.
        why: Option<String>,
    },
    /// A connection was closed before it became that of a program, or none can be accepted.
    Rejected {
        /// The cause.
        why: String,
    },
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on the control socket {}: {error}", path.display())]
pub(crate) struct ListenError {
    path: PathBuf,
    error: io::Error,
}

/// Why a message wasn't sent; the connection is closed then, and `ControlEvent::Left` follows if it
/// was open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The program has left.
    #[error("the program is gone")]
    Gone,
    /// The connection failed.
    #[error("the program can't be reached: {0}")]
    Io(#[from] io::Error),
    /// The message has no JSON form.
    #[error("a message can't be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// The listening socket and its connections; all are closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    listener: UnixListener,
    closing: AtomicBool,
    next: AtomicU64,
    connections: Mutex<HashMap<Connection, Arc<Peer>>>,
}

#[derive(Debug)]
struct Peer {
    stream: UnixStream,
    /// One message at a time, whole.
    writing: Mutex<()>,
}

impl Control {
    /// Listens at `socket`, in the session's private folder.
    pub(crate) fn listen<E>(socket: &Path, events: Sender<E>) -> Result<Self, ListenError>
    where
        E: From<ControlEvent> + Send + 'static,
    {
        let listener = self::listen(socket, move |shared| accept_all(&shared, &events));
        let shared = listener.map_err(|error| ListenError {
            path: socket.to_owned(),
            error,
        })?;
        Ok(Self {
            path: socket.to_owned(),
            shared,
        })
    }

    /// Sends one message. It is slow only if the program doesn't read; then it fails after some
    /// seconds.
    pub(crate) fn send(&self, conn: Connection, message: &ToProgram) -> Result<(), SendError> {
        let peer = lock(&self.shared.connections)
            .get(&conn)
            .cloned()
            .ok_or(SendError::Gone)?;
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let _whole = lock(&peer.writing);
        (&peer.stream).write_all(&line).map_err(|error| {
            // Half a line may have gone out: nothing that follows could be understood.
            peer.close();
            SendError::from(error)
        })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        // Wakes the thread that waits for connections.
        let _ = rustix::net::shutdown(&self.shared.listener, rustix::net::Shutdown::Both);
        for peer in lock(&self.shared.connections).values() {
            peer.close();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Peer {
    fn close(&self) {
        // Wakes its reader, which does the rest.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn listen(
    socket: &Path,
    accept: impl FnOnce(Arc<Shared>) + Send + 'static,
) -> io::Result<Arc<Shared>> {
    let listener = private_socket::listen(socket)?;
    let shared = Arc::new(Shared {
        listener,
        closing: AtomicBool::new(false),
        next: AtomicU64::new(1),
        connections: Mutex::default(),
    });
    let theirs = Arc::clone(&shared);
    thread::Builder::new()
        .name("hot-control".into())
        .spawn(move || accept(theirs))?;
    Ok(shared)
}

fn accept_all<E: From<ControlEvent> + Send + 'static>(shared: &Arc<Shared>, events: &Sender<E>) {
    let mut failing = false;
    loop {
        let accepted = shared.listener.accept();
        if shared.closing.load(Ordering::Acquire) {
            return;
        }
        let served = accepted.and_then(|(stream, _)| serve(shared, stream, events.clone()));
        match served {
            Ok(()) => failing = false,
            Err(error) => {
                // Once, however long it lasts.
                if !failing {
                    let why = format!("the control socket can't take a connection: {error}");
                    let _ = events.send(ControlEvent::Rejected { why }.into());
                }
                failing = true;
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// Starts the thread that reads from a new connection.
fn serve<E: From<ControlEvent> + Send + 'static>(
    shared: &Arc<Shared>,
    stream: UnixStream,
    events: Sender<E>,
) -> io::Result<()> {
    stream.set_write_timeout(Some(SEND_TIMEOUT))?;
    stream.set_read_timeout(Some(HELLO_TIMEOUT))?;
    let conn = Connection(shared.next.fetch_add(1, Ordering::Relaxed));
    let peer = Arc::new(Peer {
        stream,
        writing: Mutex::new(()),
    });
    {
        let mut connections = lock(&shared.connections);
        if connections.len() >= CONNECTIONS_MAX {
            return Err(io::Error::other(format!("{CONNECTIONS_MAX} are open")));
        }
        connections.insert(conn, Arc::clone(&peer));
        // `Control` may have been dropped just before: then nobody else closes this one.
        if shared.closing.load(Ordering::Acquire) {
            peer.close();
        }
    }
    let theirs = Arc::clone(shared);
    let read = move || {
        let last = read_messages(conn, &peer, &events);
        peer.close();
        lock(&theirs.connections).remove(&conn);
        if let Some(last) = last {
            let _ = events.send(last.into());
        }
    };
    thread::Builder::new()
        .name("hot-program".into())
        .spawn(read)
        .map(drop)
        .inspect_err(|_| {
            lock(&shared.connections).remove(&conn);
        })
}

/// Reads until the end of the connection; returns what is to be said of it.
fn read_messages<E: From<ControlEvent>>(
    conn: Connection,
    peer: &Peer,
    events: &Sender<E>,
) -> Option<ControlEvent> {
    let mut reader = BufReader::new(&peer.stream);
    let (pid, hello) = match greet(peer, &mut reader) {
        Ok(greeting) => greeting?,
        Err(why) => return Some(ControlEvent::Rejected { why }),
    };
    if events
        .send(ControlEvent::Joined { conn, pid, hello }.into())
        .is_err()
    {
        return None;
    }
    loop {
        let message = match read_message(&mut reader) {
            Ok(Some(FromProgram::Hello(_))) => Err("it said hello twice".to_owned()),
            other => other,
        };
        match message {
            Ok(Some(message)) => {
                if events
                    .send(ControlEvent::Message { conn, message }.into())
                    .is_err()
                {
                    return None;
                }
            }
            Ok(None) => return Some(ControlEvent::Left { conn, why: None }),
            Err(why) => {
                return Some(ControlEvent::Left {
                    conn,
                    why: Some(why),
                })
            }
        }
    }
}

/// Who is it? Nothing if the connection was closed without a word.
fn greet(peer: &Peer, reader: &mut BufReader<&UnixStream>) -> Result<Option<(u32, Hello)>, String> {
    let pid = peer_pid(&peer.stream)?;
    let hello = match read_message(reader).map_err(|why| format!("process {pid}: {why}"))? {
        None => return Ok(None),
        Some(FromProgram::Hello(hello)) => hello,
        Some(_) => return Err(format!("process {pid}: its first message is no hello")),
    };
    if hello.version != VERSION {
        return Err(format!(
            "process {pid} speaks version {} of the control protocol, this hot version {VERSION}: rebuild the program",
            hello.version
        ));
    }
    // From here on silence is normal.
    peer.stream
        .set_read_timeout(None)
        .map_err(|error| error.to_string())?;
    Ok(Some((pid, hello)))
}

/// One line; nothing at the end of the connection. The error says what was wrong.
fn read_message(reader: &mut impl BufRead) -> Result<Option<FromProgram>, String> {
    let mut line = Vec::new();
    match reader.take(LINE_MAX).read_until(b'\n', &mut line) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        // A program that is killed can take its connection down so.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ) =>
        {
            return Err(format!("it said nothing for {} s", HELLO_TIMEOUT.as_secs()));
        }
        Err(error) => return Err(format!("it can't be read from: {error}")),
    }
    if line.pop() != Some(b'\n') {
        let full = u64::try_from(line.len() + 1).is_ok_and(|len| len >= LINE_MAX);
        return Err(if full {
            format!("a line of more than {} MiB", LINE_MAX >> 20)
        } else {
            "the connection ended in the middle of a line".to_owned()
        });
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| {
        let start = String::from_utf8_lossy(line.get(..60).unwrap_or(&line)).into_owned();
        format!("a line is not a message ({error}): {start:?}")
    })
}

/// A thread that panicked with the lock held leaves plain values behind: they can be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
