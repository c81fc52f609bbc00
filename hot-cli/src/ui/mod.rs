//! What `hot` says to the user: short lines on stderr, each marked `hot:`.
//!
//! Knows nothing of how things were found out; what is worded how stands in `wording.rs`. stderr is
//! the program's too, so every message goes out in one write, and only whole lines. What can't be
//! written (a closed terminal) is dropped: it is no reason to end a session.

mod brief;
mod diagnostic;
mod event;
mod json;
mod out;
mod overview;
mod refused;
mod wording;

pub(crate) use diagnostic::{CompilerOutput, Diagnostic, Span};
pub(crate) use event::{
    Consequence, Event, FunctionPlace, KeptPlace, NoWayBack, Reason, TestEnded, TestsRan,
};
pub(crate) use out::{Copy, Screen};
pub(crate) use overview::{Compiling, Overview, Saved, Summary};
pub(crate) use refused::in_full;
pub(crate) use wording::{address, applied, listed};

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use out::Out;
use wording::Line;

const MARK: &str = "hot:";

/// The form of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines for people.
    #[default]
    Human,
    /// One JSON object a line, for programs.
    Json,
}

impl Format {
    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }

    /// The one that is called so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = [Self::Human, Self::Json].into_iter();
        all.find(|format| format.name() == name)
    }
}

/// That of all that this process says.
static FORMAT: OnceLock<Format> = OnceLock::new();

/// All that this process says has this form from now on. The first call decides.
pub(crate) fn set_format(format: Format) {
    FORMAT.get_or_init(|| format);
}

/// How the user can have the program restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Restart {
    /// From another terminal.
    #[default]
    Command,
    /// With a key in this one.
    Key,
    /// Not by `hot`, which did not start it.
    Elsewhere,
}

impl Restart {
    fn words(self) -> &'static str {
        match self {
            Self::Command => "`hot restart`",
            Self::Key => "press r",
            Self::Elsewhere => "start it again yourself",
        }
    }
}

/// What decides about words besides what happened.
#[derive(Debug, Clone, Copy, Default)]
struct How {
    /// All of it is wanted.
    verbose: bool,
    restart: Restart,
}

impl How {
    fn resume(self) -> &'static str {
        match self.restart {
            Restart::Key => "p",
            Restart::Command | Restart::Elsewhere => "`hot resume`",
        }
    }
}

/// The kinds of lines, which differ in colour only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}

impl Tone {
    fn colour(self) -> &'static str {
        match self {
            Self::Good => "\x1b[1;32m",
            Self::Plain => "\x1b[1;36m",
            Self::Warning => "\x1b[1;33m",
            Self::Bad => "\x1b[1;31m",
        }
    }
}

/// Writes the lines. To be shared by reference; messages don't mix.
#[derive(Debug)]
pub(crate) struct Reporter<W = io::Stderr> {
    out: Mutex<Out<W>>,
    colour: bool,
    verbose: bool,
    /// Only trouble is told.
    quiet: bool,
    format: Format,
    restart: Mutex<Restart>,
    /// It writes to a terminal that can be cleared.
    clears: bool,
}

impl Reporter {
    /// To stderr, coloured if that is a terminal whose user doesn't object.
    pub(crate) fn stderr(verbose: bool) -> Self {
        let format = FORMAT.get().copied().unwrap_or_default();
        let colour = format == Format::Human
            && io::stderr().is_terminal()
            && wants_colour(|name| std::env::var(name).ok());
        let mut reporter = Self::new(io::stderr(), colour, verbose);
        reporter.format = format;
        reporter.clears = format == Format::Human
            && io::stderr().is_terminal()
            && can_move(std::env::var("TERM").ok());
        reporter
    }
}

/// Whether a terminal of this kind understands more than lines.
fn can_move(term: Option<String>) -> bool {
    term.is_none_or(|term| term != "dumb")
}

/// Whether it has a title. The console of Linux would show it as text.
fn has_title(term: Option<String>) -> bool {
    term.is_some_and(|term| term != "linux")
}

/// By no-color.org's convention, and for terminals that can't.
fn wants_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && variable("TERM").is_none_or(|term| term != "dumb")
}

impl<W: Write> Reporter<W> {
    fn new(out: W, colour: bool, verbose: bool) -> Self {
        Self {
            out: Mutex::new(Out::new(out)),
            colour,
            verbose,
            quiet: false,
            format: Format::Human,
            restart: Mutex::default(),
            clears: false,
        }
    }

    /// The same, and what it says goes to these files too.
    pub(crate) fn copied(mut self, copies: Vec<Copy>) -> Self {
        self.out_mut().copies = copies;
        self
    }

    /// The same, but lines wait while a program fills the terminal; if `title`, it shows them.
    pub(crate) fn beside(mut self, screen: Option<Box<dyn Screen>>, title: bool) -> Self {
        let has_title = title && self.clears && has_title(std::env::var("TERM").ok());
        let out = self.out_mut();
        out.screen = screen;
        out.has_title = has_title;
        self
    }

    fn out_mut(&mut self) -> &mut Out<W> {
        self.out.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, Out<W>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether lines wait now.
    pub(crate) fn is_held(&self) -> bool {
        self.out().is_taken()
    }

    /// Some time has passed: what waits may be said.
    pub(crate) fn look(&self) {
        self.out().look();
    }

    /// The program that filled the terminal is gone: what waits is said, after the sequence that
    /// gives the terminal back.
    pub(crate) fn let_go(&self, sequence: &str) {
        let mut out = self.out();
        out.control(sequence);
        out.let_go();
    }

    /// The same, but it tells only what went wrong.
    pub(crate) fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// How the user can have the program restarted from now on.
    pub(crate) fn set_restart(&self, restart: Restart) {
        *self.restart.lock().unwrap_or_else(PoisonError::into_inner) = restart;
    }

    fn how(&self) -> How {
        How {
            verbose: self.verbose,
            restart: *self.restart.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Whether the compiler may colour what it says.
    pub(crate) fn is_coloured(&self) -> bool {
        self.colour
    }

    /// Whether details are wanted.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether first calls are told: to those who want details, and to programs.
    pub(crate) fn tells_calls(&self) -> bool {
        self.verbose || self.format == Format::Json
    }

    /// Tells what happened.
    pub(crate) fn tell(&self, event: &Event) {
        let is_wanted = match event {
            Event::Detail(_) => self.verbose,
            Event::FirstCall { .. } => self.tells_calls(),
            Event::StillBuilding(_) | Event::CargoWaits(_) => self.format == Format::Human,
            _ => true,
        };
        if !is_wanted {
            return;
        }
        let lines = event.lines(self.how());
        // Who asks for help, or for pages, is told.
        let asked = matches!(event, Event::KeysHelp | Event::PagesShown { .. });
        if self.quiet && !asked && !lines.iter().any(Line::is_trouble) {
            return;
        }
        let text: String = lines
            .iter()
            .map(|line| match (line, self.format) {
                (Line::Own(tone, text), Format::Human) => self.marked(*tone, text),
                (Line::Own(_, text), Format::Json) => format!("{text}\n"),
                (Line::Verbatim(text), _) => text.clone(),
            })
            .collect();
        match self.format {
            // What has no words didn't happen.
            Format::Json if !text.is_empty() || json::needs_no_words(event) => {
                self.out().say(&json::lines(event, text.trim_end()));
            }
            // Cargo's progress stands at the start of the line.
            _ if self.clears && matches!(event, Event::Compiling(_)) => {
                let mut out = self.out();
                out.control("\r\x1b[K");
                out.say(&text);
            }
            _ => self.out().say(&text),
        }
    }

    /// Clears the terminal.
    pub(crate) fn clear(&self) {
        if self.clears {
            self.out().control("\x1b[H\x1b[2J\x1b[3J");
        }
    }

    /// Writes what is being typed in the place of the line as it was.
    pub(crate) fn typed(&self, line: &str) {
        if self.clears {
            self.out().control(&format!("\r\x1b[K{line}"));
        }
    }

    /// Writes an empty line.
    pub(crate) fn empty_line(&self) {
        self.out().control("\n");
    }

    /// Something that failed.
    pub(crate) fn error(&self, text: &str) {
        self.tell(&Event::Error(text.to_owned()));
    }

    /// Only with `--verbose`; the text is not made otherwise.
    pub(crate) fn detail(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            self.tell(&Event::Detail(text()));
        }
    }

    /// Every line is marked, so that it can be told from the program's own.
    fn marked(&self, tone: Tone, text: &str) -> String {
        let (start, end) = match self.colour {
            true => (tone.colour(), "\x1b[0m"),
            false => ("", ""),
        };
        let lines = text.trim_end().lines();
        lines
            .map(|line| format!("{start}{MARK}{end} {}\n", printable(line)))
            .collect()
    }
}

/// A path as the user would write it here.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    path.display().to_string()
}

/// Names of files may hold anything; a terminal must not obey them.
fn printable(line: &str) -> String {
    line.chars()
        .map(|char| {
            if char.is_control() && char != '\t' {
                '\u{fffd}'
            } else {
                char
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
