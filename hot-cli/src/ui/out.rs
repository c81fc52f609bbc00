//! Where lines go: to the terminal, and to files as well.
//!
//! While a program fills the terminal, nothing is written into it: lines wait, their newest is
//! shown as the terminal's title, and files have them at once. Knows nothing of how it is found out
//! whether a program does.

use std::fmt;
use std::fs::File;
use std::io::Write;

/// Messages that wait; of more, the newest.
const WAITING_MAX: usize = 500;

/// A copy of what is said begins anew when it is longer: it may lie in memory.
const COPY_MAX: u64 = 1 << 20;

/// A title is no place for more.
const TITLE_MAX: usize = 120;

/// What is known of the terminal.
pub(crate) trait Screen: Send {
    /// Whether a program fills it.
    fn is_taken(&self) -> bool;

    /// Whether nobody who might be in the middle of a sequence for the terminal writes to it now.
    fn is_at_rest(&self) -> bool;
}

/// A file that has all that is said.
#[derive(Debug)]
pub(crate) enum Copy {
    /// All of it, for good.
    Log(File),
    /// The newest of it, for those who follow.
    Recent(File),
}

pub(super) struct Out<W> {
    pub(super) to: W,
    pub(super) copies: Vec<Copy>,
    /// None: it is no terminal that could be filled.
    pub(super) screen: Option<Box<dyn Screen>>,
    /// The terminal has a title that can be set.
    pub(super) has_title: bool,
    waiting: Vec<String>,
    left_out: usize,
    /// The title that is to be shown, and whether the user's is put aside.
    title: Option<String>,
    is_titled: bool,
}

impl<W: fmt::Debug> fmt::Debug for Out<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("to", &self.to).finish()
    }
}

impl<W: Write> Out<W> {
    pub(super) fn new(to: W) -> Self {
        Self {
            to,
            copies: Vec::new(),
            screen: None,
            has_title: false,
            waiting: Vec::new(),
            left_out: 0,
            title: None,
            is_titled: false,
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        self.screen.as_ref().is_some_and(|screen| screen.is_taken())
    }

    /// Lines for whoever reads.
    pub(super) fn say(&mut self, message: &str) {
        if message.is_empty() {
            return;
        }
        for copy in &mut self.copies {
            copy.write(message);
        }
        if !self.is_taken() {
            self.let_go();
            return self.write(message);
        }
        if self.waiting.len() == WAITING_MAX {
            self.waiting.remove(0);
            self.left_out += 1;
        }
        self.waiting.push(message.to_owned());
        self.title = plain(message).lines().next().map(title);
        self.show_title();
    }

    /// What only a terminal understands.
    pub(super) fn control(&mut self, sequence: &str) {
        if !self.is_taken() {
            self.write(sequence);
        }
    }

    /// Some time has passed: what waits may be said, or shown as the title.
    pub(super) fn look(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        match self.is_taken() {
            true => self.show_title(),
            false => self.let_go(),
        }
    }

    /// Says what waits, whatever fills the terminal.
    pub(super) fn let_go(&mut self) {
        if self.is_titled {
            self.is_titled = false;
            self.write("\x1b[23;2t");
        }
        self.title = None;
        let waiting = std::mem::take(&mut self.waiting);
        match std::mem::take(&mut self.left_out) {
            0 => {}
            count => self.write(&format!(
                "{} {count} earlier messages are left out\n",
                super::MARK
            )),
        }
        self.write(&waiting.concat());
    }

    fn show_title(&mut self) {
        let at_rest = self
            .screen
            .as_ref()
            .is_some_and(|screen| screen.is_at_rest());
        if !self.has_title || !at_rest {
            return;
        }
        let Some(title) = self.title.take() else {
            return;
        };
        let before = match std::mem::replace(&mut self.is_titled, true) {
            true => "",
            false => "\x1b[22;2t",
        };
        self.write(&format!("{before}\x1b]2;{title}\x07"));
    }

    fn write(&mut self, bytes: &str) {
        if bytes.is_empty() {
            return;
        }
        // One call, so that what the program writes at the same time stays before or behind.
        let written = self.to.write_all(bytes.as_bytes());
        let _ = written.and_then(|()| self.to.flush());
    }
}

impl Copy {
    /// What can't be written is dropped, as elsewhere.
    fn write(&mut self, message: &str) {
        let message = plain(message);
        let (Self::Log(file) | Self::Recent(file)) = self;
        let _ = file.write_all(message.as_bytes());
        if let Self::Recent(file) = self {
            if file.metadata().is_ok_and(|meta| meta.len() > COPY_MAX) {
                let _ = file.set_len(0);
            }
        }
    }
}

/// Without colours.
fn plain(message: &str) -> String {
    anstream::adapter::strip_str(message).to_string()
}

fn title(line: &str) -> String {
    let printable = line.chars().filter(|char| !char.is_control());
    printable.take(TITLE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Fake {
        taken: Arc<AtomicBool>,
        busy: Arc<AtomicBool>,
    }

    impl Screen for Fake {
        fn is_taken(&self) -> bool {
            self.taken.load(Ordering::Relaxed)
        }
        fn is_at_rest(&self) -> bool {
            !self.busy.load(Ordering::Relaxed)
        }
    }

    fn said(out: &Out<Vec<u8>>) -> &str {
        std::str::from_utf8(&out.to).expect("text")
    }

    #[test]
    fn lines_wait_while_a_program_fills_the_terminal() {
        let screen = Fake::default();
        let mut out = Out::new(Vec::new());
        out.screen = Some(Box::new(screen.clone()));
        let mut file = tempfile::tempfile().expect("a file");
        out.copies
            .push(Copy::Log(file.try_clone().expect("a handle")));
        out.say("hot: one\n");
        screen.taken.store(true, Ordering::Relaxed);
        out.say("\x1b[1mhot:\x1b[0m two\n");
        out.control("\x1b[2J");
        out.look();
        assert_eq!(said(&out), "hot: one\n");
        screen.taken.store(false, Ordering::Relaxed);
        out.look();
        assert_eq!(said(&out), "hot: one\n\x1b[1mhot:\x1b[0m two\n");
        out.look();
        assert_eq!(said(&out), "hot: one\n\x1b[1mhot:\x1b[0m two\n", "once");

        use std::io::{Read, Seek};
        let mut copy = String::new();
        file.rewind().expect("the start");
        file.read_to_string(&mut copy).expect("text");
        assert_eq!(copy, "hot: one\nhot: two\n");
    }

    #[test]
    fn the_title_is_shown_between_two_writes_of_the_program_and_given_back() {
        let screen = Fake::default();
        let mut out = Out::new(Vec::new());
        out.screen = Some(Box::new(screen.clone()));
        out.has_title = true;
        screen.taken.store(true, Ordering::Relaxed);
        screen.busy.store(true, Ordering::Relaxed);
        out.say("hot: one\nmore\n");
        assert_eq!(said(&out), "", "not in the middle of something");
        screen.busy.store(false, Ordering::Relaxed);
        out.look();
        assert_eq!(said(&out), "\x1b[22;2t\x1b]2;hot: one\x07");
        out.look();
        out.say("hot: t\x07wo\n");
        assert_eq!(
            said(&out),
            "\x1b[22;2t\x1b]2;hot: one\x07\x1b]2;hot: two\x07"
        );
        out.to.clear();
        screen.taken.store(false, Ordering::Relaxed);
        out.look();
        assert_eq!(said(&out), "\x1b[23;2thot: one\nmore\nhot: t\x07wo\n");
    }

    #[test]
    fn of_too_many_the_newest_wait() {
        let screen = Fake::default();
        screen.taken.store(true, Ordering::Relaxed);
        let mut out = Out::new(Vec::new());
        out.screen = Some(Box::new(screen));
        for number in 0..WAITING_MAX + 2 {
            out.say(&format!("{number}\n"));
        }
        out.let_go();
        assert!(said(&out).starts_with("hot: 2 earlier messages are left out\n2\n3\n"));
    }

    #[test]
    fn what_is_followed_does_not_grow_for_ever() {
        let file = tempfile::tempfile().expect("a file");
        let mut recent = Copy::Recent(file.try_clone().expect("a handle"));
        let line = "x".repeat(1 << 19);
        recent.write(&line);
        recent.write(&line);
        assert_eq!(file.metadata().expect("there").len(), COPY_MAX);
        recent.write("y");
        assert_eq!(file.metadata().expect("there").len(), 0);
    }
}
