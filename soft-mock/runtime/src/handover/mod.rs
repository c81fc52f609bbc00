//! State and sockets that outlive a restart: what `hot` can't patch, it builds again and restarts,
//! and the program that asked for it goes on where it was.
//!
//! ```text
//! old process ── savers ──► states as JSON, listening sockets ──► hot ──► new process, before its main
//! ```
//!
//! Without `hot` around it, everything here does nothing: states are as fresh and listeners as new
//! as in any other start.

mod inherited;
mod saver;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;

use rustix::net::sockopt::{socket_acceptconn, socket_domain};
use rustix::net::AddressFamily;
use serde::de::DeserializeOwned;
use serde::Serialize;

use crate::registry::{registry, RegistryError};

pub(crate) use inherited::keep;
pub(crate) use saver::save_all;

/// What became of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// There was nothing to take over: the program was started afresh.
    Nothing,
    /// It was restored.
    Restored,
    /// It doesn't fit any more, for this reason, which was also said on the standard error. The
    /// program starts fresh.
    Refused(String),
}

/// Keeps a state over restarts: calls `restore` now if the process before this one handed over a
/// state of this name, and `save` when this process is about to make way for the next one.
///
/// `save` is called on a thread of the reloader, once. What the program changes after that is lost;
/// where that matters, keep the lock: the process ends at once. The state crosses as JSON, so its
/// type may change in between, as far as serde can read the one as the other (`#[serde(default)]`
/// for new fields).
///
/// ```
/// use std::sync::{Arc, Mutex};
/// let visits = Arc::new(Mutex::new(0_u64));
/// let (save, restore) = (Arc::clone(&visits), Arc::clone(&visits));
/// soft_mock_runtime::handover::state(
///     "visits",
///     move || *save.lock().unwrap(),
///     move |before| *restore.lock().unwrap() = before,
/// )?;
/// # Ok::<(), soft_mock_runtime::registry::RegistryError>(())
/// ```
pub fn state<S: Serialize + DeserializeOwned + 'static>(
    name: &str,
    save: impl Fn() -> S + Send + Sync + 'static,
    restore: impl FnOnce(S),
) -> Result<Handed, RegistryError> {
    let shared = registry()?.shared();
    let handed = match inherited::take_state(shared, name) {
        None => Handed::Nothing,
        Some(text) => match serde_json::from_str(&text) {
            Ok(state) => {
                restore(state);
                Handed::Restored
            }
            Err(error) => refused(name, &error),
        },
    };
    saver::add_state(shared, name, move || written(&save()));
    Ok(handed)
}

/// A state as text. It is read once more, so that one that can't be restored is known while the
/// process that has it still runs.
fn written<S: Serialize + DeserializeOwned>(state: &S) -> Result<String, String> {
    let text =
        serde_json::to_string(state).map_err(|error| format!("it can't be written: {error}"))?;
    match serde_json::from_str::<S>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("what it writes can't be read: {error}")),
    }
}

fn refused(name: &str, why: &dyn fmt::Display) -> Handed {
    say(&format!(
        "the state `{name}` can't be restored, it starts fresh: {why}"
    ));
    Handed::Refused(why.to_string())
}

fn say(text: &str) {
    use std::io::Write;
    // Not `eprintln!`: a closed standard error must not end the program.
    let _ = writeln!(io::stderr(), "soft-mock: {text}");
}

/// A listening socket that outlives restarts: the one that the process before this one handed over
/// under this name, else what `make` makes. While no process listens, connections wait in it, so
/// clients are kept waiting for a moment but not refused.
///
/// The address is that of the first process, also if `make` would choose another one by now.
///
/// ```
/// use std::net::TcpListener;
/// let listener = soft_mock_runtime::handover::listener("http", || TcpListener::bind("127.0.0.1:0"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn listener<L: Listener>(name: &str, make: impl FnOnce() -> io::Result<L>) -> io::Result<L> {
    let Ok(registry) = registry() else {
        return make();
    };
    let shared = registry.shared();
    let listener = match inherited::take_socket(shared, name) {
        None => make()?,
        Some(socket) => match usable::<L>(&socket) {
            Ok(()) => L::from(socket),
            Err(why) => {
                say(&format!("the listener `{name}` can't be taken over: {why}"));
                make()?
            }
        },
    };
    let kept = rustix::io::fcntl_dupfd_cloexec(&listener, 3)?;
    saver::add_socket(shared, name, kept);
    Ok(listener)
}

/// Sockets that [`listener`] hands over.
pub trait Listener: AsFd + From<OwnedFd> + sealed::Sealed {
    #[doc(hidden)]
    const FAMILIES: &'static [AddressFamily];
}

impl Listener for TcpListener {
    const FAMILIES: &'static [AddressFamily] = &[AddressFamily::INET, AddressFamily::INET6];
}

impl Listener for UnixListener {
    const FAMILIES: &'static [AddressFamily] = &[AddressFamily::UNIX];
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for std::net::TcpListener {}
    impl Sealed for std::os::unix::net::UnixListener {}
}

/// Whether a socket that was handed over is what it is taken for. It waits for connections again,
/// as a new one does, whatever the process before has set.
fn usable<L: Listener>(socket: &OwnedFd) -> Result<(), String> {
    let failed = |error: rustix::io::Errno| error.to_string();
    if !L::FAMILIES.contains(&socket_domain(socket).map_err(failed)?) {
        return Err("it is a socket of another kind".to_owned());
    }
    if !socket_acceptconn(socket).map_err(failed)? {
        return Err("it doesn't listen".to_owned());
    }
    rustix::io::ioctl_fionbio(socket, false).map_err(failed)
}

#[cfg(test)]
mod tests;
