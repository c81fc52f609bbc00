//! Published crates, their sources unmodified: their own tests pass under `hot cargo test`, and
//! tests that mock what is private in them are added.

use std::path::Path;

use soft_mock_tests::folder;
use soft_mock_tests::package;
use soft_mock_tests::project::{Project, Save};

/// A package with one more test and what it needs.
fn with_mocks(name: &str, mocks: &str) -> Project {
    let sources = package::sources(&format!("fetch-{name}"), name);
    let project = Project::with_runtime(&sources, name);
    let runtime = folder::workspace().join("soft-mock");
    let more = format!(
        "\n[[test]]\nname = \"added_mocks\"\npath = \"tests/added_mocks.rs\"\n\n\
         [dev-dependencies.soft-mock]\npath = {runtime:?}\n\n[workspace]\nresolver = \"2\"\n"
    );
    let manifest = project.read("Cargo.toml") + &more;
    project.save(Save::InPlace, "Cargo.toml", &manifest);
    project.save(Save::InPlace, "tests/added_mocks.rs", mocks);
    // The versions and features with which the runtime is compiled for the example already.
    let lock = folder::workspace().join("examples/mocking/Cargo.lock");
    let lock = std::fs::read_to_string(lock).expect("a lock file");
    project.save(Save::InPlace, "Cargo.lock", &lock);
    project
}

/// Sums of passed and failed tests.
fn totals(stdout: &str) -> (usize, usize) {
    let results = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("test result: "));
    let number = |line: &str, what: &str| -> usize {
        let part = line
            .split(['.', ';'])
            .find_map(|part| part.trim().strip_suffix(what));
        part.and_then(|number| number.trim().parse().ok())
            .unwrap_or(0)
    };
    results.fold((0, 0), |(passed, failed), line| {
        (
            passed + number(line, "passed"),
            failed + number(line, "failed"),
        )
    })
}

#[track_caller]
fn check(project: &Project, added: usize) {
    assert!(Path::new(&project.path("tests/added_mocks.rs")).is_file());
    // Some of them work for half a minute without optimisation: without `hot` they are counted.
    let count = ["test", "--tests", "--", "--list", "--skip", "added_"];
    let (plain, _) = project.cargo(&count);
    let (hot, _) = project.hot_to_end(&["cargo", "test", "--tests"]);
    let tests = plain.lines().filter(|line| line.ends_with(": test"));
    let expected = tests.count();
    assert!(expected > 5, "{plain}");
    assert_eq!(totals(&hot), (expected + added, 0), "{hot}");
}

#[test]
fn the_seed_of_fastrand() {
    let project = with_mocks("fastrand", include_str!("added/fastrand.rs"));
    check(&project, 2);
}

#[test]
fn private_io_of_tempfile() {
    let project = with_mocks("tempfile", include_str!("added/tempfile.rs"));
    check(&project, 2);
}
