//! Threads that take no signal: the program's signal handling is its own.
//!
//! A signal that is sent to a process goes to any thread that doesn't block it. Threads of the
//! runtime therefore begin with signals blocked; what a fault raises in the thread itself stays
//! open, so that the program's crash handler sees it.

use std::io;
use std::mem::MaybeUninit;
use std::thread::{Builder, JoinHandle};

/// Raised by a fault of the thread itself.
const FAULTS: [libc::c_int; 6] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
    libc::SIGSYS,
];

/// Stated so that starting a thread doesn't look into the environment, which another thread of the
/// program may be changing.
const STACK: usize = 2 << 20;

/// Blocks signals on this thread, and on threads that it starts, until it is dropped.
pub(crate) struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    pub(crate) fn now() -> Self {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigfillset` initialises the set before it is read; the signals are valid, so
        // none of these calls can fail, and `pthread_sigmask` initialises `before`.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            for fault in FAULTS {
                libc::sigdelset(all.as_mut_ptr(), fault);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self {
                before: before.assume_init(),
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: a set that `pthread_sigmask` wrote.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

/// Starts a thread that takes no signal.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let _blocked = Blocked::now();
    Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(run)
}
