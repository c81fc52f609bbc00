//! What a program means must not change because we need to reach its private items: each of these
//! prints the same under plain cargo and under `hot`, before and after a patch, and its private
//! items can be patched all the same.

use soft_mock_tests::project::Project;

/// An edit: the texts before and after it, and what the program answers then.
struct Edit {
    from: &'static str,
    to: &'static str,
    answer: &'static str,
}

/// Compares plain cargo and `hot`, patches a private item, then edits the code outside that has to
/// mean the same.
fn check(fixture: &str, answer: &str, private: &Edit, outside: &Edit) {
    let project = Project::fixture(fixture);
    let mut plain = project.start("cargo", &["run"]);
    plain.wait_for_stdout("ready");
    assert_eq!(plain.ask("x"), answer);
    plain.finish();

    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), answer);

    project.edit("src/main.rs", private.from, private.to);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), private.answer);

    // Whether this is patched or needs a restart is free: what it means isn't.
    project.edit("src/main.rs", outside.from, outside.to);
    let start = outside.answer.split(' ').next().unwrap_or_default();
    assert_eq!(session.ask_until("x", start), outside.answer);
    let output = session.output().to_string();
    assert!(!output.contains("built unmodified"), "{output}");
}

#[test]
fn a_private_field_against_deref() {
    let private = Edit {
        from: r#"format!("own {}", self.n)"#,
        to: r#"format!("mine {}", self.n)"#,
        answer: "seen 2, mine 1",
    };
    let outside = Edit {
        from: r#"format!("seen {}", holder.n)"#,
        to: r#"format!("found {}", holder.n)"#,
        answer: "found 2, mine 1",
    };
    check("deref", "seen 2, own 1", &private, &outside);
}

#[test]
fn a_private_inherent_method_against_a_trait_method() {
    let private = Edit {
        from: r#""inherent""#,
        to: r#""private""#,
        answer: "seen trait, own private",
    };
    let outside = Edit {
        from: r#"format!("seen {}", dog.name())"#,
        to: r#"format!("found {}", dog.name())"#,
        answer: "found trait, own private",
    };
    check("inherent", "seen trait, own inherent", &private, &outside);
}

#[test]
fn a_glob_import_against_the_prelude() {
    let private = Edit {
        from: r#""own""#,
        to: r#""mine""#,
        answer: "seen 1, mine 0",
    };
    let outside = Edit {
        from: r#"format!("seen {}", count.get() - before)"#,
        to: r#"format!("found {}", count.get() - before)"#,
        answer: "found 1, mine 0",
    };
    check("glob", "seen 1, own 0", &private, &outside);
}

#[test]
fn names_by_order_by_traits_and_in_macros() {
    let project = Project::fixture("scopes");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "1 2, one trait, two trait, raw, 21");
    let edits = [
        (
            "fn first() -> u32 {\n    number!()",
            "fn first() -> u32 {\n    number!() + 10",
            "11 2, one trait, two trait, raw, 21",
        ),
        (
            "\"one {}\"",
            "\"uno {}\"",
            "11 2, uno trait, two trait, raw, 21",
        ),
        (
            "\"two {}\"",
            "\"due {}\"",
            "11 2, uno trait, due trait, raw, 21",
        ),
        (
            "\"raw\"",
            "\"rough\"",
            "11 2, uno trait, due trait, rough, 21",
        ),
    ];
    for (from, to, answer) in edits {
        project.edit("src/main.rs", from, to);
        session.wait_for_patch();
        assert_eq!(session.ask("x"), answer);
    }

    // The impl block in another module: its functions are the same ones, now and at the next edit.
    let moved = [
        ("mod home {", "mod away {"),
        ("            21", "            22"),
    ];
    let again = [("            22", "            23")];
    for (edit, answer) in [(&moved[..], ", 22"), (&again[..], ", 23")] {
        project.edit_all("src/main.rs", edit);
        session.wait_for_patch();
        let said = session.ask("x");
        assert!(said.ends_with(answer), "{said}");
    }

    // The same text below the other macro of that name.
    let first = "fn first() -> u32 {\n    number!() + 10\n}\n\n";
    let below = format!("{first}fn second()");
    project.edit_all("src/main.rs", &[(first, ""), ("fn second()", &below)]);
    session.wait_for_patch();
    let said = session.ask("x");
    assert!(said.starts_with("12 2, "), "{said}");
}
