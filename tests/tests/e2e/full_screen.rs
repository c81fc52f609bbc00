//! A program that fills the terminal: nothing is written into it, and nothing is lost.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use soft_mock_tests::hot;
use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::TIMEOUT;

const MAIN: &str = r#"
mod words;

use std::io::{Read, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

static OVER: AtomicBool = AtomicBool::new(false);

fn stty(settings: &[&str]) {
    Command::new("stty").args(settings).status().expect("stty");
}

fn read() {
    let mut key = [0];
    while std::io::stdin().read(&mut key).is_ok_and(|count| count == 1) {
        if key == *b"x" {
            OVER.store(true, Ordering::Relaxed);
        }
    }
}

fn main() {
    stty(&["raw", "-echo"]);
    print!("\x1b[?1049h");
    std::thread::spawn(read);
    let state = words::State { count: 0 };
    for count in state.count.. {
        print!("\x1b[1;1H{} ", words::line(count));
        std::io::stdout().flush().expect("written");
        std::thread::sleep(std::time::Duration::from_millis(100));
        if OVER.load(Ordering::Relaxed) {
            break;
        }
    }
    print!("\x1b[?1049l");
    stty(&["-raw", "echo"]);
}
"#;

const WORDS: &str = "#[derive(Default)]\npub struct State {\n    pub count: u32,\n}\n\n\
                     pub fn line(count: u32) -> String {\n    format!(\"tick {count}\")\n}\n";

fn filling() -> Project {
    let manifest = "[package]\nname = \"filling\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let main = MAIN.replace("State { count: 0 }", "State::default()");
    Project::of_files([
        ("Cargo.toml", manifest),
        ("src/main.rs", &main),
        ("src/words.rs", WORDS),
    ])
}

fn save(project: &Project, from: &str, to: &str) {
    project.edit_by(Save::Rename, "src/words.rs", from, to);
}

#[track_caller]
fn wait_for_log(project: &Project, text: &str) {
    let end = Instant::now() + TIMEOUT;
    loop {
        let log = fs::read_to_string(project.path("hot.log")).unwrap_or_default();
        if log.contains(text) {
            return;
        }
        assert!(Instant::now() < end, "{text:?} isn't in the log:\n{log}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What was written besides titles.
fn without_titles(written: &str) -> String {
    let mut parts = written.split("\u{1b}]2;");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('\u{7}').map_or("", |(_, rest)| rest));
    first + &rest.collect::<String>()
}

#[test]
fn nothing_is_written_into_a_full_screen() {
    let project = filling();
    let mut terminal = project.hot_at_terminal(&["--log", "hot.log", "cargo", "run"]);
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("tick 3");
    let start = terminal.written().len();

    save(&project, "\"tick", "\"tock");
    terminal.wait_for("\u{1b}]2;hot: patched 1 function in ");
    terminal.wait_for("tock ");
    wait_for_log(&project, "hot: patched 1 function in ");
    let mut follower = project.start(hot::binary(), &["status", "--follow"]);
    follower.wait_for_stdout("session ");
    follower.wait_for_stdout("hot: patched 1 function in ");
    save(&project, "{count}\")", "{count}\" )()");
    wait_for_log(&project, "the edit doesn't compile");
    follower.wait_for_stdout("the edit doesn't compile");

    // What is built before a restart is told afterwards, in the terminal as it was before.
    save(&project, "{count}\" )()", "{count}\")");
    save(
        &project,
        "pub count: u32,",
        "pub count: u32,\n    pub more: u32,",
    );
    terminal.wait_for("\u{1b}[?1049l");
    let filled = without_titles(&terminal.written()[start..]);
    let filled = filled.split("\u{1b}[?1049l").next().unwrap_or_default();
    for text in ["hot:", "error", "Compiling"] {
        assert!(!filled.contains(text), "{filled:?}");
    }
    terminal.wait_for("hot: patched 1 function in ");
    terminal.wait_for("the edit doesn't compile");
    terminal.wait_for("Compiling filling");
    terminal.wait_for("\u{1b}[?1049h");
    follower.wait_for_stdout("hot: restarted");
    terminal.wait_for("tock 3");
    terminal.type_keys("x");
    terminal.wait_for("1 restart");
    // Before the terminal goes, with all that runs in it.
    follower.wait_for_stdout("the session has ended");
    assert!(follower.finish().status.success());
    assert_eq!(terminal.finish().code(), Some(0));
}

#[test]
fn the_title_is_left_alone_if_that_is_wanted() {
    let project = filling();
    let arguments = ["--no-title", "--log", "hot.log", "cargo", "run"];
    let mut terminal = project.hot_at_terminal(&arguments);
    terminal.wait_for("tick 3");
    save(&project, "\"tick", "\"tock");
    wait_for_log(&project, "hot: patched 1 function in ");
    terminal.wait_for("tock ");
    thread::sleep(Duration::from_millis(600));
    let written = terminal.written();
    let after = written.split("\u{1b}[?1049h").nth(1).unwrap_or_default();
    assert!(
        !after.contains("\u{1b}]2;") && !after.contains("hot:"),
        "{after:?}"
    );
    terminal.type_keys("x");
    terminal.wait_for("hot: patched 1 function in ");
    assert_eq!(terminal.finish().code(), Some(0));
}

#[test]
fn who_edits_lines_is_told_at_once() {
    let project = filling();
    project.edit(
        "src/main.rs",
        r#"&["raw", "-echo"]"#,
        r#"&["-icanon", "-echo", "-ixon"]"#,
    );
    project.edit(
        "src/main.rs",
        r#"&["-raw", "echo"]"#,
        r#"&["icanon", "echo", "ixon"]"#,
    );
    let mut terminal = project.hot_at_terminal(&["cargo", "run"]);
    terminal.wait_for("tick 3");
    terminal.wait_until_set(false);
    save(&project, "\"tick", "\"tock");
    terminal.wait_for("hot: patched 1 function in ");
    terminal.wait_for("tock ");
    assert!(!terminal.written().contains("\u{1b}]2;"));
    terminal.type_keys("x");
    assert_eq!(terminal.finish().code(), Some(0));
}
