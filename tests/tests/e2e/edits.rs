//! Edits that can be patched, those that change nothing, and those of code that is running.

use std::io::Read;
use std::net::TcpStream;

use soft_mock_tests::project::{Project, Save};

use crate::ledger::{start, FILE};

#[test]
fn comments_and_formatting_patch_nothing() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(
        FILE,
        "pub fn line",
        "/// A line,\n/// and more.\n// Really.\n\npub fn line",
    );
    project.edit(
        FILE,
        "title(account), account.balance())",
        "title( account ),\n        account.balance()\n    )",
    );
    project.edit(
        FILE,
        "fn title(account: &Account)",
        "fn title(\n    account: &Account,\n)",
    );
    project.save(Save::Rename, FILE, &project.read(FILE));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(session.patches(), Vec::<String>::new());

    project.edit(FILE, "account of {}", "purse of {}");
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 1 function in "), "{patch}");
    assert!(patch.contains("ledger::report::title"), "{patch}");
    assert_eq!(session.ask("x"), "purse of ada: 2");
    assert_eq!(session.patches(), [patch]);
    // The program is linked without the C library's mathematics.
    project.edit(
        FILE,
        "\"purse of {}\", account",
        "\"{} of {}\", (account.balance() as f64).sin() > 2.0, account",
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "false of ada: 3");
}

#[test]
fn an_edit_is_undone_while_another_one_stays() {
    const WORD: &str = "const WORD: &str = \"of\";";
    const OTHER: &str = "const WORD: &str = \"by\";";
    let project = Project::fixture("ledger");
    project.edit(FILE, "fn title(", &format!("{WORD}\n\nfn title("));
    project.edit(
        FILE,
        "\"account of {}\", account",
        "\"account {WORD} {}\", account",
    );
    let mut session = start(&project);
    project.edit(FILE, "account {WORD}", "purse {WORD}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
    project.edit(FILE, WORD, OTHER);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse by ada: 3");
    project.edit(FILE, OTHER, WORD);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 4");
}

#[test]
fn an_edit_that_is_undone_is_the_original_again() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    for step in 0..3 {
        let changed = format!("purse {step} of {{}}");
        project.edit(FILE, "account of {}", &changed);
        session.wait_for_patch();
        assert_eq!(
            session.ask("x"),
            format!("purse {step} of ada: {}", 2 * step + 2)
        );
        project.edit(FILE, &changed, "account of {}");
        session.wait_for_patch();
        assert_eq!(
            session.ask("x"),
            format!("account of ada: {}", 2 * step + 3)
        );
    }
}

#[test]
fn a_method_that_changes_private_fields() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(
        "src/account.rs",
        "self.balance += amount;",
        "self.balance += amount * 100;",
    );
    let patch = session.wait_for_patch();
    assert!(
        patch.contains("ledger::account::Account::deposit (src/account.rs:"),
        "{patch}"
    );
    assert_eq!(session.ask("x"), "account of ada: 101");
    assert_eq!(session.ask("x"), "account of ada: 201");
}

#[test]
fn several_functions_of_a_file_are_one_patch() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit_all(
        FILE,
        &[
            ("account of {}", "purse of {}"),
            (r#""{}: {}""#, r#""{} = {}""#),
        ],
    );
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 2 functions in "), "{patch}");
    assert_eq!(session.ask("x"), "purse of ada = 2");
}

#[test]
fn an_edit_right_after_the_start_is_not_missed() {
    let project = Project::fixture("ledger");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit(FILE, "account of {}", "early {}");
    // No question was answered before, and a restart would be no patch.
    session.ask_until("x", "early ada");
    session.wait_for_mention("patched 1 function in ");
    let output = session.output().to_string();
    assert!(!output.contains("restart"), "{output}");
}

#[test]
fn an_edit_of_main_says_that_it_is_running() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit("src/main.rs", "account.deposit(1)", "account.deposit(50)");
    session.wait_for_all(&["ledger::main", "running"]);
    assert_eq!(session.ask("x"), "account of ada: 2");

    // What main calls can still be patched.
    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_all(&["patched 1 function in ", "ledger::report::title"]);
    assert_eq!(session.ask("x"), "purse of ada: 3");
}

#[test]
fn an_edit_of_an_accept_loop_says_that_it_is_running() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let address = session.ask("serve");
    assert_eq!(session.wait_for_stdout("account"), "account of ada: 1");
    assert_eq!(greeting(&address), "served\n");

    project.edit("src/server.rs", r#""served""#, r#""served anew""#);
    session.wait_for_all(&["ledger::server::accept_all", "running"]);
    assert_eq!(greeting(&address), "served\n");

    project.edit("src/server.rs", r#""{greeting}""#, r#""hello, {greeting}""#);
    session.wait_for_all(&["patched 1 function in ", "ledger::server::greet"]);
    assert_eq!(greeting(&address), "hello, served\n");
}

#[test]
fn an_edit_of_a_loop_that_main_has_entered_says_that_it_is_running() {
    let main = "struct App {\n    turns: u32,\n    done: bool,\n}\n\n\
        impl App {\n    fn turn_on(&mut self) {\n        while !self.done {\n            self.turn();\n        }\n    }\n\n    \
        fn turn(&mut self) {\n        let mut line = String::new();\n        \
        self.done = std::io::stdin().read_line(&mut line).is_ok_and(|count| count == 0);\n        \
        self.turns += 1;\n        println!(\"turn {}\", self.turns);\n    }\n}\n\n\
        fn main() {\n    println!(\"ready\");\n    App { turns: 0, done: false }.turn_on();\n}\n";
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let project = Project::of_files([("Cargo.toml", manifest), ("src/main.rs", main)]);
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "turn 1");
    project.edit(
        "src/main.rs",
        "self.turn();\n",
        "self.turn();\n            self.turns += 10;\n",
    );
    session.wait_for_all(&["patched 1 function", "app::App::turn_on"]);
    session.wait_for_all(&[
        "app::App::turn_on (src/main.rs:7) is running",
        "keeps its old body",
    ]);
    assert_eq!(session.ask("x"), "turn 2");
    project.edit("src/main.rs", "\"turn {}\"", "\"round {}\"");
    session.wait_for_all(&["patched 1 function", "app::App::turn (src/main.rs:"]);
    // That call was waiting already.
    assert_eq!(session.ask("x"), "turn 3");
    assert_eq!(session.ask("x"), "round 4");
}

#[test]
fn an_accept_loop_that_has_not_begun_is_patched_like_anything_else() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit("src/server.rs", r#""served""#, r#""served anew""#);
    let patch = session.wait_for_patch();
    assert!(!patch.contains("running"), "{patch}");
    let address = session.ask("serve");
    assert_eq!(greeting(&address), "served anew\n");
}

fn greeting(address: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("the program listens");
    let mut text = String::new();
    connection.read_to_string(&mut text).expect("a line");
    text
}

#[test]
fn a_field_that_others_may_name_now_is_the_field_that_it_was() {
    let project = Project::fixture("ledger");
    project.edit(FILE, "\"account of {}\", ", "\"{} of {}\", mark(), ");
    let kept = "
mod marks {
    pub struct Mark { number: u32 }
    impl Mark { pub fn new() -> Self { Self { number: 7 } } pub fn get(&self) -> u32 { self.number } }
}
static KEPT: std::sync::Mutex<Option<Box<dyn std::any::Any + Send>>> = std::sync::Mutex::new(None);
fn mark() -> u32 {
    let mut kept = KEPT.lock().unwrap();
    let kept = kept.get_or_insert_with(|| Box::new(marks::Mark::new()));
    kept.downcast_ref::<marks::Mark>().map_or(0, |mark| mark.get())
}
";
    project.save(Save::InPlace, FILE, &(project.read(FILE) + kept));
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "7 of ada: 1");
    project.edit_all(
        FILE,
        &[
            ("{ number: u32 }", "{ pub number: u32 }"),
            ("mark.get())", "mark.number + 1)"),
        ],
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "8 of ada: 2");
    // What only bodies say is compiled alone again.
    project.edit(FILE, "mark.number + 1", "mark.number + 2");
    let patch = session.wait_for_patch();
    assert_eq!(session.ask("x"), "9 of ada: 3");
    assert!(patch.contains("patched 1 function"), "{patch}");
}
