//! What `hot` says to the user: short lines on stderr, each marked `hot:`.
//!
//! Knows nothing of how things were found out. stderr is the program's too, so every message goes out in one write,
//! and only whole lines. What can't be written (a closed terminal) is dropped: it is no reason to end a session.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use soft_mock::patch::Installed;

use crate::protocol::RolledBack;

const MARK: &str = "hot:";

/// Functions that a line names before it says `+N more`.
const NAMED: usize = 3;

/// A function, as it is shown: `their_crate::store::Store::get (src/store.rs:41)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    /// Full name.
    pub(crate) name: &'a str,
    /// File, as the compiler names it.
    pub(crate) file: &'a str,
    /// Line of its signature.
    pub(crate) line: u32,
}

impl<'a> Function<'a> {
    fn of(installed: &'a Installed) -> Self {
        Self {
            name: &installed.name,
            file: &installed.file,
            line: installed.line,
        }
    }
}

impl Display for Function<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.file, self.line)
    }
}

/// A change that can't be patched: where, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RudeEdit<'a> {
    /// File, relative to the project.
    pub(crate) file: &'a str,
    /// Line in its new text.
    pub(crate) line: u32,
    /// `field added to struct User: its layout changes`.
    pub(crate) why: &'a str,
}

impl Display for RudeEdit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// The kinds of lines, which differ in colour only.
#[derive(Debug, Clone, Copy)]
enum Tone {
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
    out: Mutex<W>,
    colour: bool,
    verbose: bool,
}

impl Reporter {
    /// To stderr, coloured if that is a terminal whose user doesn't object.
    pub(crate) fn stderr(verbose: bool) -> Self {
        let colour = io::stderr().is_terminal() && wants_colour(|name| std::env::var(name).ok());
        Self::new(io::stderr(), colour, verbose)
    }
}

/// By no-color.org's convention, and for terminals that can't.
fn wants_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && variable("TERM").is_none_or(|term| term != "dumb")
}

impl<W: Write> Reporter<W> {
    fn new(out: W, colour: bool, verbose: bool) -> Self {
        Self {
            out: Mutex::new(out),
            colour,
            verbose,
        }
    }

    /// Whether the compiler may colour what it says.
    pub(crate) fn is_coloured(&self) -> bool {
        self.colour
    }

    /// The next call of these functions is new; `elapsed` is since the save.
    /// `because` is what else was edited: `value of const LIMIT changed`.
    pub(crate) fn patched(
        &self,
        functions: &[Function<'_>],
        elapsed: Duration,
        because: Option<&str>,
    ) {
        self.functions("patched", functions, elapsed, because);
    }

    /// These functions have their original bodies again.
    pub(crate) fn restored(&self, functions: &[Function<'_>], elapsed: Duration) {
        self.functions("restored", functions, elapsed, None);
    }

    /// Patches were taken back, because another terminal asked for it.
    pub(crate) fn rolled_back(&self, done: &RolledBack, elapsed: Duration) {
        if !done.undone.is_empty() {
            let functions: Vec<Function<'_>> = done.functions.iter().map(Function::of).collect();
            self.functions("rolled back", &functions, elapsed, None);
            self.say(
                Tone::Plain,
                "the files keep the edit; it counts again when they change",
            );
        }
        for why in &done.refused {
            self.say(Tone::Warning, &format!("not rolled back: {why}"));
        }
    }

    /// These are patched, but the call in progress goes on with the old body, and no other is to be expected.
    pub(crate) fn still_running(&self, functions: &[Function<'_>]) {
        for function in functions {
            let text = format!("{function} is running: the call in progress keeps its old body, the next one is new");
            self.say(Tone::Warning, &text);
        }
    }

    /// These are running and won't be called again: the edit has no effect before a restart.
    pub(crate) fn without_effect(&self, functions: &[Function<'_>]) {
        for function in functions {
            let text = format!(
                "{function} is running and won't be called again: the edit needs a restart"
            );
            self.say(Tone::Warning, &text);
        }
    }

    /// These edits can't be patched; `then` says what follows from that.
    pub(crate) fn rude(&self, edits: &[RudeEdit<'_>], then: &str) {
        for edit in edits {
            self.say(Tone::Warning, &edit.to_string());
        }
        self.say(Tone::Plain, then);
    }

    /// A file can't be parsed at present: most often someone is typing. One quiet line.
    pub(crate) fn syntax_error(&self, file: &str, line: u32, message: &str) {
        self.say(
            Tone::Plain,
            &format!(
                "{file}:{line}: {} (waiting for the next save)",
                first_line(message)
            ),
        );
    }

    /// An edit doesn't compile: what the compiler said, as it said it, and that the old code runs on.
    pub(crate) fn compile_error(&self, compiler: &str) {
        self.compiler(compiler);
        self.say(Tone::Bad, "the edit doesn't compile: the old code runs on");
    }

    /// Text of the compiler, unmarked and unchanged.
    pub(crate) fn compiler(&self, text: &str) {
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        self.write(&format!("{text}{end}"));
    }

    /// Something the user should know.
    pub(crate) fn note(&self, text: &str) {
        self.say(Tone::Plain, text);
    }

    /// Something that went wrong while the session goes on.
    pub(crate) fn warning(&self, text: &str) {
        self.say(Tone::Warning, text);
    }

    /// Something that failed.
    pub(crate) fn error(&self, text: &str) {
        self.say(Tone::Bad, text);
    }

    /// Only with `--verbose`; the text is not made otherwise.
    pub(crate) fn detail(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            self.say(Tone::Plain, &text());
        }
    }

    fn functions(
        &self,
        verb: &str,
        functions: &[Function<'_>],
        elapsed: Duration,
        because: Option<&str>,
    ) {
        if functions.is_empty() {
            return;
        }
        let noun = if functions.len() == 1 {
            "function"
        } else {
            "functions"
        };
        let named: Vec<String> = functions
            .iter()
            .take(NAMED)
            .map(Function::to_string)
            .collect();
        let more = match functions.len().saturating_sub(NAMED) {
            0 => String::new(),
            rest => format!(" +{rest} more"),
        };
        let because = because.map_or(String::new(), |edit| format!(" (because of: {edit})"));
        let text = format!(
            "{verb} {} {noun} in {}: {}{more}{because}",
            functions.len(),
            time(elapsed),
            named.join(", ")
        );
        self.say(Tone::Good, &text);
    }

    /// Every line is marked, so that it can be told from the program's own.
    fn say(&self, tone: Tone, text: &str) {
        let (start, end) = if self.colour {
            (tone.colour(), "\x1b[0m")
        } else {
            ("", "")
        };
        let lines = text.trim_end().lines();
        let message: String = lines
            .map(|line| format!("{start}{MARK}{end} {}\n", printable(line)))
            .collect();
        self.write(&message);
    }

    fn write(&self, message: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // One call, so that what the program writes at the same time stays before or behind.
        let _ = out.write_all(message.as_bytes()).and_then(|()| out.flush());
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
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

/// `93 ms`, `12.3 s`.
fn time(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(10) {
        format!("{} ms", elapsed.as_millis())
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Function<'_> = Function {
        name: "their_crate::store::Store::get",
        file: "src/store.rs",
        line: 41,
    };
    const RUN: Function<'_> = Function {
        name: "their_crate::run",
        file: "src/main.rs",
        line: 7,
    };
    const QUICK: Duration = Duration::from_micros(93_700);

    #[track_caller]
    fn check(say: impl FnOnce(&Reporter<Vec<u8>>), expected: &str) {
        let reporter = Reporter::new(Vec::new(), false, false);
        say(&reporter);
        assert_eq!(said(reporter), expected);
    }

    fn said(reporter: Reporter<Vec<u8>>) -> String {
        String::from_utf8(reporter.out.into_inner().expect("not poisoned")).expect("utf-8")
    }

    #[test]
    fn patched_as_promised() {
        check(
            |to| to.patched(&[GET], QUICK, None),
            "hot: patched 1 function in 93 ms: their_crate::store::Store::get (src/store.rs:41)\n",
        );
        check(
            |to| to.patched(&[RUN, RUN, RUN], QUICK, None),
            "hot: patched 3 functions in 93 ms: their_crate::run (src/main.rs:7), their_crate::run (src/main.rs:7), \
             their_crate::run (src/main.rs:7)\n",
        );
        check(
            |to| to.patched(&[GET, RUN, RUN, RUN, GET], Duration::from_millis(12_340), None),
            "hot: patched 5 functions in 12.3 s: their_crate::store::Store::get (src/store.rs:41), \
             their_crate::run (src/main.rs:7), their_crate::run (src/main.rs:7) +2 more\n",
        );
        check(|to| to.patched(&[], QUICK, None), "");
        check(
            |to| to.restored(&[RUN], QUICK),
            "hot: restored 1 function in 93 ms: their_crate::run (src/main.rs:7)\n",
        );
    }

    #[test]
    fn running_code_is_said() {
        check(
            |to| to.still_running(&[GET]),
            "hot: their_crate::store::Store::get (src/store.rs:41) is running: the call in progress keeps its old \
             body, the next one is new\n",
        );
        check(
            |to| to.without_effect(&[RUN]),
            "hot: their_crate::run (src/main.rs:7) is running and won't be called again: the edit needs a restart\n",
        );
    }

    #[test]
    fn rude_edits_name_their_place() {
        let edit = RudeEdit {
            file: "src/model.rs",
            line: 12,
            why: "field added to struct User: its layout changes",
        };
        check(
            |to| to.rude(&[edit], "rebuilding and restarting"),
            "hot: src/model.rs:12: field added to struct User: its layout changes\nhot: rebuilding and restarting\n",
        );
    }

    #[test]
    fn a_syntax_error_is_one_line() {
        check(
            |to| to.syntax_error("src/a.rs", 3, "expected `;`\n  more\n"),
            "hot: src/a.rs:3: expected `;` (waiting for the next save)\n",
        );
    }

    #[test]
    fn the_compiler_is_quoted_verbatim() {
        let text = "error[E0425]: x\n --> src/a.rs:1:2\n\x1b[1mbold\x1b[0m";
        check(
            |to| to.compile_error(text),
            &format!("{text}\nhot: the edit doesn't compile: the old code runs on\n"),
        );
        check(|to| to.compiler("a\n"), "a\n");
        check(|to| to.compiler(""), "");
    }

    #[test]
    fn every_line_is_marked_and_harmless() {
        check(|to| to.note("one\ntwo\n"), "hot: one\nhot: two\n");
        check(
            |to| to.warning("a\x1b[2Jb\rc\td"),
            "hot: a\u{fffd}[2Jb\u{fffd}c\td\n",
        );
        check(|to| to.error(""), "");
    }

    #[test]
    fn details_only_when_asked_for() {
        check(|to| to.detail(|| unreachable!("not made")), "");
        let reporter = Reporter::new(Vec::new(), false, true);
        reporter.detail(|| "linked in 12 ms".into());
        assert_eq!(said(reporter), "hot: linked in 12 ms\n");
    }

    #[test]
    fn colour_where_it_is_wanted() {
        let reporter = Reporter::new(Vec::new(), true, false);
        reporter.note("x");
        assert_eq!(said(reporter), "\x1b[1;36mhot:\x1b[0m x\n");

        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            }
        };
        assert!(wants_colour(env(&[])));
        assert!(wants_colour(env(&[("NO_COLOR", ""), ("TERM", "xterm")])));
        assert!(!wants_colour(env(&[("NO_COLOR", "1")])));
        assert!(!wants_colour(env(&[("TERM", "dumb")])));
    }

    #[test]
    fn each_message_is_one_write_and_failures_are_no_panic() {
        struct Counting(usize);
        impl Write for Counting {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Ok(bytes.len()),
                    _ => Err(io::ErrorKind::BrokenPipe.into()),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let reporter = Reporter::new(Counting(0), true, false);
        reporter.note("one\ntwo");
        assert_eq!(reporter.out.lock().expect("not poisoned").0, 1);
        reporter.note("nobody reads this");
    }
}
