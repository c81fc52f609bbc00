//! Functions of the standard library, as the code under test calls them.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use shop::clock;
use soft_mock::{call_original, mock};

#[test]
fn the_time_of_day() {
    let hour = Arc::new(AtomicU64::new(9));
    let _mock = mock!(SystemTime::now, {
        let hour = hour.clone();
        move || -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(hour.load(SeqCst) * 3600)
        }
    });
    assert!(!clock::is_open());
    hour.store(10, SeqCst);
    assert!(clock::is_open());
}

#[test]
fn an_hour_later() {
    // In the mock itself, std's function is std's.
    let _mock = mock!(SystemTime::now, || -> SystemTime {
        SystemTime::now() + Duration::from_secs(3600)
    });
    let later = SystemTime::now();
    let now = call_original(SystemTime::now, SystemTime::now).expect("called");
    assert!(later > now + Duration::from_secs(3500));
}

#[test]
fn threads_that_were_started_before_the_mock() {
    let (start, started) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        started.recv().expect("the mock is made");
        clock::wait();
    });
    let _mock = mock!(std::thread::sleep, |_time: Duration| {}).times(1);
    start.send(()).expect("the thread waits");
    thread.join().expect("it doesn't wait for an hour");
}

#[test]
fn nobody_waits() {
    let _mock = mock!(std::thread::sleep, |_time: Duration| {}).times(1);
    clock::wait();
}

#[test]
#[should_panic(expected = "nothing in the rewritten crates of this program calls it")]
fn what_nothing_calls_cannot_be_mocked() {
    let _mock = mock!("std::time::Instant::now", || -> std::time::Instant {
        unreachable!()
    });
}
