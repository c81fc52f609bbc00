//! Which function is meant, and kinds that are seldom written.

use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

#[test]
fn functions_are_found_by_what_they_are() {
    // What `examples/mocking` needs is compiled already.
    let project = Project::with_kept_target(&folder::fixture("functions"), "mocking");
    let runtime = folder::workspace().join("soft-mock").display().to_string();
    project.edit("Cargo.toml", "../../../soft-mock", &runtime);
    let (stdout, _) = project.hot_to_end(&["cargo", "test", "--test", "mocks"]);
    assert!(stdout.contains("9 passed; 0 failed"), "{stdout}");
}
