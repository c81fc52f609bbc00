//! A program that fills the terminal of a session: seen by how the terminal is set, where keys
//! don't set it so.
//!
//! Knows nothing of what waits meanwhile.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::os::screen::Output;
use crate::ui::Screen;

/// How often it is looked whether it still does.
const LOOK: Duration = Duration::from_millis(200);

/// Leaves the alternate screen and whatever such programs switch on: mouse, pasting in brackets, a
/// hidden cursor, colours.
const LEAVE: &str =
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m";

/// It is time to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look;

/// The terminal of a session.
#[derive(Debug, Clone)]
pub(crate) struct SessionScreen {
    output: Arc<Output>,
}

impl SessionScreen {
    /// None where no program could fill it. `Look` is sent as long as this lives.
    pub(crate) fn watch<E: From<Look> + Send + 'static>(events: Sender<E>) -> Option<Self> {
        let output = Arc::new(Output::at_stderr()?);
        let still = Arc::downgrade(&output);
        // Without a thread, what waits is said with the next line.
        let _ = thread::Builder::new()
            .name("hot-screen".into())
            .spawn(move || look(&still, &events));
        Some(Self { output })
    }

    /// Gives the terminal back to lines, if a program that was ended has left it filled. What is to
    /// be written for that.
    pub(crate) fn leave(&self) -> Option<&'static str> {
        let left = self.is_taken();
        if left {
            self.output.restore();
        }
        left.then_some(LEAVE)
    }
}

impl Screen for SessionScreen {
    fn is_taken(&self) -> bool {
        self.output.is_taken()
    }

    fn is_at_rest(&self) -> bool {
        self.output.is_at_rest()
    }
}

fn look<E: From<Look>>(wanted: &Weak<Output>, events: &Sender<E>) {
    while wanted.strong_count() > 0 {
        thread::sleep(LOOK);
        if events.send(Look.into()).is_err() {
            return;
        }
    }
}
