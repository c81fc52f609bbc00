//! Everything at once: threads that call, while others install, roll back, mock, reset and call
//! originals. Every answer is checked.
//!
//! `STORM_SECONDS=600 cargo test --release -p soft-mock --test storm` runs longer.

mod common;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{folder, Function, Plugin};
use soft_mock::patch::load_plugin;
use soft_mock::patch::Transaction;
use soft_mock::{call_original, mock_by_name, reset_by_name};

#[allow(unreachable_pub)]
mod app {
    crate::sites! {
        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn one(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn two(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn mocked(x: u32) -> u32 { x }
    }
}

const UNIT: &str = "00abcdef01234567";
const MOCK: u32 = 5_000_000;
const PATCHES: [u32; 2] = [1_000_000, 2_000_000];

/// What is installed at present: its number in the lower bits; the upper ones count, odd while it
/// changes.
#[derive(Default)]
struct Epoch(AtomicU64);

impl Epoch {
    /// The one thread that changes things says when, and to what.
    fn change(&self, to: u32, change: impl FnOnce()) {
        let count = (self.0.load(Ordering::SeqCst) >> 32) + 1;
        self.0.store(count << 32, Ordering::SeqCst);
        change();
        self.0
            .store((count + 1) << 32 | u64::from(to), Ordering::SeqCst);
    }

    /// What a call has to have added; none if something changed meanwhile.
    fn during<T>(&self, call: impl FnOnce() -> T) -> (T, Option<u32>) {
        let before = self.0.load(Ordering::SeqCst);
        let result = call();
        let is_still = before >> 32 & 1 == 0 && self.0.load(Ordering::SeqCst) == before;
        (result, is_still.then_some(before as u32))
    }
}

struct Storm {
    patch: Epoch,
    mock: Epoch,
    ended: AtomicBool,
    calls: AtomicU64,
    strict: AtomicU64,
}

impl Storm {
    fn caller(&self, seed: u32) {
        let mut x = seed;
        while !self.ended.load(Ordering::Relaxed) {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) >> 12;
            // Both functions of the patch, one after the other: never an old one after a new one of
            // it.
            let ([one, two], state) = self.patch.during(|| [app::one(x) - x, app::two(x) - x]);
            for added in [one, two] {
                assert!(added == 0 || PATCHES.contains(&added), "{added}");
            }
            let (mocked, mock) = self.mock.during(|| app::mocked(x) - x);
            assert!(mocked == 0 || mocked == MOCK, "{mocked}");
            if let Some(state) = state {
                assert_eq!([one, two], [state; 2]);
            }
            if let Some(mock) = mock {
                assert_eq!(mocked, mock);
            }
            let strict = u64::from(state.is_some()) + u64::from(mock.is_some());
            self.strict.fetch_add(strict, Ordering::Relaxed);
            self.calls.fetch_add(3, Ordering::Relaxed);
        }
    }

    /// Whatever the mock is at present: who asks for the original gets it.
    fn original(&self) {
        let mut x = 0;
        while !self.ended.load(Ordering::Relaxed) {
            x += 1;
            assert_eq!(call_original(app::mocked, || app::mocked(x)), Ok(x));
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn installer(&self, plugins: &[PathBuf], end: Instant) -> usize {
        let mut installed = 0;
        while Instant::now() < end {
            for (plugin, added) in plugins.iter().zip(PATCHES) {
                self.patch
                    .change(added, || drop(load_plugin(plugin).expect("installed")));
                assert_eq!(app::two(1), added + 1, "from the next call on");
                self.let_others_look();
            }
            let both = ["one", "two"].map(|name| format!("storm::app::{name}"));
            let rollback = both
                .iter()
                .fold(Transaction::new(), |all, name| all.restore(UNIT, name));
            self.patch
                .change(0, || drop(rollback.commit().expect("restored")));
            assert_eq!(app::one(1), 1);
            self.let_others_look();
            installed += plugins.len();
        }
        installed
    }

    fn mocker(&self) {
        let name = "storm::app::mocked";
        while !self.ended.load(Ordering::Relaxed) {
            let mock: fn(u32) -> u32 = |x| x + MOCK;
            self.mock
                .change(MOCK, || mock_by_name(name, mock).expect("a mock"));
            assert_eq!(app::mocked(1), MOCK + 1);
            self.let_others_look();
            self.mock
                .change(0, || assert!(reset_by_name(name).expect("a reset")));
            assert_eq!(app::mocked(1), 1);
            self.let_others_look();
        }
    }

    /// A state that nobody has looked at proves nothing.
    fn let_others_look(&self) {
        let before = self.strict.load(Ordering::Relaxed);
        while self.strict.load(Ordering::Relaxed) < before + 20
            && !self.ended.load(Ordering::Relaxed)
        {
            thread::yield_now();
        }
    }
}

#[test]
fn eight_threads_call_while_others_change_everything() {
    let seconds = std::env::var("STORM_SECONDS").map_or(3, |text| text.parse().expect("a number"));
    let folder = folder();
    let plugin = |name: &str, code: &'static str| {
        let function = |site: &str| {
            Function::new(format!("storm::app::{site}"), "fn(u32) -> u32", code)
                .checked_as("fn(u32) -> u32")
        };
        Plugin::of(&[function("one"), function("two")]).build(folder.path(), name)
    };
    let plugins = [
        plugin("first", "(x: u32) -> u32 { x + 1_000_000 }"),
        plugin("second", "(x: u32) -> u32 { x + 2_000_000 }"),
    ];
    let storm = Storm {
        patch: Epoch::default(),
        mock: Epoch::default(),
        ended: AtomicBool::new(false),
        calls: AtomicU64::new(0),
        strict: AtomicU64::new(0),
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let installed = thread::scope(|scope| {
        for seed in 0..8 {
            let storm = &storm;
            scope.spawn(move || storm.caller(seed));
        }
        scope.spawn(|| storm.original());
        scope.spawn(|| storm.mocker());
        // Whatever goes wrong, the others must end.
        let installed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            storm.installer(&plugins, end)
        }));
        storm.ended.store(true, Ordering::Relaxed);
        installed.unwrap_or_else(|cause| std::panic::resume_unwind(cause))
    });
    let [calls, strict] = [&storm.calls, &storm.strict].map(|count| count.load(Ordering::Relaxed));
    println!("{calls} calls, {strict} of them while nothing changed; {installed} patches");
    assert!(installed >= 2 && strict > 40, "{installed} {strict}");
}
