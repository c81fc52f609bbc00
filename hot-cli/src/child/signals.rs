//! The signals that come to `hot`, on a thread of their own.
//!
//! Knows nothing of children. Handlers are used, never "ignore": a handler is reset in a new
//! process, ignoring would be inherited by it. And a signal that was ignored when `hot` started
//! (`nohup`, a background job of a script) is not touched, so that it stays ignored in the child
//! too.

use std::thread;

use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::backend::Handle;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::SignalsInfo;
use signal_hook::low_level::siginfo::{Cause, Origin};

use super::ChildError;

const HANDLED: [i32; 7] = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH];

/// A signal that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) signal: Signal,
    /// The kernel sent it, to our whole process group: Ctrl-C, a resized terminal. Not a closed
    /// one: that is told to the leader of the session alone.
    pub(super) from_terminal: bool,
}

impl Received {
    fn new(origin: &Origin) -> Option<Self> {
        let signal = Signal::from_named_raw(origin.signal)?;
        Some(Self::sent(signal, origin.cause))
    }

    fn sent(signal: Signal, cause: Cause) -> Self {
        Self {
            signal,
            from_terminal: matches!(cause, Cause::Kernel) && signal != Signal::HUP,
        }
    }

    /// Whether it asks to end.
    pub(super) fn is_ending(&self) -> bool {
        [Signal::INT, Signal::QUIT, Signal::TERM, Signal::HUP].contains(&self.signal)
    }
}

/// Handlers and the thread that they report to; dropping it ends the thread.
pub(super) struct SignalThread(Handle);

impl SignalThread {
    pub(super) fn start(
        mut on_signal: impl FnMut(Received) + Send + 'static,
    ) -> Result<Self, ChildError> {
        let ignored = crate::os::ignored();
        let wanted = HANDLED.iter().filter(|signal| ignored & bit(**signal) == 0);
        let mut signals = SignalsInfo::<WithOrigin>::new(wanted).map_err(ChildError::Signals)?;
        let handle = signals.handle();
        let listen = move || {
            signals
                .forever()
                .filter_map(|origin| Received::new(&origin))
                .for_each(&mut on_signal)
        };
        thread::Builder::new()
            .name("hot-signals".into())
            .spawn(listen)
            .map_err(ChildError::Thread)?;
        Ok(Self(handle))
    }
}

impl Drop for SignalThread {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

#[cfg(test)]
mod tests {
    use signal_hook::low_level::siginfo::Sent;

    use super::*;

    #[test]
    fn the_child_has_what_a_terminal_sends_but_for_its_end() {
        let kernel = |signal| Received::sent(signal, Cause::Kernel).from_terminal;
        assert!(kernel(Signal::INT) && kernel(Signal::WINCH));
        assert!(!kernel(Signal::HUP), "only who leads the session is told");
        let user = Received::sent(Signal::INT, Cause::Sent(Sent::User));
        assert!(!user.from_terminal, "sent to us alone");
    }
}
