//! Additions that were compiled with whole crates, and are carried with the bodies that use them
//! afterwards; and what lives on of additions.

use soft_mock_tests::project::{Project, Save};

use super::{with, Day, Way, FILE, SCALED};

const BAG: &str = "
use std::cmp::min;

struct Bag(u64);

impl Bag {
    fn text(&self) -> String {
        format!(\"b{}\", min(self.0, LIMIT))
    }
}

const LIMIT: u64 = 5;
";

#[test]
fn types_imports_and_constants() {
    let mut day = Day::scaled("");
    let marked = with(SCALED, &[("format!(\"m{n}\")", "Bag(n.into()).text()")]) + BAG;
    day.save(&marked, "account of ada: 20b1", Way::Micro);
    let larger = with(&marked, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 300b1", Way::WholeCrate);
    // A body that uses them, a method and a constant of theirs, and one of them less.
    let more = with(&larger, &[("Bag(n.into())", "Bag(u64::from(n) + 6)")]);
    day.save(&more, "account of ada: 400b5", Way::Micro);
    let upper = with(&more, &[("\"b{}\"", "\"B{}\"")]);
    day.save(&upper, "account of ada: 500B5", Way::Micro);
    let limit = with(&upper, &[("LIMIT: u64 = 5", "LIMIT: u64 = 6")]);
    day.save(&limit, "account of ada: 600B6", Way::Micro);
    let without = with(
        &limit,
        &[
            ("use std::cmp::min;\n", ""),
            ("min(self.0, LIMIT)", "LIMIT"),
        ],
    );
    day.save(&without, "account of ada: 700B6", Way::Micro);
    // What reached others is undone, and they stay.
    day.save(&marked, "account of ada: 80b1", Way::WholeCrate);
    day.session.wait_for_stderr("restored 1 function");
    day.save(SCALED, "account of ada: 90m1", Way::Nothing);
}

/// Objects of the type as it was compiled then live on: another type of that name is none of
/// theirs.
#[test]
fn a_type_whose_values_live_on() {
    let mut day = Day::scaled("");
    let kept = with(
        SCALED,
        &[(
            "format!(\"m{n}\")",
            "let kept: Box<dyn std::any::Any> = Box::new(Bag(n.into()));\n    \
             let text = kept.downcast_ref::<Bag>().map_or(String::new(), Bag::text);\n    \
             std::mem::forget(kept);\n    text",
        )],
    ) + BAG;
    day.save(&kept, "account of ada: 20b1", Way::WholeCrate);
    let larger = with(&kept, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 300b1", Way::WholeCrate);
    let more = with(&larger, &[("    text\n", "    text + \"!\"\n")]);
    day.save(&more, "account of ada: 400b1!", Way::WholeCrate);
}

impl Day {
    /// Saves what can't be patched, since a thread may run `name` for ever.
    #[track_caller]
    fn refuses(&mut self, text: &str, name: &str) {
        self.project.save(Save::InPlace, FILE, text);
        let why = format!("something may still lead to `{name}` as it was");
        self.session.wait_for_stderr(&why);
        self.session.wait_for_stdout("ready");
        self.session.wait_for_stderr("hot: restarted");
    }
}

/// Neither what a thread runs for ever nor what that gets to becomes another one, however it came.
#[test]
fn an_addition_that_lives_on() {
    let spawn = |name: &str| {
        let wait = "std::thread::sleep(std::time::Duration::from_millis(5));";
        format!("std::thread::spawn(|| loop {{ {wait} {name}(); }});\n    format!(\"m{{n}}\")")
    };
    let body = "format!(\"m{n}\")";
    let mut day = Day::scaled("");
    let ticks = with(SCALED, &[(body, &spawn("tick"))]);
    let ticks = ticks + "const ONE: u32 = 1;\nfn tick() -> u32 { ONE }\n";
    day.save(&ticks, "account of ada: 20m1", Way::Micro);
    let other = with(&ticks, &[("u32 { ONE }", "u64 { ONE.into() }")]);
    day.refuses(&other, "tick");

    let tocks = with(&other, &[(body, &spawn("tock")), ("u64 = 10", "u64 = 100")]);
    let tocks = tocks + "fn tock() -> u32 { 1 }\n";
    day.save(&tocks, "account of ada: ", Way::WholeCrate);
    // What whole crates bring has a site as well.
    let other = with(&tocks, &[("u32 { 1 }", "u32 { 2 }")]);
    day.save(&other, "account of ada: ", Way::Micro);
}

/// A future is a call in progress, and ends with the body that it has.
#[test]
fn a_future_that_lives_on() {
    let mut day = Day::scaled("");
    let job = "
fn keep(n: u8) -> String {
    let job: std::pin::Pin<Box<dyn std::future::Future<Output = u8>>> = Box::pin(job());
    std::mem::forget(job);
    format!(\"k{n}\")
}

async fn job() -> u8 {
    1
}
";
    let kept = with(SCALED, &[("format!(\"m{n}\")", "keep(n)")]) + job;
    day.save(&kept, "account of ada: 20k1", Way::Micro);
    let other = "    drop(job());\n    format!(\"k{n}\")\n}\n\nasync fn job() -> u8 {\n    2\n}\n";
    let (before, _) = kept.split_once("    let job").expect("it makes one");
    day.save(
        &format!("{before}{other}"),
        "account of ada: 30k1",
        Way::Micro,
    );
    // As the first patch had it, in place of all that the second one brought.
    day.save(&kept, "account of ada: 40k1", Way::Micro);
    day.save(SCALED, "account of ada: 50m1", Way::WholeCrate);
    day.save(&kept, "account of ada: 60k1", Way::Micro);
}

/// A table leads to what a patch has added by its site: that is no reason against another addition,
/// and what whole crates carry along isn't named.
#[test]
fn an_addition_that_is_kept_stands_in_no_others_way() {
    let main = r#"use std::sync::Mutex;

static TABLE: Mutex<Vec<fn(u32) -> u32>> = Mutex::new(Vec::new());
static BOXES: Mutex<Vec<Box<dyn Fn(u32) -> u32 + Send>>> = Mutex::new(Vec::new());

fn fill() {}

fn store() {}

fn twice<T: Into<u32>>(n: T) -> u32 {
    n.into() * 2
}

fn answer() -> String {
    fill();
    store();
    let all: Vec<u32> = TABLE.lock().unwrap().iter().map(|function| function(5)).collect();
    let boxed: Vec<u32> = BOXES.lock().unwrap().iter().map(|function| function(5)).collect();
    format!("{all:?} {boxed:?} {}", twice(3_u8))
}

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        println!("{}", answer());
    }
}
"#;
    let file = "src/main.rs";
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session.wait_for_stderr("can be patched live");
    let fill = "fn first(n: u32) -> u32 {\n    n * 100\n}\n\nfn fill() {\n    \
                let mut all = TABLE.lock().unwrap();\n    if all.is_empty() {\n        \
                all.push(first);\n    }\n}";
    let store = "fn second(n: u32) -> u32 {\n    n + 1000\n}\n\nfn store() {\n    \
                 let mut all = BOXES.lock().unwrap();\n    if all.is_empty() {\n        \
                 all.push(Box::new(|n| second(n)));\n    }\n}";
    for (from, to, named, answer) in [
        ("fn fill() {}", fill, "1 function", "[500] [] 6"),
        ("into() * 2", "into() * 3", "1 function", "[500] [] 9"),
        ("fn store() {}", store, "1 function", "[500] [1005] 9"),
        ("n + 1000", "n + 2000", "2 functions", "[500] [2005] 9"),
        ("n * 100", "n * 200", "2 functions", "[1000] [2005] 9"),
        ("n + 2000", "n + 3000", "2 functions", "[1000] [3005] 9"),
    ] {
        project.edit(file, from, to);
        session.wait_for_stderr(&format!("patched {named} "));
        assert_eq!(session.ask("x"), answer);
    }
}

/// What whole crates bring has its check as well: a new module's functions, beside other edits that
/// need whole crates.
#[test]
fn functions_of_a_new_module_that_a_table_keeps() {
    let main = r#"use std::sync::Mutex;

const LESS: u32 = 1;

static TABLE: Mutex<Vec<fn(u32) -> u32>> = Mutex::new(Vec::new());

fn fill() {}

fn main() {
    println!("ready");
    for _ in std::io::stdin().lines() {
        fill();
        let all: Vec<u32> = TABLE.lock().unwrap().iter().map(|function| function(5)).collect();
        println!("{all:?}");
    }
}
"#;
    let (file, module) = ("src/main.rs", "src/added.rs");
    let project = Project::of_main(main);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session.wait_for_stderr("can be patched live");
    let text = "pub fn one(n: u32) -> u32 {\n    n * 100\n}\n\npub fn two(n: u32) -> u32 {\n    \
                n * 1000\n}\n";
    project.save(Save::InPlace, module, text);
    let fill = "mod added;\n\nfn fill() {\n    let mut all = TABLE.lock().unwrap();\n    \
                if all.is_empty() {\n        all.push(added::one);\n        \
                all.push(added::two);\n    }\n}";
    project.edit(file, "fn fill() {}", fill);
    session.wait_for_stderr("patched 1 function ");
    assert_eq!(session.ask("x"), "[500, 5000]");
    for (file, from, to, named, answer) in [
        (
            module,
            "n * 100\n",
            "n * 200\n",
            "added::one",
            "[1000, 5000]",
        ),
        (
            module,
            "n * 1000",
            "n - super::LESS",
            "added::two",
            "[1000, 4]",
        ),
        (
            file,
            "LESS: u32 = 1",
            "LESS: u32 = 2",
            "added::two",
            "[1000, 3]",
        ),
        (module, "n * 200\n", "n * 300\n", "added::one", "[1500, 3]"),
    ] {
        project.edit(file, from, to);
        session.wait_for_all(&["patched 1 function ", named]);
        assert_eq!(session.ask("x"), answer);
    }
}
