//! Runs tests side by side, each in a process of its own: a fork of its binary's template, or,
//! where a binary can't be one, started.
//!
//! Knows nothing of which ones are to be run, and tells nobody but its caller.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::harness_args;
use super::limits::Limits;
use super::process::{Patience, Run};
use super::reach::{Reach, Recorder};
use super::suite::{Place, Suite, Test, Tests};
use super::template::{Asked, Came};
use super::verdict::{Ended, Verdict};
use crate::os::process::Cancel;

/// What happens while tests run.
pub(super) enum Happened {
    /// It takes long.
    Slow(Place),
    /// It has ended.
    Ended(Place, Ran),
}

/// What came of a test.
pub(super) struct Ran {
    pub(super) verdict: Verdict,
    /// All that it printed.
    pub(super) output: String,
    pub(super) reach: Option<Reach>,
    pub(super) took: Duration,
    /// How often it had failed before.
    pub(super) retries: usize,
}

/// Runs the tests at these places, and tells each as it ends. What is cancelled doesn't end.
pub(super) fn run(
    suite: &Suite,
    places: &[Place],
    recorder: &Recorder,
    limits: Limits,
    cancel: &Cancel,
    mut tell: impl FnMut(Happened),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (events, received) = channel();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..width(suite, places, limits.threads))
            .map(|_| {
                let work = Work {
                    suite,
                    recorder,
                    limits,
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

/// How many run at once: as many as the harness would run, or as are wanted.
fn width(suite: &Suite, places: &[Place], wanted: Option<usize>) -> usize {
    let said = places.iter().filter_map(|place| {
        let launch = &suite.get(*place).0.binary.launch;
        let variable = launch.env.get(std::ffi::OsStr::new("RUST_TEST_THREADS"));
        harness_args::threads(&launch.args, variable.map(|value| value.as_os_str()))
    });
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let count = said.min().or(wanted).unwrap_or_else(processors);
    count.min(places.len())
}

/// What a worker has.
struct Work<'a> {
    suite: &'a Suite,
    recorder: &'a Recorder,
    limits: Limits,
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
        let began = Instant::now();
        let mut reach = Reached::default();
        for retries in 0..=self.limits.retries {
            let Some((ended, reached)) = self.once(place)? else {
                return Ok(false);
            };
            reach.add(reached);
            let verdict = verdict(&ended, self.suite.get(place).1.named.name.as_deref());
            if verdict != Verdict::Passed && retries < self.limits.retries {
                continue;
            }
            // The caller listens until all have ended.
            let _ = self.events.send(Happened::Ended(
                place,
                Ran {
                    verdict,
                    output: ended.output(),
                    reach: reach.all(),
                    took: began.elapsed(),
                    retries,
                },
            ));
            break;
        }
        Ok(true)
    }

    /// None: it did not come to its end.
    fn once(&self, place: Place) -> Result<Option<(Ended, Option<Reach>)>> {
        let (tests, test) = self.suite.get(place);
        let slow = self.events.clone();
        let patience = Patience {
            timeout: self.limits.timeout,
            slow: (self.limits.slow, &|| drop(slow.send(Happened::Slow(place)))),
        };
        let forked = match test.named.name.as_deref() {
            Some(name) => self.forked(tests, name, patience)?,
            None => None,
        };
        let (ended, reach) = match forked {
            Some(forked) => forked,
            None => (self.started(tests, test, patience)?, None),
        };
        Ok(ended.map(|ended| (ended, reach)))
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

/// What all attempts have entered.
#[derive(Default)]
enum Reached {
    #[default]
    Nothing,
    All(Reach),
    /// It isn't known of one of them.
    Unknown,
}

impl Reached {
    fn add(&mut self, reach: Option<Reach>) {
        *self = match (std::mem::take(self), reach) {
            (Self::Nothing, Some(reach)) => Self::All(reach),
            (Self::All(earlier), Some(reach)) => Self::All(reach.or(&earlier)),
            (_, None) | (Self::Unknown, _) => Self::Unknown,
        };
    }

    fn all(self) -> Option<Reach> {
        match self {
            Self::All(reach) => Some(reach),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

fn verdict(ended: &Ended, name: Option<&str>) -> Verdict {
    match name {
        Some(name) => ended.of_test(name),
        None => ended.of_program(),
    }
}
