//! `hot` is killed, its program lives on: `hot attach` takes it up again, with all that it has in
//! memory.

use rustix::process::Signal;
use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

const FILE: &str = "src/report.rs";
const ACCOUNT: &str = "src/account.rs";

/// Kills `hot`; its program goes on to answer.
fn killed(project: &Project, prepare: impl FnOnce(&mut Session)) -> Session {
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    prepare(&mut session);
    session.signal(Signal::KILL);
    session
}

fn edit(project: &Project, file: &str, from: &str, to: &str) -> impl Fn(&mut Session) {
    project.edit(file, from, to);
    |session| {
        session.wait_for_patch();
    }
}

#[test]
fn a_program_whose_session_was_killed_is_taken_up_again() {
    let project = Project::fixture("ledger");
    let mut program = killed(&project, |session| {
        edit(&project, FILE, "account of", "purse of")(session);
        edit(&project, ACCOUNT, "+= amount", "+= amount * 10")(session);
    });
    assert_eq!(program.ask("x"), "purse of ada: 11");
    // While nobody was there one edit was undone, and another one made.
    project.edit(ACCOUNT, "+= amount * 10", "+= amount");
    project.edit(FILE, "purse of", "pocket of");

    let mut session = project.hot(&["attach"]);
    session.wait_for_stderr("joined");
    session.wait_for_stderr("patched 1 function");
    session.wait_for_stderr("restored 1 function");
    assert!(program.ask("x").starts_with("pocket of ada: "));
    let count = |answer: String| {
        answer
            .rsplit(' ')
            .next()
            .and_then(|n| n.parse::<u32>().ok())
    };
    let (first, second) = (count(program.ask("x")), count(program.ask("x")));
    assert_eq!(
        second,
        first.map(|count| count + 1),
        "the undone edit is undone"
    );

    // From now on as ever; what can't be patched leaves the program alone.
    project.edit(FILE, "pocket of", "bag of");
    program.ask_until("x", "bag of ada: ");
    project.edit(
        ACCOUNT,
        "    balance: u64,\n}",
        "    balance: u64,\n    limit: u64,\n}",
    );
    session.wait_for_stderr("restarts nothing");
    assert!(program.ask("x").starts_with("bag of ada: "));

    // Nobody else can have it meanwhile, and without a program there is nothing to do.
    let second = project.hot(&["attach"]).finish();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        second.stderr.join("\n").contains("no program lives"),
        "{second:#?}"
    );
    program.send_line("end");
    assert_eq!(session.finish().status.code(), Some(0));
}

/// Saves a new item, and a body that uses it.
fn with<'a>(project: &'a Project, value: &str, item: &str) -> impl Fn(&mut Session) + 'a {
    let text = project.read(FILE);
    let used = format!("\"purse {{}} of {{}}\", {value}, ");
    let text = text.replace("\"account of {}\", ", &used) + &format!("\n{item}\n");
    move |session| {
        project.save(Save::InPlace, FILE, &text);
        session.wait_for_patch();
    }
}

#[test]
fn an_addition_is_taken_up_with_the_body_that_uses_it() {
    let project = Project::fixture("ledger");
    let helper = "fn helper() -> u32 {\n    7\n}";
    let mut program = killed(&project, with(&project, "helper()", helper));
    assert!(program.ask("x").starts_with("purse 7 of ada"));
    let mut session = project.hot(&["attach"]);
    session.wait_for_stderr("joined");
    assert!(program.ask("x").starts_with("purse 7 of ada"));
    project.edit(FILE, "    7\n", "    8\n");
    program.ask_until("x", "purse 8 of ada");
    project.edit(FILE, "purse {} of {}\", helper(), ", "account of {}\", ");
    project.edit(FILE, "\nfn helper() -> u32 {\n    8\n}\n", "");
    program.ask_until("x", "account of ada");
    session.wait_for_stderr("restored 1 function");
    program.send_line("end");
    assert_eq!(session.finish().status.code(), Some(0));
}

#[test]
fn what_whole_crates_brought_is_not_patched_again() {
    let project = Project::fixture("ledger");
    let mut program = killed(&project, with(&project, "SEVEN", "static SEVEN: u32 = 7;"));
    assert!(program.ask("x").starts_with("purse 7 of ada"));
    let refused = project.hot(&["attach"]).finish();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.stderr.join("\n").contains("whole crates"),
        "{refused:#?}"
    );
    assert!(program.ask("x").starts_with("purse 7 of ada"));
}
