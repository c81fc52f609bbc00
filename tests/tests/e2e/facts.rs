//! Edits that give another form to something alive, and don't say so in any text: the compiler's
//! debug information does. Each is refused with file, line and both forms, nothing of it gets into
//! the program, and other edits go on.

use soft_mock_tests::project::Project;

const FILE: &str = "src/main.rs";

/// An edit, the text at the line that is blamed, and what is said.
struct Case {
    edits: &'static [(&'static str, &'static str)],
    line: &'static str,
    said: &'static str,
}

const CASES: [Case; 8] = [
    Case {
        edits: &[("crate::small::*; // glob", "crate::large::*; // glob")],
        line: "// glob",
        said: "static lasting::VALUES: Mutex<Vec<lasting::large::Val>>, was Mutex<Vec<lasting::small::Val>>",
    },
    Case {
        edits: &[("crate::small::declare; // import", "crate::large::declare; // import")],
        line: "// import",
        said: "struct lasting::made::Made: field 0: String, was u32",
    },
    Case {
        edits: &[("    // constant\n", "    pub const LEN: usize = 6; // constant\n")],
        line: "// constant",
        said: "struct lasting::Table: field 0: [u32; 6], was [u32; 2]",
    },
    Case {
        edits: &[("const WIDTH: usize = 3", "const WIDTH: usize = 5")],
        line: "const WIDTH",
        said: "struct lasting::Wide: field 0: [u32; 5], was [u32; 3]",
    },
    Case {
        edits: &[(
            "impl Marked for Chosen {}",
            "impl Kind for Chosen { type Out = String; fn make() -> String { String::new() } }",
        )],
        line: "impl Kind for Chosen",
        said: "static lasting::CHOSEN: Mutex<Vec<String>>, was Mutex<Vec<u32>>",
    },
    Case {
        edits: &[(
            "// drop\n",
            "impl Drop for Single { fn drop(&mut self) { println!(\"dropped {}\", self.value) } }\n",
        )],
        line: "impl Drop for Single",
        said: "`lasting::Single` has a `Drop` now, and had none",
    },
    Case {
        edits: &[("cached!(u32, 7)", "cached!(String, \"x\".to_owned())")],
        line: "fn cache()",
        said: "struct lasting::cache::Slot: field value: String, was u32",
    },
    Case {
        edits: &[("crate::quiet::*; // voices", "crate::loud::*; // voices")],
        line: "// voices",
        said: "`dyn lasting::Speak` has another number of methods",
    },
];

/// What the program answers, but for the number of the question.
const ANSWER: &str = "<0> <[Made(7)]> <[Table([5, 5])]> <[Wide([8, 8, 8])]> <[7]> 3 dog 1 Some(7) ";

fn check(variables: &[(&str, &str)], cases: &[Case], arguments: &[&str]) {
    let mut project = Project::fixture("lasting");
    for (key, value) in variables {
        project.env(key, value);
    }
    let original = project.read(FILE);
    let mut session = project.hot(&[&["--no-restart", "cargo", "run"], arguments].concat());
    session.wait_for_stdout("ready");
    let mut number = 9;
    let mut next = || {
        number += 1;
        format!("{ANSWER}{number}")
    };
    assert_eq!(session.ask("x"), next());
    for case in cases {
        project.edit_all(FILE, case.edits);
        let line = project.position(FILE, case.line).0;
        let line = format!("src/main.rs:{line}:");
        session.wait_for_all(&[&line, "what is alive has another form: ", case.said]);
        assert_eq!(session.ask("x"), next());
        project.save(soft_mock_tests::project::Save::InPlace, FILE, &original);
        session.wait_for_stderr("the edit was taken back");
    }
    assert_eq!(session.patches(), Vec::<String>::new());

    // An edit that leaves all of them as they are, also the static in a closure that isn't the
    // first one any more.
    project.edit_all(
        FILE,
        &[
            ("<{value:?}>", "[{value:?}]"),
            ("    // closure\n", "    let zero = || 0; zero();\n"),
            ("    take()\n", "    let one = || 1000; one() + take()\n"),
        ],
    );
    session.wait_for_patch();
    number += 1;
    let patched = ANSWER.replace('<', "[").replace('>', "]");
    assert_eq!(session.ask("x"), format!("{patched}{}", 1000 + number));
    let finished = session.finish();
    let starts = finished.stdout.iter().filter(|line| *line == "ready");
    assert_eq!(starts.count(), 1, "it was started again: {finished:?}");
}

#[test]
fn another_form_of_what_is_alive_is_refused() {
    check(&[], &CASES, &[]);
}

#[test]
fn in_release() {
    check(&[], &CASES, &["--release"]);
}

#[test]
fn where_the_program_has_no_debug_information() {
    let none = [
        ("CARGO_PROFILE_DEV_DEBUG", "0"),
        ("CARGO_PROFILE_DEV_STRIP", "symbols"),
    ];
    check(&none, &CASES[..3], &[]);
}

#[test]
fn where_debug_information_is_in_other_files() {
    let unpacked = [("CARGO_PROFILE_DEV_SPLIT_DEBUGINFO", "unpacked")];
    check(&unpacked, &CASES[..3], &[]);
}

#[test]
fn what_a_patch_brought_has_its_form_from_then_on() {
    let project = Project::fixture("lasting");
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit_all(
        FILE,
        &[
            (
                "// drop\n",
                "mod late { pub use crate::small::*; }
                static NEW: Mutex<Vec<late::Val>> = Mutex::new(Vec::new());\n",
            ),
            (
                "fn filled() -> Vec<kept::Val> {\n",
                "fn filled() -> Vec<kept::Val> {\n    NEW.lock().unwrap().extend(None);\n",
            ),
            ("<{value:?}>", "{value:?}"),
            (
                "shown(VALUES.lock().unwrap().len())",
                "shown(NEW.lock().unwrap().len())",
            ),
        ],
    );
    session.wait_for_patch();
    assert!(session.ask("x").starts_with("0 [Made(7)] "));
    project.edit(
        FILE,
        "late { pub use crate::small::*",
        "late { pub use crate::large::*",
    );
    let said = "what is alive has another form: static lasting::NEW: Mutex<Vec<lasting::large::Val>>, was Mutex<Vec<lasting::small::Val>>";
    session.wait_for_all(&["src/main.rs:", said]);
    assert!(session.ask("x").starts_with("0 [Made(7)] "));
    assert_eq!(session.patches().len(), 1);
}
