//! Types that stand for a trait, with and without `hot`.

use soft_mock_tests::folder;
use soft_mock_tests::project::Project;

#[test]
fn doubles_need_no_implementor() {
    let project = Project::with_runtime(&folder::fixture("functions"), "functions");
    let test = ["test", "--test", "doubles"];
    let (stdout, _) = project.cargo(&[&test[..], &["--", "--skip", "hot_"]].concat());
    assert!(stdout.contains("7 passed; 0 failed"), "{stdout}");
    let (stdout, _) = project.hot_to_end(&[&["cargo"], &test[..]].concat());
    assert!(stdout.contains("8 passed; 0 failed"), "{stdout}");
}
