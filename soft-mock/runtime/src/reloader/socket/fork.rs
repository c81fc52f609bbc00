//! A process that forks without executing something else: the child gets a reloader of its own.
//!
//! ```text
//! before   no reloader is in the middle of a patch, nor begins one
//! parent   goes on
//! child    the reloader's thread isn't there: its connection is closed, and another thread greets `hot`,
//!          unless the child executes another program within a moment, as most do
//! ```
//!
//! The child has all that was installed in its parent, and says so. Knows nothing of what is said.

use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::OnceLock;
use std::time::Duration;
use std::{io, thread};

use parking_lot::{Mutex, MutexGuard};

use crate::signals;

use super::THREAD;

/// How long a child may take to execute another program.
const EXEC: Duration = Duration::from_millis(50);

/// How long a fork waits for a patch that is being installed. A child of a fork that doesn't wait longer has no
/// reloader: the state that it would work on may be half written.
const BUSY_TIMEOUT: Duration = Duration::from_millis(300);

/// Held by a reloader's thread while it does what it was asked for.
static BUSY: Mutex<()> = Mutex::new(());

/// Whether the fork in progress holds `BUSY`.
static HELD: AtomicBool = AtomicBool::new(false);

/// The connections of reloaders: the program's own, and those of managed plugins. Negative: a free place.
static CONNECTIONS: [AtomicI32; CONNECTIONS_MAX] =
    [const { AtomicI32::new(NONE) }; CONNECTIONS_MAX];

/// What doesn't find a place stays open in children, which is a waste, but no harm.
const CONNECTIONS_MAX: usize = 64;

const NONE: RawFd = -1;

/// What the reloader of a child does.
static RELOADER: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// The plugins that were installed in this process, or in its parent before it forked.
static INSTALLED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// From now on, children of this process run `reloader` in a thread of their own.
pub(super) fn follow(reloader: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
    if RELOADER.set(Box::new(reloader)).is_err() {
        return Ok(());
    }
    // SAFETY: the handlers are functions of a library that stays loaded for as long as the process lives (programs
    // and the agent's are never closed), and they don't unwind.
    match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// While this is held, the process doesn't fork.
pub(super) fn busy() -> MutexGuard<'static, ()> {
    BUSY.lock()
}

/// What was installed so far.
pub(super) fn installed() -> Vec<PathBuf> {
    INSTALLED.lock().clone()
}

/// Records what was installed.
pub(super) fn record_installed(plugins: Vec<PathBuf>) {
    INSTALLED.lock().extend(plugins);
}

/// A connection that a child must not keep open.
pub(super) struct Connected(Option<&'static AtomicI32>);

impl Connected {
    pub(super) fn new(stream: &UnixStream) -> Self {
        let fd = stream.as_raw_fd();
        let free = |place: &&AtomicI32| {
            let taken = place.compare_exchange(NONE, fd, Ordering::AcqRel, Ordering::Relaxed);
            taken.is_ok()
        };
        Self(CONNECTIONS.iter().find(free))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.store(NONE, Ordering::Release);
        }
    }
}

extern "C" fn before() {
    let guard = BUSY.try_lock_for(BUSY_TIMEOUT);
    HELD.store(guard.is_some(), Ordering::Release);
    mem::forget(guard);
}

fn give_back() -> bool {
    let held = HELD.swap(false, Ordering::AcqRel);
    if held {
        // SAFETY: `before` took it on this very thread, which is the one that forks, and forgot the guard.
        unsafe { BUSY.force_unlock() };
    }
    held
}

extern "C" fn in_parent() {
    give_back();
}

extern "C" fn in_child() {
    let consistent = give_back();
    for place in &CONNECTIONS {
        let inherited = place.swap(NONE, Ordering::AcqRel);
        if inherited != NONE {
            // SAFETY: the descriptor is the connection of a thread that doesn't exist in this process, so nobody
            // else uses or closes it here. The parent's is another one.
            unsafe { libc::close(inherited) };
        }
    }
    if !consistent {
        return;
    }
    // Without a thread the child runs on as it is; `hot` sees that it didn't answer.
    let _ = signals::spawn(THREAD, || {
        thread::sleep(EXEC);
        if let Some(reloader) = RELOADER.get() {
            reloader();
        }
    });
}
