//! Whose mock it is: jobs, tasks and threads of tests in parallel, on pools that they share.

use std::fmt::Write;

use soft_mock_tests::folder;
use soft_mock_tests::project::{Project, Save};

fn project() -> Project {
    Project::with_runtime(&folder::fixture("runtimes"), "runtimes")
}

#[test]
fn work_belongs_to_the_test_that_made_it() {
    let project = project();
    let (stdout, stderr) = project.hot_to_end(&["cargo", "test", "--test", "scopes"]);
    assert!(stdout.contains("4 passed; 0 failed"), "{stdout}");
    let told = "while a test mocked `runtimes::price` (tests/scopes.rs:";
    assert!(stderr.contains(told), "{stderr}");
    let place = "by runtimes::shared::stray::asks (./src/shared.rs:";
    let place = stderr.split(place).nth(1).expect("the place");
    assert!(place.contains("), on a thread `background`"), "{stderr}");
    assert!(stderr.contains("`soft_mock::scope()`"), "{stderr}");
    assert_eq!(stderr.matches("soft-mock: ").count(), 1, "{stderr}");
}

#[test]
fn what_a_static_holds_belongs_to_nobody() {
    let (stdout, stderr) = project().hot_to_end(&["cargo", "test", "--test", "statics"]);
    assert!(stdout.contains("1 passed; 0 failed"), "{stdout}");
    assert_eq!(stderr.matches("soft-mock: ").count(), 1, "{stderr}");
}

/// 200 tests at 16 threads over a shared pool, a shared worker, two shared runtimes and threads;
/// every third one mocks nothing.
#[test]
fn storm() {
    const TESTS: u32 = 200;
    let mut text = STORM.to_owned();
    for number in 0..TESTS {
        writeln!(text, "#[test] fn t{number}() {{ round({number}); }}").expect("text");
    }
    let project = project();
    project.save(Save::InPlace, "tests/storm.rs", &text);
    let command = [
        "cargo",
        "test",
        "--test",
        "storm",
        "--",
        "--test-threads",
        "16",
    ];
    let (stdout, stderr) = project.hot_to_end(&command);
    assert!(stdout.contains("200 passed; 0 failed"), "{stdout}");
    assert!(!stderr.contains("soft-mock: "), "{stderr}");
}

const STORM: &str = r#"
use runtimes::price;
use runtimes::shared::{in_the_pool, in_the_runtime, in_threads, on_the_worker, with_smol};

fn round(number: u32) {
    let mock = (number % 3 != 0).then(|| {
        soft_mock::mock!(price, move |article: u32| -> u32 { article + 1000 * number })
    });
    let expected = |article| match mock {
        Some(_) => article + 1000 * number,
        None => article,
    };
    for article in 0..20 {
        for way in [on_the_worker, in_the_runtime, in_the_pool, with_smol, in_threads] {
            assert_eq!(way(article), expected(article), "test {number}");
        }
    }
}
"#;
