//! Where plugins and hosts of the tests are made: copies of example and fixture workspaces, in the
//! target folder of all projects with the runtime.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use soft_mock_tests::session::Session;
use soft_mock_tests::{environment, folder, hot, process, runtime};

/// How long a host may take to answer. Only a test that fails waits so long.
const LIMIT: Duration = Duration::from_secs(120);

/// A copy of a workspace with plugins. What was compiled for it is kept for the next run of the
/// tests.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) root: PathBuf,
    pub(crate) out: PathBuf,
    target: PathBuf,
    _source: Taken,
}

/// Held from a build until what it made is copied: the next one, in the same target folder, may put
/// another library of the same name there.
static BUILDING: Mutex<()> = Mutex::new(());

/// The workspaces of which there is a copy now.
static TAKEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static GIVEN_BACK: Condvar = Condvar::new();

/// A workspace of which there is one copy at a time: what sessions build for one copy would take
/// the place of another's.
#[derive(Debug)]
struct Taken(PathBuf);

impl Taken {
    fn wait(source: &Path) -> Self {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = GIVEN_BACK
            .wait_while(taken, |taken| taken.contains(source))
            .unwrap_or_else(PoisonError::into_inner);
        taken.insert(source.to_owned());
        Self(source.to_owned())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.0);
        GIVEN_BACK.notify_all();
    }
}

impl Workshop {
    pub(crate) fn example(name: &str) -> Self {
        Self::copy(&folder::workspace().join("examples").join(name), name)
    }

    pub(crate) fn fixture(name: &str) -> Self {
        Self::copy(&folder::fixture(name), name)
    }

    /// A copy under a name of its own.
    pub(crate) fn copy(source: &Path, name: &str) -> Self {
        let taken = Taken::wait(source);
        let home = folder::kept().join("plugins");
        let root = home.join(name);
        if root.exists() {
            fs::remove_dir_all(&root).expect("the old copy goes");
        }
        folder::copy(source, &root);
        runtime::point_to(&root);
        runtime::spare_dependencies(&home);
        let out = root.join("out");
        let _ = fs::remove_dir_all(&out);
        Self {
            target: runtime::target(),
            out,
            root,
            _source: taken,
        }
    }

    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = environment::command(program);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("XDG_CACHE_HOME", folder::kept().join("cache"));
        command
    }

    /// `hot build` with these arguments.
    pub(crate) fn hot_build(&self, arguments: &[&str]) -> Output {
        let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        self.command(hot::binary())
            .arg("build")
            .args(arguments)
            .output()
            .expect("hot can be started")
    }

    /// `hot build`, which succeeds; returns what it prints.
    #[track_caller]
    pub(crate) fn build(&self, arguments: &[&str]) -> String {
        let output = self.hot_build(arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    /// Builds a host; returns its executable.
    #[track_caller]
    pub(crate) fn host(&self, package: &str, flags: &[&str]) -> PathBuf {
        let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let output = self
            .command("cargo")
            .args(["build", "-p", package])
            .args(flags)
            .output()
            .expect("cargo");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let built = self
            .target
            .join(if flags.contains(&"--release") {
                "release"
            } else {
                "debug"
            })
            .join(package);
        let own = self.root.join(format!("run-{package}{}", flags.join("")));
        fs::copy(&built, &own).expect("a copy of the host");
        own
    }

    /// Starts `hot` with these arguments.
    pub(crate) fn session(&self, arguments: &[&str]) -> Session {
        let mark = format!("{}-{}", self.root.display(), std::process::id());
        let mut command = self.command(hot::binary());
        command.args(arguments).env(process::MARK, &mark);
        Session::start(command, mark)
    }

    /// Replaces text in a file.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.root.join(file);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{file} does not contain `{from}`");
        fs::write(path, text.replace(from, to)).expect("written");
    }
}

/// A running host that is told things line by line.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the host can be started");
        let output = child.stdout.take().expect("an output");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The test may have seen enough.
                let _ = sender.send(line);
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("an input");
        writeln!(input, "{line}").expect("the host listens");
    }

    /// Waits for a line that contains this, and returns it.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        let end = Instant::now() + LIMIT;
        loop {
            // A host that says other things all the time has no more time for it.
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with `{text}` ({error}), but:\n{}", seen.join("\n")),
            }
        }
    }

    /// Ends the input, and waits for the host's good end.
    #[track_caller]
    pub(crate) fn end(mut self) {
        drop(self.input.take());
        let status = self.child.wait().expect("the host ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
