//! Paths of plugins from the program's standard input, one a line.
//!
//! For programs that don't use their standard input themselves: while the reloader runs, it is the
//! reloader's. Several paths on one line, separated by tabs, are installed together.

use std::io::{self, BufRead};
use std::path::PathBuf;

use super::{Answer, Handle, StartError, Stop};
use crate::registry;

/// Loads every plugin whose path comes in on standard input, until its end. `reply` gets the
/// answers; [`to_stderr`](super::to_stderr) is one.
pub fn start(reply: impl FnMut(&Answer) + Send + 'static) -> Result<Handle, StartError> {
    registry::check()?;
    let stop = Stop::default();
    let seen = stop.clone();
    Handle::spawn(&stop, move || serve(io::stdin().lock(), &seen, reply))
}

fn serve(mut input: impl BufRead, stop: &Stop, mut reply: impl FnMut(&Answer)) {
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) if stop.is_set() => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        }
        let plugins = paths(&line);
        if !plugins.is_empty() {
            reply(&Answer::to(plugins));
        }
    }
}

/// The paths on a line; bytes as they are, since a path needn't be UTF-8.
fn paths(line: &[u8]) -> Vec<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    line.split(|byte| *byte == b'\t')
        .map(<[u8]>::trim_ascii)
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_paths() {
        let check = |line: &str, expected: &[&str]| {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(paths(line.as_bytes()), expected);
        };
        check("/a/b.so\n", &["/a/b.so"]);
        check("  /a b.so\r\n", &["/a b.so"]);
        check("/a.so\t/b.so", &["/a.so", "/b.so"]);
        check("\n", &[]);
    }

    #[test]
    fn every_line_is_answered_until_the_end() {
        let mut answers = Vec::new();
        let input = &b"/no/1.so\n\n/no/2.so\t/no/3.so\n/no/4.so"[..];
        serve(input, &Stop::default(), |answer| {
            answers.push((answer.plugins.len(), answer.result.is_ok()));
        });
        assert_eq!(answers, [(1, false), (2, false), (1, false)]);
    }

    #[test]
    fn stops_before_the_next_line() {
        let stop = Stop::default();
        let mut answers = 0;
        serve(&b"/no/1.so\n/no/2.so\n"[..], &stop, |_| {
            answers += 1;
            stop.0.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(answers, 1);
    }
}
