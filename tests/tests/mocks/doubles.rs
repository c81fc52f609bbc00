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

#[test]
fn a_session_of_tests_says_once_why_it_builds() {
    let project = Project::with_runtime(&folder::fixture("functions"), "functions");
    let mut session = project.hot(&["test", "--test", "doubles"]);
    session.wait_for_stderr("hot: 8 tests: 8 passed");
    for _ in 0..2 {
        project.edit(
            "tests/doubles.rs",
            "use soft_mock",
            "const _: () = ();\nuse soft_mock",
        );
        session.wait_for_stderr("hot: 8 tests: 8 passed");
    }
    session.signal(rustix::process::Signal::INT);
    let finished = session.finish();
    let lines = finished.stderr.iter();
    let told: Vec<&String> = lines
        .filter(|line| line.contains("built, not patched"))
        .collect();
    assert!(
        matches!(told[..], [line] if line.contains("tests/doubles.rs uses `soft-mock`")),
        "{finished:#?}"
    );
}
