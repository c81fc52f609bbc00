//! What comes to `hot test` from outside: saves, keys, signals, the end of a round.
//!
//! Knows nothing of what follows from it.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::backend::Handle;
use signal_hook::iterator::Signals as Iterator;

use super::round::{Ask, Outcome, Project};
use crate::os::ignored;
use crate::os::process::Cancel;
use crate::session::keys::KeyEvent;
use crate::watch::WatchEvent;

/// What came.
pub(super) enum Event {
    Watch(WatchEvent),
    Key(KeyEvent),
    Signal,
    /// A round is over; it gives back what it had. With what it was asked for.
    Done(Box<Project>, Ask, Result<Outcome>),
}

impl From<WatchEvent> for Event {
    fn from(event: WatchEvent) -> Self {
        Self::Watch(event)
    }
}

impl From<KeyEvent> for Event {
    fn from(event: KeyEvent) -> Self {
        Self::Key(event)
    }
}

/// Signals that ask to end: what runs is cancelled, and who waits for events is told. One that was
/// ignored when `hot` started stays ignored.
pub(super) struct Signals {
    came: Arc<AtomicI32>,
    cancel: Arc<Mutex<Cancel>>,
    handle: Handle,
}

impl Signals {
    /// `cancel` is that of what runs first.
    pub(super) fn start(cancel: Cancel) -> Result<Self> {
        Self::telling(cancel, None)
    }

    pub(super) fn telling(cancel: Cancel, events: Option<Sender<Event>>) -> Result<Self> {
        let wanted = [SIGINT, SIGTERM, SIGHUP];
        let wanted = wanted
            .iter()
            .filter(|signal| ignored() & (1 << (**signal - 1)) == 0);
        let mut signals = Iterator::new(wanted)?;
        let handle = signals.handle();
        let came = Arc::new(AtomicI32::new(0));
        let cancel = Arc::new(Mutex::new(cancel));
        let (their_came, their_cancel) = (Arc::clone(&came), Arc::clone(&cancel));
        thread::Builder::new()
            .name("hot-signals".into())
            .spawn(move || {
                for signal in signals.forever() {
                    their_came.store(signal, Ordering::Relaxed);
                    lock(&their_cancel).cancel();
                    // Without a listener, what was cancelled comes back by itself.
                    let _ = events.as_ref().map(|events| events.send(Event::Signal));
                }
            })?;
        Ok(Self {
            came,
            cancel,
            handle,
        })
    }

    /// The signal that came, if one did.
    pub(super) fn came(&self) -> Option<i32> {
        Some(self.came.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// This is what runs from now on.
    pub(super) fn cancels(&self, cancel: &Cancel) {
        *lock(&self.cancel) = cancel.clone();
        if self.came().is_some() {
            cancel.cancel();
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn lock(cancel: &Mutex<Cancel>) -> std::sync::MutexGuard<'_, Cancel> {
    cancel.lock().unwrap_or_else(PoisonError::into_inner)
}
