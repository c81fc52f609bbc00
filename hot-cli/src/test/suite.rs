//! All tests of the project, and what became of each.
//!
//! Knows nothing of how they are built and run. A test is *due* from the moment something that may
//! concern it changes until it has been run to its end: what is interrupted stays due.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::binary::{Binary, Listed, Named};
use super::reach::{Reach, SiteName, Sites};
use super::template::Held;
use super::verdict::Verdict;

/// The tests of all binaries.
#[derive(Debug, Default)]
pub(super) struct Suite {
    pub(super) binaries: Vec<Tests>,
    /// A part of the full names of the tests that are run; others that are due wait.
    pub(super) filter: Option<String>,
}

/// The tests of a binary.
#[derive(Debug)]
pub(super) struct Tests {
    pub(super) binary: Binary,
    pub(super) sites: Option<Arc<Sites>>,
    pub(super) tests: Vec<Test>,
    /// The process that its tests are forked from.
    pub(super) template: Arc<Held>,
}

/// A test.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) named: Named,
    pub(super) due: bool,
    /// It was run the last time that anything was.
    pub(super) last: bool,
    /// None: it was never run to its end.
    pub(super) verdict: Option<Verdict>,
    /// What it entered then. None: it isn't known.
    pub(super) reach: Option<Arc<Reach>>,
    pub(super) took: Duration,
}

/// A test's place: that of its binary, and its own.
pub(super) type Place = (usize, usize);

impl Tests {
    /// A binary that was built anew. What became of its tests before counts until they are run
    /// again; they are due, unless it is known that they enter none of the functions that differ.
    pub(super) fn new(
        binary: Binary,
        listed: Listed,
        before: Option<&Tests>,
        differ: Option<&BTreeSet<SiteName>>,
    ) -> Self {
        let tests = listed.tests.into_iter().map(|named| {
            let mut known = before.into_iter().flat_map(|before| &before.tests);
            let known = known.find(|test| test.named == named);
            let is_due = known.is_none_or(|known| known.is_reached(differ));
            Test {
                due: is_due && !named.ignored,
                last: false,
                verdict: known.and_then(|test| test.verdict.clone()),
                took: known.map(|test| test.took).unwrap_or_default(),
                reach: known.and_then(|test| {
                    let reach = test.reach.as_ref()?;
                    Some(Arc::new(reach.among(listed.sites.as_ref()?)))
                }),
                named,
            }
        });
        Self {
            tests: tests.collect(),
            sites: listed.sites,
            binary,
            template: Arc::default(),
        }
    }

    /// The same binary, beside programs that may be others.
    pub(super) fn beside(&self, binary: Binary) -> Self {
        let is_other = !binary.is_same(&self.binary);
        let tests = self.tests.iter().map(|test| {
            // Who is known to start no program can't tell.
            let may_start_one = is_other && test.reach.is_none() && !test.named.ignored;
            Test {
                due: test.due || may_start_one,
                ..test.clone()
            }
        });
        Self {
            tests: tests.collect(),
            sites: self.sites.clone(),
            binary,
            template: Arc::clone(&self.template),
        }
    }

    /// These functions do something else: those of its tests are due that enter one, or may.
    pub(super) fn demand_those_that_reach(&mut self, differ: &BTreeSet<SiteName>) {
        for test in &mut self.tests {
            test.due |= !test.named.ignored && test.is_reached(Some(differ));
        }
    }

    /// A test of which it isn't known what it enters: it may start other processes.
    pub(super) fn unknown(&self) -> Option<String> {
        let mut tests = self.tests.iter().filter(|test| !test.named.ignored);
        let unknown = tests.find(|test| test.reach.is_none())?;
        Some(self.full_name(unknown))
    }

    /// The full name of a test.
    pub(super) fn full_name(&self, test: &Test) -> String {
        match &test.named.name {
            Some(name) => format!("{}::{name}", self.binary.crate_name),
            None => self.binary.title.clone(),
        }
    }
}

impl Suite {
    /// Makes those tests due that `which` chooses, and the filter.
    pub(super) fn demand(&mut self, which: impl Fn(&Test) -> bool) {
        for (binary, test) in self.places(|test| !test.named.ignored && which(test)) {
            let is_wanted = self.is_wanted((binary, test));
            self.binaries[binary].tests[test].due |= is_wanted;
        }
    }

    /// Makes all tests due, whatever the filter says.
    pub(super) fn demand_all(&mut self) {
        for test in self.binaries.iter_mut().flat_map(|tests| &mut tests.tests) {
            test.due = !test.named.ignored;
        }
    }

    /// Where the tests are that are due, and wanted.
    pub(super) fn due(&self) -> Vec<Place> {
        let mut due = self.places(|test| test.due);
        due.retain(|place| self.is_wanted(*place));
        due
    }

    /// How many are due, but don't match the filter.
    pub(super) fn left_out(&self) -> usize {
        self.places(|test| test.due).len() - self.due().len()
    }

    /// Whether the filter lets a test run.
    fn is_wanted(&self, place: Place) -> bool {
        let filter = self.filter.as_deref();
        filter.is_none_or(|filter| self.name(place).contains(filter))
    }

    /// Where those are that `which` chooses.
    pub(super) fn places(&self, which: impl Fn(&Test) -> bool) -> Vec<Place> {
        let binaries = self.binaries.iter().enumerate();
        let places = binaries.flat_map(|(binary, tests)| {
            let tests = tests.tests.iter().enumerate();
            let tests = tests.filter(|(_, test)| which(test));
            tests
                .map(move |(test, _)| (binary, test))
                .collect::<Vec<_>>()
        });
        places.collect()
    }

    pub(super) fn get(&self, (binary, test): Place) -> (&Tests, &Test) {
        let tests = &self.binaries[binary];
        (tests, &tests.tests[test])
    }

    /// The full name of the test at a place.
    pub(super) fn name(&self, place: Place) -> String {
        let (tests, test) = self.get(place);
        tests.full_name(test)
    }

    /// From now on, those that are run are the last ones.
    pub(super) fn begin(&mut self) {
        let due = self.due();
        for test in self.binaries.iter_mut().flat_map(|tests| &mut tests.tests) {
            test.last = false;
        }
        for (binary, test) in due {
            self.binaries[binary].tests[test].last = true;
        }
    }

    /// A test was run to its end.
    pub(super) fn ended(&mut self, (binary, test): Place, verdict: Verdict, reach: Option<Reach>) {
        let test = &mut self.binaries[binary].tests[test];
        test.due = false;
        test.reach = match (reach, &test.reach) {
            (Some(reach), Some(earlier)) => Some(Arc::new(reach.or(earlier))),
            (reach, _) => reach.map(Arc::new),
        };
        test.verdict = Some(verdict);
    }

    /// A test took so long.
    pub(super) fn took(&mut self, (binary, test): Place, took: Duration) {
        self.binaries[binary].tests[test].took = took;
    }

    /// All tests, without those that are ignored.
    pub(super) fn len(&self) -> usize {
        let tests = self.binaries.iter().flat_map(|tests| &tests.tests);
        tests.filter(|test| !test.named.ignored).count()
    }

    pub(super) fn ignored(&self) -> usize {
        let tests = self.binaries.iter().flat_map(|tests| &tests.tests);
        tests.filter(|test| test.named.ignored).count()
    }
}

impl Test {
    /// Whether it has to be run because these functions differ. None: nobody knows what does.
    fn is_reached(&self, differ: Option<&BTreeSet<SiteName>>) -> bool {
        let known = differ.zip(self.reach.as_ref());
        self.due || self.verdict.is_none() || known.is_none_or(|(differ, reach)| reach.has(differ))
    }

    pub(super) fn fails(&self) -> bool {
        !self.named.ignored && matches!(self.verdict, Some(Verdict::Failed(_)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::test::launch::Launch;
    use crate::test::reach::tests::{reach, site, sites};

    fn named(name: &str) -> Named {
        Named {
            name: Some(name.to_owned()),
            ignored: name.starts_with("ignored"),
        }
    }

    fn tests(names: &[&str], before: Option<&Tests>, differ: Option<&BTreeSet<SiteName>>) -> Tests {
        let launch = Launch {
            executable: "/t/it".into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            folder: "/".into(),
        };
        let binary = Binary::for_tests(launch, "it", BTreeSet::new());
        let listed = Listed {
            tests: names.iter().map(|name| named(name)).collect(),
            sites: Some(sites()),
        };
        Tests::new(binary, listed, before, differ)
    }

    /// Tests that were run, with what came of them.
    pub(in crate::test) fn ran(ended: &[(&str, Verdict)]) -> Suite {
        let names: Vec<&str> = ended.iter().map(|(name, _)| *name).collect();
        let mut suite = Suite {
            binaries: vec![tests(&names, None, None)],
            filter: None,
        };
        for (place, (_, verdict)) in ended.iter().enumerate() {
            suite.ended((0, place), verdict.clone(), None);
            suite.took((0, place), Duration::from_millis(250));
        }
        suite
    }

    #[test]
    fn a_test_is_due_until_it_was_run_to_its_end() {
        let mut suite = Suite {
            binaries: vec![tests(&["a", "ignored", "b"], None, None)],
            filter: None,
        };
        assert_eq!(suite.due(), [(0, 0), (0, 2)]);
        suite.begin();
        suite.ended((0, 0), Verdict::Failed("no".to_owned()), None);
        assert_eq!(suite.due(), [(0, 2)]);
        suite.ended((0, 2), Verdict::Passed, None);
        assert_eq!(suite.due(), []);
        assert_eq!(suite.places(|test| test.last), [(0, 0), (0, 2)]);
        suite.demand(Test::fails);
        assert_eq!(suite.due(), [(0, 0)]);
        suite.demand(|_| true);
        assert_eq!(suite.due(), [(0, 0), (0, 2)]);
        assert_eq!((suite.len(), suite.ignored()), (2, 1));
        suite.filter = Some("it::b".to_owned());
        assert_eq!((suite.due(), suite.left_out()), (vec![(0, 2)], 1));
        // What any of them may read is another: those that are left out wait.
        suite.ended((0, 0), Verdict::Passed, None);
        suite.ended((0, 2), Verdict::Passed, None);
        suite.demand(|_| true);
        assert_eq!(suite.left_out(), 0);
        suite.demand_all();
        assert_eq!((suite.due(), suite.left_out()), (vec![(0, 2)], 1));
    }

    #[test]
    fn what_is_built_anew_is_due_and_is_known_to_have_failed() {
        let mut before = tests(&["a", "gone"], None, None);
        before.tests[0].verdict = Some(Verdict::Failed("no".to_owned()));
        before.tests[0].due = false;
        let after = tests(&["new", "a"], Some(&before), None);
        let told: Vec<_> = after
            .tests
            .iter()
            .map(|test| (test.due, test.fails()))
            .collect();
        assert_eq!(told, [(true, false), (true, true)]);
    }

    #[test]
    fn who_enters_what_differs_is_due_and_who_may() {
        let mut suite = Suite {
            binaries: vec![tests(&["f", "g", "unknown", "fails", "never"], None, None)],
            filter: None,
        };
        suite.begin();
        suite.ended((0, 0), Verdict::Passed, reach(0b001));
        suite.ended((0, 1), Verdict::Passed, reach(0b100));
        suite.ended((0, 2), Verdict::Passed, None);
        suite.ended((0, 3), Verdict::Failed("no".to_owned()), reach(0b100));
        let before = &suite.binaries[0];
        let due = |differ: Option<&BTreeSet<SiteName>>| {
            let names = ["f", "g", "unknown", "fails", "never", "new"];
            let after = tests(&names, Some(before), differ);
            let due = after.tests.into_iter().filter(|test| test.due);
            due.filter_map(|test| test.named.name).collect::<Vec<_>>()
        };
        let of = |name: &str| BTreeSet::from([site(name)]);
        assert_eq!(due(Some(&of("a::f"))), ["f", "unknown", "never", "new"]);
        assert_eq!(
            due(Some(&of("a::g"))),
            ["g", "unknown", "fails", "never", "new"]
        );
        assert_eq!(due(Some(&BTreeSet::new())), ["unknown", "never", "new"]);
        assert_eq!(due(None).len(), 6);
    }
}
