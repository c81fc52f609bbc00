//! What became of one test, read from what libtest printed and from how its process ended.
//!
//! Knows nothing of how it was run. A test has passed only if its harness says so: a process that
//! ends well without a word has not run it.

use std::fmt::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// It is to be shown.
    Failed(String),
}

/// A process that has ended, or was killed.
#[derive(Debug)]
pub(super) struct Ended {
    /// None: it took longer than this, and was killed.
    pub(super) status: Result<ExitStatus, Duration>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    /// The verdict about the one test of a process of libtest's.
    pub(super) fn of_test(&self, name: &str) -> Verdict {
        let counts = counts(&self.stdout);
        if self.succeeded() && counts == Some((1, 0)) {
            return Verdict::Passed;
        }
        let mut text = match (counts, failure(&self.stdout)) {
            // Otherwise libtest has not come to its end, and all that was printed may matter.
            (Some(_), Some(failure)) => failure.to_owned(),
            _ => format!("---- {name} output ----\n{}", self.stdout.trim_start()),
        };
        self.add_the_rest(&mut text);
        match counts {
            Some((0, 1)) => {}
            Some((0, 0)) => text.push_str("the harness has not run it\n"),
            _ => self.add_end(&mut text),
        }
        Verdict::Failed(text)
    }

    /// The verdict about a process that is a test as a whole.
    pub(super) fn of_program(&self) -> Verdict {
        if self.succeeded() {
            return Verdict::Passed;
        }
        let mut text = self.stdout.clone();
        self.add_the_rest(&mut text);
        self.add_end(&mut text);
        Verdict::Failed(text)
    }

    /// All that it printed.
    pub(super) fn output(&self) -> String {
        let mut text = self.stdout.clone();
        self.add_the_rest(&mut text);
        text
    }

    fn succeeded(&self) -> bool {
        self.status.is_ok_and(|status| status.success())
    }

    fn add_the_rest(&self, text: &mut String) {
        end_line(text);
        text.push_str(&self.stderr);
        end_line(text);
    }

    fn add_end(&self, text: &mut String) {
        end_line(text);
        let _ = match self.status {
            Err(limit) => writeln!(text, "killed: it took longer than {limit:?} (--timeout)"),
            Ok(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => writeln!(
                    text,
                    "the process was ended by signal {signal}{}",
                    named(signal)
                ),
                (None, code) => writeln!(
                    text,
                    "the process ended with code {} before the test did",
                    code.unwrap_or_default()
                ),
            },
        };
    }
}

fn named(signal: i32) -> String {
    let name = match signal {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => return String::new(),
    };
    format!(" ({name})")
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// How many tests passed and failed, by libtest's last line.
fn counts(stdout: &str) -> Option<(usize, usize)> {
    let (_, line) = stdout.rsplit_once("test result: ")?;
    let (_, counts) = line.split_once(". ")?;
    let number = |word: &str| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(word));
        part?.trim().parse().ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

/// What libtest says of a failed test, from `---- name stdout ----` on.
fn failure(stdout: &str) -> Option<&str> {
    let (_, rest) = stdout.split_once("\nfailures:\n\n")?;
    let (block, _) = rest.rsplit_once("\nfailures:\n")?;
    let block = block.trim_end();
    (!block.is_empty()).then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSED: &str = "\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\n";
    const FAILED: &str = "\nrunning 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n\nthread 'a' (7) panicked at src/lib.rs:3:5:\nno\n\n\nfailures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\n";

    fn ended(status: i32, stdout: &str) -> Ended {
        Ended {
            status: Ok(ExitStatus::from_raw(status)),
            stdout: stdout.to_owned(),
            stderr: "on stderr\n".to_owned(),
        }
    }

    fn failure_of(ended: &Ended) -> String {
        match ended.of_test("a") {
            Verdict::Failed(text) => text,
            Verdict::Passed => panic!("it passed: {ended:?}"),
        }
    }

    #[test]
    fn libtest_has_the_word() {
        assert_eq!(ended(0, PASSED).of_test("a"), Verdict::Passed);
        let text = failure_of(&ended(101 << 8, FAILED));
        assert_eq!(
            text,
            "---- a stdout ----\n\nthread 'a' (7) panicked at src/lib.rs:3:5:\nno\non stderr\n"
        );
    }

    #[test]
    fn without_its_word_nothing_passes() {
        // The end of the process contradicts what was printed.
        failure_of(&ended(11, PASSED));
        failure_of(&ended(101 << 8, PASSED));
        let none = PASSED.replace("1 passed", "0 passed");
        assert!(failure_of(&ended(0, &none)).contains("has not run it"));
        let left = failure_of(&ended(0, "\nrunning 1 test\n"));
        assert!(
            left.contains("ended with code 0 before the test did"),
            "{left}"
        );
        let crashed = failure_of(&ended(6, "\nrunning 1 test\nhalf a line"));
        assert!(
            crashed.contains("half a line\non stderr\n") && crashed.contains("signal 6 (SIGABRT)"),
            "{crashed}"
        );
        let hung = Ended {
            status: Err(Duration::from_secs(3)),
            ..ended(0, "")
        };
        assert!(failure_of(&hung).contains("longer than 3s"), "{hung:?}");
    }

    #[test]
    fn a_program_has_the_word_by_its_code() {
        assert_eq!(ended(0, "").of_program(), Verdict::Passed);
        assert!(matches!(ended(1 << 8, "").of_program(), Verdict::Failed(_)));
    }
}
