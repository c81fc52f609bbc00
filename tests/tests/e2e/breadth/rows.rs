//! Rows of the table that need more than an edit and an answer: what is said of values that stay,
//! of code that nobody runs, and of crates that can't follow.

use super::{Edit, Program};

pub(super) const ROWS: &str = "app/src/rows.rs";
pub(super) const LOWEST: &str = "lowest/src/lib.rs";

/// What is to be seen as long as nothing runs that was made from whole crates.
pub(super) fn first(program: &mut Program) {
    program.edit(&[(ROWS, "item.to_string()", "item.to_string() + \"!\"")]);
    let said = [
        ROWS,
        "body of fn nobody changed",
        "nothing that runs uses it",
    ];
    program.session.wait_for_all(&said);
    // Once more: people hear of each save.
    program.edit(&[(ROWS, "+ \"!\"", "+ \"?\"")]);
    program.session.wait_for_all(&said);
    program.edit(&[(ROWS, "item.to_string() + \"?\"", "item.to_string()")]);

    // A crate that is built unmodified calls the function at its site, as all others do.
    program.answers("old", "old 21");
    program.patches(&[(LOWEST, "    7\n", "    8\n")], "old", "old 24");
    program.edit(&[(LOWEST, "    8\n", "    7\n")]);
    let answer = program.session.ask_until("old", " old 21");
    program.counted(&answer, "old 21");
}

/// Edits that are patched.
pub(super) fn patched(program: &mut Program) {
    program.answers("derive", "label a");
    program.patches(
        &[
            (ROWS, "#[derive(Clone)]", "#[derive(Clone, Debug)]"),
            (ROWS, "\"label {}\", label.text", "\"label {:?}\", label"),
        ],
        "derive",
        "label Label { text: \"a\" }",
    );
    program.answers("deref", "sheet 1 3");
    program.patches(&[(ROWS, "&self.front", "&self.back")], "deref", "sheet 2 3");

    // Behind a constant without a name.
    program.answers("hidden", "hidden 3");
    program.patches(
        &[(ROWS, "\"hidden {}\"", "\"found {}\"")],
        "hidden",
        "found 3",
    );

    // The result is `impl Trait`, and only an object leads to the function.
    program.answers("page", "page 1");
    program.patches(
        &[(ROWS, "\"page {number}\"", "\"sheet {number}\"")],
        "page",
        "sheet 1",
    );
    // It is a reference or a box, to which what some paths return is coerced.
    program.answers("pages", "no more 20 kept, no more thirty lent");
    program.patches(
        &[(ROWS, "\"no more\"", "\"no less\"")],
        "pages",
        "no less 20 kept, no less thirty lent",
    );
    program.patches(
        &[
            (ROWS, "\"thirty\"", "\"dozens\""),
            (ROWS, "new(number)", "new(number * 2)"),
        ],
        "pages",
        "no less 40 kept, no less dozens lent",
    );
    program.patches(
        &[
            (ROWS, "return \"lent\"", "return \"borrowed\""),
            (ROWS, "    &TEXT", "    &TEXT[1..]"),
        ],
        "pages",
        "no less 40 ept, no less dozens borrowed",
    );

    // What nobody uses isn't said to be patched, whatever else is.
    let known = program.session.patches().len();
    program.edit(&[(
        ROWS,
        "nobody<T: ToString>(item: T)",
        "nobody<T: ToString>(item: T, _: u8)",
    )]);
    let said = [
        ROWS,
        "signature of fn nobody changed",
        "nothing that runs uses it",
    ];
    program.session.wait_for_all(&said);
    assert_eq!(program.session.patches().len(), known);

    // Its code is handed its caller's place: by way of its callers, which know how to call it.
    program.answers("tracked", "here 1 column 5 there 1 column 28");
    program.patches(
        &[(ROWS, "STEP: u32 = 1", "STEP: u32 = 2")],
        "tracked",
        "here 2 column 5 there 2 column 28",
    );
    program.patches(
        &[(ROWS, "{of} {STEP} column", "{of} {STEP}, column")],
        "tracked",
        "here 2, column 5 there 2, column 28",
    );

    // The trait that says so is declared in another crate.
    program.answers("placed", "b placed at column 5");
    program.patches(
        &[(ROWS, "{} placed at column", "{} stands at column")],
        "placed",
        "b stands at column 5",
    );

    values(program);
}

/// What exists keeps its value, and that is said. What is new begins with its own.
fn values(program: &mut Program) {
    let keeps = "keeps the value that it has";
    program.answers("static", "starts 1");
    program.edit(&[(ROWS, "AtomicU32::new(1)", "AtomicU32::new(5)")]);
    program
        .session
        .wait_for_all(&[ROWS, "initial value of static STARTS", keeps]);
    program.answers("static", "starts 1");
    program.answers("thread-local", "turns 10 10");
    let more = "thread_local! {\n    static MORE: Cell<u32> = Cell::new(3);\n}\n\npub fn turns()";
    program.patches(
        &[
            (ROWS, "pub fn turns()", more),
            (ROWS, "TURNS.get())\n}", "TURNS.get() + MORE.replace(4))\n}"),
        ],
        "thread-local",
        "turns 13 10",
    );
    program.answers("thread-local", "turns 14 10");
}

/// Edits that are refused.
pub(super) fn refused(refuses: &mut impl FnMut(Edit<'_>, &[&str])) {
    refuses(
        (ROWS, "Ok(format!(\"page {number}\"))", "Ok(number)"),
        &[
            ROWS,
            "what `app::rows::page` returns is of another type now",
        ],
    );
    refuses(
        (ROWS, "let step = 1;", "let step = 2;"),
        &[ROWS, "`app::rows::step` returns a closure or a future"],
    );
    let deref = "pub fn label()";
    let added = "impl Deref for Label {\n    type Target = String;\n\n    fn deref(&self) -> &String {\n        &self.text\n    }\n}\n\npub fn label()";
    refuses(
        (ROWS, deref, added),
        &[
            "impl Deref for Label added",
            "how the fields of Label are seen",
        ],
    );
    // The variable's key holds a pointer to what makes its first value.
    refuses(
        (ROWS, "Cell::new(10)", "Cell::new(20)"),
        // Two of its accessors lead there, so the line ends early.
        &["initial value of static TURNS", "may still lead"],
    );
    refuses(
        (LOWEST, "copied().max()", "copied().min()"),
        &[
            "body of fn largest",
            "crate `old` uses it, which was built unmodified",
        ],
    );
}
