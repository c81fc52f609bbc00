//! What a test run printed, by executable and test. Knows the words of libtest and cargo.

use std::collections::{BTreeMap, BTreeSet};

/// How each test of each executable ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Results {
    tests: BTreeMap<String, String>,
    /// The crate of each executable.
    crates: BTreeMap<String, String>,
}

impl Results {
    /// Reads what cargo and the tests wrote.
    pub(crate) fn read(output: &str) -> Self {
        let mut results = Self::default();
        let mut executable = String::new();
        for line in output.lines() {
            if let Some(rest) = line.trim_start().strip_prefix("Running ") {
                executable = results.executable(rest);
            } else if let Some((test, how)) = test_line(line) {
                let name = format!("{executable}: {test}");
                // Of several with one name, each counts.
                let same = results
                    .tests
                    .keys()
                    .filter(|key| key.starts_with(&name))
                    .count();
                let name = match results.tests.contains_key(&name) {
                    true => format!("{name} #{same}"),
                    false => name,
                };
                results.tests.insert(name, how.to_owned());
            } else if line.starts_with("error: could not compile") || line.contains("(signal: ") {
                results
                    .tests
                    .insert(format!("{executable}: whole run"), line.to_owned());
            }
        }
        results
    }

    /// An executable as cargo tells it: `unittests src/lib.rs (target/debug/deps/a-1)`. That of
    /// another package may have the same root.
    fn executable(&mut self, told: &str) -> String {
        let (title, path) = told.split_once(" (").unwrap_or((told, ""));
        let file = path.trim_end_matches(')').rsplit('/').next();
        let krate = file.and_then(|file| Some(file.rsplit_once('-')?.0));
        let krate = krate.unwrap_or_default().to_owned();
        let name = match self.crates.get(title) {
            Some(known) if *known != krate => format!("{title} of {krate}"),
            _ => title.to_owned(),
        };
        self.crates.insert(name.clone(), krate);
        name
    }

    /// Passed, failed, ignored.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let count = |how: &str| self.tests.values().filter(|end| *end == how).count();
        (count("ok"), count("FAILED"), count("ignored"))
    }

    /// The names of those that failed, that of the crate first.
    pub(crate) fn failed(&self) -> BTreeSet<String> {
        let failed = self.tests.iter().filter(|(_, end)| *end == "FAILED");
        let names = failed.map(|(name, _)| match name.split_once(": ") {
            Some((executable, test)) => match self.crates.get(executable) {
                Some(krate) => format!("{krate}::{test}"),
                None => test.to_owned(),
            },
            None => name.clone(),
        });
        names.collect()
    }

    /// `test: how it ended here, how there`, for each that differs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let missing = "not run".to_owned();
        let names = self.tests.keys().chain(
            other
                .tests
                .keys()
                .filter(|name| !self.tests.contains_key(*name)),
        );
        names
            .filter_map(|name| {
                let (plain, hot) = (
                    self.tests.get(name).unwrap_or(&missing),
                    other.tests.get(name).unwrap_or(&missing),
                );
                (plain != hot).then(|| format!("{name}: {plain}, under hot {hot}"))
            })
            .collect()
    }
}

/// The test that a difference is about.
pub(crate) fn test_of(difference: &str) -> &str {
    difference
        .rsplit_once(": ")
        .map_or(difference, |(test, _)| test)
}

/// `test a::b ... ok`, and `test a::b ... ignored, too slow`. What a test itself printed may stand
/// between.
fn test_line(line: &str) -> Option<(&str, &str)> {
    let (name, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    ["ok", "FAILED", "ignored"]
        .into_iter()
        .find(|how| {
            end == *how
                || end.starts_with(&format!("{how},"))
                || end.starts_with(&format!("{how} "))
        })
        .map(|how| (name, how))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "     Running unittests src/lib.rs (target/debug/deps/a-1)\n\nrunning 2 tests\n\
                         test a::b ... ok\ntest a::c - should panic ... ok\n\
                         \x20    Running tests/t.rs (target/debug/deps/t-1)\ntest d ... ignored, slow\ntest e ... FAILED\n";

    #[test]
    fn the_same_is_no_difference() {
        let plain = Results::read(PLAIN);
        assert_eq!(plain.counts(), (2, 1, 1));
        assert_eq!(plain.failed(), BTreeSet::from(["t::e".to_owned()]));
        let elsewhere = PLAIN.replace("a-1", "a-2").replace("t-1", "t-2");
        assert_eq!(plain.differences(&Results::read(&elsewhere)), [""; 0]);
        let other = PLAIN.replace("tests/t.rs", "unittests src/lib.rs");
        assert_eq!(Results::read(&other).failed(), plain.failed());
    }

    #[test]
    fn every_difference_is_found() {
        let plain = Results::read(PLAIN);
        let check = |from, to, expected: &str| {
            let differences = plain.differences(&Results::read(&PLAIN.replace(from, to)));
            assert_eq!(differences, [expected]);
            assert!(expected.starts_with(test_of(expected)));
        };
        check(
            "b ... ok",
            "b ... FAILED",
            "unittests src/lib.rs: a::b: ok, under hot FAILED",
        );
        check(
            "test e ... FAILED\n",
            "",
            "tests/t.rs: e: FAILED, under hot not run",
        );
        check(
            "test d ...",
            "test f ... ok\ntest d ...",
            "tests/t.rs: f: not run, under hot ok",
        );
    }
}
