//! A process that runs while a test goes on: what it says, what it is told, how it ends.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{kill_process, kill_process_group, Pid, Signal};

use crate::output::{Output, Stream};
use crate::process;

/// How long anything may take, also the first build of a project with dependencies on a machine
/// that is busy. Only a test that fails waits so long.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// How a session ended.
#[derive(Debug)]
pub struct Finished {
    /// How the process that the test started ended.
    pub status: ExitStatus,
    /// All of its lines and those of its children.
    pub stdout: Vec<String>,
    /// Likewise.
    pub stderr: Vec<String>,
}

/// A running process and all that it wrote. Each line is waited for once: the next wait starts
/// after it.
pub struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Output,
    mark: String,
    stdout_at: usize,
    stderr_at: usize,
    ended: bool,
}

impl Session {
    /// Starts a command in a process group of its own.
    pub fn start(mut command: Command, mark: String) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.process_group(0);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Output::default();
        output.collect(Stream::Stdout, child.stdout.take().expect("a pipe"));
        output.collect(Stream::Stderr, child.stderr.take().expect("a pipe"));
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            output,
            mark,
            stdout_at: 0,
            stderr_at: 0,
            ended: false,
        }
    }

    /// Waits for a line on stdout that contains a text.
    #[track_caller]
    pub fn wait_for_stdout(&mut self, text: &str) -> String {
        self.expect(Stream::Stdout, text, &|line| line.contains(text))
    }

    /// Waits for a line on stderr that contains a text.
    #[track_caller]
    pub fn wait_for_stderr(&mut self, text: &str) -> String {
        self.expect(Stream::Stderr, text, &|line| line.contains(text))
    }

    /// Waits for a line on stderr that contains all of these texts.
    #[track_caller]
    pub fn wait_for_all(&mut self, texts: &[&str]) -> String {
        let what = texts.join(" … ");
        self.expect(Stream::Stderr, &what, &|line| {
            texts.iter().all(|text| line.contains(text))
        })
    }

    /// Waits for a line on stderr that contains one of these texts.
    #[track_caller]
    pub fn wait_for_any(&mut self, texts: &[&str]) -> String {
        let what = texts.join(" or ");
        self.expect(Stream::Stderr, &what, &|line| {
            texts.iter().any(|text| line.contains(text))
        })
    }

    /// Waits for the line that says that functions were patched or are back at their original.
    #[track_caller]
    pub fn wait_for_patch(&mut self) -> String {
        self.expect(Stream::Stderr, "patched …", &says_patched)
    }

    /// Waits until a text was on stderr at any time, whether or not that line was waited for.
    #[track_caller]
    pub fn wait_for_mention(&self, text: &str) {
        let fits = |line: &str| line.contains(text);
        if self
            .output
            .wait(Stream::Stderr, 0, TIMEOUT, &fits)
            .is_none()
        {
            panic!(
                "{text:?} was never on stderr. Output so far:\n{}",
                self.output
            );
        }
    }

    /// The lines so far that say so.
    pub fn patches(&self) -> Vec<String> {
        let lines = self.output.lines(Stream::Stderr, 0);
        lines
            .into_iter()
            .filter(|line| says_patched(line))
            .collect()
    }

    /// Waits until so many of these lines have come. False: they don't.
    pub fn wait_for_patches(&self, count: usize) -> bool {
        let end = Instant::now() + TIMEOUT;
        while self.patches().len() < count {
            if Instant::now() > end {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// The lines on stderr after a position.
    pub fn stderr_since(&self, position: usize) -> Vec<String> {
        self.output.lines(Stream::Stderr, position)
    }

    /// The position after the last line that has come.
    pub fn now(&self) -> usize {
        self.output.len()
    }

    /// Sends a line to the program's stdin.
    #[track_caller]
    pub fn send_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin was not closed yet");
        if let Err(error) = writeln!(stdin, "{line}").and_then(|()| stdin.flush()) {
            panic!("stdin is closed: {error}\n{}", self.output);
        }
    }

    /// Ends the program's stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a line and returns the next line that the program prints.
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> String {
        self.send_line(line);
        self.expect(Stream::Stdout, "an answer", &|_| true)
    }

    /// Sends a line again and again until the answer contains a text, also across a restart of the
    /// program.
    #[track_caller]
    pub fn ask_until(&mut self, line: &str, text: &str) -> String {
        let end = Instant::now() + TIMEOUT;
        while Instant::now() < end {
            self.send_line(line);
            let short = Duration::from_millis(500);
            let answer = self
                .output
                .wait(Stream::Stdout, self.stdout_at, short, &|line| {
                    line.contains(text)
                });
            if let Some((next, answer)) = answer {
                // Answers to the questions that were sent meanwhile are of no interest any more.
                thread::sleep(Duration::from_millis(50));
                self.stdout_at = next.max(self.output.len());
                return answer;
            }
        }
        panic!("no answer with {text:?}. Output so far:\n{}", self.output);
    }

    /// Sends a signal to the process that was started, and to no other.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).expect("the process is alive");
    }

    /// Sends a signal to the whole group, as a terminal does for Ctrl-C.
    pub fn signal_group(&self, signal: Signal) {
        kill_process_group(self.id(), signal).expect("the group is alive");
    }

    /// Waits for the end of the process, and of all that hold its stdout or stderr.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        self.close_stdin();
        let status = self.wait_for_exit();
        // What is still alive now is for the test to see.
        self.ended = true;
        if !self.output.wait_for_end(Duration::from_secs(10)) {
            let left = process::marked(&self.mark);
            panic!(
                "ended, but somebody still holds its output: {left:?}\n{}",
                self.output
            );
        }
        Finished {
            status,
            stdout: self.output.lines(Stream::Stdout, 0),
            stderr: self.output.lines(Stream::Stderr, 0),
        }
    }

    /// The number of the process that was started.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What was written so far, for messages of a test.
    pub fn output(&self) -> &Output {
        &self.output
    }

    #[track_caller]
    fn wait_for_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(
                Instant::now() < end,
                "it does not end. Output so far:\n{}",
                self.output
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn expect(&mut self, stream: Stream, what: &str, fits: &dyn Fn(&str) -> bool) -> String {
        let at = match stream {
            Stream::Stdout => &mut self.stdout_at,
            Stream::Stderr => &mut self.stderr_at,
        };
        // What comes later where a machine is slow is no answer.
        let fits = |line: &str| !line.contains("hot: still compiling: ") && fits(line);
        let Some((next, line)) = self.output.wait(stream, *at, TIMEOUT, &fits) else {
            panic!(
                "{what} did not come on {stream:?}. Output so far:\n{}",
                self.output
            );
        };
        *at = next;
        line
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The process itself first: it must not start others while they are being ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        process::kill(&self.mark);
    }
}

/// `patched 2 functions in …`, `restored 1 function …`: a count distinguishes it from other lines
/// with these words.
fn says_patched(line: &str) -> bool {
    ["patched ", "restored "].iter().any(|word| {
        let rest = line.split_once(word).map_or("", |(_, rest)| rest);
        let count = rest.split(' ').next().unwrap_or_default();
        !count.is_empty()
            && count.bytes().all(|byte| byte.is_ascii_digit())
            && rest.contains(" function")
    })
}
