//! The results of all tests as JUnit's XML, for programs that collect them.
//!
//! Knows nothing of when it is written.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::suite::{Suite, Test, Tests};
use super::verdict::Verdict;
use crate::os::files::replace_file;

/// Writes what became of each test when it was last run. `elapsed` is how long the last round took.
pub(super) fn write(suite: &Suite, elapsed: Duration, path: &Path) -> Result<()> {
    let text = text(suite, elapsed)?;
    replace_file(path, text.as_bytes()).with_context(|| format!("can't write {}", path.display()))
}

fn text(suite: &Suite, elapsed: Duration) -> Result<String> {
    let mut report = Report::new("hot test");
    report.set_time(elapsed);
    for tests in &suite.binaries {
        let mut of_binary = TestSuite::new(&tests.binary.title);
        of_binary.add_test_cases(tests.tests.iter().map(|test| case(tests, test)));
        report.add_test_suite(of_binary);
    }
    Ok(report.to_string()?)
}

fn case(tests: &Tests, test: &Test) -> TestCase {
    let skipped = |why: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why);
        status
    };
    let status = match &test.verdict {
        _ if test.named.ignored => skipped("ignored"),
        None => skipped("not run"),
        Some(Verdict::Passed) => TestCaseStatus::success(),
        Some(Verdict::Failed(said)) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_message(first_line(said))
                .set_type("test failure");
            status.set_description(said.as_str());
            status
        }
    };
    let name = test.named.name.as_deref().unwrap_or(&tests.binary.title);
    let mut case = TestCase::new(name, status);
    case.set_classname(&tests.binary.crate_name)
        .set_time(test.took);
    case
}

/// What a reader needs first: where it panicked.
fn first_line(said: &str) -> &str {
    let mut lines = said.lines().filter(|line| !line.trim().is_empty());
    let panicked = said.lines().find(|line| line.contains("panicked at"));
    panicked.or_else(|| lines.next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::suite::tests::ran;

    #[test]
    fn each_test_has_a_case() {
        let failed =
            Verdict::Failed("---- b ----\nthread 'b' panicked at a.rs:1:2:\n<no>".to_owned());
        let suite = ran(&[
            ("a", Verdict::Passed),
            ("b", failed),
            ("ignored", Verdict::Passed),
        ]);
        let text = text(&suite, Duration::from_millis(1500)).expect("XML");
        let has = |part: &str| assert!(text.contains(part), "{part}: {text}");
        has(
            r#"<testsuites name="hot test" tests="3" skipped="1" failures="1" errors="0" time="1.500">"#,
        );
        has(r#"<testcase name="a" classname="it" time="0.250"/>"#);
        has(r#"message="thread &apos;b&apos; panicked at a.rs:1:2:""#);
        has("&lt;no&gt;");
        has(r#"<skipped message="ignored"/>"#);
    }
}
