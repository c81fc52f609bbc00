//! Calls that reached the original although tests mock the function, on a thread that works for no
//! test: each of those tests is told at its end, with the place.
//!
//! To find the place takes a look at the stack, so it is done once for each thread and mock. A
//! thread of a test that made no mock has libtest on its stack. Nothing here knows how a call
//! chooses a mock.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::Location;
use std::thread;

use parking_lot::Mutex;

use crate::scope;

/// How many places a mock is told of.
const SHOWN: usize = 8;

/// A call that none of the mocks took.
#[derive(Debug, Clone)]
pub(super) struct Stray {
    /// The number of its thread.
    on: usize,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    /// Looking: what is called meanwhile is no news.
    Busy,
    /// The thread runs a test.
    Test,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Unknown) };
}

/// Notes a call on this thread with each of several mocks, which `each` calls a function with.
pub(super) fn note(each: impl Fn(&mut dyn FnMut(&Mutex<Strays>))) {
    if STATE.get() != State::Unknown {
        return;
    }
    STATE.set(State::Busy);
    let on = scope::thread();
    let mut is_news = false;
    each(&mut |strays| is_news |= strays.lock().wants(on));
    let place = match is_news {
        true => place(),
        false => Some(String::new()),
    };
    let Some(place) = place else {
        STATE.set(State::Test);
        return;
    };
    if is_news {
        let thread = thread::current();
        let name = thread.name().map(|name| format!("`{name}`"));
        let name = name.as_deref().unwrap_or("without a name");
        let text = format!("{place}, on a thread {name}");
        each(&mut |strays| {
            let text = text.clone();
            strays.lock().add(Stray { on, text });
        });
    }
    STATE.set(State::Unknown);
}

/// Who called; none if it was a test.
fn place() -> Option<String> {
    let frames = Backtrace::force_capture().to_string();
    let frames = Frames::of(&frames);
    match frames.is_test() {
        true => None,
        false => Some(frames.caller().unwrap_or_else(|| "somewhere".to_owned())),
    }
}

/// The frames of a backtrace, as std writes them: the innermost first.
struct Frames<'t>(Vec<(&'t str, Option<&'t str>)>);

impl<'t> Frames<'t> {
    fn of(text: &'t str) -> Self {
        let mut frames: Vec<(&str, Option<&str>)> = Vec::new();
        for line in text.lines().map(str::trim_start) {
            if let Some(at) = line.strip_prefix("at ") {
                if let Some((_, place)) = frames.last_mut() {
                    *place = Some(at);
                }
            } else if let Some((_, name)) = line.split_once(": ") {
                frames.push((name, None));
            }
        }
        Self(frames)
    }

    /// Whether libtest has called.
    fn is_test(&self) -> bool {
        let is_libtest = |(name, place): &(&str, Option<&str>)| {
            name.starts_with("test::") || place.is_some_and(|at| at.contains("/library/test/src/"))
        };
        self.0.iter().any(is_libtest)
    }

    /// Who called the function whose prologue asked. Debug information names what was inlined
    /// without its path.
    fn caller(&self) -> Option<String> {
        // `app::Site::enter`, or `<app::Site>::enter`: as the symbol is mangled.
        let of_site = |name: &str, method: &str| {
            let ty = name.strip_suffix(method);
            ty.is_some_and(|ty| ty.trim_end_matches('>').ends_with("Site"))
        };
        let enters = |(name, _): &(&str, _)| of_site(name, "::enter");
        let asked = self.0.iter().position(enters)?;
        let is_prologue = |(name, _): &&(&str, Option<&str>)| {
            let ours = name.contains("__soft_mock::") || name.contains("soft_mock::mock::");
            ours || *name == "code" || of_site(name, "::code")
        };
        let mut outside = self.0[asked + 1..].iter().skip_while(is_prologue);
        let _function_itself = outside.next()?;
        let is_users = |(name, place): &&(&str, Option<&str>)| {
            let name = name.trim_start_matches(['<', '&']);
            let others = [
                "std::",
                "core::",
                "alloc::",
                "dyn ",
                "__rust_",
                "start_thread",
                "clone",
            ];
            let of_std = place.is_some_and(|at| at.starts_with("/rustc/"));
            let carries = name.contains("__soft_mock::");
            !of_std && !carries && !others.iter().any(|start| name.starts_with(start))
        };
        let (name, place) = outside.find(is_users)?;
        Some(match place {
            Some(place) => format!("by {name} ({place})"),
            None => format!("by {name}"),
        })
    }
}

/// What a test is told at its end.
pub(super) fn told(name: &str, mocked: &Location<'_>, strays: &[Stray]) -> Option<String> {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut text = format!(
        "while a test mocked `{name}` ({mocked}), its original was called where no test is known:"
    );
    let mut known = TOLD.lock();
    // A mock that is made again and again is told of a place once.
    let news = strays
        .iter()
        .filter(|stray| known.insert(format!("{text}{}", stray.text)));
    let news: Vec<&Stray> = news.collect();
    if news.is_empty() {
        return None;
    }
    for stray in news {
        let _ = write!(text, "\n  {}", stray.text);
    }
    text.push_str("\n  if that work was the test's, hand it over with `soft_mock::scope()`");
    Some(text)
}

/// The strays of one mock.
#[derive(Debug, Default)]
pub(super) struct Strays(Vec<Stray>);

impl Strays {
    fn wants(&self, thread: usize) -> bool {
        self.0.len() < SHOWN && self.0.iter().all(|known| known.on != thread)
    }

    fn add(&mut self, stray: Stray) {
        if self.wants(stray.on) {
            self.0.push(stray);
        }
    }

    pub(super) fn list(&self) -> &[Stray] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "   0: soft_mock::mock::strays::place\n   1: app::__soft_mock::Site::enter\n             \
        at ./src/lib.rs:90:1\n   2: code\n   3: rate\n             at ./src/lib.rs:5:1\n   4: call_once<app::worker>\n             \
        at /rustc/59807616e1fa/library/core/src/ops/function.rs:250:5\n   5: app::worker::{{closure}}\n             \
        at ./src/lib.rs:74:30\n   6: app::__soft_mock::inherit\n   7: start_thread\n             at ./nptl/pthread_create.c:442:8\n";

    #[test]
    fn the_caller_is_found_on_the_stack() {
        let frames = Frames::of(STACK);
        let caller = frames.caller().expect("a caller");
        assert_eq!(caller, "by app::worker::{{closure}} (./src/lib.rs:74:30)");
        let mangled = STACK.replace(
            "app::__soft_mock::Site::enter",
            "<app::__soft_mock::Site>::enter",
        );
        assert_eq!(Frames::of(&mangled).caller(), Some(caller));
        assert!(!frames.is_test());
        for libtest in [
            "   8: test::run_test\n",
            "   8: run\n             at /rustc/59807616e1fa/library/test/src/lib.rs:1:1\n",
        ] {
            assert!(Frames::of(&format!("{STACK}{libtest}")).is_test());
        }
        assert_eq!(Frames::of("   0: main\n").caller(), None);
    }

    #[test]
    fn a_thread_is_told_of_once() {
        let stray = |on| Stray {
            on,
            text: "by a".to_owned(),
        };
        let mut strays = Strays::default();
        strays.add(stray(1));
        strays.add(stray(1));
        assert!(!strays.wants(1) && strays.wants(2));
        assert_eq!(strays.list().len(), 1);
    }
}
