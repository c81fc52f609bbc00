//! The history of a process, taking patches back, listeners, safe points. The history belongs to
//! the whole process, so these are the steps of one test.

mod common;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{folder, Function, Plugin};
use soft_mock::patch::{history, load_plugin, rollback, status, Phase, RollbackError, Transaction};

#[allow(unreachable_pub)]
mod app {
    crate::sites! {
        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn left(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn right(x: u32) -> u32 { x }
    }
}

const UNIT: &str = "00abcdef01234567";

struct Plugins {
    folder: tempfile::TempDir,
}

impl Plugins {
    fn make(&self, name: &str, functions: &[(&str, &'static str)]) -> PathBuf {
        let functions: Vec<Function> = functions
            .iter()
            .map(|(site, code)| {
                let site = format!("control::app::{site}");
                Function::new(site, "fn(u32) -> u32", code).checked_as("fn(u32) -> u32")
            })
            .collect();
        Plugin::of(&functions).build(self.folder.path(), name)
    }
}

fn both() -> (u32, u32) {
    (app::left(0), app::right(0))
}

#[test]
fn patches_are_undone_step_by_step() {
    let plugins = Plugins { folder: folder() };
    undo(&plugins);
    undo_under_load(&plugins);
    listeners(&plugins);
}

fn undo(plugins: &Plugins) {
    let none = rollback(1).expect_err("nothing there");
    assert_eq!(
        none.to_string(),
        "1 patch can't be taken back: no patch is in effect"
    );
    let first = plugins.make("first", &[("left", "(x: u32) -> u32 { x + 10 }")]);
    let second = plugins.make(
        "second",
        &[
            ("left", "(x: u32) -> u32 { x + 20 }"),
            ("right", "(x: u32) -> u32 { x + 20 }"),
        ],
    );
    load_plugin(first).expect("installed");
    load_plugin(&second).expect("installed");
    Transaction::new()
        .restore(UNIT, "control::app::left")
        .commit()
        .expect("restored");
    assert_eq!(both(), (0, 20));

    // One after the other, each exactly what ran before.
    let report = rollback(1).expect("taken back");
    assert_eq!((both(), report.undone.as_slice()), ((20, 20), &[3][..]));
    assert_eq!((report.functions.len(), report.patch), (1, 4));
    assert_eq!(report.functions[0].file, "src/edited.rs");
    assert!(!report.functions[0].restored);
    let report = rollback(1).expect("taken back");
    assert_eq!((both(), report.undone.as_slice()), ((10, 0), &[2][..]));
    assert_eq!(
        report.to_string(),
        format!(
            "patch 5 (takes back 2): 2 functions: control::app::left (src/edited.rs:1), \
             control::app::right ({}:{}), original restored",
            report.functions[1].file, report.functions[1].line
        )
    );

    // A patch after a rollback, and several at once.
    load_plugin(&second).expect("installed");
    assert_eq!((status().patches, status().in_effect), (6, 2));
    assert_eq!(
        rollback(3).expect_err("too many"),
        RollbackError::TooMany { asked: 3, there: 2 }
    );
    assert_eq!(rollback(0).expect_err("none"), RollbackError::None);
    assert_eq!((both(), status().patched), ((20, 20), 2));
    assert_eq!(rollback(2).expect("taken back").undone, [6, 1]);
    assert_eq!((both(), status().patched), ((0, 0), 0));

    let past = history();
    let undone: Vec<_> = past.iter().map(|p| (p.undone_by, p.undone.len())).collect();
    let expected = [
        (Some(7), 0),
        (Some(5), 0),
        (Some(4), 0),
        (None, 1),
        (None, 1),
        (Some(7), 0),
        (None, 2),
    ];
    assert_eq!(undone, expected);
    assert!(past.is_sorted_by_key(|p| p.at));
    assert!(past[0].bytes > 0 && past[2].functions[0].restored);
    let bytes: u64 = past.iter().map(|p| p.bytes).sum();
    assert_eq!(status().bytes, bytes);
}

/// A rollback of two functions is one step: whoever has seen something of it sees nothing older.
fn undo_under_load(plugins: &Plugins) {
    let both_new = plugins.make(
        "both",
        &[
            ("left", "(x: u32) -> u32 { x + 1 }"),
            ("right", "(x: u32) -> u32 { x + 1 }"),
        ],
    );
    // Odd while a switch is under way; its half says what runs.
    let epoch = AtomicU32::new(0);
    let checked = AtomicU32::new(0);
    let ended = AtomicBool::new(false);
    let look = || {
        let before = epoch.load(Ordering::SeqCst);
        let seen = both();
        if before % 2 == 0 && epoch.load(Ordering::SeqCst) == before {
            assert_eq!(seen, (before / 2 % 2, before / 2 % 2));
            checked.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    look();
                }
            });
        }
        for _ in 0..25 {
            for undo in [false, true] {
                epoch.fetch_add(1, Ordering::SeqCst);
                match undo {
                    false => load_plugin(&both_new).expect("installed"),
                    true => rollback(1).expect("taken back"),
                };
                epoch.fetch_add(1, Ordering::SeqCst);
                let before = checked.load(Ordering::Relaxed);
                while checked.load(Ordering::Relaxed) == before {
                    thread::yield_now();
                }
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(both(), (0, 0));
}

fn listeners(plugins: &Plugins) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    soft_mock::patch::on_patch(move |event| {
        let names: Vec<&str> = event.functions.iter().map(|f| f.name.as_str()).collect();
        let line = format!(
            "{:?} {names:?} {:?} {}",
            event.phase,
            event.undone,
            app::left(0)
        );
        hears.lock().expect("a list").push(line);
        let own = rollback(1).expect_err("not from here");
        assert_eq!(own, RollbackError::InListener);
        let refused = load_plugin("/no/such").expect_err("not from here");
        assert!(refused.to_string().contains("`on_patch`"), "{refused}");
        soft_mock::patch::safe_point();
    })
    .expect("registered");
    soft_mock::patch::on_patch(|event| {
        if event.phase == Phase::Before && event.undone.is_empty() {
            panic!("not {} today", event.functions[0].line);
        }
    })
    .expect("registered");

    let plugin = plugins.make("heard", &[("left", "(x: u32) -> u32 { x + 30 }")]);
    let report = load_plugin(plugin).expect("installed all the same");
    assert_eq!(app::left(0), 30);
    assert_eq!(
        report.warnings,
        ["an `on_patch` listener panicked: not 1 today"]
    );
    assert!(report.to_string().ends_with("panicked: not 1 today"));
    let undone = rollback(1).expect("taken back");
    assert_eq!(undone.warnings, Vec::<String>::new());
    let number = report.patch;
    assert_eq!(
        *heard.lock().expect("a list"),
        [
            r#"Before ["control::app::left"] [] 0"#.to_owned(),
            r#"After ["control::app::left"] [] 30"#.to_owned(),
            format!(r#"Before ["control::app::left"] [{number}] 30"#),
            format!(r#"After ["control::app::left"] [{number}] 0"#),
        ]
    );
}
