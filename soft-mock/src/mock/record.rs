//! What a mock was called with, and what was demanded of it.

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use soft_mock_abi::site::Site;

use super::original::unmocked;
use super::sequence::{Sequence, Step};
use super::strays::{told, Strays};

/// How many calls a message shows.
const SHOWN: usize = 20;

/// How often a mock is to be called: `2`, `1..`, `..=3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    least: usize,
    most: usize,
}

impl Times {
    fn of(range: &impl RangeBounds<usize>) -> Self {
        let least = match range.start_bound() {
            Bound::Included(least) => *least,
            Bound::Excluded(below) => below.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let most = match range.end_bound() {
            Bound::Included(most) => *most,
            Bound::Excluded(above) => above.saturating_sub(1),
            Bound::Unbounded => usize::MAX,
        };
        Self { least, most }
    }

    fn allows(self, calls: usize) -> bool {
        (self.least..=self.most).contains(&calls)
    }

    fn text(self) -> String {
        match (self.least, self.most) {
            (0, 0) => "no call".to_owned(),
            (1, 1) => "1 call".to_owned(),
            (least, most) if least == most => format!("{least} calls"),
            (least, usize::MAX) => format!("at least {least} call(s)"),
            (0, most) => format!("at most {most} call(s)"),
            (least, most) => format!("{least} to {most} calls"),
        }
    }
}

impl From<usize> for Times {
    fn from(exactly: usize) -> Self {
        Self::of(&(exactly..=exactly))
    }
}

macro_rules! from_ranges {
    ($($range:ty),*) => {
        $(impl From<$range> for Times {
            fn from(range: $range) -> Self {
                Self::of(&range)
            }
        })*
    };
}

from_ranges!(
    std::ops::Range<usize>,
    std::ops::RangeInclusive<usize>,
    std::ops::RangeFrom<usize>,
    std::ops::RangeTo<usize>,
    std::ops::RangeToInclusive<usize>,
    std::ops::RangeFull
);

/// Whether a mock takes a call.
pub(super) enum Admission {
    Taken,
    /// It has had all its calls, or the call is none of its.
    Refused,
    /// Something else is due; what.
    Early(String),
}

/// The calls of one mock.
#[derive(Debug)]
pub(crate) struct Record {
    site: &'static Site,
    /// Those of the mock's owner, which alone writes it.
    own_calls: AtomicUsize,
    other_calls: AtomicUsize,
    /// Somebody will ask for the arguments.
    wanted: AtomicBool,
    arguments: Mutex<Vec<String>>,
    expected: Mutex<Option<Times>>,
    /// Where the test made the mock.
    place: &'static Location<'static>,
    strays: Mutex<Strays>,
    /// Which calls it takes, as the test says it.
    when: Option<&'static str>,
    sequence: Mutex<Option<Sequence>>,
    /// Calls that it would have taken if it hadn't had all it demands.
    refused: AtomicUsize,
}

impl Record {
    pub(crate) fn new(
        site: &'static Site,
        place: &'static Location<'static>,
        when: Option<&'static str>,
    ) -> Self {
        Self {
            site,
            own_calls: AtomicUsize::new(0),
            other_calls: AtomicUsize::new(0),
            wanted: AtomicBool::new(when.is_some()),
            arguments: Mutex::new(Vec::new()),
            expected: Mutex::new(None),
            place,
            strays: Mutex::default(),
            when,
            sequence: Mutex::new(None),
            refused: AtomicUsize::new(0),
        }
    }

    pub(crate) fn site(&self) -> &'static Site {
        self.site
    }

    pub(crate) fn expect(&self, times: Times) {
        *self.expected.lock() = Some(times);
        self.wanted.store(true, Ordering::Release);
    }

    /// Demands that it is called in an order. Where nothing else is demanded, once.
    pub(crate) fn expect_in(&self, sequence: &Sequence) {
        if self.expected.lock().is_none() {
            self.expect(Times::from(1));
        }
        *self.sequence.lock() = Some(sequence.clone());
    }

    /// Whether it demands a number of calls and has had them.
    pub(super) fn is_full(&self) -> bool {
        let expected = *self.expected.lock();
        expected.is_some_and(|times| self.calls() >= times.most)
    }

    /// One call too many was made.
    pub(super) fn note_refused(&self, arguments: &str) {
        let mut list = self.arguments.lock();
        self.refused.fetch_add(1, Ordering::AcqRel);
        if list.len() < SHOWN {
            list.push(arguments.to_owned());
        }
    }

    /// Takes a call that fits, if that is possible.
    pub(super) fn admit(&self, own: bool, arguments: &str) -> Admission {
        let sequence = self.sequence.lock().clone();
        // One call at a time: none is taken beyond what is demanded.
        let mut list = self.arguments.lock();
        if self.is_full() {
            return Admission::Refused;
        }
        if let Some(why) = sequence.and_then(|sequence| sequence.hindrance(self)) {
            return Admission::Early(why);
        }
        self.count(own);
        if list.len() < SHOWN {
            list.push(arguments.to_owned());
        }
        Admission::Taken
    }

    /// The mock in one line: where it was made, what it takes, what it demands and has had.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("{} at {}", self.site.name(), self.place);
        if let Some(when) = self.when {
            text.push_str(&format!(", when {when}"));
        }
        if let Some(expected) = *self.expected.lock() {
            let calls = self.calls();
            text.push_str(&format!(", {} demanded, {calls} made", expected.text()));
        }
        text
    }

    /// Counts a call, of the mock's owner or of another thread.
    #[inline]
    pub(crate) fn count(&self, own: bool) {
        // Release, so that who reads the number also sees what the caller did before.
        if own {
            let calls = self.own_calls.load(Ordering::Relaxed);
            self.own_calls.store(calls + 1, Ordering::Release);
        } else {
            self.other_calls.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.own_calls.load(Ordering::Acquire) + self.other_calls.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Calls that no mock took.
    pub(super) fn strays(&self) -> &Mutex<Strays> {
        &self.strays
    }

    /// What the test has to know of calls that no mock took.
    pub(super) fn told(&self) -> Option<String> {
        told(self.site.name(), self.place, self.strays.lock().list())
    }

    /// What isn't as demanded.
    pub(crate) fn failure(&self) -> Option<String> {
        let expected = (*self.expected.lock())?;
        let calls = self.calls() + self.refused.load(Ordering::Acquire);
        if expected.allows(calls) {
            return None;
        }
        let name = self.site.name();
        let mut text = format!(
            "`{name}` was not called as the mock demands\n  expected: {}\n    actual: {calls}",
            expected.text()
        );
        let list = self.arguments.lock();
        for arguments in list.iter() {
            let short = name.rsplit("::").next().unwrap_or(name);
            text.push_str(&format!("\n            {short}({arguments})"));
        }
        if calls > list.len() && !list.is_empty() {
            text.push_str(&format!("\n            … and {} more", calls - list.len()));
        }
        text.push_str(&format!("\n      mock: {}", self.place));
        if let Some(when) = self.when {
            text.push_str(&format!(", when {when}"));
        }
        Some(text)
    }
}

impl Step for Record {
    fn describe(&self) -> String {
        Self::describe(self)
    }

    fn has_enough(&self) -> bool {
        let expected = *self.expected.lock();
        expected.is_none_or(|times| self.calls() >= times.least)
    }

    fn has_begun(&self) -> bool {
        self.calls() > 0
    }
}

/// An argument that is to be shown if it can be.
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// Shows what implements `Debug`. Meanwhile there are no mocks: what shows it may be mocked itself.
pub trait AsDebug {
    /// The text.
    fn __soft_mock_shown(&self) -> String;
}

impl<T: Debug + ?Sized> AsDebug for Shown<'_, T> {
    fn __soft_mock_shown(&self) -> String {
        unmocked(|| format!("{:?}", self.0))
    }
}

/// Stands for what doesn't.
pub trait AsUnknown {
    /// The text.
    fn __soft_mock_shown(&self) -> String;
}

impl<T: ?Sized> AsUnknown for &Shown<'_, T> {
    fn __soft_mock_shown(&self) -> String {
        "_".to_owned()
    }
}
