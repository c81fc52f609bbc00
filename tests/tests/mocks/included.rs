//! Functions of dependencies: of a registry, and of a folder outside of the workspace.

use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

#[test]
fn dependencies_are_mocked_when_they_are_included() {
    let mut project = Project::with_runtime(&folder::fixture("included"), "included-mocks");
    project.enter("app");
    let test = ["cargo", "test", "--test", "mocks"];
    let included = [&["--include", "humantime,nearby"], &test[..]].concat();
    let (stdout, _) = project.hot_to_end(&included);
    assert!(stdout.contains("3 passed; 0 failed"), "{stdout}");

    let output = project.run(soft_mock_tests::hot::binary(), &test);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{stdout}");
    for expected in [
        "no function is called `humantime::duration::parse_duration`",
        "hot --include humantime cargo test",
        "hot --include nearby cargo test",
    ] {
        assert!(
            stdout.contains(expected),
            "{expected} is missing:\n{stdout}"
        );
    }
}
