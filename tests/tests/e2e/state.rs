//! State is sacred: what lives before a patch is the same object after it, whatever kind of object
//! it is.

use soft_mock_tests::folder;
use soft_mock_tests::project::{Project, Save};

/// The kinds of state that the fixture reports, in its order.
const KINDS: [&str; 8] = [
    "static", "const", "lazy", "local", "once", "heap", "socket", "task",
];

/// What one function says: its label, where its object lives, how often it was changed.
#[derive(Debug)]
struct Part {
    label: String,
    place: String,
    count: u64,
}

fn parts(answer: &str) -> Vec<Part> {
    let part = |text: &str| {
        let (label, rest) = text.split_once(' ')?;
        let (place, count) = rest.rsplit_once(':')?;
        let count = count.parse().ok()?;
        Some(Part {
            label: label.to_owned(),
            place: place.to_owned(),
            count,
        })
    };
    let parts = answer
        .split(" | ")
        .map(|text| part(text).unwrap_or_else(|| panic!("{answer}")));
    parts.collect()
}

fn assert_same_objects(before: &[Part], after: &[Part]) {
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        assert_eq!(
            before.place, after.place,
            "another object: {before:?}, {after:?}"
        );
        assert_eq!(before.count + 1, after.count, "{before:?}, {after:?}");
    }
}

fn project() -> Project {
    Project::with_kept_target(&folder::fixture("state"), "state")
}

#[test]
fn every_kind_of_state_is_the_same_object_after_a_patch() {
    let project = project();
    let mut session = project.hot(&["cargo", "run", "--locked"]);
    session.wait_for_stdout("ready");
    session.send_line("x");
    session.wait_for_stdout("made once");
    let first = parts(&session.wait_for_stdout("static"));
    let original = parts(&session.ask("x"));
    assert_same_objects(&first, &original);

    // Every function that touches one of the objects, in one save.
    let changes = KINDS.map(|kind| (format!("\"{kind} {{"), format!("\"new-{kind} {{")));
    let forward: Vec<(&str, &str)> = changes
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    let (socket, kinds): (Vec<_>, Vec<_>) = forward
        .into_iter()
        .partition(|(from, _)| from.contains("socket"));
    project.edit_all("src/kinds.rs", &kinds);
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 7 functions"), "{patch}");
    project.edit_all("src/main.rs", &socket);
    session.wait_for_patch();
    let patched = parts(&session.ask("x"));
    assert_same_objects(&original, &patched);
    for (part, kind) in patched.iter().zip(KINDS) {
        assert_eq!(part.label, format!("new-{kind}"), "not patched");
    }

    // A second patch of the same functions, and back to the original.
    let again: Vec<(String, String)> = changes
        .iter()
        .map(|(_, new)| (new.clone(), new.replace("new-", "newer-")))
        .collect();
    let again: Vec<(&str, &str)> = again
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    let (_, again): (Vec<_>, Vec<_>) = again
        .into_iter()
        .partition(|(from, _)| from.contains("socket"));
    project.edit_all("src/kinds.rs", &again);
    session.wait_for_patch();
    let second = parts(&session.ask("x"));
    assert_same_objects(&patched, &second);
    assert_eq!(second[0].label, "newer-static");
    let back: Vec<(&str, &str)> = again
        .iter()
        .zip(&kinds)
        .map(|((_, newest), (oldest, _))| (*newest, *oldest))
        .collect();
    project.edit_all("src/kinds.rs", &back);
    session.wait_for_patch();
    let restored = parts(&session.ask("x"));
    assert_same_objects(&second, &restored);
    assert_eq!(restored[0].label, "static");

    let finished = session.finish();
    let made = finished
        .stdout
        .iter()
        .filter(|line| *line == "made once")
        .count();
    assert_eq!(made, 1, "a LazyLock was run again: {finished:?}");
}

#[test]
fn a_future_that_runs_goes_on_and_the_report_says_so() {
    let project = project();
    let mut session = project.hot(&["cargo", "run", "--locked"]);
    session.wait_for_stdout("ready");
    session.send_line("x");
    let before = parts(&session.wait_for_stdout("static"));
    project.edit("src/kinds.rs", "count += 1;", "count += 100;");
    session.wait_for_all(&["state::kinds::serve", "running"]);
    let after = parts(&session.ask("x"));
    assert_same_objects(&before, &after);
}

#[test]
fn panics_in_patched_code_are_caught_and_name_the_users_line() {
    let mut project = Project::fixture("panics");
    project.env("RUST_BACKTRACE", "1");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    let original = r#"panic!("bad line: {line}");"#;

    // The panic moves: other lines before it, another column.
    let moved =
        "let length = line.len();\n\n        if length < 9 { panic!(\"too short: {length}\"); }";
    project.edit("src/work.rs", original, moved);
    session.wait_for_patch();
    assert_eq!(session.ask("good"), "worked on good");
    let report = assert_panics_at(&project, &mut session, "panic!(\"too short");
    assert_frame_at(&project, &report, "panic!(\"too short");

    // A panic that a function of the standard library raises on behalf of its caller. The standard
    // library lists the libraries of a process at the first backtrace: frames of later ones have no
    // name.
    project.edit(
        "src/work.rs",
        moved,
        "let none: Option<u8> = None;\n        none.unwrap();",
    );
    session.wait_for_patch();
    assert_panics_at(&project, &mut session, "unwrap();");

    // The program is none the worse for it.
    assert_eq!(session.ask("good"), "worked on good");
    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
}

#[test]
fn panics_in_a_program_under_hot_name_the_users_line() {
    let mut project = Project::fixture("panics");
    project.env("RUST_BACKTRACE", "1");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    // Before any patch: not a line may have moved.
    let original = r#"panic!("bad line: {line}");"#;
    let report = assert_panics_at(&project, &mut session, original);
    assert_frame_at(&project, &report, original);
}

/// The check at the start of a function stands on the line of its brace, and shifts nothing there,
/// before a patch and after: not on the first line of a file, and not behind another function.
#[test]
fn columns_are_those_of_the_users_files() {
    const FIRST: &str = "fn checked(line: &str) -> String { if line == \"bad\" { panic!(\"bad\"); } format!(\"worked {}\", column!()) } pub fn on(line: &str) -> String { if line == \"worse\" { return line[9..].to_owned(); } checked(line) + &here(\"\") }\n#[track_caller] fn here<T: AsRef<str>>(end: T) -> String { format!(\" {}{}\", std::panic::Location::caller().column(), end.as_ref()) }\n";
    let mut project = Project::fixture("panics");
    project.env("RUST_BACKTRACE", "1");
    project.save(Save::InPlace, "src/work.rs", FIRST);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    let check = |session: &mut soft_mock_tests::session::Session| {
        let column = |code: &str| project.position("src/work.rs", code).1;
        let answer = format!("worked {} {}", column("column!()"), column("here(\"\")"));
        assert!(session.ask("good").starts_with(&answer), "not {answer}");
        assert_panic_at(&project, session, "bad", "panic!(");
        assert_panic_at(&project, session, "worse", "[9..]");
    };
    check(&mut session);
    // Bodies by themselves, both on the line.
    project.edit_all(
        "src/work.rs",
        &[
            ("\"worked {}\"", "\"worked {:1}\""),
            (
                "{ if line == \"worse\"",
                "{ let _ = 1; if line == \"worse\"",
            ),
        ],
    );
    session.wait_for_patch();
    check(&mut session);
    // The whole crate.
    project.edit_all(
        "src/work.rs",
        &[
            ("\" {}{}\"", "\" {}{}.\""),
            ("if line == \"bad\"", "if \"bad\" == line"),
        ],
    );
    session.wait_for_patch();
    assert!(session.ask("good").ends_with('.'));
    check(&mut session);
}

/// Lets the program panic. The message has to name the place where `code` is; returns what was
/// printed.
fn assert_panics_at(
    project: &Project,
    session: &mut soft_mock_tests::session::Session,
    code: &str,
) -> Vec<String> {
    let report = assert_panic_at(project, session, "bad", code);
    // The unpatched callers are in it, and nothing of ours has taken the place of the user's files.
    for file in ["./src/main.rs:", "./src/work.rs:4:"] {
        assert!(
            report.iter().any(|text| text.contains(file)),
            "no {file} in {report:#?}"
        );
    }
    report
}

/// The same without a look at the callers; `asked` lets it panic.
fn assert_panic_at(
    project: &Project,
    session: &mut soft_mock_tests::session::Session,
    asked: &str,
    code: &str,
) -> Vec<String> {
    let (line, column) = project.position("src/work.rs", code);
    let start = session.now();
    let answer = session.ask(asked);
    assert!(answer.starts_with("caught "), "{answer}");
    session.wait_for_stderr("details are omitted");
    let report = session.stderr_since(start);
    let head = format!("panicked at src/work.rs:{line}:{column}:");
    assert!(
        report.iter().any(|text| text.ends_with(&head)),
        "no {head:?} in {report:#?}"
    );
    report
}

/// The backtrace has to name the place where `code` is.
fn assert_frame_at(project: &Project, report: &[String], code: &str) {
    let (line, column) = project.position("src/work.rs", code);
    let frame = format!("src/work.rs:{line}:{column}");
    let in_frame = |text: &&String| text.trim_start().starts_with("at ") && text.ends_with(&frame);
    assert!(
        report.iter().any(|text| in_frame(&text)),
        "no frame at {frame} in {report:#?}"
    );
}

/// To the compiler a variable in another module or function is another one.
#[test]
fn a_static_that_moves_keeps_its_value_and_another_one_is_said() {
    const MAIN: &str = "use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
mod keep {}
static HITS: AtomicU32 = AtomicU32::new(0);
thread_local! { static OWN: Cell<u32> = const { Cell::new(50) }; }
fn next() -> u32 { static N: AtomicU32 = AtomicU32::new(100); N.fetch_add(1, SeqCst) }
fn answer() -> String {
    OWN.set(OWN.get() + 1);
    format!(\"{} {} {}\", HITS.fetch_add(1, SeqCst), OWN.get(), next())
}
fn main() {
    println!(\"ready\");
    for _ in std::io::stdin().lines() { println!(\"{}\", answer()); }
}
";
    let manifest = "[package]\nname = \"moves\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let project = Project::of_files([("Cargo.toml", manifest), ("src/main.rs", MAIN)]);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "0 51 100");
    let hits = "static HITS: AtomicU32 = AtomicU32::new(0);";
    let own = "thread_local! { static OWN: Cell<u32> = const { Cell::new(50) }; }";
    let inside = [hits, own].map(|text| text.replace("static", "pub static"));
    let uses = "use std::cell::Cell; use std::sync::atomic::AtomicU32;";
    let inside = format!("{uses} {}", inside.join(" "));
    project.edit_all(
        "src/main.rs",
        &[
            ("mod keep {}", &format!("mod keep {{ {inside} }}")),
            (&format!("{hits}\n{own}"), "use keep::{HITS, OWN};"),
            ("fn next()", "fn following()"),
            (" next())", " following())"),
        ],
    );
    session.wait_for_all(&[
        "`moves::keep::HITS` is the variable that was `moves::HITS`: it keeps its value",
    ]);
    assert_eq!(session.ask("x"), "1 52 101");
    // Nothing tells what a new name means.
    let text = project.read("src/main.rs").replace("HITS", "VISITS");
    project.save(Save::InPlace, "src/main.rs", &text);
    session.wait_for_all(&[
        "`moves::keep::VISITS` is another variable than `moves::keep::HITS`, which is gone",
    ]);
    assert_eq!(session.ask("x"), "0 53 102");
    project.save(Save::InPlace, "src/main.rs", MAIN);
    session.wait_for_stderr("restored");
    assert_eq!(session.ask("x"), "2 54 103");
    session.finish();
}
