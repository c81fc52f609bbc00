//! Files beside a program's own sources: cargo would build again for each of them, so an edit of
//! one gets an answer.

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

use crate::ledger::{start, FILE};

const MAIN: &str = "src/main.rs";

/// The ledger with a build script that makes a module of the files that it names.
fn generated() -> Project {
    let project = Project::fixture("ledger");
    let script = r#"fn main() {
    println!("cargo::rerun-if-changed=word.txt");
    println!("cargo:rerun-if-changed=words");
    let word = std::fs::read_to_string("word.txt").unwrap();
    let folder = std::fs::read_to_string("words/deep/er.txt").unwrap();
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap());
    let module = format!("pub fn word() -> &'static str {{ \"{} {}\" }}", word.trim(), folder.trim());
    std::fs::write(out.join("word.rs"), module).unwrap();
}
"#;
    std::fs::create_dir_all(project.path("words/deep")).expect("a folder");
    for (file, text) in [
        ("build.rs", script),
        ("word.txt", "one\n"),
        ("words/deep/er.txt", "two\n"),
    ] {
        project.save(Save::InPlace, file, text);
    }
    project.edit_all(
        MAIN,
        &[
            (
                "mod account;",
                "include!(concat!(env!(\"OUT_DIR\"), \"/word.rs\"));\nmod account;",
            ),
            (
                "println!(\"{}\", report::line(&account));",
                "println!(\"{} {}\", word(), report::line(&account));",
            ),
        ],
    );
    project
}

#[test]
fn what_a_build_script_reads_is_named() {
    let project = generated();
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "one two account of ada: 1");
    project.save(Save::Rename, "word.txt", "three\n");
    session.wait_for_all(&["word.txt:", "the build script of crate `ledger` reads it"]);
    project.save(Save::Rename, "word.txt", "one\n");
    project.save(Save::InPlace, "words/deep/er.txt", "four\n");
    session.wait_for_all(&[
        "words/deep/er.txt:",
        "the build script of crate `ledger` reads it",
    ]);
    project.save(Save::Rename, "words/deep/er.txt", "two\n");
    session.wait_for_stderr("the edit was taken back");

    // New files in a folder that it names, and what decides about its environment.
    project.save(Save::InPlace, "words/new.txt", "five\n");
    session.wait_for_all(&[
        "words/new.txt:",
        "the build script of crate `ledger` reads its folder",
    ]);
    std::fs::remove_file(project.path("words/new.txt")).expect("a file");
    session.wait_for_stderr("the edit was taken back");
    std::fs::create_dir_all(project.path(".cargo")).expect("a folder");
    let config = "[env]\nWORD = \"six\"\n";
    project.save(Save::InPlace, ".cargo/config.toml", config);
    session.wait_for_all(&[".cargo/config.toml:", "cargo's configuration changed"]);
    assert_eq!(session.ask("x"), "one two account of ada: 2");
}

#[test]
fn what_a_build_script_reads_restarts() {
    let project = generated();
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "one two account of ada: 1");
    project.save(Save::Rename, "words/deep/er.txt", "three\n");
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "one three account of ada: 1");
}

/// Starts the program of `neighbour`, which greets for each line of input.
fn start_beside(project: &mut Project) -> Session {
    project.enter("program");
    project.edit(
        MAIN,
        "    println!(\"{}\", greeting());",
        "    println!(\"ready\");\n    for _ in std::io::stdin().lines() {\n        println!(\"{}\", greeting());\n    }",
    );
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session
}

#[test]
fn a_dependency_beside_the_workspace_is_named() {
    let mut project = Project::fixture("neighbour");
    let mut session = start_beside(&mut project);
    project.edit("../library/src/lib.rs", "\"the library\"", "\"a library\"");
    session.wait_for_all(&[
        "library/src/lib.rs:",
        "crate `library` is no member of the workspace; `hot --include library …` patches it",
    ]);
    assert_eq!(session.ask("x"), "hello from the library");
}

#[test]
fn a_dependency_of_one_beside_the_workspace_is_named() {
    let mut project = Project::fixture("neighbour");
    let manifest = "[package]\nname = \"deeper\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let source = "pub fn name() -> &'static str {\n    \"the depth\"\n}\n";
    std::fs::create_dir_all(project.path("deeper/src")).expect("a folder");
    project.save(Save::InPlace, "deeper/Cargo.toml", manifest);
    project.save(Save::InPlace, "deeper/src/lib.rs", source);
    let manifest = project.read("library/Cargo.toml");
    let manifest = manifest + "\n[dependencies]\ndeeper = { path = \"../deeper\" }\n";
    project.save(Save::InPlace, "library/Cargo.toml", &manifest);
    project.edit("library/src/lib.rs", "\"the library\"", "deeper::name()");
    let mut session = start_beside(&mut project);
    project.edit("../deeper/src/lib.rs", "\"the depth\"", "\"a depth\"");
    session.wait_for_all(&[
        "deeper/src/lib.rs:",
        "crate `deeper` is no member of the workspace; `hot --include deeper …` patches it",
    ]);
    assert_eq!(session.ask("x"), "hello from the depth");
}

#[test]
fn files_that_are_values_are_patched() {
    const WORD: &str = "word.txt";
    const LENGTH: &str = "src/length.bin";
    let project = Project::fixture("ledger");
    project.save(Save::InPlace, WORD, "one");
    project.save(Save::InPlace, LENGTH, "abc");
    project.edit(FILE, "\"account of {}\", ", "\"{WORD} of {}\", ");
    let constant = "\nconst WORD: &str = include_str!(\"../word.txt\");\n";
    project.save(Save::InPlace, FILE, &(project.read(FILE) + constant));
    project.edit_all(
        MAIN,
        &[
            (
                "fn main() {",
                "struct Held([u8; include_bytes!(\"length.bin\").len()]);\n\nfn main() {\n    let held = Held(*include_bytes!(\"length.bin\"));",
            ),
            (
                "println!(\"{}\", report::line(&account));",
                "println!(\"{} {}\", held.0.len(), report::line(&account));",
            ),
        ],
    );
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "3 one of ada: 1");
    project.save(Save::Rename, WORD, "two");
    session.wait_for_all(&["patched 1 function", "because of: word.txt changed"]);
    assert_eq!(session.ask("x"), "3 two of ada: 2");

    // A length that reaches a type; what is saved beside it is patched.
    project.save(Save::Rename, LENGTH, "abcd");
    session.wait_for_all(&[
        "src/length.bin changed: what is alive has another form",
        "[u8; 4], was [u8; 3]",
    ]);
    project.save(Save::Rename, WORD, "three");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "3 three of ada: 3");
    project.edit(FILE, " of {}", " for {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "3 three for ada: 4");
    project.save(Save::Rename, LENGTH, "abc");
    project.edit(FILE, "{}: {}", "{} = {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "3 three for ada = 5");

    // Taken back by hand, and by the files.
    project.save(Save::Rename, WORD, "four");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "3 four for ada = 6");
    project.hot_to_end(&["rollback"]);
    assert_eq!(session.ask("x"), "3 three for ada = 7");
    project.save(Save::Rename, WORD, "one");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "3 one for ada = 8");
}

#[test]
fn what_a_patch_includes_is_watched() {
    const WORD: &str = "src/word.txt";
    let project = Project::fixture("ledger");
    project.save(Save::InPlace, WORD, "one");
    let original = project.read(FILE);
    let mut session = start(&project);
    let mut count = 1;
    let mut patched = |file: &str, text: &str, says: &str, answer: &str| {
        project.save(Save::Rename, file, text);
        session.wait_for_stderr(says);
        count += 1;
        assert_eq!(session.ask("x"), format!("{answer} ada: {count}"));
    };
    let with = |word: &str| {
        original.replace(
            "\"account of {}\", ",
            &format!("\"{{}} of {{}}\", {word}, "),
        )
    };
    let body = with("include_str!(\"word.txt\")");
    patched(FILE, &body, "patched 1 function", "one of");
    let because = "because of: src/word.txt changed";
    patched(WORD, "two", because, "two of");
    patched(WORD, "one", because, "one of");
    patched(
        FILE,
        &body.replace(" of ", " for "),
        "patched 1 function",
        "one for",
    );
    patched(WORD, "two", because, "two for");

    // A body that is compiled alone.
    let absolute = "include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/src/word.txt\"))";
    patched(FILE, &with(absolute), "patched 1 function", "two of");
    patched(WORD, "three", because, "three of");

    let constant = "\nconst WORD: &str = include_str!(\"word.txt\");\n";
    patched(
        FILE,
        &(with("WORD") + constant),
        "patched 1 function",
        "three of",
    );
    patched(WORD, "four", because, "four of");
    patched(FILE, &original, "restored", "account of");

    // Nothing is left that it would change.
    let before = session.now();
    project.save(Save::Rename, WORD, "five");
    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 12");
    let lines = session.stderr_since(before);
    assert!(
        !lines.iter().any(|line| line.contains("word.txt")),
        "{lines:#?}"
    );
}
