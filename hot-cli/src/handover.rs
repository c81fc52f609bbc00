//! Keeps what a process hands over until the next process of the same program takes it.
//!
//! Knows nothing of what is in it. Sockets stay open meanwhile, so connections wait in them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use soft_mock_abi::handover::{receive, send, Contents, Message, SOCKET};

use crate::os::private_socket::{self, peer_pid};

/// A process says at once what it wants.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a process handed over, and its sockets, open.
type Kept = (Contents, Vec<OwnedFd>);

/// What nobody took yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handover {
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Handover {
    /// Waits for processes at a socket in the session's private folder, for as long as `hot` lives.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(SOCKET);
        let listener = private_socket::listen(&path)
            .with_context(|| format!("can't listen on {}", path.display()))?;
        let handover = Self::default();
        let theirs = handover.clone();
        thread::Builder::new()
            .name("hot-handover".into())
            .spawn(move || {
                for stream in listener.incoming() {
                    match stream {
                        // One at a time: a process that makes a mistake sees its connection closed.
                        Ok(stream) => drop(theirs.serve(&stream)),
                        // No file descriptors left, say: it may pass.
                        Err(_) => thread::sleep(Duration::from_millis(100)),
                    }
                }
            })
            .context("can't start a thread")?;
        Ok(handover)
    }

    /// Throws away what nobody took: another restart is about to begin.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn serve(&self, stream: &UnixStream) -> Result<()> {
        peer_pid(stream).map_err(anyhow::Error::msg)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        match receive(stream)? {
            (Message::Give(contents), sockets) => {
                if contents.sockets.len() != sockets.len() {
                    bail!(
                        "{} sockets for {} names",
                        sockets.len(),
                        contents.sockets.len()
                    );
                }
                self.lock().push((contents, sockets));
                send(stream, &Message::Kept, &[])?;
            }
            (Message::Take { program }, _) => {
                let found = self.take(&program);
                let (contents, sockets) = found
                    .map_or((None, Vec::new()), |(contents, sockets)| {
                        (Some(contents), sockets)
                    });
                let sockets: Vec<BorrowedFd<'_>> = sockets.iter().map(AsFd::as_fd).collect();
                send(stream, &Message::Contents(contents), &sockets)?;
            }
            _ => bail!("that is for `hot` to say"),
        }
        Ok(())
    }

    /// The oldest of this program.
    fn take(&self, program: &str) -> Option<Kept> {
        let mut kept = self.lock();
        let position = kept
            .iter()
            .position(|(contents, _)| contents.program == program)?;
        Some(kept.remove(position))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn ask(
        folder: &Path,
        message: &Message,
        sockets: &[BorrowedFd<'_>],
    ) -> (Message, Vec<OwnedFd>) {
        let stream = UnixStream::connect(folder.join(SOCKET)).expect("it listens");
        send(&stream, message, sockets).expect("sent");
        receive(&stream).expect("an answer")
    }

    #[test]
    fn what_is_handed_over_is_kept_for_its_program_and_given_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let handover = Handover::open(folder.path()).expect("open");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let contents = Contents {
            program: "a".into(),
            states: vec![("count".into(), "7".into())],
            sockets: vec!["http".into()],
        };
        let give = Message::Give(contents.clone());
        assert_eq!(
            ask(folder.path(), &give, &[listener.as_fd()]).0,
            Message::Kept
        );
        let take = |program: &str| {
            ask(
                folder.path(),
                &Message::Take {
                    program: program.into(),
                },
                &[],
            )
        };
        assert_eq!(take("b").0, Message::Contents(None));
        let (message, sockets) = take("a");
        assert_eq!(
            (message, sockets.len()),
            (Message::Contents(Some(contents)), 1)
        );
        let taken = TcpListener::from(sockets.into_iter().next().expect("one"));
        assert_eq!(taken.local_addr().ok(), listener.local_addr().ok());
        assert_eq!(take("a").0, Message::Contents(None));

        assert_eq!(
            ask(folder.path(), &give, &[listener.as_fd()]).0,
            Message::Kept
        );
        handover.clear();
        assert_eq!(take("a").0, Message::Contents(None));
    }
}
