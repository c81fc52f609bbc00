//! Old code that lives, and state that stays: what objects, pointers and closures lead to when
//! functions are patched is new as well, or the edit is refused with the reason. Each test edits
//! one module of a running program.

use std::process::Output;

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

const FILE: &str = "src/main.rs";

struct Program {
    project: Project,
    session: Session,
    topic: &'static str,
}

impl Program {
    fn start(topic: &'static str, answer: &str) -> Self {
        Self::start_with(&[], topic, answer)
    }

    /// With more arguments for cargo.
    fn start_with(more: &[&str], topic: &'static str, answer: &str) -> Self {
        let project = Project::fixture("alive");
        let command = ["--verbose", "--no-restart", "cargo", "run"];
        let mut session = project.hot(&[&command, more].concat());
        session.wait_for_stdout("ready");
        assert_eq!(session.ask(topic), answer);
        Self {
            project,
            session,
            topic,
        }
    }

    #[track_caller]
    fn patches(&mut self, edit: (&str, &str), answer: &str) {
        self.project.edit(FILE, edit.0, edit.1);
        self.session.wait_for_patch();
        assert_eq!(self.session.ask(self.topic), answer);
    }

    /// What was said of the last patch.
    fn last_patch(&self) -> String {
        self.session.patches().pop().expect("a patch")
    }

    /// The edits are refused for this reason, and the program runs on as it was; then they are
    /// taken back.
    #[track_caller]
    fn refuses(&mut self, edits: &[(&str, &str)], words: &[&str], answer: &str) {
        let before = self.project.read(FILE);
        let patches = self.session.patches().len();
        self.project.edit_all(FILE, edits);
        let line = self.session.wait_for_all(words);
        assert!(line.contains("src/main.rs:"), "{line}");
        self.session.wait_for_stderr("the old code runs on");
        assert_eq!(self.session.ask(self.topic), answer);
        assert_eq!(self.session.patches().len(), patches);
        self.project.save(Save::InPlace, FILE, &before);
        self.session.wait_for_stderr("the edit was taken back");
    }
}

#[test]
fn a_display_is_edited_as_often_as_one_likes_unless_a_pointer_is_kept() {
    let mut program = Program::start("formatted", "<1> (2)");
    program.patches(("\"<{}>\"", "\"[{}]\""), "[1] (2)");
    program.patches(("\"[{}]\"", "\"|{}|\""), "|1| (2)");
    program.refuses(
        &[("\"({})\"", "\"-{}-\"")],
        &[
            "`<alive::formatted::Kept<u32> as core::fmt::Display>::fmt` has no site",
            "a pointer taken in `alive::formatted::setup`",
        ],
        "|1| (2)",
    );
}

#[test]
fn a_registered_handler_that_takes_another_parameter() {
    let mut program = Program::start("handlers", "shown 7");
    program.patches(("\"shown {n}\"", "\"seen {n}\""), "seen 7");
    program.refuses(
        &[
            ("fn show(n: u32)", "fn show(n: u32, even: bool)"),
            ("\"seen {n}\"", "\"seen {n} {even}\""),
        ],
        &[
            "signature of fn show changed",
            "`alive::handlers::show` has another signature now",
            "a vtable or a table of functions may still lead to its old code",
        ],
        "seen 7",
    );
    program.refuses(
        &[
            ("fn show(", "fn renamed("),
            ("route(show)", "route(renamed)"),
        ],
        &["`alive::handlers::show` is gone"],
        "seen 7",
    );
}

/// What was patched of a function stays when its next edit is refused, also beside other patches.
#[test]
fn a_patched_handler_keeps_its_patch_while_its_signature_waits() {
    let mut program = Program::start("handlers", "shown 7");
    program.patches(("\"shown {n}\"", "\"seen {n}\""), "seen 7");
    let patched = program.project.read(FILE);
    program.project.edit_all(
        FILE,
        &[
            ("fn show(n: u32)", "fn show(n: u32, even: bool)"),
            ("\"seen {n}\"", "\"seen {n} {even}\""),
        ],
    );
    program.session.wait_for_stderr("the old code runs on");
    program
        .project
        .edit(FILE, "calls.truncate(2)", "calls.truncate(3)");
    let patch = program.session.wait_for_patch();
    assert!(patch.contains("alive::closures::make ("), "{patch}");
    let still = ["still can't be patched: ", "signature of fn show changed"];
    program.session.wait_for_all(&still);
    assert_eq!(program.session.ask("handlers"), "seen 7");
    program.project.save(Save::InPlace, FILE, &patched);
    program.session.wait_for_stderr("restored 1 function");
    assert_eq!(program.session.ask("handlers"), "seen 7");
    program.patches(("\"seen {n}\"", "\"shown {n}\""), "shown 7");
}

/// Of several edits that reach others, the one is named that stands in the way.
#[test]
fn the_edit_that_is_refused_is_named_and_none_before_it() {
    let mut program = Program::start("formatted", "<1> (2)");
    program.patches(("\"<{}>\"", "\"[{}]\""), "[1] (2)");
    let patched = program.project.read(FILE);
    program.project.edit_all(
        FILE,
        &[
            ("n.into() + 100", "n.into() + 200"),
            ("\"({})\"", "\"-{}-\""),
        ],
    );
    let refused = program.session.wait_for_stderr("has no site");
    let header = "impl<T: fmt::Display> fmt::Display for Kept<T> {";
    let line = patched.lines().position(|line| line.trim() == header);
    // The method's name stands below.
    let place = format!("src/main.rs:{}: body of ", line.expect("an impl") + 2);
    assert!(refused.contains(&place), "{place}: {refused}");

    // Of an edit that was taken back, it is told what it was.
    program.project.save(Save::InPlace, FILE, &patched);
    program.session.wait_for_stderr("the edit was taken back");
    assert_eq!(program.session.ask("formatted"), "[1] (2)");
}

#[test]
fn a_function_in_a_body_whose_address_is_kept() {
    let mut program = Program::start("pointers", "2 11");
    program.patches(("n + 10", "n + 20"), "2 21");
    program.refuses(
        &[("n + 1\n", "n + 2\n")],
        &[
            "`alive::pointers::setup::inner` has no site",
            "a pointer taken in `alive::pointers::setup`",
        ],
        "2 21",
    );
}

#[test]
fn a_closure_behind_an_object_has_its_new_body_and_one_behind_a_pointer_is_named() {
    let mut program = Program::start("closures", "[6] 107 4");
    let original = program.project.read(FILE);
    program.patches(("n + 5", "n + 6"), "[7] 107 4");
    let said = program.last_patch();
    assert!(
        said.contains("alive::closures::setup::{closure#0} (src/main.rs:107)"),
        "{said}"
    );
    assert!(!said.contains("keep"), "{said}");
    program.patches(("n + 6", "n * 9"), "[9] 107 4");
    program.patches(("n + 3", "n + 4"), "[9] 107 4");
    let said = program.last_patch();
    let keeps = "closures and tasks that were made earlier at src/main.rs:108 keep";
    assert!(said.contains(keeps), "{said}");
    // Another closure is before it: which one is which isn't guessed.
    program.patches(
        (
            "CALLS.lock().expect(\"no panic\").push(",
            "(|| ())(); CALLS.lock().expect(\"no panic\").push(",
        ),
        "[9] 107 4",
    );
    let said = program.session.patches().split_off(3);
    let keeps = "at src/main.rs:107, src/main.rs:108 keep their old bodies until a restart";
    assert!(said.iter().any(|line| line.contains(keeps)), "{said:?}");
    program.project.save(Save::InPlace, FILE, &original);
    program.session.wait_for_stderr("restored ");
    assert_eq!(program.session.ask("closures"), "[6] 107 4");
    // One that a patch of a body has stored, and what it calls.
    program.patches(
        (
            "calls.truncate(2);",
            "if calls.len() == 1 { calls.push(Box::new(|n| generic(n) + 1)); }",
        ),
        "[6, 102] 107 4",
    );
    program.refuses(
        &[("n.into() + 100", "n.into() + 200")],
        &[
            "body of fn generic changed",
            "`alive::closures::generic::<u32>` has no site",
            "through `alive::closures::make::{closure#0}` (it came with an earlier patch)",
        ],
        "[6, 102] 107 4",
    );
}

#[test]
fn a_body_that_makes_its_closures_no_more() {
    let mut program = Program::start("closures", "[6] 107 4");
    program.patches(
        (
            "CALLS.lock().expect(\"no panic\").push(Box::new(|n| n + 5));",
            "",
        ),
        "[6] 107 4",
    );
    let said = program.last_patch();
    assert!(
        said.contains("keep their old bodies until a restart"),
        "{said}"
    );
}

#[test]
fn a_closure_gets_its_own_body_again_beside_other_edits() {
    let mut program = Program::start("order", "[10, 30, 50] [20, 40, 1050]");
    program.patches(("x + 10)", "x + 11)"), "[11, 30, 50] [20, 40, 1050]");
    // One that reaches others, and stays.
    program.patches(("{}={}", "{}-{}"), "[11, 30, 50] [20, 40, 1050]");
    program.project.edit(FILE, "x + 11)", "x + 10)");
    let restored = ["restored ", "alive::order::setup::{closure#0}"];
    let said = program.session.wait_for_all(&restored);
    assert!(!said.contains("keep"), "{said}");
    assert_eq!(program.session.ask("order"), "[10, 30, 50] [20, 40, 1050]");
    program.patches(("x + 10)", "x + 12)"), "[12, 30, 50] [20, 40, 1050]");
    let said = program.last_patch();
    assert!(!said.contains("keep"), "{said}");
    // Together with a body.
    program.project.edit_all(
        FILE,
        &[("x + 12)", "x + 10)"), ("\"{:?} {:?}\"", "\"{:?}, {:?}\"")],
    );
    program.session.wait_for_all(&restored);
    assert_eq!(program.session.ask("order"), "[10, 30, 50], [20, 40, 1050]");
    // Beside an item that no macro can see.
    program.project.edit_all(
        FILE,
        &[
            ("x + 10)", "x + 13)"),
            ("{}-{}", "{}_{}"),
            (
                "    fn first(",
                "    static MARK: Mutex<&str> = Mutex::new(\"!\");\n    fn first(",
            ),
            ("{:?}, {:?}\"", "{:?}, {:?}{}\""),
            (
                ", all(&SECOND))",
                ", all(&SECOND), MARK.lock().expect(\"no panic\"))",
            ),
        ],
    );
    program.session.wait_for_patch();
    assert_eq!(
        program.session.ask("order"),
        "[13, 30, 50], [20, 40, 1050]!"
    );
    let said = program.last_patch();
    assert!(!said.contains("keep"), "{said}");
}

/// Closures are numbered as they stand: which of them an object was made with is known from what
/// surrounds it, or not at all.
#[test]
fn which_closure_is_which_is_told_by_what_surrounds_it() {
    let mut program = Program::start("order", "[10, 30, 50] [20, 40, 1050]");
    program.project.edit_all(
        FILE,
        &[
            ("first(Box::new(|x| x + 10))", "first(Box::new(|x| x + 20))"),
            (
                "second(Box::new(|x| x + 20))",
                "second(Box::new(|x| x + 10))",
            ),
        ],
    );
    program.session.wait_for_patch();
    assert_eq!(
        program.session.ask("order"),
        "[20, 30, 50] [10, 40, 1050]",
        "their bodies change places"
    );
    // Two statements of a closure change places, and with them the closures in it.
    program.project.edit_all(
        FILE,
        &[
            (
                "first(Box::new(|x| x + 30))",
                "second(Box::new(|x| x + 40))",
            ),
            (
                "second(Box::new(|x| x + 40));\n        };",
                "first(Box::new(|x| x + 30));\n        };",
            ),
        ],
    );
    program.session.wait_for_patch();
    assert_eq!(program.session.ask("order"), "[20, 30, 50] [10, 40, 1050]");
    program.refuses(
        &[
            ("first(Box::new(|x| x + $n));", ""),
            (
                "second(Box::new(|x| x + $n * 21));",
                "second(Box::new(|x| x + $n * 21));\n            first(Box::new(|x| x + $n));",
            ),
        ],
        &["macro both! changed", "`alive::order::made::{closure#"],
        "[20, 30, 50] [10, 40, 1050]",
    );
}

#[test]
fn a_method_that_takes_the_place_of_a_default_one() {
    let mut program = Program::start("overrides", "[1, 1]");
    let original = program.project.read(FILE);
    program.patches(
        (
            "impl Greet for Plain {}",
            "impl Greet for Plain {\nfn hi(&self) -> u32 {\n1 + 1\n}\n}",
        ),
        "[2, 1]",
    );
    program.patches(
        (
            "Greet for Of<T> {}",
            "Greet for Of<T> {\nfn hi(&self) -> u32 {\nself.0.into()\n}\n}",
        ),
        "[2, 5]",
    );
    program.patches(("1 + 1\n", "1 + 3\n"), "[4, 5]");
    program.patches(("self.0.into()\n}", "self.0.into() * 2\n}"), "[4, 10]");
    program.project.save(Save::InPlace, FILE, &original);
    program.session.wait_for_stderr("restored ");
    assert_eq!(program.session.ask("overrides"), "[1, 1]");
}

/// The methods of two types of one name have one path, and are two functions.
#[test]
fn objects_of_types_of_one_name_are_not_mixed_up() {
    let mut program = Program::start("blocks", "=u8==u16=");
    program.refuses(
        &[("\"={}=\"", "\"#{}#\"")],
        &[
            "body of fn word changed",
            "S<u32> as alive::blocks::Named>::name`",
        ],
        "=u8==u16=",
    );
}

/// Nothing of its own text was edited: that it keeps what it had would go without a word.
#[test]
fn a_closure_that_holds_an_edited_function_which_was_inlined() {
    let mut program = Program::start_with(&["--release"], "inlined", "[700, 600]");
    program.refuses(
        &[("n + 700", "n + 701"), ("n.into() + 600", "n.into() + 601")],
        &["alive::inlined::setup::{closure#1}"],
        "[700, 600]",
    );
}

/// It waits at a place in its body, with what that has put aside.
#[test]
fn a_future_behind_an_object_keeps_its_body() {
    let mut program = Program::start("waiting", "1");
    program.patches(("SAID.fetch_add(1, ", "SAID.fetch_add(100, "), "2");
    let said = program.last_patch();
    assert!(said.contains("keep their old bodies"), "{said}");
}

/// What a patch makes is laid out as its own code has it.
#[test]
fn a_future_that_a_patch_has_made_is_polled_by_its_own_code() {
    let mut program = Program::start("futures", "3000 [12]");
    program.patches(("MORE: u32 = 1", "MORE: u32 = 5"), "7000 [12]");
    program.patches(("MORE: u32 = 5", "MORE: u32 = 3"), "5000 [12]");
    // A closure of an async function, which another body surrounds where it is compared.
    program.patches(("n * by + 2", "n * by + 3"), "5000 [13]");
    program.patches(("n * by + 3", "n + by"), "5000 [11]");
    program.patches(("move |n| n + by", "move |n| n * by + 2"), "5000 [12]");
}

/// A vtable of `Error` leads to one of `Display`.
#[test]
fn what_an_error_says_of_itself_is_edited_twice() {
    let mut program = Program::start("errors", "failed: 3");
    program.patches(("failed: {}", "failure: {}"), "failure: 3");
    program.patches(("failure: {}", "{} failed"), "3 failed");
}

#[test]
fn living_objects_have_new_methods_without_a_site() {
    let mut program = Program::start("methods", "~7 one=3007 1503");
    let original = program.project.read(FILE);
    // Default methods, those of a generic type, and what writes it as text: again and again.
    program.patches(("{}={}", "{}-{}"), "~7 one-3007 1503");
    // Who made them has nothing to do anew.
    let said = program.last_patch();
    assert!(said.contains("as alive::methods::Item>::shown"), "{said}");
    assert!(!said.contains("methods::setup"), "{said}");
    program.patches(("+ 3000", "+ 4000"), "~7 one-4007 2003");
    program.patches(("~{}", "^{}"), "^7 one-4007 2003");
    // What is carried along as it was isn't told again.
    let said = program.last_patch();
    assert!(
        said.contains("::fmt") && !said.contains("::shown"),
        "{said}"
    );
    program.patches(("\"one\"", "\"uno\""), "^7 uno-4007 2003");
    program.patches(("^{}", "%{}"), "%7 uno-4007 2003");
    program.patches(("{}-{}", "{}+{}"), "%7 uno+4007 2003");
    // Code that runs may call it as it was.
    program.refuses(
        &[
            ("fn half(&self) -> u32", "fn half(&self) -> u64"),
            ("self.number() / 2", "u64::from(self.number()) / 2"),
        ],
        &["methods of trait Item changed"],
        "%7 uno+4007 2003",
    );
    program.project.save(Save::InPlace, FILE, &original);
    program.session.wait_for_stderr("restored ");
    assert_eq!(program.session.ask("methods"), "~7 one=3007 1503");
    // And what ends them.
    program.patches(("= \"dropped\"", "= \"gone\""), "~7 one=3007 1503");
    assert_eq!(program.session.ask("drop"), "gone");
}

fn rollback(program: &Program) -> Output {
    let hot = soft_mock_tests::hot::binary();
    program.project.run(hot, &["rollback"])
}

/// A patch makes an object that stays, with code that it brings.
fn add_an_object(program: &mut Program) {
    program.project.edit_all(
        FILE,
        &[
            (
                "all.truncate(1);",
                "if all.is_empty() { all.push(Box::new(Added(3u32))); }",
            ),
            ("self.0.into() + 1000", "self.0.into() + 2000"),
        ],
    );
    program.session.wait_for_patch();
    assert_eq!(program.session.ask("objects"), "[2004] 2007");
}

#[test]
fn an_object_that_a_patch_has_made_outlives_its_undoing() {
    let mut program = Program::start("objects", "[] 1007");
    let original = program.project.read(FILE);
    add_an_object(&mut program);

    let refused = rollback(&program);
    assert!(!refused.status.success(), "{refused:?}");
    program.session.wait_for_all(&[
        "not rolled back: `<alive::objects::Added<u32> as alive::objects::Call>::call` has no site",
        "take the edit back in its file, or restart",
    ]);
    assert_eq!(program.session.ask("objects"), "[2004] 2007");

    program.project.save(Save::InPlace, FILE, &original);
    let words = [
        "undone: `<alive::objects::Added<u32> as alive::objects::Call>::call` has no site",
        "(it came with an earlier patch)",
    ];
    program.session.wait_for_all(&words);
    program.session.wait_for_stderr("the old code runs on");
    assert_eq!(program.session.ask("objects"), "[2004] 2007");
}

/// Back to an earlier patch, and not to the program as it was built.
#[test]
fn an_object_that_a_patch_has_made_outlives_a_rollback_to_another() {
    let mut program = Program::start("objects", "[] 1007");
    program.patches(("n.into() + 100", "n.into() + 200"), "[] 1007");
    add_an_object(&mut program);
    let refused = rollback(&program);
    assert!(
        !refused.status.success(),
        "the object would keep the patch's code: {refused:?}"
    );
    program.session.wait_for_all(&[
        "not rolled back: what was made meanwhile may still lead to `",
        "alive::objects::Added<u32> as alive::objects::Call>::call",
    ]);
    assert_eq!(program.session.ask("objects"), "[2004] 2007");

    program.patches(("calls.truncate(2)", "calls.truncate(3)"), "[2004] 2007");
    let done = rollback(&program);
    assert!(
        done.status.success(),
        "what it leads to is what it was before: {done:?}"
    );
    program.session.wait_for_mention("rolled back ");
    assert_eq!(program.session.ask("objects"), "[2004] 2007");
}

#[test]
fn variables_in_closures_stay_wherever_others_are_inserted() {
    let mut program = Program::start("variables", "1000 0");
    program.patches(
        (
            "let next = ||",
            "let one = || 1;\n        one();\n        let next = ||",
        ),
        "1001 1",
    );
    program.patches(
        (
            "let local = ||",
            "let two = || 2;\n        two();\n        let local = ||",
        ),
        "1002 2",
    );
    program.patches(
        (
            "let local = ||",
            "let three = || 3; three(); let local = ||",
        ),
        "1003 3",
    );
}

/// What std's macro makes for a thread-local is private to its module.
#[test]
fn a_body_that_uses_a_thread_local_of_its_module() {
    let mut program = Program::start("locals", "1");
    program.patches(("COUNT.get() + 1", "COUNT.get() + 2"), "3");
    program.refuses(
        &[("COUNT: Cell<u32>", "COUNT: Cell<u64>")],
        &["type of static COUNT changed"],
        "5",
    );
}

/// An object of a type that came with a patch and is taken back: it keeps its last code, and stands
/// in no other edit's way. While its type implements the trait, its code may not become old.
#[test]
fn a_type_that_is_taken_back_leaves_its_objects_and_nothing_else() {
    const ADDED: &str = "struct Sq(u32);
        impl Sq { fn side(&self) -> u32 { self.0 * 10 } }
        impl Call for Sq { fn call(&self, n: u32) -> u32 { self.side() + n } }
        thread_local! { static MADE: std::cell::RefCell<Vec<u32>> = std::cell::RefCell::new(vec![5]); }
        struct Added<T>(T);";
    let mut program = Program::start("objects", "[] 1007");
    let before = program.project.read(FILE);
    program.project.edit_all(
        FILE,
        &[
            ("struct Added<T>(T);", ADDED),
            (
                "all.truncate(1);",
                "if all.is_empty() { all.push(Box::new(Sq(MADE.with(|made| made.borrow()[0])))); } all.truncate(1);",
            ),
        ],
    );
    program.session.wait_for_patch();
    assert_eq!(program.session.ask("objects"), "[51] 1007");
    program.refuses(
        &[("fn call(&self, n: u32) -> u32 { self.side() + n }", "")],
        &[
            "<Sq as Call>::call removed",
            "objects of Call made from Sq keep their methods",
        ],
        "[51] 1007",
    );
    program.project.save(Save::InPlace, FILE, &before);
    program.session.wait_for_stderr("restored 1 function");
    assert_eq!(program.session.ask("objects"), "[51] 1007");
    // What has nothing to do with it: generic code, and a constant.
    program.topic = "formatted";
    program.patches(("\"<{}>\"", "\"[{}]\""), "[1] (2)");
    program.patches(
        (
            "        format!(\"{} {}\", Shown(1), Kept(2))\n    }",
            "        const ONE: i32 = 11;\n        format!(\"{} {}\", Shown(ONE), Kept(2))\n    }",
        ),
        "[11] (2)",
    );
    program.project.save(Save::InPlace, FILE, &before);
    program.session.wait_for_stderr("restored 1 function");
    assert_eq!(program.session.ask("formatted"), "<1> (2)");
}

/// While an undo is refused, what it takes away counts as if it were there: other edits go on.
#[test]
fn an_undo_that_is_refused_stands_in_no_other_edits_way() {
    let mut program = Program::start("objects", "[] 1007");
    let before = program.project.read(FILE);
    program.project.edit_all(
        FILE,
        &[
            (
                "struct Added<T>(T);",
                "impl Call for u32 {\n        fn call(&self, n: u32) -> u32 {\n            self * 10 + n // ten\n        }\n    }\n\n    struct Added<T>(T);",
            ),
            (
                "all.truncate(1);",
                "if all.is_empty() { all.push(Box::new(5u32)); } all.truncate(1);",
            ),
        ],
    );
    program.session.wait_for_patch();
    let running = program.project.read(FILE);
    assert_eq!(program.session.ask("objects"), "[51] 1007");
    program.project.save(Save::InPlace, FILE, &before);
    let undone = ["undone: ", "<u32 as alive::objects::Call>::call", "is gone"];
    program.session.wait_for_all(&undone);
    program.session.wait_for_stderr("the old code runs on");

    // Generic code, a body, and both undone.
    program.topic = "formatted";
    program.patches(("\"<{}>\"", "\"[{}]\""), "[1] (2)");
    program.session.wait_for_stderr("still can't be patched: ");
    program.patches(("\"{} {}\", Shown(1)", "\"{}, {}\", Shown(1)"), "[1], (2)");
    assert_eq!(program.session.ask("objects"), "[51] 1007");
    program.project.save(Save::InPlace, FILE, &before);
    program.session.wait_for_stderr("restored 1 function");
    assert_eq!(program.session.ask("formatted"), "<1> (2)");
    assert_eq!(program.session.ask("objects"), "[51] 1007");

    program.project.save(Save::InPlace, FILE, &running);
    program.session.wait_for_stderr("the edit was taken back");
    assert_eq!(program.session.ask("objects"), "[51] 1007");
}

/// Of the bodies that are saved together with a refused edit, those wait that mention what it is
/// about.
#[test]
fn other_bodies_of_a_refused_save_are_patched() {
    let mut program = Program::start("handlers", "shown 7");
    let before = program.project.read(FILE);
    program.project.edit_all(
        FILE,
        &[
            ("fn show(n: u32)", "fn show(n: u32, even: bool)"),
            ("\"shown {n}\"", "\"shown {n} {even}\""),
            ("\"{} {}\", Shown(1)", "\"{}, {}\", Shown(1)"),
        ],
    );
    program
        .session
        .wait_for_all(&["signature of fn show changed"]);
    let patch = program.session.wait_for_patch();
    assert!(patch.contains("patched 1 function in "), "{patch}");
    assert!(patch.contains("alive::formatted::answer ("), "{patch}");
    program.session.wait_for_stderr("still can't be patched: ");
    assert_eq!(program.session.ask("formatted"), "<1>, (2)");
    assert_eq!(program.session.ask("handlers"), "shown 7");
    program.project.save(Save::InPlace, FILE, &before);
    program.session.wait_for_stderr("restored 1 function");
    assert_eq!(program.session.ask("formatted"), "<1> (2)");
}

/// A patch brings the vtable of a type whose method the program has for calls alone, and such a
/// call as well. What it makes has the method that is patched later.
#[test]
fn an_object_of_a_patch_whose_method_the_program_calls_by_itself() {
    const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    const MAIN: &str = r#"use std::io::BufRead;
use std::sync::Mutex;
static KEPT: Mutex<Vec<Box<dyn Call + Send>>> = Mutex::new(Vec::new());
const MARK: u32 = 1;
struct Of<T>(T);
trait Call { fn call(&self) -> u32; }
impl<T: Copy + Into<u32>> Call for Of<T> { fn call(&self) -> u32 { self.0.into() + 100 } }
fn keep() { let mut _kept = KEPT.lock().unwrap(); }
fn answer() -> String {
    keep();
    let kept: Vec<u32> = KEPT.lock().unwrap().iter().map(|one| one.call()).collect();
    format!("{kept:?} {} {MARK}", Of(7u32).call())
}
fn main() {
    println!("ready");
    for _ in std::io::stdin().lock().lines() {
        println!("{}", answer());
    }
}
"#;
    let project = Project::of_files([("Cargo.toml", MANIFEST), ("src/main.rs", MAIN)]);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[] 107 1");
    let file = "src/main.rs";
    project.edit_all(
        file,
        &[
            ("const MARK: u32 = 1;", "const MARK: u32 = 2;"),
            (
                "KEPT.lock().unwrap(); }",
                "KEPT.lock().unwrap(); if _kept.is_empty() { _kept.push(Box::new(Of(3u32))); } }",
            ),
        ],
    );
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[103] 107 2");
    project.edit(file, "+ 100", "+ 200");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[203] 207 2");
    project.edit(file, "+ 200", "+ 300");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[303] 307 2");
}

/// Of methods of one name in two files, it is the one around a closure whose file is named.
#[test]
fn a_closure_is_told_with_its_own_file() {
    const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    const MAIN: &str = r#"mod one;
mod two;
pub type Kept = Vec<Box<dyn Fn(u32) -> u32>>;
pub trait Plugin { fn build(&self, kept: &mut Kept); }
fn main() {
    let mut kept = Kept::new();
    one::One.build(&mut kept);
    two::Two.build(&mut kept);
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{:?}", kept.iter().map(|one| one(1)).collect::<Vec<_>>());
    }
}
"#;
    const ONE: &str = r#"use crate::{Kept, Plugin};
pub struct One;
impl Plugin for One {

    fn build(&self, kept: &mut Kept) {
        kept.push(Box::new(|n| n + 10));
    }
}
"#;
    const TWO: &str = r#"use crate::{Kept, Plugin};
pub struct Two;
impl Plugin for Two {
    fn build(&self, kept: &mut Kept) {

        kept.push(Box::new(|n| n + 20));
    }
}
"#;
    let files = [
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", MAIN),
        ("src/one.rs", ONE),
        ("src/two.rs", TWO),
    ];
    let project = Project::of_files(files);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[11, 21]");
    project.edit("src/two.rs", "n + 20", "n + 30");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[11, 31]");
    let said = session.patches().pop().expect("a patch");
    let closure = "build::{closure#0} (src/two.rs:6)";
    assert!(said.contains(closure), "{said}");
}

/// An iterator that is kept leads to its closures by way of the adaptor that holds them.
#[test]
fn an_iterator_that_is_kept_keeps_its_closures_and_that_is_said() {
    let main = r#"use std::sync::Mutex;

type Numbers = Box<dyn Iterator<Item = u32> + Send>;

static KEPT: Mutex<Option<Numbers>> = Mutex::new(None);

fn number() -> u32 {
    let mut kept = KEPT.lock().unwrap();
    let numbers = kept.get_or_insert_with(|| Box::new((0_u32..).map(|_| 1).filter(|n| *n > 0)));
    numbers.next().unwrap()
}

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{}", number());
    }
}
"#;
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("as it was built"), "1");
    for (from, to) in [("|_| 1)", "|_| 2)"), ("*n > 0)", "*n > 1)")] {
        project.edit("src/main.rs", from, to);
        session.wait_for_all(&["patched 1 function", "keep their old bodies"]);
        assert_eq!(session.ask("it lives"), "1");
    }
}
