//! A session over programs that another one started and that outlived it: nothing is started, nothing restarted, and the
//! session ends with the last of them.

use soft_mock::reloader::protocol::Hello;

use super::*;

/// A program calls every second.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Goes on where a killed session was, until its programs end. Returns the exit code.
    pub(crate) fn attach(&mut self, events: &Receiver<Event>) -> Result<u8> {
        self.attached = true;
        self.last = self.folder.last_patch();
        let later = self.events.clone();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            // The session may have ended meanwhile.
            let _ = later.send(Event::Patience);
        });
        self.handle_all(events)
    }

    pub(super) fn say_joined(&self, pid: u32, hello: &Hello) {
        let text = || format!("pid {pid} joined: {}", hello.exe.display());
        match self.attached {
            true => self.report.note(&text()),
            false => self.report.detail(text),
        }
    }

    /// All programs are gone.
    pub(super) fn attached_to_nobody(&self) -> Option<u8> {
        let over = self.attached && self.joined && self.instances.is_empty();
        over.then_some(0)
    }

    pub(super) fn nobody_joined(&self) -> Option<u8> {
        if self.joined {
            return None;
        }
        let seconds = PATIENCE.as_secs();
        self.report
            .error(&format!("no program has answered for {seconds} s"));
        Some(exit::FAILED)
    }
}
