//! The words of what happened, as lines.
//!
//! Those of edits that can't be patched stand in `refused.rs`, those of overviews in `overview.rs`.
//! Knows nothing of how things were found out, nor of terminals.

use std::fmt::Display;
use std::time::Duration;

use super::event::{Consequence, Event, FunctionPlace, KeptPlace, NoWayBack, Reason};
use super::overview::{ready, summary};
use super::refused::{first_of, fitting, reason, refused, still};
use super::{How, Tone};
use crate::protocol::RolledBack;

/// What a line names before it says `+N more`.
const NAMED: usize = 3;

const NOT_ROLLED_BACK: &str = "not rolled back: ";

/// What each key does.
const KEYS: &str = "\
r  build again and restart the program
p  pause: collect saves; once more: apply them
u  take the last patch back
c  clear the terminal
q  end the program and hot
More from another terminal: hot status, hot diff, hot history, hot --help.";

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
                return format!("the old code runs on (--no-restart); to restart it: {restarts}");
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
            Self::RolledBack { done, elapsed } => rolled_back(done, *elapsed, how),
            Self::NotRolledBack(no) => vec![not_rolled_back(&no.words(how))],
            Self::StillRunning(functions) => each(functions, |function| {
                format!(
                    "{function} is running: the call in progress keeps its old body, the next one is new"
                )
            }),
            Self::FirstCall { functions, after } => plain(format!(
                "called {} after the patch: {}",
                time(*after),
                listed(functions)
            )),
            Self::NotCalled(functions) => plain(format!(
                "not called yet: {}; what runs only at the start does so after a restart ({})",
                listed(functions),
                how.restart.words()
            )),
            Self::WithoutEffect(functions) => each(functions, |function| {
                let restart = how.restart.words();
                format!("{function} is running and won't be called again: the edit needs a restart ({restart})")
            }),
            Self::Refused { edits, then, again } => refused(edits, *then, *again, how),
            Self::StillWithout(edits) => still(edits, how),
            Self::WaitAsWell(edits) => first_of("waits as well", edits, how),
            Self::Saved { .. } => Vec::new(),
            Self::StillBuilding(what) => plain(format!("still compiling: {what}")),
            Self::CargoWaits(holder) => {
                let holder = holder.as_deref().unwrap_or("another process");
                plain(format!("cargo waits for a lock that {holder} holds"))
            }
            Self::SyntaxError { at, again } => {
                let Reason { file, line, why } = at;
                let why = match again {
                    true => "it still can't be parsed",
                    false => first_line(why),
                };
                plain(format!("{file}:{line}: {why} (waiting for the next save)"))
            }
            Self::CompileError {
                again: true,
                compiler,
            } => {
                let what = compiler.place().map_or_else(
                    || "the edit still doesn't compile".to_owned(),
                    |(file, line)| format!("{file}:{line} still doesn't compile"),
                );
                vec![Line::Own(
                    Tone::Bad,
                    format!("{what}: saved edits wait until it does"),
                )]
            }
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
            Self::Quoted(text) => vec![Line::Verbatim(whole_lines(text))],
            Self::TestEnded(_) => Vec::new(),
            Self::TestsRan(_, tone, text) | Self::Told(tone, text) => {
                vec![Line::Own(*tone, text.clone())]
            }
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
            Self::Compiling(why) => why.words().to_owned(),
            Self::Ready { overview, named } => ready(overview, named),
            Self::Ended(all) => summary(all),
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
            Self::Succeeds { name, gone, same } => match same {
                true => format!("`{name}` is the variable that was `{gone}`: it keeps its value"),
                false => format!(
                    "`{name}` is another variable than `{gone}`, which is gone: it begins with its own value"
                ),
            },
            Self::TakenBack => "the edit was taken back: the files are what runs".to_owned(),
            Self::ManifestsMeanNothing { files } => {
                let verb = match files.len() {
                    1 => "changes",
                    _ => "change",
                };
                format!("{} {verb} nothing about how the crates are compiled", files.join(", "))
            }
            Self::SettingsWait(names) => {
                format!("{} in the manifest: for the next start of hot", names.join(", "))
            }
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
            Self::Polls(why) => format!(
                "{why}, as in some containers and on network mounts: files are looked at several times a second \
                 from now on (--poll does so from the start)"
            ),
            Self::BuildFailed => "the build failed: the old code runs on".to_owned(),
            Self::PluginBuilt => "built the plugin again".to_owned(),
            Self::HandedOver(names) => format!("handed over: {}", names.join(", ")),
            Self::Joined { pid, exe } => format!("pid {pid} joined: {}", exe.display()),
            Self::CargosCopyEdited { folder } => format!(
                "{} is cargo's own copy of the package: the edit stays there, for all projects that use it, and \
                 cargo alone does not notice it",
                folder.display()
            ),
            Self::PagesShown {
                server,
                pages,
                others,
            } => pages_shown(*server, *pages, others),
            Self::Detail(text) => text.clone(),
            // All others have lines of their own.
            _ => String::new(),
        }
    }
}

fn pages_shown(server: u16, pages: u16, others: &[u16]) -> String {
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!(
            "; it listens at {} as well (--browser=PORT for another one)",
            others.join(", ")
        ),
    };
    let address = address(pages);
    format!("pages refresh themselves at {address} (the server is at port {server}{others})")
}

/// Of a port of this machine, as browsers understand it.
pub(crate) fn address(port: u16) -> String {
    format!("http://localhost:{port}")
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
    format!("{cut}{end}{}", more(references.len() - 1))
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
    let because = because.map_or(String::new(), |edit| format!(" (because of: {edit})"));
    let text = format!(
        "{verb} {} in {}: {}{because}{keep}",
        counted(functions.len(), "function"),
        time(elapsed),
        listed(functions)
    );
    vec![Line::Own(Tone::Good, text)]
}

/// The end of a line, if something keeps old bodies.
fn keeping(kept: &[KeptPlace], how: How) -> String {
    match kept {
        [] => String::new(),
        kept => format!("; {}", keeps(kept, how)),
    }
}

/// What goes on as it is, of closures and async blocks.
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

impl Display for NoWayBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words(How::default()))
    }
}

impl NoWayBack {
    fn words(&self, how: How) -> String {
        let what_helps = match self.stays {
            true => "; take the edit back in its file, or restart",
            false => "",
        };
        fitting(&self.why, what_helps, how)
    }
}

fn rolled_back(done: &RolledBack, elapsed: Duration, how: How) -> Vec<Line> {
    let mut lines = Vec::new();
    if !done.undone.is_empty() {
        let functions: Vec<FunctionPlace> =
            done.functions.iter().map(FunctionPlace::from).collect();
        lines.extend(self::done("rolled back", &functions, elapsed, None, ""));
        let keep = "the files keep the edit; it counts again when they change";
        lines.push(Line::Own(Tone::Plain, keep.to_owned()));
    }
    let refused = done.refused.iter();
    lines.extend(refused.map(|why| not_rolled_back(&fitting(why, "", how))));
    lines
}

fn not_rolled_back(why: &str) -> Line {
    Line::Own(Tone::Warning, format!("{NOT_ROLLED_BACK}{why}"))
}

/// `a, b, c +2 more`.
pub(crate) fn listed(all: &[impl Display]) -> String {
    let (named, rest) = all.split_at(all.len().min(NAMED));
    let named: Vec<String> = named.iter().map(ToString::to_string).collect();
    format!("{}{}", named.join(", "), more(rest.len()))
}

/// So many aren't named.
pub(super) fn more(rest: usize) -> String {
    match rest {
        0 => String::new(),
        rest => format!(" +{rest} more"),
    }
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
