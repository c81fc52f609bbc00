//! A program that listens itself (`soft_mock::reloader::socket::start`): found by its pid, asked
//! over its own socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use soft_mock_abi::protocol::{FromProgram, Hello, ToProgram, VERSION};

use crate::os;
use crate::os::private_socket::peer_pid;

/// A program says hello at once, if it is one.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// Loading a patch takes milliseconds; a listener of the program's may take longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to a program.
#[derive(Debug)]
pub(crate) struct ProgramConnection {
    reader: BufReader<UnixStream>,
    pub(crate) hello: Hello,
}

impl ProgramConnection {
    /// Connects to the program that is named, if one is.
    pub(crate) fn to(pid: Option<u32>, socket: Option<&Path>) -> Result<Option<Self>> {
        match (pid, socket) {
            (Some(pid), _) => Self::of_process(pid).map(Some),
            (None, Some(socket)) => Self::at(socket).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Connects to the program that listens at `socket`.
    pub(crate) fn at(socket: &Path) -> Result<Self> {
        let failed = || format!("can't connect to {}", socket.display());
        let stream = UnixStream::connect(socket).with_context(failed)?;
        peer_pid(&stream).map_err(anyhow::Error::msg)?;
        stream.set_read_timeout(Some(HELLO_TIMEOUT))?;
        stream.set_write_timeout(Some(HELLO_TIMEOUT))?;
        let mut reader = BufReader::new(stream);
        let hello = match read(&mut reader).with_context(failed)? {
            FromProgram::Hello(hello) if hello.version == VERSION => hello,
            FromProgram::Hello(hello) => bail!(
                "process {} speaks version {} of the protocol, this `hot` version {VERSION}: build it with the soft-mock of this `hot`",
                hello.pid,
                hello.version
            ),
            _ => bail!("whoever listens at {} doesn't say hello", socket.display()),
        };
        reader.get_ref().set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { reader, hello })
    }

    /// Connects to a process that listens somewhere.
    pub(crate) fn of_process(pid: u32) -> Result<Self> {
        let sockets = os::sockets_of(pid)?;
        let mut last = None;
        for socket in &sockets {
            match Self::at(socket) {
                Ok(line) => return Ok(line),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => Err(error.context(format!("process {pid} has no reloader that answers"))),
            None => bail!(
                "process {pid} has no reloader that listens: it must call `soft_mock::reloader::socket::start` \
                 (a program that runs under `hot` is patched by saving its files)"
            ),
        }
    }

    pub(crate) fn request(&mut self, message: &ToProgram) -> Result<FromProgram> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.reader.get_ref().write_all(&line)?;
        self.next()
    }

    pub(crate) fn next(&mut self) -> Result<FromProgram> {
        read(&mut self.reader)
    }
}

fn read(reader: &mut BufReader<UnixStream>) -> Result<FromProgram> {
    let mut line = Vec::new();
    reader
        .read_until(b'\n', &mut line)
        .context("the program doesn't answer")?;
    if line.is_empty() {
        bail!("the program closed the connection");
    }
    serde_json::from_slice(&line).context("the program's answer isn't understood")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_reloader_is_said_to_have_none() {
        let error = ProgramConnection::of_process(std::process::id()).expect_err("no reloader");
        assert!(error.to_string().contains("socket::start"), "{error}");
        let mut child = std::process::Command::new("true").spawn().expect("spawn");
        child.wait().expect("wait");
        let error = ProgramConnection::of_process(child.id()).expect_err("no process");
        assert!(error.to_string().contains("there is no process"), "{error}");
    }
}
