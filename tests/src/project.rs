//! A project that a test owns: its files, how they are saved, and how commands are run in it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{self, Process, MARK};
use crate::session::Session;
use crate::terminal::Terminal;
use crate::turn::Turn;
use crate::{environment, folder, hot, runtime};

/// How an editor writes a file.
#[derive(Clone, Copy, Debug)]
pub enum Save {
    /// Truncates the file and writes it.
    InPlace,
    /// Writes another file and renames it over this one, as vim and many others do.
    Rename,
    /// Truncates the file and writes it piece by piece, so that it is incomplete for a while.
    SeveralWrites,
}

/// A cargo project in a folder of its own.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    variables: Vec<(OsString, OsString)>,
    mark: String,
    // In the order in which they are given back.
    scratch: TempDir,
    _target: Option<File>,
    _turn: Turn,
}

impl Project {
    /// A copy of a fixture, with a target folder of its own.
    pub fn fixture(name: &str) -> Self {
        Self::fixture_in(name, "project")
    }

    /// A copy of a fixture in a folder of this name.
    pub fn fixture_in(name: &str, folder_name: &str) -> Self {
        let turn = Turn::wait();
        let scratch = scratch();
        let root = scratch.path().join(folder_name);
        folder::copy(&folder::fixture(name), &root);
        Self::new(root, scratch, None, turn)
    }

    /// A copy of a project with dependencies: they stay compiled from one run of the tests to the
    /// next. Projects of one name exclude each other.
    pub fn with_kept_target(source: &Path, name: &str) -> Self {
        Self::kept(source, name, &folder::kept().join(name).join("target"))
    }

    /// As `with_kept_target`, for a project that depends on the runtime. All of these share one
    /// target folder, so that the runtime and what it needs are compiled once.
    pub fn with_runtime(source: &Path, name: &str) -> Self {
        let project = Self::kept(source, name, &runtime::target());
        runtime::point_to(&project.root);
        runtime::spare_dependencies(project.scratch());
        project
    }

    fn kept(source: &Path, name: &str, target: &Path) -> Self {
        let home = folder::kept().join(name);
        fs::create_dir_all(&home).expect("a folder below target/");
        // First this lock and only then a turn: who waits for the lock keeps nobody else from
        // working.
        let lock = File::create(home.join("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        let turn = Turn::wait();
        let scratch = lasting_scratch(&home, name);
        let root = scratch.path().join("project");
        folder::copy(source, &root);
        let mut project = Self::new(root, scratch, Some(lock), turn);
        project.env("CARGO_TARGET_DIR", target);
        project
    }

    /// A program of one file, called `own`.
    pub fn of_main(main: &str) -> Self {
        let manifest = "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
        Self::of_files([("Cargo.toml", manifest), ("src/main.rs", main)])
    }

    /// A project of these files, with a target folder of its own.
    pub fn of_files(files: impl IntoIterator<Item = (impl AsRef<Path>, impl AsRef<str>)>) -> Self {
        let turn = Turn::wait();
        let scratch = scratch();
        let root = scratch.path().join("project");
        for (file, text) in files {
            let path = root.join(file);
            let folder = path.parent().expect("a file is in a folder");
            fs::create_dir_all(folder).expect("a folder of the project");
            fs::write(&path, text.as_ref()).expect("a file of the project");
        }
        Self::new(root, scratch, None, turn)
    }

    fn new(root: PathBuf, scratch: TempDir, target: Option<File>, turn: Turn) -> Self {
        let mark = scratch.path().display().to_string();
        let mut project = Self {
            root,
            variables: Vec::new(),
            mark,
            scratch,
            _target: target,
            _turn: turn,
        };
        for (variable, name) in [("TMPDIR", "tmp"), ("XDG_RUNTIME_DIR", "run")] {
            let path = project.scratch.path().join(name);
            private_folder(&path);
            project.env(variable, path);
        }
        project.env("XDG_CACHE_HOME", folder::kept().join("cache"));
        project.env(MARK, project.mark.clone());
        project
    }

    /// Makes a folder of the project the one that commands run in and that files are named from.
    pub fn enter(&mut self, folder: &str) {
        self.root.push(folder);
    }

    /// Sets a variable for all commands that are started from now on.
    pub fn env(&mut self, key: &str, value: impl AsRef<OsStr>) {
        self.variables.push((key.into(), value.as_ref().into()));
    }

    /// A file of the project.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Where cargo puts what it builds for the project.
    pub fn target(&self) -> PathBuf {
        let set = self.variables.iter().rev();
        let mut set = set.filter(|(key, _)| key == "CARGO_TARGET_DIR");
        set.next()
            .map_or_else(|| self.path("target"), |(_, path)| path.into())
    }

    /// A place beside the project that is removed with it.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The text of a file.
    #[track_caller]
    pub fn read(&self, file: &str) -> String {
        let path = self.path(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Replaces a text that occurs exactly once in a file.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        self.edit_by(Save::InPlace, file, from, to);
    }

    /// As `edit`, with another way to save.
    #[track_caller]
    pub fn edit_by(&self, save: Save, file: &str, from: &str, to: &str) {
        self.save(save, file, &self.edited(file, &[(from, to)]));
    }

    /// Several replacements in one file that is saved once.
    #[track_caller]
    pub fn edit_all(&self, file: &str, replacements: &[(&str, &str)]) {
        self.save(Save::InPlace, file, &self.edited(file, replacements));
    }

    #[track_caller]
    fn edited(&self, file: &str, replacements: &[(&str, &str)]) -> String {
        let mut text = self.read(file);
        for (from, to) in replacements {
            let found = text.matches(from).count();
            assert_eq!(
                found, 1,
                "{from:?} has to be in {file} exactly once:\n{text}"
            );
            text = text.replacen(from, to, 1);
        }
        text
    }

    /// Writes a file as an editor does.
    pub fn save(&self, save: Save, file: &str, text: &str) {
        let path = self.path(file);
        match save {
            Save::InPlace => fs::write(&path, text).expect("the file can be written"),
            Save::Rename => {
                let folder = path.parent().expect("a file is in a folder");
                let mut other = tempfile::NamedTempFile::new_in(folder).expect("a file beside it");
                other
                    .write_all(text.as_bytes())
                    .expect("the other file can be written");
                other.persist(&path).expect("it can be renamed");
            }
            Save::SeveralWrites => {
                let mut out = File::create(&path).expect("the file can be written");
                for piece in text.as_bytes().chunks(text.len().div_ceil(5).max(1)) {
                    out.write_all(piece).expect("a piece can be written");
                    thread::sleep(Duration::from_millis(4));
                }
            }
        }
    }

    /// Where a text that occurs exactly once begins in a file: its line and column, as rustc counts
    /// them.
    #[track_caller]
    pub fn position(&self, file: &str, needle: &str) -> (usize, usize) {
        let text = self.read(file);
        assert_eq!(
            text.matches(needle).count(),
            1,
            "{needle:?} has to be in {file} exactly once:\n{text}"
        );
        let before = &text[..text.find(needle).expect("it was found")];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }

    /// A command in the project's folder and environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = environment::command(program);
        command.current_dir(&self.root).env("PWD", &self.root);
        for (key, value) in &self.variables {
            command.env(key, value);
        }
        command
    }

    /// Runs a command to its end, with no input.
    pub fn run(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Output {
        let program = program.as_ref();
        let output = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        output.unwrap_or_else(|error| panic!("{}: {error}", program.display()))
    }

    /// Runs cargo to its end and returns stdout and stderr. It has to succeed.
    #[track_caller]
    pub fn cargo(&self, arguments: &[&str]) -> (String, String) {
        succeeded(self.run("cargo", arguments))
    }

    /// Runs `hot` to its end and returns stdout and stderr. It has to succeed.
    #[track_caller]
    pub fn hot_to_end(&self, arguments: &[&str]) -> (String, String) {
        succeeded(self.run(hot::binary(), arguments))
    }

    /// What marks the processes of the project.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Starts `hot` at a terminal of its own.
    pub fn hot_at_terminal(&self, arguments: &[&str]) -> Terminal {
        let hot = hot::binary().to_str().expect("a path of ours");
        Terminal::start(self, hot, arguments)
    }

    /// Starts `hot` with these arguments.
    pub fn hot(&self, arguments: &[&str]) -> Session {
        self.start(hot::binary(), arguments)
    }

    /// Starts any program, for a comparison with `hot`.
    pub fn start(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Session {
        let mut command = self.command(program);
        command.args(arguments);
        Session::start(command, self.mark.clone())
    }

    /// The project's processes that don't end within a few seconds.
    pub fn processes(&self) -> Vec<Process> {
        process::remaining(&self.mark, Duration::from_secs(5))
    }

    /// What is in the folders for temporary files, all of which are the project's own.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let folders = ["tmp", "run"].map(|name| self.scratch.path().join(name));
        let entries = folders
            .iter()
            .flat_map(|folder| fs::read_dir(folder).expect("the folder is there"));
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        process::kill(&self.mark);
    }
}

/// Short, since a socket in it must not have a path of more than 107 bytes.
fn scratch() -> TempDir {
    tempfile::Builder::new()
        .prefix("e2e")
        .tempdir()
        .expect("a temporary folder")
}

/// As `scratch`, with the same path in each run: another path would be another package, and be
/// compiled again beside the last one. Not below target/, since there cargo takes the project for a
/// member of this workspace.
fn lasting_scratch(home: &Path, name: &str) -> TempDir {
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    let prefix = format!("e2e-{name}-{:08x}", hasher.finish() as u32);
    let _ = fs::remove_dir_all(std::env::temp_dir().join(&prefix));
    let mut builder = tempfile::Builder::new();
    let folder = builder.prefix(&prefix).rand_bytes(0).tempdir();
    folder.expect("a folder that nobody else has")
}

fn private_folder(path: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .expect("a folder");
}

#[track_caller]
fn succeeded(output: Output) -> (String, String) {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    (stdout, stderr)
}
