//! Watches source files and folders, and tells at once whose content changed.
//!
//! Knows nothing of Rust, cargo or what a change means. A set of files and extra folders, which may
//! change during the session, is turned into folders (`watch/routes.rs`), which the system watches
//! (`watch/folders.rs`); an event only makes a path suspect, what counts is its content
//! (`watch/content.rs`). So it doesn't matter in which of the many ways an editor or git writes a
//! file.
//!
//! No long debounce: a file that was closed after writing, or renamed to its name, is compared 1 ms
//! after the last event, anything else after 3 ms, and never later than 20 ms after the first one.
//! Those 1 ms keep the files of one `git checkout` together.
//!
//! Events may be missing (`watch/polling.rs`): a change that came without one is noticed within
//! some seconds, and from then on files are looked at again and again.

mod content;
mod folders;
mod polling;
mod routes;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{channel, Sender};
use std::thread;
use std::time::Instant;

use worker::{Command, Input, Worker};

/// What the watcher tells.
#[derive(Debug)]
pub(crate) enum WatchEvent {
    /// The content of files changed, or they vanished or came back.
    Changed {
        /// Named as they were given, files in extra folders by the folder as it was given.
        paths: Vec<PathBuf>,
        /// When the first sign of it came: the time of the save, but for microseconds.
        seen: Instant,
    },
    /// Files are looked at again and again from now on, for this reason.
    Polls {
        /// What was missed, or can't be.
        why: Missing,
    },
    /// Something can't be watched or read. The rest goes on.
    Failed {
        /// What, and why.
        why: String,
    },
}

/// Why events can't be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// This file was changed, and no event came.
    Event(PathBuf),
    /// The system watches no more, or not at all; in its words.
    Watches(String),
}

/// Why there is no watcher.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// No thread could be started.
    #[error("can't start the watcher: {0}")]
    Thread(#[from] io::Error),
    /// The thread has ended.
    #[error("the watcher has ended")]
    Ended,
}

/// The watcher; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    inputs: Sender<Input>,
}

impl Watcher {
    /// Starts to watch nothing yet. With `poll`, files are looked at again and again from the
    /// start.
    pub(crate) fn start<E>(events: Sender<E>, poll: bool) -> Result<Self, WatchError>
    where
        E: From<WatchEvent> + Send + 'static,
    {
        let (inputs, received) = channel();
        let raw = inputs.clone();
        let notifier = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Our own reads are reported too: not worth waking anybody.
            if event
                .as_ref()
                .map_or(true, |event| worker::is_write(&event.kind))
            {
                let _ = raw.send(Input::Raw(event));
            }
        });
        let worker = Worker::new(notifier, poll, received, move |event| {
            events.send(E::from(event)).is_ok()
        });
        thread::Builder::new()
            .name("hot-watch".into())
            .spawn(move || worker.run())?;
        Ok(Self { inputs })
    }

    /// The files of interest, in place of those given before. They need not exist.
    ///
    /// When it returns, they are watched: a later change is not missed. What a new one holds now is
    /// what changes are compared with; one that was watched before keeps what was last told of
    /// it.
    pub(crate) fn set_files(
        &self,
        files: impl IntoIterator<Item = PathBuf>,
    ) -> Result<(), WatchError> {
        self.command(Command::Files(files.into_iter().collect()))
    }

    /// Files and folders (with all below them) that the user named, in place of those given before.
    ///
    /// New files in them are told too. Left out are version control's folders, build output (marked
    /// by a `CACHEDIR.TAG`, as cargo's is), and the scratch files of editors.
    pub(crate) fn set_extra(
        &self,
        paths: impl IntoIterator<Item = PathBuf>,
    ) -> Result<(), WatchError> {
        self.command(Command::Extra(paths.into_iter().collect()))
    }

    fn command(&self, command: Command) -> Result<(), WatchError> {
        let (done, wait) = channel();
        self.inputs
            .send(Input::Command(command, done))
            .map_err(|_| WatchError::Ended)?;
        wait.recv().map_err(|_| WatchError::Ended)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.inputs.send(Input::Stop);
    }
}

#[cfg(test)]
mod tests;
