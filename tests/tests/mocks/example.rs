//! `examples/mocking` and `examples/mockable`, as a reader would copy them.

use soft_mock_tests::folder;
use soft_mock_tests::project::{Project, Save};

/// Two doc tests: the crate's own functions can be mocked there, those of std can't.
const DOC_TESTS: &str = r#"
/// ```
/// let _mock = soft_mock::mock!(shop::pricing::rate_for, |_: &str| -> f64 { 0.5 });
/// assert_eq!(shop::pricing::rate_for("hat"), 0.5);
/// ```
/// ```
/// shop::clock::is_open();
/// let mock = std::panic::catch_unwind(|| {
///     soft_mock::mock!(std::time::SystemTime::now, || std::time::SystemTime::UNIX_EPOCH)
/// });
/// let panic = mock.err().expect("refused");
/// assert!(panic.downcast_ref::<String>().expect("a text").contains("which is a doc test"));
/// ```
pub fn documented() {}
"#;

fn example() -> Project {
    copy_of("mocking")
}

fn copy_of(name: &str) -> Project {
    Project::with_runtime(&folder::workspace().join("examples").join(name), name)
}

#[test]
fn every_recipe_works_with_no_annotation() {
    let project = example();
    let (stdout, _) = project.hot_to_end(&["cargo", "test"]);
    for test in [
        "pricing::tests::a_private_function ... ok",
        "a_discount_is_applied ... ok",
        "a_private_function_by_name ... ok",
        "threads_of_the_code_under_test_see_the_mock ... ok",
        "async_functions ... ok",
        "the_time_of_day ... ok",
        "nobody_waits ... ok",
        "an_hour_later ... ok",
        "threads_that_were_started_before_the_mock ... ok",
        "instances_of_generic_functions ... ok",
        "default_methods_of_traits ... ok",
    ] {
        assert!(stdout.contains(test), "{test} is missing:\n{stdout}");
    }
}

#[test]
fn without_hot_the_message_says_what_to_do() {
    let project = example();
    let output = project.run("cargo", &["test", "--test", "mocks", "a_discount"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{stdout}");
    assert!(
        stdout
            .contains("nothing in this program can be mocked: run the tests with `hot cargo test`"),
        "{stdout}"
    );
}

#[test]
fn release_builds_are_mocked_as_well() {
    let project = example();
    let (stdout, _) = project.hot_to_end(&["cargo", "test", "--release", "--test", "mocks"]);
    assert!(stdout.contains("7 passed; 0 failed"), "{stdout}");
}

#[test]
fn doc_tests_mock_what_they_document() {
    let project = example();
    let library = project.read("src/lib.rs") + DOC_TESTS;
    project.save(Save::InPlace, "src/lib.rs", &library);
    let (stdout, _) = project.hot_to_end(&["cargo", "test", "--doc"]);
    assert!(stdout.contains("2 passed; 0 failed"), "{stdout}");
}

#[test]
fn the_attribute_needs_no_other_tool() {
    let project = copy_of("mockable");
    let (stdout, _) = project.cargo(&["test", "--test", "mocks"]);
    assert!(stdout.contains("2 passed; 0 failed"), "{stdout}");
    // A normal build has no soft-mock in it.
    let (tree, _) = project.cargo(&["tree", "--edges", "normal"]);
    assert_eq!(tree.lines().count(), 1, "{tree}");
}
