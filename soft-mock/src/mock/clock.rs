//! A clock for one test: it stands still until the test moves it, and everything that reads a clock
//! of std sees the same time.
//!
//! Made of mocks as anybody could write them. Knows nothing of how these work.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, SystemTimeError};

use parking_lot::Mutex;

use super::error::explained;
use super::target::Target;
use super::{MockError, Mocked};
use crate::mock;

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
        if is_called(&Instant::now) {
            let hands = hands.clone();
            mocks.push(mock!(Instant::now, move || -> Instant {
                hands.time().instant
            }));
        }
        if is_called(&SystemTime::now) {
            let hands = hands.clone();
            mocks.push(mock!(SystemTime::now, move || -> SystemTime {
                hands.time().system
            }));
        }
        if is_called(&Instant::elapsed) {
            let hands = hands.clone();
            mocks.push(mock!(
                Instant::elapsed,
                move |since: &Instant| -> Duration {
                    hands.time().instant.saturating_duration_since(*since)
                }
            ));
        }
        if is_called(&SystemTime::elapsed) {
            let hands = hands.clone();
            mocks.push(mock!(
                SystemTime::elapsed,
                move |since: &SystemTime| -> Result<Duration, SystemTimeError> {
                    hands.time().system.duration_since(*since)
                }
            ));
        }
        if is_called(&thread::sleep) {
            let hands = hands.clone();
            mocks.push(mock!(thread::sleep, move |time: Duration| {
                hands.advance(time)
            }));
        }
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

/// Whether anything calls the function.
#[track_caller]
fn is_called<F>(function: &F) -> bool {
    match Target::item(function) {
        Ok(_) => true,
        Err(MockError::Uncalled { .. }) => false,
        Err(error) => refuse(&error),
    }
}

#[track_caller]
fn refuse(error: &MockError) -> ! {
    panic!("{}", explained(error))
}
