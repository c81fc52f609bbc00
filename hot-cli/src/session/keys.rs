//! Keys that steer a session, where its terminal is free for that.
//!
//! Knows nothing of what a key does. The terminal is taken key by key only while nobody else wants
//! it: our standard input is a terminal, it is our process group's, it is set as it was when `hot`
//! started, and no process below us waits for what is typed there. That is looked at before it is
//! taken, before anything is read, and a few times a second; whoever else begins to read gets the
//! terminal back as it was, and keeps it for as long as the session lasts.
//!
//! Signals and output stay as they are set. How the terminal was is restored when this is dropped,
//! and before `hot` is stopped by Ctrl-Z.

mod typed;

use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::termios::Termios;
use signal_hook::consts::SIGTSTP;
use signal_hook::iterator::Signals;

use crate::os::ignored;
use crate::os::terminal::{key_by_key, Readers, Terminal};
use typed::Line;

pub(crate) use typed::Typed;

/// How often it is looked whether the terminal is still free.
const LOOK: Duration = Duration::from_millis(200);

/// How often it has to be found free before it is taken.
const FREE: u32 = 3;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Restart,
    Pause,
    Undo,
    Clear,
    Help,
    Quit,
    /// An empty line, to set apart what follows.
    Line,
    /// All tests, and those that fail; in a session with a program they mean nothing.
    All,
    Failing,
    /// Which tests were run last.
    Which,
}

impl Key {
    fn of(bytes: &[u8]) -> Option<Self> {
        // Several at once are an arrow or a paste.
        let [byte] = bytes else {
            return None;
        };
        Some(match byte {
            b'r' => Self::Restart,
            b'p' => Self::Pause,
            b'u' => Self::Undo,
            b'c' => Self::Clear,
            b'?' | b'h' => Self::Help,
            b'q' => Self::Quit,
            b'a' => Self::All,
            b'f' => Self::Failing,
            b'w' => Self::Which,
            b'\r' | b'\n' => Self::Line,
            _ => return None,
        })
    }
}

/// What happens with keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyEvent {
    /// They are read from now on.
    Ready,
    Pressed(Key),
    /// A text is typed after a slash, where one is asked for.
    Typed(Typed),
    /// They are read no more: somebody else reads the terminal, or has set it otherwise, as
    /// programs do that fill it.
    Taken {
        by_reading: bool,
    },
}

/// Keys, as long as this lives.
pub(crate) struct Keys(Arc<Mutex<State>>);

struct State {
    terminal: Terminal,
    /// How it was, and how it is while keys are read.
    before: Termios,
    ours: Termios,
    /// A program runs, so it can be told whether that one reads the terminal.
    wanted: bool,
    /// A text can be typed after a slash.
    asks_text: bool,
    /// It is being typed.
    line: Option<Line>,
    /// Keys are read.
    on: bool,
    /// They were at some time.
    was_on: bool,
    free: u32,
    /// Somebody else has read the terminal.
    taken: bool,
    over: bool,
}

impl Keys {
    /// None where there is no terminal to read from. `asks_text`: a slash is followed by one.
    pub(crate) fn start<E: From<KeyEvent> + Send + 'static>(
        events: Sender<E>,
        asks_text: bool,
    ) -> io::Result<Option<Self>> {
        let Some(terminal) = Terminal::at_stdin() else {
            return Ok(None);
        };
        let Some(before) = terminal.settings() else {
            return Ok(None);
        };
        let state = Arc::new(Mutex::new(State {
            terminal,
            ours: key_by_key(&before),
            before,
            wanted: false,
            asks_text,
            line: None,
            on: false,
            was_on: false,
            free: 0,
            taken: false,
            over: false,
        }));
        let theirs = Arc::clone(&state);
        thread::Builder::new()
            .name("hot-keys".into())
            .spawn(move || run(&theirs, &events))?;
        Ok(Some(Self(state)))
    }

    /// A program runs.
    pub(crate) fn want(&self) {
        lock(&self.0).wanted = true;
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.over = true;
        state.give_back();
    }
}

fn run<E: From<KeyEvent>>(state: &Arc<Mutex<State>>, events: &Sender<E>) {
    let mut stops = false;
    loop {
        let on = lock(state).on;
        // Not while the lock is held; who reads before us has got what was typed.
        match on {
            true => {
                if let Some(terminal) = Terminal::at_stdin() {
                    terminal.wait(LOOK);
                }
            }
            false => thread::sleep(LOOK),
        }
        let mut state_now = lock(state);
        if state_now.over {
            return;
        }
        let happened = state_now.look();
        drop(state_now);
        if happened == Some(KeyEvent::Ready) && !std::mem::replace(&mut stops, true) {
            restore_before_stops(state);
        }
        if happened.is_some_and(|event| events.send(event.into()).is_err()) {
            return;
        }
    }
}

impl State {
    fn look(&mut self) -> Option<KeyEvent> {
        if !self.terminal.is_ours() {
            // The shell has set it as it likes.
            self.on = false;
            self.free = 0;
            return None;
        }
        let now = self.terminal.settings()?;
        let is_set_by_us = same(&now, &self.ours) && !same(&self.before, &self.ours);
        if self.taken {
            // A program that found it set by us has left it so. Where it never was, somebody wants
            // it like that.
            if is_set_by_us && self.was_on {
                self.terminal.set(&self.before);
            }
            return None;
        }
        let is_as_it_was = match self.on {
            true => is_set_by_us,
            false => same(&now, &self.before),
        };
        let free = is_as_it_was && self.terminal.readers() == Readers::None;
        match (self.on, free) {
            (true, true) => {
                let bytes = self.terminal.read();
                self.read(&bytes)
            }
            (true, false) => {
                self.taken = true;
                self.give_back();
                Some(KeyEvent::Taken {
                    by_reading: is_as_it_was,
                })
            }
            (false, true) if self.wanted => {
                self.free += 1;
                self.on = self.free >= FREE && self.terminal.set(&self.ours);
                self.was_on |= self.on;
                self.on.then_some(KeyEvent::Ready)
            }
            (false, true) => None,
            (false, false) => {
                self.taken = self.wanted;
                None
            }
        }
    }

    /// What bytes mean that were read at once. None: nothing.
    fn read(&mut self, bytes: &[u8]) -> Option<KeyEvent> {
        let rest = match (bytes.split_first(), &self.line) {
            (None, _) => return None,
            (Some(_), Some(_)) => bytes,
            (Some((b'/', rest)), None) if self.asks_text => rest,
            (Some(_), None) => return Key::of(bytes).map(KeyEvent::Pressed),
        };
        let typed = self.line.get_or_insert_default().take(rest);
        if !matches!(typed, Typed::So(_)) {
            self.line = None;
        }
        Some(KeyEvent::Typed(typed))
    }

    /// Leaves the terminal as it was, if it is as we have set it.
    fn give_back(&mut self) {
        self.on = false;
        self.free = 0;
        self.line = None;
        let is_set_by_us = |now: Termios| same(&now, &self.ours);
        if self.terminal.is_ours() && self.terminal.settings().is_some_and(is_set_by_us) {
            self.terminal.set(&self.before);
        }
    }
}

/// Ctrl-Z stops `hot` as it does everybody else, with the terminal as it was.
fn restore_before_stops(state: &Arc<Mutex<State>>) {
    if ignored() & (1 << (SIGTSTP - 1)) != 0 {
        return;
    }
    let Ok(mut signals) = Signals::new([SIGTSTP]) else {
        return;
    };
    let state = Arc::clone(state);
    // Without a thread nothing is restored then, and the shell sets the terminal itself.
    let _ = thread::Builder::new()
        .name("hot-stops".into())
        .spawn(move || {
            for signal in signals.forever() {
                let mut state = lock(&state);
                state.give_back();
                // Held meanwhile: the terminal isn't ours before we go on.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
}

fn same(one: &Termios, other: &Termios) -> bool {
    one.local_modes == other.local_modes && one.input_modes == other.input_modes
}

/// A thread that panicked with the lock held leaves plain values behind: they can be used.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_is_a_key_and_several_are_none() {
        assert_eq!(Key::of(b"r"), Some(Key::Restart));
        assert_eq!(Key::of(b"\n"), Some(Key::Line));
        assert_eq!(Key::of(b"h"), Key::of(b"?"));
        for none in [&b"\x1b[A"[..], b"q\n", b"", b"x", b"R"] {
            assert_eq!(Key::of(none), None);
        }
    }
}
