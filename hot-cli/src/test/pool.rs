//! Runs tests side by side, each in a process of its own: a fork of its binary's template, or,
//! where a binary can't be one, started.
//!
//! Knows nothing of which ones are to be run, and tells nobody but its caller.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::harness_args;
use super::process::{Patience, Run};
use super::reach::{Reach, Recorder};
use super::suite::{Place, Suite, Test, Tests};
use super::template::{Asked, Came};
use super::verdict::{Ended, Verdict};
use crate::os::process::Cancel;

/// When a test is called slow, as libtest does.
const SLOW: Duration = Duration::from_secs(60);

/// What happens while tests run.
pub(super) enum Happened {
    /// It takes long.
    Slow(Place),
    /// It has ended; with all that it printed.
    Ended(Place, Verdict, String, Option<Reach>),
}

/// Runs the tests at these places, and tells each as it ends. What is cancelled doesn't end.
pub(super) fn run(
    suite: &Suite,
    places: &[Place],
    recorder: &Recorder,
    timeout: Duration,
    cancel: &Cancel,
    mut tell: impl FnMut(Happened),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (events, received) = channel();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..width(suite, places))
            .map(|_| {
                let work = Work {
                    suite,
                    recorder,
                    timeout,
                    cancel,
                    events: events.clone(),
                };
                let next = &next;
                scope.spawn(move || work.all(places, next))
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

/// What a worker has.
struct Work<'a> {
    suite: &'a Suite,
    recorder: &'a Recorder,
    timeout: Duration,
    cancel: &'a Cancel,
    events: Sender<Happened>,
}

impl Work<'_> {
    fn all(&self, places: &[Place], next: &AtomicUsize) -> Result<()> {
        while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            if self.cancel.is_cancelled() || !self.one(place)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether it came to its end.
    fn one(&self, place: Place) -> Result<bool> {
        let (tests, test) = self.suite.get(place);
        let slow = self.events.clone();
        let patience = Patience {
            timeout: self.timeout,
            slow: (SLOW, &|| drop(slow.send(Happened::Slow(place)))),
        };
        let name = test.named.name.as_deref();
        let forked = match name {
            Some(name) => self.forked(tests, name, patience)?,
            None => None,
        };
        let (ended, reach) = match forked {
            Some(forked) => forked,
            None => (self.started(tests, test, patience)?, None),
        };
        let Some(ended) = ended else {
            return Ok(false);
        };
        let verdict = verdict(&ended, name);
        // The caller listens until all have ended.
        let _ = self
            .events
            .send(Happened::Ended(place, verdict, ended.output(), reach));
        Ok(true)
    }

    /// Runs a test in a fork of its template. None: it has none.
    fn forked(
        &self,
        tests: &Tests,
        name: &str,
        patience: Patience<'_>,
    ) -> Result<Option<(Option<Ended>, Option<Reach>)>> {
        let binary = &tests.binary;
        let template = tests.template.get(|| binary.template(self.recorder))?;
        let Some(template) = template else {
            return Ok(None);
        };
        let told = tests.sites.as_ref().map(|_| self.recorder.reach());
        let came = template.run(
            &Asked {
                name,
                folder: &binary.launch.folder,
                reach: told.as_ref().map(|told| &*told.file),
                patience,
            },
            self.cancel,
        )?;
        let reach = told.and_then(|told| told.reach(tests.sites.as_ref()));
        Ok(match came {
            Came::Ended(ended) => Some((Some(ended), reach)),
            Came::Cancelled => Some((None, None)),
            Came::Gone => {
                tests.template.gone()?;
                None
            }
        })
    }

    /// Runs a test, or a whole binary, as cargo starts it. Nothing is known of what it enters.
    fn started(&self, tests: &Tests, test: &Test, patience: Patience<'_>) -> Result<Option<Ended>> {
        let run = Run {
            launch: &tests.binary.launch,
            args: &tests.binary.args(&test.named),
            variables: &[],
            patience,
        };
        run.to_end(self.cancel)
    }
}

fn verdict(ended: &Ended, name: Option<&str>) -> Verdict {
    match name {
        Some(name) => ended.of_test(name),
        None => ended.of_program(),
    }
}
