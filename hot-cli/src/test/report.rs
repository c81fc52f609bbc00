//! What is said of tests.
//!
//! What libtest says of a failure goes to the standard output as it is, as under cargo; our own
//! lines to the standard error, like all of `hot`'s. Knows nothing of how tests were chosen.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pool;
use super::suite::{Place, Suite, Test, Tests};
use super::verdict::Verdict;
use crate::ui::{listed, shown, Event, Reporter, TestEnded, TestsRan, Tone};

/// Says it.
pub(super) struct Report {
    reporter: Reporter,
}

/// A round that came to its end.
pub(super) struct Ran<'a> {
    pub(super) places: &'a [Place],
    /// They are those that reach what was edited.
    pub(super) by_reach: bool,
    pub(super) suite: &'a Suite,
    pub(super) elapsed: Duration,
}

impl Report {
    pub(super) fn new(verbose: bool) -> Self {
        Self {
            reporter: Reporter::stderr(verbose),
        }
    }

    /// For those who want to know what takes how long.
    pub(super) fn detail(&self, text: impl FnOnce() -> String) {
        self.reporter.detail(text);
    }

    /// What a test printed that passed.
    pub(super) fn output(&self, (tests, test): (&Tests, &Test), output: &str) {
        print(&format!(
            "---- {} ----\n{}\n",
            tests.full_name(test),
            output.trim()
        ));
    }

    pub(super) fn slow(&self, (tests, test): (&Tests, &Test), limit: Duration) {
        let (name, seconds) = (tests.full_name(test), limit.as_secs_f64());
        self.say(
            Tone::Warning,
            &format!("{name} has been running for over {seconds} seconds"),
        );
    }

    /// A test that failed before passes now, with nothing changed.
    pub(super) fn flaky(&self, (tests, test): (&Tests, &Test), retries: usize) {
        let name = tests.full_name(test);
        let text = format!("{name} has failed and passes now (attempt {})", retries + 1);
        self.say(Tone::Warning, &text);
    }

    /// Which tests were run the last time.
    pub(super) fn last(&self, suite: &Suite) {
        let places = suite.places(|test| test.last).into_iter();
        let names = places.map(|place| format!("\n    {}", suite.name(place)));
        let names: Vec<String> = names.collect();
        let text = format!("the last run had {} of {}:", names.len(), suite.len());
        self.say(Tone::Plain, &(text + &names.concat()));
    }

    pub(super) fn ran(&self, ran: &Ran<'_>) {
        print(&ran.failures());
        let tone = match ran.suite.places(Test::fails).is_empty() {
            true => Tone::Good,
            false => Tone::Bad,
        };
        let counts = ran.counts();
        let line = line(&counts);
        self.reporter.tell(&Event::TestsRan(counts, tone, line));
    }

    /// A test has ended.
    pub(super) fn ended(&self, (tests, test): (&Tests, &Test), ran: &pool::Ran) {
        let failure = match &ran.verdict {
            Verdict::Passed => None,
            Verdict::Failed(said) => Some(said.clone()),
        };
        self.reporter.tell(&Event::TestEnded(TestEnded {
            name: tests.full_name(test),
            binary: tests.binary.title.clone(),
            elapsed: ran.took,
            retries: ran.retries,
            failure,
        }));
    }

    /// What was saved is built, not patched.
    pub(super) fn builds(&self, why: &str) {
        self.say(Tone::Plain, &format!("built, not patched: {why}"));
    }

    /// Nothing was run: the build has failed, and cargo has said why.
    pub(super) fn not_built(&self) {
        self.say(Tone::Bad, "not built: no test was run");
    }

    /// Files were written that are no sources, while tests ran: by tests, or by the user.
    pub(super) fn written_meanwhile(&self, files: &[PathBuf]) {
        let names = shown_all(files);
        self.say(
            Tone::Plain,
            &format!(
                "written while tests ran, and not looked at: {names} (a runs all tests again)"
            ),
        );
    }

    /// Files that tests may read.
    pub(super) fn may_be_read(&self, files: &[PathBuf]) {
        let names = shown_all(files);
        self.say(
            Tone::Plain,
            &format!("{names}: no source, but tests may read it: all are run"),
        );
    }

    /// What lies beside the packages of a workspace isn't watched.
    pub(super) fn beside_packages(&self, root: &Path) {
        self.say(
            Tone::Plain,
            &format!(
                "{} holds so much beside its packages that it isn't watched (a runs all tests)",
                shown(root)
            ),
        );
    }

    /// A save had no event.
    pub(super) fn polls(&self) {
        self.say(
            Tone::Warning,
            "the system doesn't tell of all saves: files are looked at again and again from now on",
        );
    }

    pub(super) fn keys(&self) {
        self.say(
            Tone::Plain,
            "keys: Enter the last tests again, a all, f those that fail, / filter, w which were the last, q quit",
        );
    }

    /// A filter is being typed. What it is for is said before its first character.
    pub(super) fn filter_typed(&self, text: &str) {
        self.reporter
            .typed(&format!("filter (Enter applies it, Esc doesn't): {text}"));
    }

    /// The filter that counts now.
    pub(super) fn filter(&self, filter: Option<&str>) {
        self.reporter.empty_line();
        self.note(&match filter {
            Some(filter) => format!("only tests with `{filter}` in their names (/ and Enter: all)"),
            None => "no filter".to_owned(),
        });
    }

    pub(super) fn waits(&self) {
        self.say(Tone::Plain, "waiting for saves (doc tests aren't run)");
    }

    pub(super) fn error(&self, text: &str) {
        self.reporter.error(text);
    }

    pub(super) fn note(&self, text: &str) {
        self.say(Tone::Plain, text);
    }

    pub(super) fn warn(&self, text: &str) {
        self.say(Tone::Warning, text);
    }

    pub(super) fn clear(&self) {
        self.reporter.clear();
    }

    fn say(&self, tone: Tone, text: &str) {
        self.reporter.tell(&Event::Told(tone, text.to_owned()));
    }
}

impl Ran<'_> {
    /// What libtest says of those that failed, one binary after the other.
    fn failures(&self) -> String {
        let mut text = String::new();
        let mut binary = None;
        for &place in self.places {
            let (tests, test) = self.suite.get(place);
            let Some(Verdict::Failed(said)) = &test.verdict else {
                continue;
            };
            if binary != Some(place.0) {
                binary = Some(place.0);
                text.push_str(&format!("\nfailures in {}:\n", tests.binary.title));
            }
            text.push_str(&format!("\n{}\n", said.trim_end()));
        }
        if !text.is_empty() {
            text.push_str("\nfailures:\n");
            for &place in self.places {
                if self.suite.get(place).1.fails() {
                    text.push_str(&format!("    {}\n", self.suite.name(place)));
                }
            }
            text.push('\n');
        }
        text
    }

    fn counts(&self) -> TestsRan {
        let fails = |place: &&Place| self.suite.get(**place).1.fails();
        let failed = self.places.iter().filter(fails).count();
        let other = self.suite.places(Test::fails).into_iter();
        let other = other.filter(|place| !self.places.contains(place));
        TestsRan {
            all: self.suite.len(),
            ignored: self.suite.ignored(),
            passed: self.places.len() - failed,
            failed,
            by_reach: self.by_reach,
            still_failing: other.map(|place| self.suite.name(place)).collect(),
            left_out: self.suite.left_out(),
            elapsed: self.elapsed,
        }
    }
}

/// `12 of 418 tests: 11 passed, 1 FAILED (86 ms)`
fn line(of: &TestsRan) -> String {
    let (all, ran) = (of.all, of.passed + of.failed);
    let tests = match all {
        1 => "test",
        _ => "tests",
    };
    let mut line = match ran {
        0 if all == 0 => "there are no tests".to_owned(),
        0 if of.by_reach => format!("none of {all} {tests} reaches it"),
        0 => format!("none of {all} {tests} is concerned"),
        1 if of.by_reach => format!("1 of {all} {tests} reaches it"),
        _ if of.by_reach => format!("{ran} of {all} {tests} reach it"),
        _ if ran == all => format!("{all} {tests}"),
        _ => format!("{ran} of {all} {tests}"),
    };
    let mut counts = Vec::new();
    if of.passed > 0 {
        counts.push(format!("{} passed", of.passed));
    }
    if of.failed > 0 {
        counts.push(format!("{} FAILED", of.failed));
    }
    if of.ignored > 0 && ran == all {
        counts.push(format!("{} ignored", of.ignored));
    }
    if !counts.is_empty() {
        line.push_str(&format!(": {}", counts.join(", ")));
    }
    line.push_str(&format!(" ({})", time(of.elapsed)));
    if !of.still_failing.is_empty() {
        line.push_str(&format!("; still failing: {}", listed(&of.still_failing)));
    }
    if of.left_out > 0 {
        line.push_str(&format!(
            "; not run, since the filter leaves them out: {}",
            of.left_out
        ));
    }
    line
}

pub(super) fn time(elapsed: Duration) -> String {
    match elapsed.as_millis() {
        millis if millis < 1000 => format!("{millis} ms"),
        millis => format!("{:.1} s", millis as f64 / 1000.0),
    }
}

fn shown_all(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| shown(file)).collect();
    listed(&names)
}

/// A closed standard output is no reason to end.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times_are_short() {
        let names = |count: usize| listed(&(0..count).collect::<Vec<_>>());
        assert_eq!(names(3), "0, 1, 2");
        assert_eq!(names(5), "0, 1, 2 +2 more");
        assert_eq!(time(Duration::from_micros(86_400)), "86 ms");
        assert_eq!(time(Duration::from_millis(2340)), "2.3 s");
    }
}
