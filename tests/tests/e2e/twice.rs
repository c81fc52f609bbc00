//! Several variables of one name in one function: each stays the variable of its own use, or the
//! edit is refused.

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

const FILE: &str = "src/main.rs";

const FIRST: &str = "7 7 | 100 2000 | 7 7 | 7 7 | 0 false | 7 | 7 7 | 7 7";
const SECOND: &str = "8 1007 | 101 2001 | 8 1007 | 8 1007 | 200 true | 8 | 8 1007 | 8 1007";

fn started(project: &Project) -> Session {
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), FIRST);
    assert_eq!(session.ask("x"), SECOND);
    session
}

#[test]
fn each_stays_its_own() {
    let project = Project::fixture("twice");
    let mut session = started(&project);
    // Nothing but text.
    project.edit_all(
        FILE,
        &[
            ("{} {}\", hit!(1)", "{}+{}\", hit!(1)"),
            ("{} {}\", mine!", "{}+{}\", mine!"),
            ("{} {}\", late!", "{}+{}\", late!"),
            ("{} {}\", hit!(by)", "{}+{}\", hit!(by)"),
        ],
    );
    session.wait_for_patch();
    assert_eq!(
        session.ask("x"),
        "9+2007 | 102 2002 | 9+2007 | 9+2007 | 200 true | 9 | 9+2007 | 9 2007"
    );
    // They change places, and are told by their first value and by their type; one of the two goes.
    project.edit_all(
        FILE,
        &[
            ("from!(100), from!(2000)", "from!(2000), from!(100)"),
            (
                "(byte, flag) = (slot!(AtomicU8, 0), slot!(AtomicBool, false))",
                "(flag, byte) = (slot!(AtomicBool, false), slot!(AtomicU8, 0))",
            ),
            ("let first = || hit!(1)", "let first = || 0"),
        ],
    );
    session.wait_for_patch();
    assert_eq!(
        session.ask("x"),
        "10+3007 | 2003 103 | 10+3007 | 10+3007 | 200 true | 10 | 10+3007 | 0 3007"
    );
    project.edit(FILE, "from!(2000), from!(100)", "0, from!(100)");
    session.wait_for_patch();
    assert_eq!(
        session.ask("x"),
        "11+4007 | 0 104 | 11+4007 | 11+4007 | 200 true | 11 | 11+4007 | 0 4007"
    );
    session.finish();
}

#[test]
fn where_it_cannot_be_told_which_is_which_the_edit_is_refused() {
    let cases = [
        // One of two that are alike goes; one comes before the only one.
        ("hit!(1), hit!(1000)", "0, hit!(1000)", "alike::N"),
        (
            "\"{}\", hit!(1)",
            "\"{} {}\", hit!(5000), hit!(1)",
            "one::N",
        ),
        ("hit!(by), hit!", "0, hit!", "generic::N"),
        // The first goes and another one comes at the end; they change places.
        ("hit!(1), hit!(1000)", "hit!(1000), hit!(5)", "alike::N"),
        (
            "mine!(1), mine!(1000)",
            "mine!(1000), mine!(1)",
            "threads::OWN",
        ),
        (
            "late!(1), late!(1000)",
            "late!(1000), late!(5)",
            "lazy::OWN",
        ),
        (
            "hit!(by), hit!(by * 1000)",
            "hit!(by * 1000), hit!(by)",
            "generic::N",
        ),
        // Of others, one begins with another value.
        ("from!(100)", "from!(300)", "other::M"),
    ];
    let project = Project::fixture("twice");
    let original = project.read(FILE);
    let mut session = started(&project);
    for (step, (old, new, variable)) in cases.into_iter().enumerate() {
        project.edit(FILE, old, new);
        let said = format!(
            "several variables `twice::{variable}` are or were in one body, and it can't be told \
             which is which"
        );
        session.wait_for_all(&["src/main.rs:", &said]);
        let (low, high) = (step + 9, 1007 + (step + 1) * 1000);
        let (from, others) = (
            format!("{} {}", step + 102, step + 2002),
            format!("{low} {high}"),
        );
        let expected = format!(
            "{others} | {from} | {others} | {others} | 200 true | {low} | {others} | {others}"
        );
        assert_eq!(session.ask("x"), expected);
        project.save(Save::InPlace, FILE, &original);
        session.wait_for_stderr("the edit was taken back");
    }
    // In closures.
    project.edit(
        FILE,
        "let first = || hit!(1);\n    let second = || hit!(1000);",
        "let second = || hit!(1000);\n    let first = || hit!(5);",
    );
    session.wait_for_all(&[
        "src/main.rs:",
        "closures come and go, and it can't be told which variable of the program `N` in a closure of",
    ]);
    assert_eq!(session.patches(), Vec::<String>::new());
    session.finish();
}

#[test]
fn an_edit_in_their_place_is_none_of_their_order() {
    let project = Project::fixture("twice");
    let mut session = started(&project);
    project.edit_all(
        FILE,
        &[
            ("hit!(1), hit!(1000)", "hit!(2), hit!(1000)"),
            ("mine!(1), mine!(1000)", "mine!(1), mine!(2000)"),
            ("let first = || hit!(1);", "let first = || hit!(3);"),
        ],
    );
    session.wait_for_patch();
    assert_eq!(
        session.ask("x"),
        "9 2007 | 102 2002 | 9 2007 | 9 2007 | 200 true | 9 | 9 2007 | 9 2007"
    );
    assert_eq!(
        session.ask("x"),
        "11 3007 | 103 2003 | 10 4007 | 10 3007 | 200 true | 10 | 10 3007 | 12 3007"
    );
    session.finish();
}

/// The same functions in other places are other code, and that is told.
#[test]
fn uses_that_become_what_others_are_are_told() {
    let main = r#"fn plus(n: u32) -> u32 {
    n + 1
}

fn less(n: u32) -> u32 {
    n - 1
}

macro_rules! through {
    ($f:ident) => {{
        fn nested(n: u32) -> u32 {
            $f(n)
        }
        nested(10)
    }};
}

macro_rules! all {
    () => {
        [through!(less), through!(less), through!(plus)]
    };
}

fn answer() -> String {
    format!("{:?}", all!())
}

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{}", answer());
    }
}
"#;
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("as it was built"), "[9, 9, 11]");
    for (from, to, answer) in [
        ("[through!(less), ", "[through!(plus), ", "[11, 9, 11]"),
        ("through!(less), ", "through!(plus), ", "[11, 11, 11]"),
        (", through!(plus)]", ", through!(less)]", "[11, 11, 9]"),
        (
            "through!(plus), through!(less)",
            "through!(less), through!(less)",
            "[11, 9, 9]",
        ),
        ("[through!(plus), ", "[through!(less), ", "[9, 9, 9]"),
        ("through!(less)]", "through!(plus)]", "[9, 9, 11]"),
    ] {
        project.edit("src/main.rs", from, to);
        session.wait_for_any(&["patched 1 function", "restored 1 function"]);
        assert_eq!(session.ask("x"), answer);
    }
}

/// A macro declares a variable in a body by way of another one, or is another crate's: the variable
/// stays what it is.
#[test]
fn variables_of_macros_behind_macros_and_of_other_crates_stay() {
    let manifest = "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let library = r#"#[macro_export]
macro_rules! count {
    ($by:expr) => {{
        static C: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        C.fetch_add($by, std::sync::atomic::Ordering::SeqCst) + $by
    }};
}
"#;
    let main = r#"use std::cell::Cell;

macro_rules! local {
    ($by:expr) => {{
        thread_local! { static T: Cell<u32> = const { Cell::new(0) }; }
        T.with(|t| { t.set(t.get() + $by); t.get() })
    }};
}
macro_rules! both {
    ($by:expr) => {
        (own::count!($by), local!($by))
    };
}

fn foreign() -> String {
    format!("a{}", own::count!(1))
}

fn nested() -> String {
    let (one, other) = both!(1);
    format!("b{one}{other}")
}

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{} {}", foreign(), nested());
    }
}
"#;
    let project = Project::of_files([
        ("Cargo.toml", manifest),
        ("src/main.rs", main),
        ("src/lib.rs", library),
    ]);
    let mut session = project.hot(&["--no-restart", "cargo", "run", "--bin", "own"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "a1 b11");
    for (from, to, answer) in [
        ("a{}", "A{}", "A2 b22"),
        ("b{one}", "B{one}", "A3 B33"),
        ("A{}", "o{}", "o4 B44"),
        ("B{one}", "q{one}", "o5 q55"),
    ] {
        project.edit(FILE, from, to);
        session.wait_for_stderr("patched 1 function ");
        assert_eq!(session.ask("x"), answer);
    }
}
