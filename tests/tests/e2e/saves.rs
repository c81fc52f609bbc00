//! Ways to save: however a file reaches its new text, the program gets the newest one.

use std::thread;
use std::time::Duration;

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

use crate::ledger::{start, FILE};

const ORIGINAL: &str = "account of {}";

#[test]
fn in_place_by_rename_and_in_several_writes() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let mut count = 1;
    for save in [
        Save::Rename,
        Save::SeveralWrites,
        Save::InPlace,
        Save::Rename,
    ] {
        let changed = format!("{save:?} of {{}}");
        for (from, to) in [(ORIGINAL, changed.as_str()), (changed.as_str(), ORIGINAL)] {
            project.edit_by(save, FILE, from, to);
            // A file that is seen half written is mentioned at most: the whole one wins.
            let expected = to.replace("{}", "ada");
            let answer = session.ask_until("x", &expected);
            let now: u32 = answer
                .rsplit(' ')
                .next()
                .unwrap_or_default()
                .parse()
                .expect("a count");
            assert!(now > count, "the account was lost: {answer}");
            count = now;
        }
    }
    assert!(
        !session.output().to_string().contains("restart"),
        "{}",
        session.output()
    );
}

#[test]
fn git_checkout() {
    let project = Project::fixture("ledger");
    let git = |arguments: &[&str]| {
        let identity = [
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.org",
            "-c",
            "init.defaultBranch=main",
        ];
        let output = project.run("git", &[&identity[..], arguments].concat());
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    };
    project.save(Save::InPlace, ".gitignore", "target\n");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "First"]);
    git(&["checkout", "--quiet", "-b", "other"]);
    project.edit(FILE, ORIGINAL, "other of {}");
    project.edit(
        "src/account.rs",
        "self.balance += amount;",
        "self.balance += amount * 10;",
    );
    git(&["commit", "--quiet", "--all", "--message", "Second"]);
    git(&["checkout", "--quiet", "main"]);

    let mut session = start(&project);
    git(&["checkout", "--quiet", "other"]);
    session.ask_until("x", "other of ada");
    let before = balance(&session.ask("x"));
    assert_eq!(balance(&session.ask("x")), before + 10);
    git(&["checkout", "--quiet", "main"]);
    session.ask_until("x", "account of ada");
    let after = balance(&session.ask("x"));
    assert!(after > before, "the account was lost");
    assert_eq!(balance(&session.ask("x")), after + 1);
}

fn balance(answer: &str) -> u64 {
    let number = answer.rsplit(' ').next().unwrap_or_default();
    number
        .parse()
        .unwrap_or_else(|_| panic!("no balance: {answer}"))
}

#[test]
fn of_two_quick_edits_the_newest_wins() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let mut from = ORIGINAL.to_owned();
    for (round, pause) in [0, 5, 20, 50, 80, 120].into_iter().enumerate() {
        let (first, second) = (format!("first{round} {{}}"), format!("second{round} {{}}"));
        project.edit(FILE, &from, &first);
        thread::sleep(Duration::from_millis(pause));
        project.edit(FILE, &first, &second);
        let expected = format!("second{round} ada");
        session.ask_until("x", &expected);
        // A patch of the first edit that comes late must not replace the second.
        thread::sleep(Duration::from_millis(300));
        let answer = session.ask("x");
        assert!(
            answer.starts_with(&expected),
            "{answer}\n{}",
            session.output()
        );
        from = second;
    }
}

/// An editor that saves while somebody types: patches come all the same, and the last save wins.
#[test]
fn saves_that_come_faster_than_a_patch_compiles() {
    const SAVES: usize = 150;
    let project = Project::fixture("ledger");
    // What needs the whole crate, and takes far longer than the time between two saves.
    let text = |save: usize| format!("fn save<T>(_: T) -> u32 {{\n    {save}\n}}\n\nfn title(");
    project.edit(FILE, "fn title(", &text(0));
    project.edit(FILE, ORIGINAL, "{}account of {}");
    let none = "&\"\"[..save(()) as usize * 0]";
    project.edit(
        FILE,
        "account.owner())",
        &format!("{none}, account.owner())"),
    );
    let mut session = start(&project);
    project.edit(FILE, none, "save(())");
    session.ask_until("x", "0account of ada");
    let last = (1..SAVES).find(|&save| {
        project.edit(FILE, &text(save - 1), &text(save));
        thread::sleep(Duration::from_millis(40));
        session.patches().len() > 1
    });
    let last = last.unwrap_or_else(|| panic!("no patch came: {}", session.output()));
    session.ask_until("x", &format!("{last}account of ada"));
}

#[test]
fn two_quick_edits_of_different_functions_are_both_there() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    project.edit(FILE, ORIGINAL, "both {}");
    thread::sleep(Duration::from_millis(30));
    project.edit(FILE, r#""{}: {}""#, r#""{} = {}""#);
    session.ask_until("x", "both ada = ");
    let output = session.output().to_string();
    assert!(!output.contains("restart"), "{output}");
}

#[test]
fn an_edit_without_effect_that_is_taken_back() {
    const MAIN: &str = "src/main.rs";
    const OLD: &str = "Duration::from_millis(3)";
    const NEW: &str = "Duration::from_millis(4)";
    let project = Project::fixture("ledger");
    let ready = "println!(\"ready\");";
    let thread =
        format!("std::thread::spawn(|| loop {{ std::thread::sleep(std::time::{OLD}); }});");
    project.edit(MAIN, ready, &format!("{thread}\n    {ready}"));
    let tests = "#[cfg(test)]\nmod tests {\n    const ONE: u8 = 1;\n}\n\nfn title(";
    project.edit(FILE, "fn title(", tests);
    let mut session = start(&project);
    // What the program was built without.
    for (from, to) in [
        ("ONE: u8 = 1", "ONE: u8 = 2"),
        ("ONE: u8 = 2", "ONE: u8 = 1"),
    ] {
        project.edit(FILE, from, to);
        session.wait_for_stderr("nothing differs from what runs");
    }
    let dead = "ledger::main (src/main.rs:10) is running and won't be called again";
    for _ in 0..2 {
        project.edit(MAIN, OLD, NEW);
        session.wait_for_stderr(dead);
        project.edit(MAIN, NEW, OLD);
        session.wait_for_stderr("the edit was taken back");
    }

    // What has a meaning takes its place.
    project.edit(MAIN, OLD, NEW);
    session.wait_for_stderr(dead);
    project.edit(FILE, ORIGINAL, "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2");
    assert!(session.patches().len() == 1, "{}", session.output());
}

/// The fixture `alive`, asked once.
#[track_caller]
fn alive(options: &[&str]) -> (Project, Session) {
    let project = Project::fixture("alive");
    let mut session = project.hot(&[options, &["--no-restart", "cargo", "run"]].concat());
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("closures"), "[6] 107 4");
    (project, session)
}

/// `closures` of the fixture `alive` in a file of its own, with an edit: texts of both files.
fn as_file(main: &str, edit: (&str, &str)) -> (String, String) {
    let (before, rest) = main.split_once("mod closures {\n").expect("the module");
    let (block, after) = rest.split_once("\n}\n").expect("its end");
    assert_eq!(block.matches(edit.0).count(), 1);
    let file = format!("{}\n", block.replace(edit.0, edit.1));
    (format!("{before}mod closures;\n{after}"), file)
}

fn half(text: &str) -> &str {
    &text[..text.find("calls.truncate").expect("a body")]
}

/// Half a save of a file that the program was built without is no end of its module: what it holds
/// then is patched.
#[test]
fn half_a_save_of_a_module_that_became_a_file() {
    let (project, mut session) = alive(&[]);

    let (main, file) = as_file(
        &project.read("src/main.rs"),
        ("n.into() + 100", "n.into() + 200"),
    );
    project.save(Save::InPlace, "src/closures.rs", half(&file));
    project.save(Save::InPlace, "src/main.rs", &main);
    session.wait_for_stderr("src/closures.rs:");
    assert_eq!(session.ask("closures"), "[6] 107 4");
    project.save(Save::InPlace, "src/closures.rs", &file);
    session.wait_for_patch();
    assert_eq!(session.ask("closures"), "[6] 207 4");

    // Once more, on top of that.
    let file = file.replace("n.into() + 200", "n.into() + 300");
    project.save(Save::InPlace, "src/closures.rs", half(&file));
    session.wait_for_stderr("src/closures.rs:");
    assert_eq!(session.ask("closures"), "[6] 207 4");
    project.save(Save::InPlace, "src/closures.rs", &file);
    session.wait_for_patch();
    assert_eq!(session.ask("closures"), "[6] 307 4");

    // And in a folder.
    let file = file.replace("n.into() + 300", "n.into() + 400");
    std::fs::create_dir(project.path("src/closures")).expect("a folder");
    std::fs::remove_file(project.path("src/closures.rs")).expect("a file");
    project.save(Save::InPlace, "src/closures/mod.rs", half(&file));
    session.wait_for_stderr("src/closures/mod.rs:");
    project.save(Save::InPlace, "src/closures/mod.rs", &file);
    session.wait_for_patch();
    assert_eq!(session.ask("closures"), "[6] 407 4");
    assert!(!session.output().to_string().contains("restored"));
}

/// A module that became a file has no file for a while: that isn't what ran before.
#[test]
fn a_module_that_became_a_file_and_lost_it() {
    let (project, mut session) = alive(&[]);
    let (main, file) = as_file(
        &project.read("src/main.rs"),
        ("n.into() + 100", "n.into() + 200"),
    );
    project.save(Save::InPlace, "src/closures.rs", &file);
    project.save(Save::InPlace, "src/main.rs", &main);
    session.wait_for_patch();
    assert_eq!(session.ask("closures"), "[6] 207 4");

    std::fs::remove_file(project.path("src/closures.rs")).expect("a file");
    let line = main.lines().position(|line| line == "mod closures;");
    let place = format!("src/main.rs:{}: ", line.expect("a declaration") + 1);
    session.wait_for_all(&[&place, "the file of module `closures` isn't there"]);
    assert_eq!(session.ask("closures"), "[6] 207 4");

    let file = file.replace("n.into() + 200", "n.into() + 300");
    project.save(Save::InPlace, "src/closures.rs", &file);
    session.wait_for_patch();
    assert_eq!(session.ask("closures"), "[6] 307 4");
    assert!(!session.output().to_string().contains("restored"));
}

/// A module that became a file and is a block again: what is new in it is told from what isn't.
#[test]
fn additions_to_a_module_that_is_a_block_again() {
    let (project, mut session) = alive(&["--verbose"]);
    let block = project.read("src/main.rs");
    let (main, file) = as_file(&block, ("n.into() + 100", "n.into() + 200"));
    project.save(Save::InPlace, "src/closures.rs", &file);
    project.save(Save::InPlace, "src/main.rs", &main);
    session.wait_for_patch();
    assert_eq!(session.ask("closures"), "[6] 207 4");

    std::fs::remove_file(project.path("src/closures.rs")).expect("a file");
    let make = "fn make(calls: &mut Vec<Call>) {\n";
    let with_const = format!("const LIMIT: usize = 0;\n{make}calls.truncate(LIMIT);\n");
    let text = block.replace(make, &with_const);
    project.save(Save::InPlace, "src/main.rs", &text);
    session.wait_for_stderr("(because of: const LIMIT added");
    assert_eq!(session.ask("closures"), "[] 107 4");
    let with_import = "use std::cmp;\nconst LIMIT: usize = 0;\nfn make";
    let text = text.replace("const LIMIT: usize = 0;\nfn make", with_import);
    let text = text.replace("truncate(LIMIT)", "truncate(cmp::min(LIMIT, 1))");
    project.save(Save::InPlace, "src/main.rs", &text);
    session.wait_for_stderr("(because of: use std::cmp added");
    assert_eq!(session.ask("closures"), "[] 107 4");
}

/// Whole crates carry along what was patched before: an edit that changes nothing of it doesn't
/// name it. Code that has no site of its own is named where it stands.
#[test]
fn a_derive_that_nobody_uses_names_no_function() {
    let main = r#"const STEP: u32 = 1;

struct Item(u32);

fn total(items: &[Item]) -> u32 {
    items.iter().map(|item| item.0 + STEP).sum()
}

fn each<'a>(items: &'a [Item]) -> Box<dyn Iterator<Item = u32> + 'a> {
    Box::new(items.iter().map(|item| item.0 * 10))
}

fn main() {
    let items = [Item(1), Item(2)];
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{} {:?}", total(&items), each(&items).collect::<Vec<_>>());
    }
}
"#;
    let project = Project::of_main(main);
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit("src/main.rs", "STEP: u32 = 1", "STEP: u32 = 2");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "7 [10, 20]");
    project.edit(
        "src/main.rs",
        "struct Item(u32)",
        "#[derive(Debug)]\nstruct Item(u32)",
    );
    session.wait_for_stderr(
        "src/main.rs:4: attributes of struct Item changed: nothing that runs uses it",
    );
    project.edit("src/main.rs", "item.0 * 10", "item.0 * 30");
    session.wait_for_all(&[
        "own::each (src/main.rs:10)",
        "own::each::{closure#0} (src/main.rs:11)",
    ]);
    assert_eq!(session.ask("x"), "7 [30, 60]");
}
