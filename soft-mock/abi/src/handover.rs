//! How states and sockets cross from a process to `hot` and on: messages with file descriptors.
//!
//! A message is its length, eight bytes that carry the descriptors, and JSON. Knows nothing of what
//! is in it, and doesn't check who is at the other end.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    recvmsg, sendmsg, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The name of the socket in a session's folder.
pub const SOCKET: &str = "handover";

/// The sockets of one program; far more than any has.
pub const SOCKETS_MAX: usize = 64;

/// More than any state that crosses as text.
const LARGEST: u64 = 1 << 30;

/// What is said over that socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// To `hot`: keep this. The sockets come along, in the order of their names.
    Give(Contents),
    /// From `hot`: it is kept.
    Kept,
    /// To `hot`: is there something for this program?
    Take {
        /// What `hot` calls it.
        program: String,
    },
    /// From `hot`: this, if there is something. The sockets come along.
    Contents(Option<Contents>),
}

/// What a process hands over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// What `hot` calls the program.
    pub program: String,
    /// Names of states, and their JSON.
    pub states: Vec<(String, String)>,
    /// Names of sockets.
    pub sockets: Vec<String>,
}

/// Sends a message and file descriptors.
pub fn send(stream: &UnixStream, message: &Message, files: &[BorrowedFd<'_>]) -> io::Result<()> {
    if files.len() > SOCKETS_MAX {
        return Err(io::Error::other(format!(
            "{} sockets, more than {SOCKETS_MAX}",
            files.len()
        )));
    }
    let body = serde_json::to_vec(message)?;
    let head = (body.len() as u64).to_le_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("the sockets don't fit into a message"));
    }
    let sent = sendmsg(
        stream,
        &[IoSlice::new(&head)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    let mut stream = stream;
    stream.write_all(&head[sent..])?;
    stream.write_all(&body)
}

/// Receives a message and the file descriptors that came along.
pub fn receive(stream: &UnixStream) -> io::Result<(Message, Vec<OwnedFd>)> {
    let mut head = [0; 8];
    let mut files = Vec::new();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut head)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            files.extend(rights);
        }
    }
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut stream = stream;
    stream.read_exact(&mut head[received.bytes..])?;
    let length = u64::from_le_bytes(head);
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = Vec::new();
    if stream.take(length).read_to_end(&mut body)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((decode(&body)?, files))
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(body)?)
}
