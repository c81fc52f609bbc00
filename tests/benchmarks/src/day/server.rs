//! The server that is edited, as its clients see it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A port that nobody uses.
pub(super) fn free_port() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port().to_string())
}

pub(super) struct Server {
    address: String,
}

impl Server {
    /// Waits until the server takes connections.
    pub(super) fn wait(port: &str, limit: Duration) -> Result<Self> {
        let address = format!("127.0.0.1:{port}");
        let end = Instant::now() + limit;
        while TcpStream::connect(&address).is_err() {
            if Instant::now() > end {
                bail!("nobody listens at {address}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { address })
    }

    /// Asks what an edit changes.
    pub(super) fn check(&self, what: &str, command: &[&str], expected: &str) -> Result<()> {
        let answer = self.ask(command)?;
        if answer != expected {
            bail!("{what}: {command:?} is answered {answer:?} and should be {expected:?}");
        }
        Ok(())
    }

    /// Sends a command, and returns the first line of the answer.
    fn ask(&self, command: &[&str]) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let mut text = format!("*{}\r\n", command.len());
        for word in command {
            text += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(text.as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    }

    /// The process whose executable lies in `folder`.
    pub(super) fn process(&self, folder: &Path) -> Result<u32> {
        let folder = folder.canonicalize()?;
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let exe = std::fs::read_link(entry.path().join("exe"));
            let name = entry.file_name();
            if let (true, Some(Ok(id))) = (
                exe.is_ok_and(|exe| exe.starts_with(&folder)),
                name.to_str().map(str::parse),
            ) {
                return Ok(id);
            }
        }
        bail!("no process of {} runs", folder.display())
    }
}

/// What a process keeps in memory, in KiB.
pub(super) fn memory(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.context("the process says nothing of its memory")
}
