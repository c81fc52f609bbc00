//! What a session tells the user: each thing that can happen, with what is known of it, and its
//! words.
//!
//! Every word about edits, patches and restarts stands here. Knows nothing of how things were found
//! out, nor of terminals: it makes lines.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use super::diagnostic::CompilerOutput;
use super::refused::{reason, refused, still};
use super::{How, Tone};
use crate::protocol::RolledBack;
use soft_mock_abi::report::Installed;

/// Functions that a line names before it says `+N more`.
const NAMED: usize = 3;

/// What each key does.
const KEYS: &str = "\
r  build again and restart the program
p  pause: collect saves; once more: apply them
u  take the last patch back
c  clear the terminal
q  end the program and hot
More from another terminal: hot status, hot diff, hot history, hot --help.";

/// A function, as it is shown: `their_crate::store::Store::get (src/store.rs:41)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionPlace {
    /// Full name.
    pub(crate) name: String,
    /// File, relative to where `hot` was called.
    pub(crate) file: String,
    /// Line of its signature.
    pub(crate) line: u32,
}

/// A closure or an async block, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptPlace {
    /// The function that made it.
    pub(crate) function: String,
    /// File, relative to where `hot` was called, and line.
    pub(crate) place: Option<(String, u32)>,
}

impl From<&Installed> for FunctionPlace {
    fn from(installed: &Installed) -> Self {
        Self {
            name: installed.name.clone(),
            file: installed.file.clone(),
            line: installed.line,
        }
    }
}

impl Display for FunctionPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.file, self.line)
    }
}

/// A place in a file, and what is to be said of it: `src/model.rs:12: field added to struct User:
/// its layout changes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// File, relative to where `hot` was called.
    pub(crate) file: String,
    /// Line in its new text.
    pub(crate) line: u32,
    /// What is there.
    pub(crate) why: String,
}

impl Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// What follows from an edit that can't be patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// The project is built again, then the program is restarted.
    BuildAndRestart,
    /// There is nothing to build before.
    Restart,
    /// Only a plugin is built again, for its host to reload.
    BuildPlugin,
    /// Nothing: the user wants no restarts.
    NoRestart,
    /// Nothing: this session did not start the programs.
    Attached,
    /// Nothing: a restart has changed nothing about it.
    RestartInVain,
    /// Nothing: what would have to follow failed.
    Failed,
}

impl Display for Consequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words(How::default()))
    }
}

impl Consequence {
    pub(super) fn words(self, how: How) -> String {
        let words = match self {
            Self::BuildAndRestart => "building again, then restarting",
            Self::Restart => "restarting",
            Self::BuildPlugin => "building the plugin again, for its host to reload",
            Self::NoRestart => {
                let restarts = how.restart.words();
                return format!("the old code runs on (--no-restart); {restarts} restarts it");
            }
            Self::Attached => "the old code runs on (`hot attach` restarts nothing)",
            Self::RestartInVain => {
                "the program was restarted for that, and is still the one from before the edit: what the \
                 command starts isn't built from this file"
            }
            Self::Failed => "the old code runs on",
        };
        words.to_owned()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The next call of these functions is new; `elapsed` is since the save. `because` is what
    /// else was edited: `value of const LIMIT changed`.
    Patched {
        functions: Vec<FunctionPlace>,
        elapsed: Duration,
        because: Option<String>,
        keep: Vec<KeptPlace>,
    },
    /// So many files were saved. People know that themselves.
    Saved { files: usize },
    /// These functions have their original bodies again.
    Restored {
        functions: Vec<FunctionPlace>,
        elapsed: Duration,
        keep: Vec<KeptPlace>,
    },
    /// Patches were taken back, because another terminal asked for it.
    RolledBack { done: RolledBack, elapsed: Duration },
    /// These are patched, but the call in progress goes on with the old body, and no other is to
    /// be expected.
    StillRunning(Vec<FunctionPlace>),
    /// They can't be, for this reason.
    NotRolledBack(String),
    /// These are running and won't be called again: the edit has no effect before a restart.
    WithoutEffect(Vec<FunctionPlace>),
    /// A patch waits for the program's safe point; the names of some of its functions.
    WaitsForSafePoint(Vec<String>),
    /// An edit was compiled, and the code of the program is what comes out.
    NothingUsesIt(Reason),
    /// The same, where not even an edit can be named: it means what was there before.
    NothingDiffers,
    /// A patch was built, and no process is there to get it.
    NobodyRuns,
    /// Closures that may be alive keep the bodies that they were made with.
    KeepBodies(Vec<KeptPlace>),
    /// A static keeps its value although its initialiser changed.
    KeepsValue { name: String },
    /// The same, for one that may not have been used yet; the edit says where.
    KeepsUsedValue { edit: Reason, name: String },
    /// A function was patched with what it doesn't mean: in what its crate, as the compiler takes
    /// it, is another one. A right patch follows.
    MeansOther {
        function: FunctionPlace,
        alone: Vec<String>,
        in_crate: Vec<String>,
    },
    /// A function was patched, and its crate doesn't compile with it. That follows.
    CompilesAlone { function: FunctionPlace },
    /// Edits can't be patched, and what follows; `again` if that was said already, and another
    /// save came.
    Refused {
        edits: Vec<Reason>,
        then: Consequence,
        again: bool,
    },
    /// A patch was made without these edits, which can't be patched.
    StillWithout(Vec<Reason>),
    /// What stood in the way was taken back: the files are what runs.
    TakenBack,
    /// A file can't be parsed at present: most often someone is typing.
    SyntaxError { at: Reason, again: bool },
    /// An edit doesn't compile: what the compiler said, as it said it.
    CompileError {
        compiler: CompilerOutput,
        again: bool,
    },
    /// Somebody wants the programs restarted.
    RestartWanted(Consequence),
    /// The command was started again, and a program of it runs.
    Restarted,
    /// The command was started again, but no program of it has joined.
    StartedAgain,
    /// Saves are collected from now on.
    Paused,
    /// So many files have been saved since.
    SavedInPause { files: usize },
    /// Keys are read from now on.
    KeysReady,
    /// Somebody wants to know them.
    KeysHelp,
    /// The program reads the terminal itself now.
    KeysTaken,
    /// They are applied; `manual` if those that follow are collected again.
    Resumed { files: usize, manual: bool },
    /// A build before a restart failed.
    BuildFailed,
    /// A plugin was built again.
    PluginBuilt,
    /// Processes handed this over to the next ones.
    HandedOver(Vec<String>),
    /// A process took too long to hand something over.
    HandoverTooSlow,
    /// A program has joined that another session had started.
    Joined { pid: u32, exe: PathBuf },
    /// An edit was made in cargo's own copy of a package.
    CargosCopyEdited { folder: PathBuf },
    /// Something that went wrong while the session goes on.
    Warning(String),
    /// Something that failed.
    Error(String),
    /// What is said only with `--verbose`.
    Detail(String),
}

/// A line of `hot`, or text of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Own(Tone, String),
    /// Unmarked and unchanged.
    Verbatim(String),
}

impl Line {
    /// Whether it says that something went wrong or won't take effect.
    pub(super) fn is_trouble(&self) -> bool {
        match self {
            Self::Own(tone, _) => matches!(tone, Tone::Warning | Tone::Bad),
            Self::Verbatim(_) => true,
        }
    }
}

impl Event {
    pub(super) fn lines(&self, how: How) -> Vec<Line> {
        match self {
            Self::Patched {
                functions,
                elapsed,
                because,
                keep,
            } => done(
                "patched",
                functions,
                *elapsed,
                because.as_deref(),
                &keeping(keep, how),
            ),
            Self::Restored {
                functions,
                elapsed,
                keep,
            } => done("restored", functions, *elapsed, None, &keeping(keep, how)),
            Self::RolledBack { done, elapsed } => rolled_back(done, *elapsed),
            Self::NotRolledBack(why) => vec![not_rolled_back(why)],
            Self::StillRunning(functions) => each(functions, |function| {
                format!(
                    "{function} is running: the call in progress keeps its old body, the next one is new"
                )
            }),
            Self::WithoutEffect(functions) => each(functions, |function| {
                let restart = how.restart.words();
                format!("{function} is running and won't be called again: the edit needs a restart ({restart})")
            }),
            Self::Refused { edits, then, again } => refused(edits, *then, *again, how),
            Self::StillWithout(edits) => still(edits, how),
            Self::Saved { .. } => Vec::new(),
            Self::SyntaxError { at, again } => {
                let Reason { file, line, why } = at;
                let why = match again {
                    true => "it still can't be parsed",
                    false => first_line(why),
                };
                plain(format!("{file}:{line}: {why} (waiting for the next save)"))
            }
            Self::CompileError { again: true, .. } => vec![Line::Own(
                Tone::Bad,
                "the edit still doesn't compile: the old code runs on".to_owned(),
            )],
            Self::CompileError { compiler, .. } => vec![
                Line::Verbatim(whole_lines(&compiler.rendered)),
                Line::Own(
                    Tone::Bad,
                    "the edit doesn't compile: the old code runs on".to_owned(),
                ),
            ],
            Self::MeansOther {
                function,
                alone,
                in_crate,
            } => warning(format!(
                "{function} was compiled alone and means something else there ({}, not {}): patching \
                 it again, from its whole crate",
                some(alone),
                some(in_crate)
            )),
            Self::CompilesAlone { function } => warning(format!(
                "{function} was compiled alone, and its crate does not compile with it: patching it \
                 again, from its whole crate"
            )),
            Self::Warning(text) => vec![Line::Own(Tone::Warning, text.clone())],
            Self::Error(text) => vec![Line::Own(Tone::Bad, text.clone())],
            Self::HandoverTooSlow => vec![Line::Own(
                Tone::Warning,
                "a process took too long to hand over its state: it starts fresh".to_owned(),
            )],
            other => plain(other.note(how)),
        }
    }

    /// What is said in one plain line.
    fn note(&self, how: How) -> String {
        match self {
            Self::WaitsForSafePoint(functions) => {
                let named: Vec<&str> = functions.iter().take(NAMED).map(String::as_str).collect();
                format!("waiting for the program's safe point: {}", named.join(", "))
            }
            Self::NothingUsesIt(edit) => format!("{}: nothing that runs uses it", reason(edit, how)),
            Self::NothingDiffers => "nothing differs from what runs".to_owned(),
            Self::NobodyRuns => "no process of the program runs: nothing was patched".to_owned(),
            Self::KeepBodies(kept) => keeps(kept, how),
            Self::KeepsValue { name } => {
                format!("`{name}` begins with another value now, but keeps the one that it has")
            }
            Self::KeepsUsedValue { edit, name } => {
                format!("{edit}: `{name}` keeps the value that it has, if it was used before")
            }
            Self::TakenBack => "the edit was taken back: the files are what runs".to_owned(),
            Self::RestartWanted(then) => format!("restart: {}", then.words(how)),
            Self::Restarted => "restarted".to_owned(),
            Self::StartedAgain => {
                "the command was started again, but no program of it has joined yet".to_owned()
            }
            Self::Paused => format!("paused: saves are collected ({} resumes)", how.resume()),
            Self::KeysReady => "keys: r restart, p pause, u undo a patch, ? help, q quit".to_owned(),
            Self::KeysHelp => KEYS.to_owned(),
            Self::KeysTaken => {
                "the program reads the terminal now: no keys any more (`hot restart` and others work from another one)"
                    .to_owned()
            }
            Self::SavedInPause { files } => format!(
                "{} saved, not applied yet ({} applies)",
                counted(*files, "file"),
                how.resume()
            ),
            Self::Resumed { files, manual } => match manual {
                true => applied(*files),
                false => format!("resumed: {}", applied(*files)),
            },
            Self::BuildFailed => "the build failed: the old code runs on".to_owned(),
            Self::PluginBuilt => "built the plugin again".to_owned(),
            Self::HandedOver(names) => format!("handed over: {}", names.join(", ")),
            Self::Joined { pid, exe } => format!("pid {pid} joined: {}", exe.display()),
            Self::CargosCopyEdited { folder } => format!(
                "{} is cargo's own copy of the package: the edit stays there, for all projects that use it, and \
                 cargo alone does not notice it",
                folder.display()
            ),
            Self::Detail(text) => text.clone(),
            // All others have lines of their own.
            _ => String::new(),
        }
    }
}

/// `applying 2 files`.
pub(crate) fn applied(files: usize) -> String {
    match files {
        0 => "nothing was saved meanwhile".to_owned(),
        files => format!("applying {}", counted(files, "file")),
    }
}

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// What one of two compilations refers to, as far as people can read it.
fn some(references: &[String]) -> String {
    const LETTERS: usize = 120;
    let Some(first) = references.first() else {
        return "nothing".to_owned();
    };
    let cut: String = first.chars().take(LETTERS).collect();
    let end = if cut.len() < first.len() { "…" } else { "" };
    let more = match references.len() - 1 {
        0 => String::new(),
        more => format!(" +{more} more"),
    };
    format!("{cut}{end}{more}")
}

fn warning(text: String) -> Vec<Line> {
    vec![Line::Own(Tone::Warning, text)]
}

fn plain(text: String) -> Vec<Line> {
    vec![Line::Own(Tone::Plain, text)]
}

fn each(functions: &[FunctionPlace], words: impl Fn(&FunctionPlace) -> String) -> Vec<Line> {
    let line = |function| Line::Own(Tone::Warning, words(function));
    functions.iter().map(line).collect()
}

fn done(
    verb: &str,
    functions: &[FunctionPlace],
    elapsed: Duration,
    because: Option<&str>,
    keep: &str,
) -> Vec<Line> {
    if functions.is_empty() {
        return Vec::new();
    }
    let noun = match functions.len() {
        1 => "function",
        _ => "functions",
    };
    let named: Vec<String> = functions
        .iter()
        .take(NAMED)
        .map(FunctionPlace::to_string)
        .collect();
    let more = match functions.len().saturating_sub(NAMED) {
        0 => String::new(),
        rest => format!(" +{rest} more"),
    };
    let because = because.map_or(String::new(), |edit| format!(" (because of: {edit})"));
    let text = format!(
        "{verb} {} {noun} in {}: {}{more}{because}{keep}",
        functions.len(),
        time(elapsed),
        named.join(", ")
    );
    vec![Line::Own(Tone::Good, text)]
}

/// What goes on as it is, of closures and async blocks.
/// The end of a line, if something keeps old bodies.
fn keeping(kept: &[KeptPlace], how: How) -> String {
    match kept {
        [] => String::new(),
        kept => format!("; {}", keeps(kept, how)),
    }
}

fn keeps(kept: &[KeptPlace], how: How) -> String {
    let places: Vec<String> = kept
        .iter()
        .map(|kept| match &kept.place {
            Some((file, line)) => format!("{file}:{line}"),
            None => kept.function.clone(),
        })
        .collect();
    format!(
        "closures and tasks that were made earlier at {} keep their old bodies until a restart ({})",
        places.join(", "),
        how.restart.words()
    )
}

fn rolled_back(done: &RolledBack, elapsed: Duration) -> Vec<Line> {
    let mut lines = Vec::new();
    if !done.undone.is_empty() {
        let functions: Vec<FunctionPlace> =
            done.functions.iter().map(FunctionPlace::from).collect();
        lines.extend(self::done("rolled back", &functions, elapsed, None, ""));
        let keep = "the files keep the edit; it counts again when they change";
        lines.push(Line::Own(Tone::Plain, keep.to_owned()));
    }
    lines.extend(done.refused.iter().map(|why| not_rolled_back(why)));
    lines
}

fn not_rolled_back(why: &str) -> Line {
    Line::Own(Tone::Warning, format!("not rolled back: {why}"))
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

fn whole_lines(text: &str) -> String {
    match text.is_empty() || text.ends_with('\n') {
        true => text.to_owned(),
        false => format!("{text}\n"),
    }
}

/// `93 ms`, `12.3 s`.
fn time(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(10) {
        format!("{} ms", elapsed.as_millis())
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}
