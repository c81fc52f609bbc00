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

use std::ops::Deref;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{io, thread};

use parking_lot::Mutex;

use crate::signals;

use super::THREAD;

/// How long a child may take to execute another program.
const EXEC: Duration = Duration::from_millis(50);

/// How long a fork waits for a patch that is being installed. A child of a fork that doesn't wait
/// longer has no reloader: the state that it would work on may be half written.
const BUSY_TIMEOUT: Duration = Duration::from_millis(300);

/// Between two attempts to be the one who is busy.
const PAUSE: Duration = Duration::from_millis(1);

/// The thread that is busy: one of a reloader, while it does what it was asked for, or one that
/// forks, with [`FORKS`]. A number and not a lock: a child has to give it back, and a lock's queue
/// would be of threads that don't exist there.
static BUSY: AtomicUsize = AtomicUsize::new(NOBODY);

const NOBODY: usize = 0;

/// Added to a thread's number, which is even.
const FORKS: usize = 1;

/// In a child: the thread that was busy doesn't exist.
const GONE: usize = usize::MAX;

/// The connections of reloaders: the program's own, and those of managed plugins. Negative: a free
/// place.
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
    // SAFETY: the handlers don't unwind, and if they are functions of a library, closing that
    // unregisters them.
    match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// While this is held, the process doesn't fork.
pub(super) fn busy() -> Busy {
    while !try_begin(this_thread()) {
        thread::sleep(PAUSE);
    }
    Busy(())
}

/// Somebody is busy; see [`busy`].
pub(super) struct Busy(());

impl Drop for Busy {
    fn drop(&mut self) {
        end(this_thread());
    }
}

fn try_begin(who: usize) -> bool {
    let begun = BUSY.compare_exchange(NOBODY, who, Ordering::Acquire, Ordering::Relaxed);
    begun.is_ok()
}

/// False: it was somebody else.
fn end(who: usize) -> bool {
    let ended = BUSY.compare_exchange(who, NOBODY, Ordering::Release, Ordering::Relaxed);
    ended.is_ok()
}

/// Whether this thread is a reloader's, in the middle of something.
fn is_reloader() -> bool {
    BUSY.load(Ordering::Relaxed) == this_thread()
}

/// A number that no other thread has, and that the thread keeps in a child which it forks.
fn this_thread() -> usize {
    // SAFETY: it can't fail and asks for nothing.
    let thread = unsafe { libc::pthread_self() };
    thread as usize
}

/// What was installed so far.
pub(super) fn installed() -> Vec<PathBuf> {
    INSTALLED.lock().clone()
}

/// Records what was installed.
pub(super) fn record_installed(plugins: Vec<PathBuf>) {
    INSTALLED.lock().extend(plugins);
}

/// A connection that a child doesn't keep open.
pub(super) struct Connected {
    stream: UnixStream,
    place: Option<&'static AtomicI32>,
}

impl Connected {
    pub(super) fn new(stream: UnixStream) -> Self {
        let fd = stream.as_raw_fd();
        let free = |place: &&AtomicI32| {
            let taken = place.compare_exchange(NONE, fd, Ordering::AcqRel, Ordering::Relaxed);
            taken.is_ok()
        };
        let place = CONNECTIONS.iter().find(free);
        Self { stream, place }
    }
}

impl Deref for Connected {
    type Target = UnixStream;

    fn deref(&self) -> &UnixStream {
        &self.stream
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        // Before the stream is closed: then the number may be another file's.
        if let Some(place) = self.place {
            place.store(NONE, Ordering::Release);
        }
    }
}

extern "C" fn before() {
    let begun = Instant::now();
    // A reloader's thread would wait for itself.
    while !try_begin(this_thread() | FORKS) && !is_reloader() && begun.elapsed() < BUSY_TIMEOUT {
        thread::sleep(PAUSE);
    }
}

extern "C" fn in_parent() {
    end(this_thread() | FORKS);
}

extern "C" fn in_child() {
    if is_reloader() {
        return; // A listener has forked: this very thread goes on with its connection.
    }
    let consistent = end(this_thread() | FORKS);
    for place in &CONNECTIONS {
        let inherited = place.swap(NONE, Ordering::AcqRel);
        if inherited != NONE {
            // SAFETY: the descriptor is open, since `Connected` takes it from its place before it
            // closes it. It is the connection of another thread than this one, so of
            // none that exists in this process: nobody else uses or closes it here. The
            // parent's is another one.
            unsafe { libc::close(inherited) };
        }
    }
    if !consistent {
        BUSY.store(GONE, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_busy_is_not_taken_for_somebody_else() {
        let fork_in_another_thread = || {
            thread::spawn(|| {
                before();
                end(this_thread() | FORKS)
            })
            .join()
            .expect("a thread")
        };
        assert!(fork_in_another_thread());
        before();
        assert!(!fork_in_another_thread(), "this one is in progress");
        assert!(end(this_thread() | FORKS), "the other one was none of it");

        let busy = busy();
        let begun = Instant::now();
        before();
        in_parent();
        assert!(begun.elapsed() < BUSY_TIMEOUT, "it waits for itself");
        assert!(is_reloader() && !fork_in_another_thread());
        drop(busy);
        assert!(fork_in_another_thread());
    }

    #[test]
    fn a_connection_has_a_place_as_long_as_it_is_open() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        let fd = one.as_raw_fd();
        let has_place = || {
            let places = CONNECTIONS.iter();
            places
                .filter(|place| place.load(Ordering::Relaxed) == fd)
                .count()
        };
        let connected = Connected::new(one);
        assert_eq!((has_place(), connected.as_raw_fd()), (1, fd));
        drop(connected);
        assert_eq!(has_place(), 0);
    }
}
