//! Runs tests side by side, each in a process of its own.
//!
//! Knows nothing of which ones are to be run, and tells nobody but its caller.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::harness_args;
use super::process::Run;
use super::suite::{Place, Suite};
use super::verdict::{Ended, Verdict};
use crate::os::process::Cancel;

/// When a test is called slow, as libtest does.
const SLOW: Duration = Duration::from_secs(60);

/// What happens while tests run.
pub(super) enum Happened {
    /// It takes long.
    Slow(Place),
    /// It has ended; with all that it printed.
    Ended(Place, Verdict, String),
}

/// Runs the tests at these places, and tells each as it ends. What is cancelled doesn't end.
pub(super) fn run(
    suite: &Suite,
    places: &[Place],
    timeout: Duration,
    cancel: &Cancel,
    mut tell: impl FnMut(Happened),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (events, received) = channel();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..width(suite, places))
            .map(|_| {
                let events = events.clone();
                scope.spawn(|| work(suite, places, &next, timeout, cancel, events))
            })
            .collect();
        drop(events);
        received.iter().for_each(&mut tell);
        let ends = workers.into_iter().map(|worker| {
            let end = worker.join();
            end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        ends.collect()
    })
}

/// How many run at once: as many as the harness would run.
fn width(suite: &Suite, places: &[Place]) -> usize {
    let said = places.iter().filter_map(|place| {
        let launch = &suite.get(*place).0.binary.launch;
        let variable = launch.env.get(std::ffi::OsStr::new("RUST_TEST_THREADS"));
        harness_args::threads(&launch.args, variable.map(|value| value.as_os_str()))
    });
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    said.min().unwrap_or_else(processors).min(places.len())
}

fn work(
    suite: &Suite,
    places: &[Place],
    next: &AtomicUsize,
    timeout: Duration,
    cancel: &Cancel,
    events: Sender<Happened>,
) -> Result<()> {
    while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
        if cancel.is_cancelled() {
            break;
        }
        let (tests, test) = suite.get(place);
        let slow = events.clone();
        let run = Run {
            launch: &tests.binary.launch,
            args: &tests.binary.args(&test.named),
            timeout,
            slow: (SLOW, &|| drop(slow.send(Happened::Slow(place)))),
        };
        let Some(ended) = run.to_end(cancel)? else {
            break;
        };
        let output = ended.output();
        let _ = events.send(Happened::Ended(
            place,
            verdict(&ended, test.named.name.as_deref()),
            output,
        ));
    }
    Ok(())
}

fn verdict(ended: &Ended, name: Option<&str>) -> Verdict {
    match name {
        Some(name) => ended.of_test(name),
        None => ended.of_program(),
    }
}
