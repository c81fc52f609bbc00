//! What a process has written so far, in lines, collected in the background.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The program's own answers.
    Stdout,
    /// Cargo, rustc, `hot`, and panics.
    Stderr,
}

#[derive(Debug)]
struct Line {
    stream: Stream,
    text: String,
}

#[derive(Default)]
struct Collected {
    lines: Vec<Line>,
    open: usize,
}

/// The lines of both streams, in the order in which they came.
#[derive(Clone, Default)]
pub struct Output {
    shared: Arc<(Mutex<Collected>, Condvar)>,
}

impl Output {
    /// Reads a stream to its end, in the background.
    pub fn collect(&self, stream: Stream, source: impl Read + Send + 'static) {
        self.lock().open += 1;
        let output = self.clone();
        thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut bytes = Vec::new();
            while matches!(source.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
                let text = String::from_utf8_lossy(&bytes);
                output.add(stream, text.trim_end_matches(['\n', '\r']).to_owned());
                bytes.clear();
            }
            output.lock().open -= 1;
            output.shared.1.notify_all();
        });
    }

    fn add(&self, stream: Stream, text: String) {
        self.lock().lines.push(Line { stream, text });
        self.shared.1.notify_all();
    }

    /// Waits for a line of a stream, from the position `start` on, and returns the position after
    /// it. Nothing when the time is over, or when both streams have ended without such a line.
    pub fn wait(
        &self,
        stream: Stream,
        start: usize,
        time: Duration,
        fits: &dyn Fn(&str) -> bool,
    ) -> Option<(usize, String)> {
        let end = Instant::now() + time;
        let mut collected = self.lock();
        let mut next = start;
        loop {
            while let Some(line) = collected.lines.get(next) {
                next += 1;
                if line.stream == stream && fits(&line.text) {
                    return Some((next, line.text.clone()));
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || collected.open == 0 {
                return None;
            }
            let waited = self.shared.1.wait_timeout(collected, left);
            collected = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until both streams have ended.
    pub fn wait_for_end(&self, time: Duration) -> bool {
        let collected = self.lock();
        let still_open = |collected: &mut Collected| collected.open > 0;
        let waited = self
            .shared
            .1
            .wait_timeout_while(collected, time, still_open);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// How many lines there are by now.
    pub fn len(&self) -> usize {
        self.lock().lines.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines of one stream, from a position on.
    pub fn lines(&self, stream: Stream, start: usize) -> Vec<String> {
        let collected = self.lock();
        let lines = collected.lines.iter().skip(start);
        lines
            .filter(|line| line.stream == stream)
            .map(|line| line.text.clone())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lock().lines {
            let mark = if line.stream == Stream::Stdout {
                "out"
            } else {
                "err"
            };
            writeln!(f, "{mark} | {}", line.text)?;
        }
        Ok(())
    }
}
