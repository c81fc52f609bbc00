//! Which function is meant, and kinds that are seldom written.

use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

#[test]
fn functions_are_found_by_what_they_are() {
    let project = Project::with_runtime(&folder::fixture("functions"), "functions");
    let (stdout, _) = project.hot_to_end(&["cargo", "test", "--test", "mocks"]);
    assert!(stdout.contains("15 passed; 0 failed"), "{stdout}");
}
