//! A clock for one test: it stands still until the test moves it, and everything that reads a clock
//! of std sees the same time.
//!
//! Made of mocks as `mock!` writes them, which can't be used here: it names this crate as others
//! do. Knows nothing of how mocks work.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, SystemTimeError};

use parking_lot::Mutex;

use super::call::Call;
use super::error::explained;
use super::guard::install;
use super::scoped::Form;
use super::target::Target;
use super::{MockError, Mocked};

/// The clock of a test, in the place of std's: `Instant::now`, `SystemTime::now`, `elapsed` of both
/// and `thread::sleep` keep to it, where rewritten code calls them.
///
/// It stands still at the moment when it was made; `sleep` moves it on and returns at once.
///
/// ```no_run
/// # use std::time::{Duration, SystemTime};
/// let clock = soft_mock::Clock::stop();
/// clock.set(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400));
/// clock.advance(Duration::from_secs(3_600));
/// ```
#[derive(Debug)]
#[must_use = "when it is dropped, std's clock is back"]
pub struct Clock {
    hands: Hands,
    _mocks: Vec<Mocked>,
}

#[derive(Debug, Clone)]
struct Hands(Arc<Mutex<Time>>);

#[derive(Debug, Clone, Copy)]
struct Time {
    instant: Instant,
    system: SystemTime,
}

/// A mock of a function, if anything calls it.
macro_rules! hand {
    ($function:path, fn($($name:ident: $ty:ty)?) $(-> $output:ty)?, $closure:expr) => {{
        fn code<F: Fn($($ty)?) $(-> $output)? + 'static>($($name: $ty)?) $(-> $output)? {
            let call = Call::take();
            (call.closure::<F>())($($name)?)
        }
        #[track_caller]
        fn mocked<F: Fn($($ty)?) $(-> $output)? + Send + Sync + 'static>(target: Target, closure: F) -> Mocked {
            install::<fn($($ty)?) $(-> $output)?, F>(Ok(target), Form::default(), code::<F>, closure)
        }
        called(&$function).map(|target| mocked(target, $closure))
    }};
}

impl Hands {
    fn time(&self) -> Time {
        *self.0.lock()
    }

    fn advance(&self, by: Duration) {
        let mut time = self.0.lock();
        time.instant += by;
        time.system += by;
    }
}

impl Clock {
    /// Stops the clock for the calling test.
    ///
    /// # Panics
    /// If a call of one of the functions would not see it, or nothing calls any of them.
    #[track_caller]
    pub fn stop() -> Self {
        let hands = Hands(Arc::new(Mutex::new(Time {
            instant: Instant::now(),
            system: SystemTime::now(),
        })));
        let mut mocks = Vec::new();
        let time = hands.clone();
        mocks.extend(hand!(Instant::now, fn() -> Instant, move || time
            .time()
            .instant));
        let time = hands.clone();
        mocks.extend(hand!(SystemTime::now, fn() -> SystemTime, move || time
            .time()
            .system));
        let time = hands.clone();
        mocks.extend(hand!(
            Instant::elapsed,
            fn(since: &Instant) -> Duration,
            move |since: &Instant| { time.time().instant.saturating_duration_since(*since) }
        ));
        let time = hands.clone();
        mocks.extend(hand!(
            SystemTime::elapsed,
            fn(since: &SystemTime) -> Result<Duration, SystemTimeError>,
            move |since: &SystemTime| { time.time().system.duration_since(*since) }
        ));
        let time = hands.clone();
        mocks.extend(hand!(thread::sleep, fn(pause: Duration), move |pause| time
            .advance(pause)));
        if mocks.is_empty() {
            refuse(&MockError::Uncalled {
                name: "std::time::Instant::now",
            });
        }
        Self {
            hands,
            _mocks: mocks,
        }
    }

    /// Moves the time of day and that of all `Instant`s on.
    pub fn advance(&self, by: Duration) {
        self.hands.advance(by);
    }

    /// Sets the time of day, as somebody does who sets a clock: `Instant`s don't notice.
    pub fn set(&self, to: SystemTime) {
        self.hands.0.lock().system = to;
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.hands.time().system
    }
}

/// The function, if anything calls it.
#[track_caller]
fn called<F>(function: &F) -> Option<Target> {
    match Target::item(function) {
        Ok(target) => Some(target),
        Err(MockError::Uncalled { .. }) => None,
        Err(error) => refuse(&error),
    }
}

#[track_caller]
fn refuse(error: &MockError) -> ! {
    panic!("{}", explained(error))
}
