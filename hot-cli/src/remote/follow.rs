//! `hot status --follow`: what a session says, in another terminal, as it says it.
//!
//! Knows nothing of what is said: the session keeps a file with the newest of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::find::Session;
use super::server;
use crate::os::session_dir;
use crate::protocol::Request;

/// How often the file is read.
const READ: Duration = Duration::from_millis(100);

/// How often the session is asked whether it lives.
const ASK: Duration = Duration::from_secs(2);

/// What was said before is shown from here on.
const BEFORE: u64 = 4096;

/// Writes to the standard output, after this, until the session ends or nobody reads it.
pub(super) fn follow(session: &Session, first: &str) -> Result<String> {
    let path = session_dir::said(&session.folder);
    let file = File::open(&path);
    let mut file = file.context("the session says nothing that could be followed")?;
    let mut asked = Instant::now();
    let mut text = first.as_bytes().to_vec();
    text.extend(last_lines(&mut file)?);
    loop {
        let mut out = io::stdout();
        if out.write_all(&text).and_then(|()| out.flush()).is_err() {
            return Ok(String::new());
        }
        text = news(&mut file)?;
        if !text.is_empty() {
            continue;
        }
        let is_gone = !path.exists();
        let is_due = asked.elapsed() > ASK;
        if is_gone || is_due && server::call(&session.folder, &Request::Who).is_err() {
            let last = news(&mut file)?;
            return Ok(format!(
                "{}the session has ended\n",
                String::from_utf8_lossy(&last)
            ));
        }
        if is_due {
            asked = Instant::now();
        }
        thread::sleep(READ);
    }
}

/// Whole lines of the end.
fn last_lines(file: &mut File) -> Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(BEFORE);
    file.seek(SeekFrom::Start(start))?;
    let mut text = news(file)?;
    if start > 0 {
        let line = text.iter().position(|byte| *byte == b'\n');
        text.drain(..line.map_or(text.len(), |end| end + 1));
    }
    Ok(text)
}

/// What was written since. A file that has become shorter began anew.
fn news(file: &mut File) -> Result<Vec<u8>> {
    if file.metadata()?.len() < file.stream_position()? {
        file.rewind()?;
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_of_the_end_and_what_comes() {
        let mut file = tempfile::tempfile().expect("a file");
        let line = "x".repeat(99);
        for _ in 0..100 {
            writeln!(file, "{line}").expect("written");
        }
        let mut reader = file.try_clone().expect("a handle");
        // They share their position.
        let text = last_lines(&mut reader).expect("read");
        assert_eq!(text.len() % 100, 0);
        assert_eq!(text.len(), 4000);
        file.set_len(0).expect("cut");
        std::os::unix::fs::FileExt::write_at(&file, b"new\n", 0).expect("written");
        assert_eq!(news(&mut reader).expect("read"), b"new\n");
        assert_eq!(news(&mut reader).expect("read"), b"");
    }
}
