//! Whether an edit that reaches other code is patched or built: by what each took in this session,
//! from the save to the last test.
//!
//! A patch that is refused after it was compiled costs both ways, so it has to be faster by as much
//! as that is likely. Knows nothing of how either is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::report::time;

/// The binaries that an edit concerns: what cargo has to make anew.
pub(super) type Concerned = BTreeSet<PathBuf>;

/// What is known of both ways.
#[derive(Default)]
pub(super) struct Ways {
    of: BTreeMap<Concerned, Times>,
    /// The edit that is dealt with.
    now: Option<Now>,
}

struct Now {
    concerned: Concerned,
    is_built: bool,
    began: Instant,
}

/// For edits that concern the same binaries.
#[derive(Debug, Default)]
struct Times {
    /// Those of the last one.
    patched: Option<Duration>,
    built: Option<Duration>,
    tried: u32,
    refused: u32,
}

impl Ways {
    /// Nothing is dealt with: what was cancelled says nothing.
    pub(super) fn forget(&mut self) {
        self.now = None;
    }

    /// Such an edit is dealt with.
    pub(super) fn begin(&mut self, concerned: Concerned) {
        self.of.entry(concerned.clone()).or_default();
        self.now = Some(Now {
            concerned,
            is_built: false,
            began: Instant::now(),
        });
    }

    /// It can't be patched, as is known now.
    pub(super) fn refused(&mut self) {
        if let Some(now) = &self.now {
            let times = self.of.entry(now.concerned.clone()).or_default();
            times.tried += 1;
            times.refused += 1;
            times.patched = Some(now.began.elapsed());
        }
    }

    /// Cargo begins to build it.
    pub(super) fn builds(&mut self) {
        if let Some(now) = &mut self.now {
            now.is_built = true;
            now.began = Instant::now();
        }
    }

    /// All that it concerns was run.
    pub(super) fn ran(&mut self) {
        let Some(now) = self.now.take() else {
            return;
        };
        let times = self.of.entry(now.concerned).or_default();
        let took = Some(now.began.elapsed());
        match now.is_built {
            true => times.built = took,
            false => {
                times.patched = took;
                times.tried += 1;
            }
        }
    }

    /// Why cargo is to build what concerns these binaries. None: it is to be patched.
    pub(super) fn slower(&self, concerned: &Concerned) -> Option<String> {
        self.of.get(concerned)?.slower()
    }

    /// Whether a patch may concern a binary.
    pub(super) fn want(&self, binary: &Path) -> bool {
        let mut of = self.of.iter();
        of.any(|(concerned, times)| concerned.contains(binary) && times.slower().is_none())
    }
}

impl Times {
    fn slower(&self) -> Option<String> {
        // What isn't known is tried.
        let (patched, built) = (self.patched?, self.built?);
        // The rule of succession: before anything was tried, both are as likely.
        let refused = f64::from(self.refused + 1) / f64::from(self.tried + 2);
        let is_faster = patched + built.mul_f64(refused) < built;
        (!is_faster).then(|| {
            let (patched, built) = (time(patched), time(built));
            match self.refused {
                0 => format!("patches took {patched}, builds {built}"),
                refused => format!(
                    "patches took {patched}, {refused} of {} in vain, builds {built}",
                    self.tried
                ),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_that_took_less_is_taken() {
        let check = |patched: u64, built: u64, [tried, refused]: [u32; 2], why: Option<&str>| {
            let times = Times {
                patched: Some(Duration::from_millis(patched)),
                built: Some(Duration::from_millis(built)),
                tried,
                refused,
            };
            assert_eq!(times.slower().as_deref(), why, "{times:?}");
        };
        check(1200, 2000, [1, 0], None);
        let why = "patches took 1.5 s, builds 2.0 s";
        check(1500, 2000, [1, 0], Some(why));
        check(1500, 2000, [10, 0], None);
        check(600, 2000, [1, 1], None);
        let why = "patches took 700 ms, 1 of 1 in vain, builds 2.0 s";
        check(700, 2000, [1, 1], Some(why));
        assert_eq!(Times::default().slower(), None);
    }

    #[test]
    fn each_way_is_timed_by_itself_and_what_is_cancelled_is_not() {
        let binaries = Concerned::from(["/t/a".into()]);
        let mut ways = Ways::default();
        assert!(!ways.want(Path::new("/t/a")));
        ways.begin(binaries.clone());
        assert!(ways.want(Path::new("/t/a")) && !ways.want(Path::new("/t/b")));
        ways.refused();
        ways.builds();
        ways.forget();
        ways.ran();
        let times = &ways.of[&binaries];
        assert_eq!((times.tried, times.refused, times.built), (1, 1, None));
        ways.begin(binaries.clone());
        ways.builds();
        ways.ran();
        assert!(ways.of[&binaries].built.is_some());
    }
}
