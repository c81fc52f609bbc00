//! A template: a test binary that is started once, held before its main, and forked for each test.
//! What it loads and links is loaded and linked once; statics, environment and folder of a test are
//! fresh all the same.
//!
//! ```text
//! worker ─ run ─► template ─ fork ─► test        the end of it ─► reader ─► the worker that waits
//! ```
//!
//! Knows nothing of what tests print, and of how patches are made. One that ends, or never was one,
//! says nothing about any test: whoever waits is told that it is gone.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use soft_mock_abi::template::{FromTemplate, RunTest, ToTemplate};

use super::launch::Launch;
use super::process::{Patience, Wait};
use super::verdict::Ended;
use crate::os::process::Cancel;

/// How long one may take to end when nobody needs it any more.
const END: Duration = Duration::from_secs(2);

/// A binary that waits for tests.
#[derive(Debug)]
pub(super) struct Template {
    child: Mutex<Child>,
    socket: Mutex<UnixStream>,
    waiting: Arc<Mutex<Waiting>>,
    /// What it says of plugins.
    answers: Mutex<Receiver<Result<(), String>>>,
    number: AtomicU64,
    /// Private: for output of tests.
    folder: PathBuf,
}

/// Who waits for the end of a test, by its number. None: it is gone.
type Waiting = Option<HashMap<u64, Sender<Result<ExitStatus, String>>>>;

/// A test to run.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) folder: &'a Path,
    /// Where it writes down which functions it enters.
    pub(super) reach: Option<&'a Path>,
    pub(super) patience: Patience<'a>,
}

/// What came of it.
pub(super) enum Came {
    Ended(Ended),
    Cancelled,
    /// The template is gone: the test may have run or not.
    Gone,
}

impl Template {
    /// Starts one. `args` end with a word that stands for the name of a test; `variables` are ours.
    pub(super) fn start(
        launch: &Launch,
        args: &[OsString],
        variables: &[(OsString, OsString)],
        folder: &Path,
    ) -> Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&launch.executable);
        command
            .args(args)
            .env_clear()
            .envs(&launch.env)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&launch.folder)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let failed = || format!("can't start {}", launch.executable.display());
        let child = command.spawn().with_context(failed)?;
        // With it goes our copy of their end: else nobody would notice that theirs is closed.
        drop(command);
        let waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let (tell, answers) = channel();
        let (read, for_reader) = (socket.try_clone()?, Arc::clone(&waiting));
        thread::Builder::new()
            .name("hot-template".into())
            .spawn(move || listen(read, &for_reader, &tell))?;
        Ok(Self {
            child: Mutex::new(child),
            socket: Mutex::new(socket),
            waiting,
            answers: Mutex::new(answers),
            number: AtomicU64::new(0),
            folder: folder.to_owned(),
        })
    }

    /// Installs plugins. Before the first test. The reason, if it doesn't take them.
    pub(super) fn patch(&self, plugins: &[PathBuf]) -> Result<()> {
        self.say(&ToTemplate::Patch {
            plugins: plugins.to_vec(),
            copies: self.folder.clone(),
        })?;
        match lock(&self.answers).recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => bail!(why),
            Err(_) => bail!("the test binary ended when it was to be patched"),
        }
    }

    /// Runs a test.
    pub(super) fn run(&self, asked: &Asked<'_>, cancel: &Cancel) -> Result<Came> {
        let output = || tempfile::NamedTempFile::new_in(&self.folder);
        let (mut stdout, mut stderr) = (output()?, output()?);
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = channel();
        match &mut *lock(&self.waiting) {
            Some(waiting) => waiting.insert(number, tell),
            None => return Ok(Came::Gone),
        };
        let run = ToTemplate::Run(RunTest {
            number,
            name: asked.name.to_owned(),
            folder: asked.folder.to_owned(),
            stdout: stdout.path().to_owned(),
            stderr: stderr.path().to_owned(),
            reach: asked.reach.map(Path::to_owned),
        });
        if self.say(&run).is_err() {
            return Ok(Came::Gone);
        }
        let status = match self.wait(number, &told, &asked.patience, cancel)? {
            Some(status) => status,
            None if cancel.is_cancelled() => return Ok(Came::Cancelled),
            None => return Ok(Came::Gone),
        };
        Ok(Came::Ended(Ended {
            status,
            stdout: super::process::text(stdout.as_file_mut())?,
            stderr: super::process::text(stderr.as_file_mut())?,
        }))
    }

    /// None: cancelled, or gone.
    fn wait(
        &self,
        number: u64,
        told: &Receiver<Result<ExitStatus, String>>,
        patience: &Patience<'_>,
        cancel: &Cancel,
    ) -> Result<Option<Result<ExitStatus, Duration>>> {
        let mut waits = patience.begin();
        let mut end = Wait::GoOn;
        loop {
            match told.recv_timeout(Patience::LOOK) {
                Ok(Ok(status)) => {
                    return Ok(match end {
                        Wait::GoOn => Some(Ok(status)),
                        Wait::Over => Some(Err(patience.timeout)),
                        Wait::Cancelled => None,
                    });
                }
                Ok(Err(why)) => bail!(
                    "no process can be made for a test: {why}. Tests that weren't run are run \
                     after the next save, or with Enter"
                ),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if end == Wait::GoOn {
                end = waits.on(cancel);
                if end != Wait::GoOn {
                    // Where it can't be told, the template is gone, which the reader sees.
                    let _ = self.say(&ToTemplate::Kill { number });
                }
            }
        }
    }

    fn say(&self, message: &ToTemplate) -> Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        Ok(lock(&self.socket).write_all(&line)?)
    }
}

impl Drop for Template {
    /// It ends what still runs, and itself.
    fn drop(&mut self) {
        let _ = lock(&self.socket).shutdown(Shutdown::Both);
        let mut child = lock(&self.child);
        let began = Instant::now();
        while began.elapsed() < END {
            match child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn listen(socket: UnixStream, waiting: &Mutex<Waiting>, answers: &Sender<Result<(), String>>) {
    let tell = |number: u64, what| {
        let waits = lock(waiting).as_mut().and_then(|all| all.remove(&number));
        // Who was cancelled waits no more.
        let _ = waits.map(|waits| waits.send(what));
    };
    for line in BufReader::new(socket).lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str(&line) else {
            break;
        };
        match message {
            FromTemplate::Ended { number, status } => {
                tell(number, Ok(ExitStatus::from_raw(status)));
            }
            FromTemplate::NotRun { number, why } => tell(number, Err(why)),
            FromTemplate::Patched => drop(answers.send(Ok(()))),
            FromTemplate::Refused { why } => drop(answers.send(Err(why))),
        }
    }
    *lock(waiting) = None;
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The template of a binary, started when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Held {
    state: Mutex<State>,
    is_patched: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    NotStarted,
    Runs(Arc<Template>),
    /// The binary is none: each test is started.
    None,
}

impl Held {
    /// One that does what the binary doesn't: no test may be started in its place.
    pub(super) fn patched(template: Template) -> Self {
        Self {
            state: Mutex::new(State::Runs(Arc::new(template))),
            is_patched: true,
        }
    }

    /// Whether there was a patched one, and is no more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_patched && matches!(*lock(&self.state), State::None)
    }

    /// The template. None: there is none.
    pub(super) fn get(
        &self,
        start: impl FnOnce() -> Result<Option<Template>>,
    ) -> Result<Option<Arc<Template>>> {
        let mut state = lock(&self.state);
        if matches!(*state, State::NotStarted) {
            *state = match start()? {
                Some(template) => State::Runs(Arc::new(template)),
                None => State::None,
            };
        }
        match &*state {
            State::Runs(template) => Ok(Some(Arc::clone(template))),
            State::NotStarted | State::None => self.none().map(|()| None),
        }
    }

    /// It is gone, and another one would go as well: tests are started from now on.
    pub(super) fn gone(&self) -> Result<()> {
        *lock(&self.state) = State::None;
        self.none()
    }

    /// Whoever starts the binary of a patched one runs another program.
    fn none(&self) -> Result<()> {
        match self.is_patched {
            true => bail!("a patched test binary has ended: the next run starts another"),
            false => Ok(()),
        }
    }
}
