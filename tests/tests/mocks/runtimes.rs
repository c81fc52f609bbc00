//! tokio and rayon, tests in parallel on pools that they share, and one process for each test.

use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

const TESTS: [&str; 7] = [
    "a_handle_is_taken_along",
    "blocking_threads_follow",
    "both_halves_follow",
    "iterators_of_a_pool_follow",
    "no_mock_at_all",
    "tasks_follow",
    "tasks_of_another_test_have_another_mock",
];

#[test]
fn pools_and_one_process_for_each_test() {
    let source = folder::workspace().join("tests/fixtures/runtimes");
    let project = Project::with_runtime(&source, "runtimes");
    let (stdout, _) = project.hot_to_end(&["cargo", "test", "--test", "runtimes"]);
    for test in TESTS {
        assert!(stdout.contains(&format!("test {test} ... ok")), "{stdout}");
    }
    // A process for each test, as cargo-nextest has it; with the real one where it is installed.
    let nextest = project.run("cargo", &["nextest", "--version"]);
    if nextest.status.success() {
        let (_, stderr) = project.hot_to_end(&[
            "cargo", "nextest", "run", "--test", "runtimes", "--color", "never",
        ]);
        assert!(stderr.contains("7 tests run: 7 passed"), "{stderr}");
        return;
    }
    for test in TESTS {
        let arguments = ["cargo", "test", "--test", "runtimes", "--", "--exact", test];
        let (stdout, _) = project.hot_to_end(&arguments);
        assert!(stdout.contains("1 passed; 0 failed"), "{stdout}");
    }
}
