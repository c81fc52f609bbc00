//! A process at a terminal of its own: what it writes there, what is typed, and how the terminal is
//! set.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{grantpt, openpt, ptsname, unlockpt, OpenptFlags};
use rustix::termios::{tcgetattr, tcsetwinsize, LocalModes, Winsize};

use crate::process;
use crate::project::Project;
use crate::session::TIMEOUT;

/// A process, its terminal, and all that was written there.
pub struct Terminal {
    child: Child,
    controller: File,
    written: Arc<(Mutex<String>, Condvar)>,
    at: usize,
    mark: String,
    // Kept open, so that the terminal outlives the process and can be looked at.
    _user: File,
}

impl Terminal {
    /// Starts `program` in a session of its own, with a terminal as its controlling one.
    pub fn start(project: &Project, program: &str, arguments: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).expect("granted");
        unlockpt(&controller).expect("unlocked");
        // Without a size it isn't one that could show anything.
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&controller, size).expect("its size");
        let name = ptsname(&controller, Vec::new()).expect("its name");
        let name = name.into_string().expect("text");
        let open = || {
            File::options()
                .read(true)
                .write(true)
                .open(&name)
                .expect("opened")
        };
        let mut command: Command = project.command("setsid");
        command
            .args(["--ctty", "--wait", program])
            .args(arguments)
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .stdin(open())
            .stdout(open())
            .stderr(open());
        let child = command.spawn().expect("setsid");
        let user = open();
        let written = Arc::default();
        let controller: OwnedFd = controller;
        let controller = File::from(controller);
        let source = controller.try_clone().expect("another handle");
        collect(source, Arc::clone(&written));
        Self {
            child,
            controller,
            written,
            at: 0,
            mark: project.mark().to_owned(),
            _user: user,
        }
    }

    /// Types something.
    pub fn type_keys(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).expect("typed");
    }

    /// Waits until a text was written after the one that was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + TIMEOUT;
        let mut written = self
            .written
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = written[self.at..].find(text) {
                self.at += found + text.len();
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{text:?} did not come:\n{written}");
            let waited = self.written.1.wait_timeout(written, left);
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All that was written so far.
    pub fn written(&self) -> String {
        let written = self.written.0.lock();
        written.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether what is typed comes in lines and is shown, as it is in a terminal that nobody has
    /// set.
    pub fn is_as_it_was(&self) -> bool {
        let modes = tcgetattr(&self.controller).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Waits until that is so, or isn't.
    #[track_caller]
    pub fn wait_until_set(&self, as_it_was: bool) {
        let end = Instant::now() + TIMEOUT;
        while self.is_as_it_was() != as_it_was {
            assert!(Instant::now() < end, "{}", self.written());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn finish(mut self) -> ExitStatus {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                assert!(self.is_as_it_was(), "the terminal was left as it was set");
                return status;
            }
            assert!(Instant::now() < end, "it doesn't end:\n{}", self.written());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        process::kill(&self.mark);
    }
}

fn collect(mut source: File, written: Arc<(Mutex<String>, Condvar)>) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        // An error is the end: the other side of the terminal is closed.
        while let Ok(count) = source.read(&mut bytes) {
            if count == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&bytes[..count]);
            let mut all = written.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push_str(&text);
            written.1.notify_all();
        }
    });
}
