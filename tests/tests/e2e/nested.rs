//! Functions, types and variables of one name in one body, as a macro declares them that is used
//! several times: an edit that changes nothing but which is which is an edit.

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

const FILE: &str = "src/main.rs";

fn started(project: &Project) -> Session {
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session
}

/// What the five kinds of uses say.
fn all(said: &str) -> String {
    [said; 5].join(" | ")
}

#[test]
fn what_the_uses_call_changes_places() {
    let project = Project::fixture("nested");
    let original = project.read(FILE);
    let mut session = started(&project);
    assert_eq!(session.ask("0"), format!("{} | 0 0", all("11 1000 11")));
    let macros = |calls: [&str; 3]| {
        let mut text = original.clone();
        for (name, (was, is)) in ["first", "second", "third"]
            .iter()
            .zip(["plus", "times", "plus"].iter().zip(calls))
        {
            let rule = |call: &str| format!("{name} {{\n    () => {{\n        {call}\n");
            assert!(text.contains(&rule(was)));
            text = text.replace(&rule(was), &rule(is));
        }
        text
    };
    let steps = [
        // Two change places; one becomes what another is; all are the same; one of them changes.
        (["times", "plus", "plus"], "1000 11 11"),
        (["plus", "times", "times"], "11 1000 1000"),
        (["times", "times", "times"], "1000 1000 1000"),
        (["times", "times", "plus"], "1000 1000 11"),
    ];
    for (step, (calls, said)) in steps.into_iter().enumerate() {
        project.save(Save::InPlace, FILE, &macros(calls));
        session.wait_for_patch();
        let counted = step + 1;
        assert_eq!(
            session.ask("0"),
            format!("{} | {counted} {counted}", all(said))
        );
    }
    project.save(Save::InPlace, FILE, &original);
    session.wait_for_stderr("restored");
    assert_eq!(session.ask("0"), format!("{} | 5 5", all("11 1000 11")));
    session.finish();
}

#[test]
fn which_variable_is_used_changes() {
    let project = Project::fixture("nested");
    let mut session = started(&project);
    for n in [0, 0, 0, 1] {
        session.ask(&n.to_string());
    }
    project.edit(FILE, "$n % 2 == 0", "!($n % 2 == 0)");
    session.wait_for_patch();
    // The first of the two was used three times, the second once.
    let ends = |said: String, end: &str| assert!(said.ends_with(end), "{said}");
    ends(session.ask("0"), " | 1 1");
    ends(session.ask("1"), " | 3 3");
    session.finish();
}

/// Old code of the first of two functions, or of an object of the first of two types, would go on
/// calling what the second one calls now.
#[test]
fn what_is_kept_leads_to_functions_that_change_places() {
    let main = "\
use std::sync::Mutex;

trait Shape: Send {
    fn area(&self) -> u32;
}

static POINTERS: Mutex<Vec<fn(u32) -> u32>> = Mutex::new(Vec::new());
static OBJECTS: Mutex<Vec<Box<dyn Shape>>> = Mutex::new(Vec::new());

fn plus(n: u32) -> u32 {
    n + 1
}

fn times(n: u32) -> u32 {
    n * 100
}

macro_rules! pointer {
    ($f:ident) => {{
        fn nested(n: u32) -> u32 {
            $f(n)
        }
        POINTERS.lock().unwrap().push(nested);
    }};
}

macro_rules! object {
    ($f:ident) => {{
        struct Nested(u32);
        impl Shape for Nested {
            fn area(&self) -> u32 {
                $f(self.0)
            }
        }
        OBJECTS.lock().unwrap().push(Box::new(Nested(10)));
    }};
}

macro_rules! pointers {
    () => {
        pointer!(plus);
        pointer!(times);
    };
}

macro_rules! objects {
    () => {
        object!(plus);
        object!(times);
    };
}

fn keep_pointers() {
    pointers!();
}

fn keep_objects() {
    objects!();
}

fn main() {
    keep_pointers();
    keep_objects();
    println!(\"ready\");
    for _ in std::io::stdin().lines() {
        let mut said: Vec<u32> = POINTERS.lock().unwrap().iter().map(|f| f(10)).collect();
        said.extend(OBJECTS.lock().unwrap().iter().map(|object| object.area()));
        println!(\"{said:?}\");
    }
}
";
    let manifest = "[package]\nname = \"kept\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let project = Project::of_files([("Cargo.toml", manifest), (FILE, main)]);
    let mut session = started(&project);
    assert_eq!(session.ask("x"), "[11, 1000, 11, 1000]");
    for (kind, code) in [
        ("pointer", "`kept::keep_pointers::nested`"),
        (
            "object",
            "`<kept::keep_objects::Nested as kept::Shape>::area`",
        ),
    ] {
        let calls = |first: &str, second: &str| {
            format!("        {kind}!({first});\n        {kind}!({second});")
        };
        project.edit(FILE, &calls("plus", "times"), &calls("times", "plus"));
        session.wait_for_all(&[
            &format!("macro {kind}s! changed: {code} has no site"),
            "may still lead to its old code",
        ]);
        assert_eq!(session.ask("x"), "[11, 1000, 11, 1000]");
        project.save(Save::InPlace, FILE, main);
        session.wait_for_stderr("the edit was taken back");
    }
    session.finish();
}
