//! The program that most tests run: `tests/fixtures/ledger`, which answers each line with a line of
//! its account.

use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

/// The file that is edited.
pub(crate) const FILE: &str = "src/report.rs";

/// Runs it under `hot`, until it has answered once.
#[track_caller]
pub(crate) fn start(project: &Project) -> Session {
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    session
}
