//! Real crates: compiled as the wrapper does, patched while they run.

mod project;

use std::path::Path;

use self::project::{Project, LIB, LOW};
use super::*;

/// What the new code must have done: with the state that the old code left behind.
const EXPECTED: &str = "\
new shared_static 3 2
new raw_static 3
new local_static 102
new thread_locals [1, 2] 8 3
new private 2 2 2
new add 5
new closures [11, 9, 7]
new local_type [Local { n: 2 }, Local { n: 2 }] 402
new catches failed 3 2 2
new factorial 48
new caller 22
new constant one line 2
new shown <3/2>
new small 5 2 8 6 8
new lower 30 20 9 6 3 8
new waits x 10012 32";

fn edited() -> String {
    LIB.replace("/*n*/1", "2").replace("/*i*/0", "1")
}

/// The functions that hold something to edit, and none that doesn't.
const ALL: [&str; 19] = [
    "<app::Shown as fmt::Display>::fmt",
    "app::callee",
    "app::caller",
    "app::catches",
    "app::closures",
    "app::constant",
    "app::factorial",
    "app::fails",
    "app::local_static",
    "app::local_type",
    "app::logs",
    "app::owner::Outer::add",
    "app::owner::Outer::inlined",
    "app::owner::Outer::private",
    "app::owner::Outer::slow",
    "app::raw_static",
    "app::shared_static",
    "app::thread_locals",
    "app::waits",
];

fn names(patch: &WholeCratePatch) -> Vec<&str> {
    let functions = patch.plugins.iter().flat_map(|plugin| &plugin.functions);
    let mut names: Vec<&str> = functions
        .map(|function| function.name.as_str())
        // Where code is optimised, it holds what it calls.
        .filter(|name| *name != "app::run")
        .collect();
    names.sort();
    names
}

fn new_lines(lines: &[String]) -> String {
    let new = lines.iter().filter(|line| line.starts_with("new "));
    new.map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn check_all(project: &Project, linker: Option<&Path>) {
    let built = project
        .build_with(&[("app", &edited())], &[], linker)
        .expect("a plugin");
    assert_eq!(names(&built), ALL);
    let lines = project.run(&built.plugins, |_| true);
    assert_eq!(new_lines(&lines), EXPECTED);
    // Another thread has data of its own.
    assert!(
        lines.contains(&"thread thread_locals [2] 7 2".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn new_code_runs_with_the_state_of_the_program() {
    let project = Project::new(&["-C", "debuginfo=2"]);
    let same = project.build(LIB).expect("a comparison");
    assert!(
        same.plugins.is_empty() && same.preserved_statics.is_empty(),
        "{same:?}"
    );
    check_all(&project, project.linker.as_deref());
    check_all(&project, None);

    // New code calls what is installed, not what it was compiled with.
    let built = project.build(&edited()).expect("a plugin");
    let lines = project.run(&built.plugins, |name| name == "app::caller");
    assert!(lines.contains(&"new caller 12".to_owned()), "{lines:?}");
}

#[test]
fn what_two_need_at_once_is_compiled_once() {
    let project = Project::new(&[]);
    let edit = edited();
    let compiled = || {
        project.with_request(&[("app", &edit)], &[], None, |request| {
            let built = Units::new(request).and_then(|mut units| units.build());
            built.expect("it compiles").compiled
        })
    };
    let [one, other] = std::thread::scope(|scope| {
        let both = [scope.spawn(compiled), scope.spawn(compiled)];
        both.map(|compiles| compiles.join().expect("it ends"))
    });
    assert!(!one.is_empty() && one.keys().eq(other.keys()));
    let mut pairs = one.values().zip(other.values());
    assert!(pairs.all(|(one, other)| std::sync::Arc::ptr_eq(one, other)));
}

fn refusal(project: &Project, edits: &[(&str, &str)]) -> String {
    match project.build(&replaced(edits)) {
        Err(WholeCrateError::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

fn replaced(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(LIB.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

#[test]
fn a_change_spreads_to_what_has_a_site() {
    let project = Project::new(&[]);
    let changed = |edits: &[(&str, &str)]| {
        let built = project.build(&replaced(edits)).expect("a plugin");
        names(&built).join(" ")
    };
    // A generic function, a constant, a macro, a default method, a signature, a line that moves.
    assert_eq!(
        changed(&[("f(value)", "{ COUNT.load(Relaxed); f(value) }")]),
        "app::closures"
    );
    assert_eq!(changed(&[("BASE: u32 = 1", "BASE: u32 = 2")]), "app::based");
    assert_eq!(changed(&[("$n + 1", "$n + 2")]), "app::by_macro");
    assert_eq!(
        changed(&[("self.size() + 0", "self.size() + 7")]),
        "app::sized"
    );
    assert_eq!(
        changed(&[
            ("fn add_one(n: u32)", "fn add_one(n: u64)"),
            ("n + 1 //", "n as u32 + 2 //"),
            ("add_one(5)", "add_one(1 << 33)"),
        ]),
        "app::adds"
    );
    assert_eq!(changed(&[("fn callee()", "\n\nfn callee()")]), "");
    let reason = refusal(&project, &[("n + 77", "n + 78")]);
    assert_eq!(
        reason,
        "`app_exported` has no site, and foreign code may call it by its name"
    );
    // A vtable alone leads to it: it is given a site.
    assert_eq!(
        changed(&[("        4\n", "        5\n")]),
        "<app::Square as app::Shape>::corners"
    );
}

#[test]
fn new_things_come_along_and_statics_stay() {
    let project = Project::new(&[]);
    let first = replaced(&[
        ("fn callee() -> u32 {\n    /*n*/1", "fn callee() -> u32 {\n    added()"),
        ("fn based() -> u32 {\n", "fn based() -> u32 {\n    NOTES.with(|n| n.set(n.get() + 1));\n"),
        ("const BASE", "static CALLS: AtomicU32 = AtomicU32::new(40);
            thread_local! { static NOTES: Cell<u32> = const { Cell::new(0) }; }
            struct Named(&'static str);
            impl Shape for Named { fn corners(&self) -> u32 { self.0.len() as u32 } }
            impl From<Named> for u32 { fn from(named: Named) -> u32 { named.corners() } }
            impl fmt::Display for Square { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(\"square\") } }
            mod deep { pub(super) fn one<T: Default + Into<u32>>() -> u32 { T::default().into() } }
            fn added() -> u32 {
                let boxed: Box<dyn std::any::Any> = Box::new(Named(\"abc\"));
                let same = boxed.downcast_ref::<Named>().is_some() as u32;
                CALLS.fetch_add(same, Relaxed) + deep::one::<u8>() + u32::from(Named(\"ab\")) + Square.to_string().len() as u32
            }
            const BASE"),
    ]);
    let one = project.build(&first).expect("a plugin");
    assert_eq!(names(&one), ["app::based", "app::callee"]);
    let lines = project.run(&one.plugins, |_| true);
    assert!(lines.contains(&"new caller 481".to_owned()), "{lines:?}");
    // The next patch: the same static and thread-local, which have gone on counting.
    let second = first
        .replace("named.corners()", "named.corners() + 100")
        .replace(
            "BASE: u32 = 1",
            "BASE: u32 = NOTES_BASE; const NOTES_BASE: u32 = 3",
        );
    let two = project
        .build_with(&[("app", &second)], &one.plugins, project.linker.as_deref())
        .expect("a plugin");
    assert_eq!(names(&two), ["app::based", "app::callee"]);
    let both = [one.plugins, two.plugins].concat();
    let lines = project.run(&both, |_| true);
    assert!(lines.contains(&"new caller 1481".to_owned()), "{lines:?}");
}

#[test]
fn optimised_code_too() {
    let project = Project::new(&["-O", "-C", "lto=off"]);
    check_all(&project, project.linker.as_deref());
}

#[test]
fn a_change_spreads_to_the_crates_that_use_it() {
    let project = Project::new(&[]);
    let edit = |old: &str, new: &str| {
        assert!(LOW.contains(old), "{old}");
        let text = LOW.replacen(old, new, 1);
        project.build_with(&[("low", &text)], &[], project.linker.as_deref())
    };
    let check = |old: &str, new: &str, expected: &[&str], line: &str| {
        let built = edit(old, new).expect("a plugin");
        assert_eq!(names(&built), expected, "{new}");
        let lines = project.run(&built.plugins, |_| true);
        assert!(
            lines.contains(&format!("new lower {line}")),
            "{new}: {lines:?}"
        );
    };
    check("", "\n", &[], "30 20 9 6 3 8");
    check(
        "UNIT: u32 = 10",
        "UNIT: u32 = 20",
        &["app::lower"],
        "60 20 9 6 3 8",
    );
    check("n * 2", "n * 3", &["app::lower"], "30 30 9 6 3 8");
    check(
        "*one > found",
        "*one < found",
        &["app::lower"],
        "30 20 2 6 3 8",
    );
    check(
        "self.grown() * 2",
        "self.grown() * 5",
        &["app::lower"],
        "30 20 9 15 3 8",
    );
    check(
        "n + 1",
        "n + SEEN.fetch_add(5, std::sync::atomic::Ordering::Relaxed)",
        &["low::plain"],
        "30 20 9 6 4 8",
    );
    check("[n; 4]", "[n; 7]", &["low::later"], "30 20 9 6 3 14");
    // A new function of the one, used by a changed one of the other, and a static of both.
    let low = format!("{LOW}\npub static NEW: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(7);\npub fn added() -> u32 {{ NEW.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }}")
        .replacen("n + 1", "n + added()", 1);
    let app = LIB.replacen("low::UNIT * 3", "low::added()", 1);
    let built = project
        .build_with(
            &[("low", &low), ("app", &app)],
            &[],
            project.linker.as_deref(),
        )
        .expect("a plugin");
    assert_eq!(names(&built), ["app::lower", "low::plain"]);
    let lines = project.run(&built.plugins, |_| true);
    assert!(
        lines.contains(&"new lower 7 20 9 6 10 8".to_owned()),
        "{lines:?}"
    );
}
