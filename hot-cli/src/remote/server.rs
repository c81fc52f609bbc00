//! The request server: where a session answers other terminals. A socket in the session's private
//! folder.
//!
//! Knows nothing of what is asked, except who is there. Each connection has a thread of its own,
//! reads one question, hands it to the session's loop and writes its answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use crate::os::private_socket::{self, peer_pid};
use crate::protocol::{Reply, Request, SessionInfo};

/// The name of the socket in a session's folder.
pub(crate) const SOCKET: &str = "server";

/// A question is short.
const LONGEST: u64 = 64 << 10;

/// Whoever connects says at once what they want.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long the programs have for an answer; who hasn't given one by then is left out.
const PROGRAMS_TIMEOUT: Duration = Duration::from_secs(2);

/// A question for the session's loop.
#[derive(Debug)]
pub(crate) enum ServerEvent {
    /// It is to be answered on the channel.
    Asked(u64, Request, Sender<Reply>),
    /// It is to be answered now, with what is known.
    Expired(u64),
}

/// Serves requests in the session's `folder` for as long as the process lives.
pub(crate) fn start<E>(folder: &Path, info: SessionInfo, events: Sender<E>) -> Result<()>
where
    E: From<ServerEvent> + Send + 'static,
{
    let path = folder.join(SOCKET);
    let listener = private_socket::listen(&path)
        .with_context(|| format!("can't listen on {}", path.display()))?;
    let info = Arc::new(info);
    let next = Arc::new(AtomicU64::new(1));
    thread::Builder::new()
        .name("hot-requests".into())
        .spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // No file descriptors left, say: it may pass.
                    thread::sleep(Duration::from_millis(100));
                    continue;
                };
                let (info, next, events) = (Arc::clone(&info), Arc::clone(&next), events.clone());
                // Without a thread, or after a mistake of its own, the peer sees the connection
                // closed.
                let _ = thread::Builder::new().spawn(move || serve(&stream, &info, &next, &events));
            }
        })
        .context("can't start a thread")?;
    Ok(())
}

fn serve<E: From<ServerEvent>>(
    stream: &UnixStream,
    info: &SessionInfo,
    next: &AtomicU64,
    events: &Sender<E>,
) -> Result<()> {
    peer_pid(stream).map_err(anyhow::Error::msg)?;
    let request: Request = read(stream)?;
    let reply = match request {
        Request::Who => Reply::Who(info.clone()),
        request => handle(request, next.fetch_add(1, Ordering::Relaxed), events)?,
    };
    write(stream, &reply)
}

fn handle<E: From<ServerEvent>>(request: Request, id: u64, events: &Sender<E>) -> Result<Reply> {
    let (sender, answer): (Sender<Reply>, Receiver<Reply>) = channel();
    let gone = || anyhow::anyhow!("the session has ended");
    let event = ServerEvent::Asked(id, request, sender);
    events.send(event.into()).map_err(|_| gone())?;
    if let Ok(reply) = answer.recv_timeout(PROGRAMS_TIMEOUT) {
        return Ok(reply);
    }
    events
        .send(ServerEvent::Expired(id).into())
        .map_err(|_| gone())?;
    Ok(answer.recv_timeout(TIMEOUT)?)
}

/// Asks the session with this folder.
pub(crate) fn call(folder: &Path, request: &Request) -> Result<Reply> {
    let path = folder.join(SOCKET);
    let stream = UnixStream::connect(&path)
        .with_context(|| format!("can't connect to {}", path.display()))?;
    peer_pid(&stream).map_err(anyhow::Error::msg)?;
    write(&stream, request)?;
    let mut line = Vec::new();
    stream.set_read_timeout(Some(TIMEOUT * 3))?;
    BufReader::new(&stream)
        .read_until(b'\n', &mut line)
        .context("the session doesn't answer")?;
    if line.is_empty() {
        bail!("the session ended without an answer");
    }
    serde_json::from_slice(&line)
        .context("the session's answer isn't understood: is it of another version of `hot`?")
}

fn read<T: serde::de::DeserializeOwned>(stream: &UnixStream) -> Result<T> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut line = Vec::new();
    BufReader::new(stream)
        .take(LONGEST)
        .read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

fn write(mut stream: &UnixStream, words: &impl serde::Serialize) -> Result<()> {
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut line = serde_json::to_vec(words)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    Ok(())
}
