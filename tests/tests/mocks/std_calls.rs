//! Functions of std, however they are reached.

use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

#[test]
fn calls_of_std_are_led_to_their_mocks_or_named() {
    let project = Project::with_runtime(&folder::fixture("std-calls"), "std-calls");
    let (stdout, _) = project.hot_to_end(&["cargo", "test", "--test", "led", "--test", "missed"]);
    assert!(stdout.contains("30 passed; 0 failed"), "{stdout}");
    assert!(stdout.contains("3 passed; 0 failed"), "{stdout}");
}
