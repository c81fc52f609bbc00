//! Keys, at a real terminal: read where nobody else reads it, and given back in every case.

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::{kill_process_group, Pid, Signal};
use soft_mock_tests::process;
use soft_mock_tests::project::{Project, Save};

const MAIN: &str = r#"
mod words;

fn main() {
    for count in 0.. {
        if std::path::Path::new("ask").exists() {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).expect("a line");
            println!("told: {}", line.trim());
            std::fs::remove_file("ask").expect("it was there");
        }
        println!("{}", words::line(count));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
"#;

const WORDS: &str = "pub fn line(count: u32) -> String {\n    format!(\"tick {count}\")\n}\n";

/// A program that says something ten times a second, and reads the terminal once there is a file
/// `ask`.
fn ticking() -> Project {
    let manifest = "[package]\nname = \"ticking\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    Project::of_files([
        ("Cargo.toml", manifest),
        ("src/main.rs", MAIN),
        ("src/words.rs", WORDS),
    ])
}

fn say(project: &Project, from: &str, to: &str) {
    let from = format!("\"{from} {{count}}");
    project.edit_by(
        Save::Rename,
        "src/words.rs",
        &from,
        &format!("\"{to} {{count}}"),
    );
}

#[test]
fn keys_steer_a_session() {
    let project = ticking();
    let mut terminal = project.hot_at_terminal(&["cargo", "run"]);
    terminal.wait_for("tick 1");
    terminal.wait_for("hot: keys: r restart");
    terminal.wait_until_set(false);
    terminal.type_keys("?");
    terminal.wait_for("take the last patch back");

    say(&project, "tick", "tock");
    terminal.wait_for("patched 1 function");
    terminal.wait_for("tock ");
    terminal.type_keys("u");
    terminal.wait_for("rolled back 1 function");
    terminal.wait_for("tick ");

    terminal.type_keys("p");
    terminal.wait_for("hot: paused");
    say(&project, "tock", "tuck");
    terminal.wait_for("1 file saved, not applied yet (p applies)");
    thread::sleep(Duration::from_millis(500));
    terminal.type_keys("p");
    terminal.wait_for("resumed: applying 1 file");
    terminal.wait_for("patched 1 function");
    terminal.wait_for("tuck ");

    // An arrow is no key.
    terminal.type_keys("\u{1b}[q");
    thread::sleep(Duration::from_millis(500));
    terminal.type_keys("r");
    terminal.wait_for("restart: building again");
    terminal.wait_for("hot: restarted");
    terminal.wait_for("tuck 1\r\n");
    thread::sleep(Duration::from_millis(300));
    terminal.type_keys("q");
    assert_eq!(terminal.finish().code(), Some(0));
    assert_eq!(project.processes().len(), 0, "{:?}", project.processes());
}

#[test]
fn a_program_that_reads_the_terminal_has_it_for_itself() {
    let project = Project::fixture("ledger");
    let mut terminal = project.hot_at_terminal(&["cargo", "run"]);
    terminal.wait_for("ready");
    for count in 1..=3 {
        thread::sleep(Duration::from_millis(700));
        assert!(terminal.is_as_it_was());
        terminal.type_keys("q\n");
        terminal.wait_for(&format!("account of ada: {count}"));
    }
    // It is steered all the same.
    project.hot_to_end(&["restart"]);
    terminal.wait_for("hot: restarted");
    terminal.type_keys("end\n");
    assert_eq!(terminal.finish().code(), Some(0));
}

#[test]
fn a_program_that_begins_to_read_gets_the_terminal_back() {
    let project = ticking();
    let mut terminal = project.hot_at_terminal(&["cargo", "run"]);
    terminal.wait_for("hot: keys: ");
    terminal.wait_until_set(false);
    fs::write(project.path("ask"), "").expect("written");
    terminal.wait_for("the program reads the terminal now");
    assert!(terminal.is_as_it_was());
    terminal.type_keys("quick\n");
    terminal.wait_for("told: quick");
    // It may ask again.
    thread::sleep(Duration::from_secs(1));
    assert!(terminal.is_as_it_was());
    terminal.type_keys("\u{3}");
    terminal.finish();
}

#[test]
fn the_terminal_is_as_it_was_while_it_is_stopped_and_at_the_end() {
    let project = ticking();
    let mut terminal = project.hot_at_terminal(&["cargo", "run"]);
    terminal.wait_for("hot: keys: ");
    terminal.wait_until_set(false);
    let hot = process::marked(project.mark());
    let hot = hot
        .iter()
        .find(|process| process.command.contains("cargo run"));
    let hot = hot.expect("hot itself").id;
    let group = rustix::process::getpgid(Some(hot)).expect("its group");
    // As Ctrl-Z does; typed here, it would stop nobody: a group without a shell is orphaned.
    signal(group, Signal::TSTP);
    terminal.wait_until_set(true);
    signal(group, Signal::CONT);
    terminal.wait_until_set(false);
    terminal.type_keys("\u{3}");
    terminal.finish();

    let mut terminal = project.hot_at_terminal(&["--no-keys", "--clear", "cargo", "run"]);
    terminal.wait_for("tick 30");
    assert!(terminal.is_as_it_was());
    assert!(
        !terminal.written().contains("keys:"),
        "{}",
        terminal.written()
    );
    say(&project, "tick", "tock");
    terminal.wait_for("\u{1b}[2J");
    terminal.wait_for("patched 1 function");
}

fn signal(group: Pid, signal: Signal) {
    kill_process_group(group, signal).expect("the group is alive");
}
