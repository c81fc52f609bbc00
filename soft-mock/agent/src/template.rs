//! A test binary as a template: held before its main, and forked for each test.
//!
//! The dynamic linker calls us when the program's own code hasn't run and nothing has begun a
//! thread. So a fork is a process of which nobody can tell that it wasn't started for its test:
//! fresh statics, environment and folder. Only the last of its arguments is another one.
//!
//! ```text
//! begin ─► serve: a message, or the end of a child
//!            └ run ─► fork ─┬ the template: serves on, until nobody listens any more
//!                           └ the child: returns, and becomes the harness
//! ```
//!
//! Knows nothing of tests and of how a patch is installed.

use std::ffi::{c_char, c_int, CString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use soft_mock_abi::template::{FromTemplate, RunTest, ToTemplate};

/// The arguments of the process, as they lie in its memory.
#[derive(Clone, Copy)]
pub(crate) struct Arguments {
    count: c_int,
    words: *mut *mut c_char,
}

/// What has to be done for a patch.
pub(crate) type Install<'a> = dyn FnMut(&[std::path::PathBuf], &Path) -> Result<(), String> + 'a;

/// A process that runs a test.
struct Child {
    number: u64,
    pid: libc::pid_t,
    /// Can be read once it has ended.
    end: OwnedFd,
}

struct Template {
    socket: BufReader<UnixStream>,
    children: Vec<Child>,
}

/// What follows from a message.
enum Next {
    Served,
    /// This is the child.
    Became(RunTest),
    Over,
}

impl Arguments {
    /// # Safety
    /// They are what the dynamic linker gave to an initialiser, and the program's own code hasn't
    /// run.
    pub(crate) unsafe fn new(count: c_int, words: *mut *mut c_char) -> Self {
        Self { count, words }
    }

    /// Puts a word in the place of the last one.
    fn set_last(self, word: &str) -> io::Result<()> {
        let word = CString::new(word)?;
        if self.count < 2 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: there are `count` pointers that may be written to, by the promise of `new`; the
        // word stays for ever.
        unsafe { *self.words.add(self.count as usize - 1) = word.into_raw() };
        Ok(())
    }
}

/// Serves whoever started this process. Returns in children alone: which test each of them runs.
/// None: this can't be a template.
pub(crate) fn serve(arguments: Arguments, install: &mut Install<'_>) -> Option<RunTest> {
    let socket = take_socket().ok()?;
    let mut template = Template {
        socket: BufReader::new(socket),
        children: Vec::new(),
    };
    loop {
        match template.step(install) {
            Ok(Next::Served) => {}
            Ok(Next::Became(test)) => {
                drop(template);
                return match become_it(&test, arguments) {
                    Ok(()) => Some(test),
                    // Nobody has to say why: without its harness's word, no test has passed.
                    Err(_) => end(1),
                };
            }
            Ok(Next::Over) | Err(_) => {
                template.children.iter().for_each(Child::kill);
                end(0);
            }
        }
    }
}

/// Nothing of the program's is to run at the end of a template, nor of a child that never was one.
fn end(code: c_int) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

/// The standard input is the socket. What comes after us finds an empty one.
fn take_socket() -> io::Result<UnixStream> {
    let empty = File::open("/dev/null")?;
    // SAFETY: plain calls; what is returned is owned by nobody else.
    let socket = unsafe {
        let socket = libc::fcntl(libc::STDIN_FILENO, libc::F_DUPFD_CLOEXEC, 3);
        if socket < 0 || libc::dup2(empty.as_raw_fd(), libc::STDIN_FILENO) < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(socket)
    };
    Ok(socket.into())
}

impl Template {
    fn step(&mut self, install: &mut Install<'_>) -> io::Result<Next> {
        if self.socket.buffer().is_empty() {
            self.wait()?;
            self.tell_ends()?;
            if !is_readable(self.socket.get_ref().as_raw_fd())? {
                return Ok(Next::Served);
            }
        }
        let mut line = String::new();
        if self.socket.read_line(&mut line)? == 0 {
            return Ok(Next::Over);
        }
        match serde_json::from_str(&line)? {
            ToTemplate::Patch { plugins, copies } => {
                let answer = match install(&plugins, &copies) {
                    Ok(()) => FromTemplate::Patched,
                    Err(why) => FromTemplate::Refused { why },
                };
                self.say(&answer)?;
            }
            ToTemplate::Kill { number } => {
                let mut children = self.children.iter();
                // Gone: its end was told, or is about to be.
                children
                    .find(|child| child.number == number)
                    .map(Child::kill)
                    .unwrap_or_default();
            }
            ToTemplate::Run(test) => return self.fork(test),
        }
        Ok(Next::Served)
    }

    fn fork(&mut self, test: RunTest) -> io::Result<Next> {
        // SAFETY: this process has one thread, so the child may do whatever it may.
        match unsafe { libc::fork() } {
            0 => return Ok(Next::Became(test)),
            -1 => self.not_run(test.number, &io::Error::last_os_error())?,
            pid => {
                // The child does so as well: whoever comes first.
                // SAFETY: a plain call.
                unsafe { libc::setpgid(pid, pid) };
                match open_end(pid) {
                    Ok(end) => self.children.push(Child {
                        number: test.number,
                        pid,
                        end,
                    }),
                    Err(error) => {
                        // SAFETY: a child of ours that nobody has waited for.
                        unsafe { libc::kill(-pid, libc::SIGKILL) };
                        wait(pid);
                        self.not_run(test.number, &error)?;
                    }
                }
            }
        }
        Ok(Next::Served)
    }

    fn not_run(&mut self, number: u64, error: &io::Error) -> io::Result<()> {
        let why = error.to_string();
        self.say(&FromTemplate::NotRun { number, why })
    }

    /// Until there is a message, or a child has ended.
    fn wait(&self) -> io::Result<()> {
        let socket = self.socket.get_ref().as_raw_fd();
        let ends = self.children.iter().map(|child| child.end.as_raw_fd());
        let wanted = |fd: RawFd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        let mut wanted: Vec<_> = std::iter::once(socket).chain(ends).map(wanted).collect();
        // SAFETY: as many descriptors as are named.
        let ready = unsafe { libc::poll(wanted.as_mut_ptr(), wanted.len() as libc::nfds_t, -1) };
        match ready {
            -1 if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted => {
                Err(io::Error::last_os_error())
            }
            _ => Ok(()),
        }
    }

    fn tell_ends(&mut self) -> io::Result<()> {
        let mut ended = Vec::new();
        for place in (0..self.children.len()).rev() {
            if is_readable(self.children[place].end.as_raw_fd())? {
                ended.push(self.children.swap_remove(place));
            }
        }
        for child in ended {
            let (number, status) = (child.number, wait(child.pid));
            self.say(&FromTemplate::Ended { number, status })?;
        }
        Ok(())
    }

    fn say(&mut self, answer: &FromTemplate) -> io::Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        self.socket.get_mut().write_all(&line)
    }
}

impl Child {
    fn kill(&self) {
        // SAFETY: nobody has waited for it yet, so the number is still its own, and that of its
        // group unless it left that.
        unsafe {
            libc::kill(-self.pid, libc::SIGKILL);
            libc::kill(self.pid, libc::SIGKILL);
        }
    }
}

fn wait(pid: libc::pid_t) -> c_int {
    let mut status = 0;
    // SAFETY: a valid place to write to.
    while unsafe { libc::waitpid(pid, &mut status, 0) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    status
}

fn open_end(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: a plain call; what it returns is a descriptor of nobody else's, closed at an exec.
    unsafe {
        match libc::syscall(libc::SYS_pidfd_open, pid, 0) {
            fd if fd < 0 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd as RawFd)),
        }
    }
}

fn is_readable(fd: RawFd) -> io::Result<bool> {
    let mut wanted = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one descriptor.
    match unsafe { libc::poll(&mut wanted, 1, 0) } {
        -1 => Err(io::Error::last_os_error()),
        ready => Ok(ready > 0),
    }
}

/// Makes the child what a process would be that was started for the test.
fn become_it(test: &RunTest, arguments: Arguments) -> io::Result<()> {
    // SAFETY: a plain call. It fails where the template was faster, which is just as well.
    unsafe { libc::setpgid(0, 0) };
    std::env::set_current_dir(&test.folder)?;
    for (path, place) in [
        (&test.stdout, libc::STDOUT_FILENO),
        (&test.stderr, libc::STDERR_FILENO),
    ] {
        let file = File::options().write(true).open(path)?;
        let file = file.into_raw_fd();
        // SAFETY: plain calls; the file is owned by nobody else.
        unsafe {
            if libc::dup2(file, place) < 0 {
                return Err(io::Error::last_os_error());
            }
            libc::close(file);
        }
    }
    arguments.set_last(&test.name)
}
