//! The table of docs/edits.md, row by row, on one running program of three crates: what is patched
//! is seen to run, with the program's state kept, and what is not is refused with file, line, item
//! and reason.

mod rows;

use std::fs;

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

const BASE: &str = "base/src/lib.rs";
const MIDDLE: &str = "middle/src/lib.rs";
const TOPICS: &str = "app/src/topics.rs";
const LASTING: &str = "app/src/lasting.rs";

/// A program that runs through all edits of a test, and how often it was asked.
struct Program {
    project: Project,
    session: Session,
    asked: u32,
}

type Edit<'a> = (&'a str, &'a str, &'a str);

impl Program {
    fn start() -> Self {
        let project = Project::fixture("breadth");
        let mut session = project.hot(&["--no-restart", "cargo", "run"]);
        session.wait_for_stdout("ready");
        let mut program = Self {
            project,
            session,
            asked: 0,
        };
        program.answers("plain", "plain");
        program
    }

    /// The program answers so, and has counted every question since it was started.
    #[track_caller]
    fn answers(&mut self, topic: &str, text: &str) {
        let answer = self.session.ask(topic);
        self.counted(&answer, text);
    }

    #[track_caller]
    fn counted(&mut self, answer: &str, text: &str) {
        let (count, said) = answer.split_once(' ').expect("a count");
        let count: u32 = count.parse().expect("a number");
        assert!(count > self.asked, "it forgot: {answer}");
        assert_eq!(said, text);
        self.asked = count;
    }

    fn edit(&self, edits: &[Edit<'_>]) {
        for (file, from, to) in edits {
            self.project.edit(file, from, to);
        }
    }

    /// The edits are patched, and the new code is seen to run.
    #[track_caller]
    fn patches(&mut self, edits: &[Edit<'_>], topic: &str, text: &str) {
        let known = self.session.patches().len();
        self.edit(edits);
        let answer = self.session.ask_until(topic, &format!(" {text}"));
        self.counted(&answer, text);
        // The program may have answered before `hot` had written its line.
        let said = self.session.wait_for_patches(known + 1);
        assert!(said, "not said: {edits:?}");
    }

    /// The edit is refused with its line and these words, and the program runs on with its old
    /// code.
    #[track_caller]
    fn refuses(&mut self, (file, from, to): Edit<'_>, words: &[&str]) {
        let original = self.project.read(file);
        self.project.edit(file, from, to);
        let from_line = original[..original.find(from).expect("it was found")]
            .lines()
            .count();
        let mut expected = vec![file];
        expected.extend(words);
        let line = self.session.wait_for_all(&expected);
        let number = line
            .split(':')
            .nth(2)
            .and_then(|number| number.parse::<usize>().ok());
        // An item is named by the line of its name, which may stand some lines above or below.
        let fits = number.is_some_and(|number| number.abs_diff(from_line) <= 4);
        assert!(fits, "line {from_line}: {line}");
        self.session.wait_for_stderr("the old code runs on");
        self.project.save(Save::InPlace, file, &original);
        self.answers("plain", "plain");
    }
}

#[test]
fn edits_that_are_patched() {
    let mut program = Program::start();
    let originals: Vec<(&str, String)> = [BASE, MIDDLE, TOPICS, LASTING, rows::ROWS, rows::LOWEST]
        .map(|file| (file, program.project.read(file)))
        .to_vec();

    rows::first(&mut program);

    // What has no site, by those who use it, across crates.
    program.answers("constant", "limit 10");
    program.patches(&[(BASE, "u32 = 10", "u32 = 11")], "constant", "limit 11");
    program.patches(&[(BASE, "n * 2", "n * 3")], "const fn", "doubled 12");
    program.patches(
        &[(BASE, "texts.join(\"+\")", "texts.join(\"-\")")],
        "generic",
        "1-2",
    );
    program.patches(&[(BASE, "\"three\"", "\"drei\"")], "spelled", "drei");
    program.patches(&[(BASE, "{}/{}", "{}|{}")], "pair", "1|2");
    program.patches(
        &[(BASE, "hello {}", "good day {}")],
        "default",
        "good day ada",
    );
    program.patches(&[(BASE, "<{}>", "[{}]")], "macro", "[text]");
    program.patches(&[(BASE, "n % 2 == 0", "n % 2 == 1")], "opaque", "13");
    program.patches(
        &[(MIDDLE, "{ $text.to_owned() }", "{ $text.to_uppercase() }")],
        "made",
        "ONETWO",
    );
    program.patches(
        &[(MIDDLE, "second \"two\"", "second \"three\"")],
        "made",
        "ONETHREE",
    );

    // Signatures, with all callers.
    program.patches(
        &[
            (TOPICS, "private(2)", "private(2, 5)"),
            (
                TOPICS,
                "private(n: u32) -> u32 {\n    n + 1",
                "private(n: u32, more: u32) -> u32 {\n    n + more",
            ),
        ],
        "signature",
        "signed 7",
    );
    program.patches(
        &[
            (
                BASE,
                "scaled(n: u32) -> u32 {\n    n * 10",
                "scaled(n: u32, by: f32) -> f32 {\n    n as f32 * by",
            ),
            (MIDDLE, "base::scaled(3)", "base::scaled(3, 1.5)"),
        ],
        "scaled",
        "scaled 4.5",
    );

    new_things(&mut program);
    rows::patched(&mut program);

    // Nothing runs it.
    program.edit(&[(
        TOPICS,
        "fn plain()",
        "#[allow(dead_code)]\nconst NOBODY: u32 = 1;\n\nfn plain()",
    )]);
    // Below it lines have moved, and with them the places that panics would name.
    program.answers("plain", "plain");

    // All of it undone.
    for (file, text) in &originals {
        program.project.save(Save::InPlace, file, text);
    }
    fs::remove_file(program.project.path("app/src/topics/extra.rs")).expect("the file is there");
    let answer = program.session.ask_until("constant", " limit 10");
    program.counted(&answer, "limit 10");
    program.answers("generic", "1+2");
    program.answers("signature", "signed 3");
    program.answers("made", "onetwo");
    program.session.wait_for_mention("restored ");

    let finished = program.session.finish();
    let refused: Vec<&String> = finished
        .stderr
        .iter()
        .filter(|line| line.contains("the old code runs on"))
        .collect();
    assert!(refused.is_empty(), "{finished:?}");
}

/// Items that the program was built without.
fn new_things(program: &mut Program) {
    let plain = |text: &str| format!("fn plain() -> String {{\n    {text}\n}}");
    let body = |from: &str, to: &str| (plain(from), plain(to));
    let mut former = "\"plain\".to_owned()".to_owned();
    let mut next = |program: &mut Program, items: &str, now: &str, text: &str| {
        let (from, to) = body(&former, now);
        let to = format!("{items}{to}");
        program.patches(&[(TOPICS, &from, &to)], "plain", text);
        former = now.to_owned();
    };
    next(
        program,
        "const WORD: &str = \"word\";\n\nfn helper(text: &str) -> String {\n    format!(\"helped {text}\")\n}\n\n",
        "helper(WORD)",
        "helped word",
    );
    // The helper is the program's only by a patch: an edit of a body finds it all the same.
    next(program, "", "helper(\"again\")", "helped again");
    next(
        program,
        "use std::collections::BTreeMap;\n\n",
        "format!(\"{:?}\", BTreeMap::from([(1, 2)]))",
        "{1: 2}",
    );
    next(
        program,
        "#[derive(Debug, Clone)]\nenum Colour {\n    Red,\n}\n\nstruct Paint {\n    colour: Colour,\n}\n\nimpl Paint {\n    fn text(&self) -> String {\n        format!(\"{:?}\", self.colour)\n    }\n}\n\n",
        "Paint { colour: Colour::Red }.text()",
        "Red",
    );
    next(
        program,
        "trait Loud {\n    fn loud(&self) -> String;\n}\n\nimpl Loud for base::Pair<u32> {\n    fn loud(&self) -> String {\n        self.text() + \"!\"\n    }\n}\n\nimpl std::fmt::Display for Paint {\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\n        f.write_str(\"paint\")\n    }\n}\n\n",
        "Pair(3, 4).loud() + &Paint { colour: Colour::Red }.to_string()",
        "3|4!paint",
    );
    next(
        program,
        "static FIRST: std::sync::OnceLock<u32> = std::sync::OnceLock::new();\n\nfn first(n: u32) -> u32 {\n    *FIRST.get_or_init(|| n)\n}\n\n",
        "format!(\"first {}\", first(7))",
        "first 7",
    );
    // The static of the patch before is the same variable in this one.
    next(program, "", "format!(\"still {}\", first(8))", "still 7");
    next(
        program,
        "macro_rules! shout {\n    ($text:expr) => {\n        $text.to_uppercase()\n    };\n}\n\n",
        "shout!(\"loud\")",
        "LOUD",
    );
    let file = "app/src/topics/extra.rs";
    fs::create_dir_all(program.project.path("app/src/topics")).expect("a folder");
    program.project.save(
        Save::InPlace,
        file,
        "pub fn more() -> &'static str {\n    \"more\"\n}\n",
    );
    next(
        program,
        "mod extra;\n\n",
        "extra::more().to_owned()",
        "more",
    );
    program.patches(&[(file, "\"more\"", "\"much more\"")], "plain", "much more");
    next(program, "", "\"plain\".to_owned()", "plain");
}

#[test]
fn edits_that_are_refused() {
    let mut program = Program::start();
    program.answers("lasting", "100 5 1 2 4 2");
    let mut refuses = |edit: Edit<'_>, words: &[&str]| program.refuses(edit, words);

    // Layouts, also from another crate.
    refuses(
        (LASTING, "amount: Amount,", "amount: Amount,\n    more: u8,"),
        &["field added to struct Thing", "its layout changes"],
    );
    refuses(
        (LASTING, "    Small,\n", "    Small,\n    Middle,\n"),
        &["variant added to enum Kind", "its layout changes"],
    );
    refuses(
        (LASTING, "type Amount = u32", "type Amount = u64"),
        &["type Amount", "it may reach the layout of a type"],
    );
    refuses(
        (BASE, "HALF: usize = 2", "HALF: usize = 3"),
        &["const HALF", "it may reach the layout of a type"],
    );
    refuses(
        (
            LASTING,
            "#[derive(Clone)]\n",
            "#[derive(Clone)]\n#[repr(C)]\n",
        ),
        &["attributes of struct Thing"],
    );
    refuses(
        (rows::ROWS, "    front: Vec", "    pub front: Vec"),
        &[
            "visibility of field `front` of struct Sheet",
            "it changes how the fields of Sheet are seen",
        ],
    );
    refuses(
        (LASTING, "struct Steps(u32);", "struct Steps(u32, ());"),
        &["field added to struct Steps"],
    );
    refuses(
        (LASTING, "type Item = u32", "type Item = u64"),
        &[
            "<Steps as Iterator>::Item",
            "it may reach the layout of a type",
        ],
    );

    // Variables that exist.
    refuses(
        (
            LASTING,
            "pub static ASKED: AtomicU32 = AtomicU32",
            "pub static ASKED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64",
        ),
        &["static ASKED", "the one that exists"],
    );
    refuses(
        (
            LASTING,
            "static LOCAL: Cell<u32> = const { Cell::new(5) }",
            "static LOCAL: Cell<u32> = Cell::new(5)",
        ),
        &["static LOCAL", "the one that exists"],
    );

    // Vtables, drop glue, what other languages call, names that mean something else.
    refuses(
        (
            BASE,
            "fn price(&self) -> u32;",
            "fn price(&self) -> u32;\n\n    fn other(&self) {}",
        ),
        &["methods of trait Priced", "vtable"],
    );
    refuses(
        (
            LASTING,
            "struct Steps(u32);",
            "struct Steps(u32);\n\nimpl Drop for Steps {\n    fn drop(&mut self) {}\n}",
        ),
        &["impl Drop for Steps added", "end in another way"],
    );
    refuses(
        (LASTING, "fn outside(n: u32)", "fn outside(n: u64)"),
        &["signature of fn outside", "other languages"],
    );
    refuses(
        (LASTING, "type Amount", "struct Option;\n\ntype Amount"),
        &["struct Option added", "something else"],
    );
    refuses(
        (
            "base/Cargo.toml",
            "publish.workspace = true",
            "publish.workspace = true\n[features]\ndefault = [\"x\"]\nx = []",
        ),
        &["crate `base` would be compiled with `--cfg feature=\"default\"`"],
    );

    rows::refused(&mut refuses);

    // What a patch has brought is bound as well.
    let added =
        "struct Fresh(u8);\n\nfn plain() -> String {\n    format!(\"fresh {}\", Fresh(1).0)\n}";
    program.patches(
        &[(
            TOPICS,
            "fn plain() -> String {\n    \"plain\".to_owned()\n}",
            added,
        )],
        "plain",
        "fresh 1",
    );
    program.edit(&[(TOPICS, "struct Fresh(u8);", "struct Fresh(u16);")]);
    program.session.wait_for_all(&[
        TOPICS,
        "type of field `0` of struct Fresh",
        "its layout changes",
    ]);
    program.answers("plain", "fresh 1");

    let finished = program.session.finish();
    let starts = finished
        .stdout
        .iter()
        .filter(|line| *line == "ready")
        .count();
    assert_eq!(starts, 1, "it was started again: {finished:?}");
}
