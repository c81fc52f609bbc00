//! The session that README shows is the one that there is: it is played here in two real terminals,
//! and held against `docs/session.md` and its picture.
//!
//! `ACCEPT_RECORDING=1` writes both anew.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;
use soft_mock_tests::ports::free_port;
use soft_mock_tests::project::Project;
use soft_mock_tests::recording::{picture, texts, Line};
use soft_mock_tests::session::TIMEOUT;
use soft_mock_tests::terminal::Terminal;
use soft_mock_tests::{folder, hot};

const TITLES: [&str; 2] = [
    "a terminal, in the project's folder",
    "another one, beside the editor",
];

const COLUMNS: usize = 100;

/// What is typed: in which terminal, and what comes of it there or in the other one.
const STEPS: [(usize, &str, usize, &str); 8] = [
    (0, "hot cargo run", 0, "keys: r restart"),
    (1, "curl localhost:PORT", 1, "hello, visitor 1"),
    (1, "curl localhost:PORT", 1, "hello, visitor 2"),
    (
        1,
        "sed -i 's/hello, visitor/you are visitor/' src/main.rs",
        0,
        "patched 1 function",
    ),
    (1, "curl localhost:PORT", 1, "you are visitor 3"),
    (
        1,
        "sed -i 's/visitors: u32/visitors: u64/; s/visitor: u32/visitor: u64/' src/main.rs",
        0,
        " restarted",
    ),
    (1, "curl localhost:PORT", 1, "you are visitor 1"),
    (0, "q", 0, "1 patch, 1 restart"),
];

/// What was typed and what came, in two terminals of a project.
struct Recorder {
    terminals: [Terminal; 2],
    began: Instant,
    seen: [usize; 2],
    /// When a line came, and in which terminal.
    lines: Vec<(Duration, usize, String)>,
}

impl Recorder {
    fn start(project: &Project) -> Self {
        let bash = || {
            let shell = [
                "-u",
                "NO_COLOR",
                "bash",
                "--norc",
                "--noprofile",
                "--noediting",
                "-i",
            ];
            let mut terminal = Terminal::start(project, "env", &shell);
            terminal.wait_for("$ ");
            terminal
        };
        Self {
            terminals: [bash(), bash()],
            began: Instant::now(),
            seen: [0; 2],
            lines: Vec::new(),
        }
    }

    /// Types something, and waits for what comes of it.
    fn play(&mut self, terminal: usize, typed: &str, expected_in: usize, expected: &str) {
        let from = self.lines.len();
        // A key isn't a line.
        let end = if typed.len() == 1 { "" } else { "\n" };
        self.terminals[terminal].type_keys(&format!("{typed}{end}"));
        let end = Instant::now() + TIMEOUT;
        let has_come = |(_, terminal, text): &(Duration, usize, String)| {
            *terminal == expected_in && text.contains(expected)
        };
        while !self.lines[from..].iter().any(has_come) {
            assert!(
                Instant::now() < end,
                "{expected:?} did not come: {:#?}",
                self.lines
            );
            thread::sleep(Duration::from_millis(20));
            self.look();
        }
        // Whatever follows, and the time to read it.
        thread::sleep(Duration::from_millis(700));
        self.look();
    }

    /// Takes down the lines that are new.
    fn look(&mut self) {
        for (terminal, seen) in self.seen.iter_mut().enumerate() {
            let written = self.terminals[terminal].written();
            let new = &written[*seen..];
            let whole = new.rfind('\n').map_or(0, |end| end + 1);
            let at = self.began.elapsed();
            let lines = new[..whole].lines();
            self.lines
                .extend(lines.map(|text| (at, terminal, text.to_owned())));
            *seen += whole;
        }
    }
}

/// A session as it goes, with the places of a reader.
fn record() -> Vec<Line> {
    let port = free_port().to_string();
    let mut project = Project::fixture_in("visitors", "visitors");
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = hot::binary().parent().expect("a folder").display();
    project.env("PATH", format!("{folder}:{path}"));
    project.env("PORT", &port);
    project.env("PS1", "$ ");
    project.env("CARGO_TERM_PROGRESS_WHEN", "never");
    let mut recorder = Recorder::start(&project);
    for (terminal, typed, expected_in, expected) in STEPS {
        recorder.play(
            terminal,
            &typed.replace("PORT", &port),
            expected_in,
            expected,
        );
    }
    let root = project.path("").display().to_string();
    let shown = |text: String| {
        text.replace(root.trim_end_matches('/'), "/home/ada/visitors")
            .replace(&port, "3000")
    };
    // What cargo says where another one runs at the same time; its first word has a colour.
    let waits = " waiting for file lock on ";
    let lines = recorder
        .lines
        .into_iter()
        .filter(|(_, _, text)| !text.contains(waits));
    lines
        .flat_map(|(at, terminal, text)| Line::all(at, terminal, &shown(text), COLUMNS))
        .collect()
}

/// The page with what stands in the terminals.
fn page(texts: &[String]) -> String {
    let mut page = "# A session, as text\n\nWhat [the picture](session.svg) plays. The program is \
                    [`tests/fixtures/visitors`](../tests/fixtures/visitors/src/main.rs); nothing here is \
                    written by hand: `ACCEPT_RECORDING=1 cargo test -p soft-mock-tests --test e2e recording` \
                    plays it and writes it down, and without the variable the same test holds it against \
                    what is there.\n"
        .to_owned();
    for (title, text) in TITLES.iter().zip(texts) {
        page += &format!("\nIn {title}:\n\n```text\n{text}```\n");
    }
    page
}

/// The lines of a page, without what differs from one time to the next: times, what they come to,
/// cargo's own files, and which of the program and `hot` says something first.
fn comparable(page: &str) -> Vec<String> {
    let times = Regex::new(r"\d+(\.\d+)? ?(ms|s)\b|watching \d+").expect("a pattern");
    let saved = Regex::new(r"(1 patch, 1 restart)[^`]*").expect("a pattern");
    let text = times.replace_all(page, "…");
    let mut lines: Vec<String> = saved
        .replace(&text, "$1\n")
        .lines()
        .filter(|line| !line.contains("still compiling")) // Said where it takes long.
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[track_caller]
fn check(played: &str, recorded: &str) {
    let (played, recorded) = (comparable(played), comparable(recorded));
    let only = |these: &[String], those: &[String]| {
        let only = these.iter().filter(|line| !those.contains(line));
        only.cloned().collect::<Vec<_>>()
    };
    let (new, gone) = (only(&played, &recorded), only(&recorded, &played));
    assert_eq!(
        (new, gone),
        (vec![], vec![]),
        "what is new, and what is gone"
    );
    assert_eq!(played.len(), recorded.len(), "{played:#?}");
}

fn docs(file: &str) -> PathBuf {
    folder::workspace().join("docs").join(file)
}

#[test]
fn the_recorded_session_is_the_one_that_there_is() {
    let lines = record();
    let page = page(&texts(&lines, 2));
    if std::env::var_os("ACCEPT_RECORDING").is_some() {
        fs::write(docs("session.md"), &page).expect("written");
        let picture = picture(&lines, &TITLES, COLUMNS);
        fs::write(docs("session.svg"), picture).expect("written");
    }
    let recorded = fs::read_to_string(docs("session.md")).expect("docs/session.md");
    check(&page, &recorded);
}

#[test]
fn the_picture_shows_the_text() {
    let page = fs::read_to_string(docs("session.md")).expect("docs/session.md");
    let picture = fs::read_to_string(docs("session.svg")).expect("docs/session.svg");
    let body = picture.split_once("</style>").expect("a style").1;
    let tags = Regex::new("<[^>]*>").expect("a pattern");
    let text = tags.replace_all(body, "");
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    let shown: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let blocks = page.split("```text\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let mut expected = Vec::new();
    for (title, block) in TITLES.iter().zip(blocks) {
        expected.push(*title);
        expected.extend(block.lines().filter(|line| !line.trim().is_empty()));
    }
    assert_eq!(shown, expected);
}
