//! Two versions of a plugin in one process, with types that have one name and two layouts: whatever
//! safe code does, neither gets hold of the other's.

use std::fs;
use std::os::unix::fs::DirBuilderExt;

use super::workshop::Workshop;

const KEEPER: &str = "plugins/keeper/src/lib.rs";

/// What the host says when its first version is followed by the second.
fn play(shop: &Workshop, second: impl FnOnce()) -> String {
    shop.build(&["plugins/keeper", "first"]);
    second();
    shop.build(&["plugins/keeper", "second"]);
    let folder = shop.root.join("loaded");
    let made = fs::DirBuilder::new().mode(0o700).create(&folder);
    made.expect("a folder to load from");
    let output = shop
        .command(shop.host("versions-host", &[]))
        .arg(&folder)
        .args(["first/keeper.so", "second/keeper.so"])
        .output()
        .expect("started");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{out}{err}", output.status);
    println!("{out}");
    out
}

#[track_caller]
fn says(out: &str, line: &str, parts: &[&str]) {
    let found = out.lines().find(|found| found.starts_with(line));
    let found = found.unwrap_or_else(|| panic!("no line `{line}` in\n{out}"));
    for part in parts {
        assert!(found.contains(part), "`{found}` does not say `{part}`");
    }
}

/// What two versions of a plugin say of a type of their own.
const NO_RECORD: [&str; 3] = [
    "`keeper::Note",
    "crate `keeper` is part of both and has no record in both",
    "put the type into a crate with `soft_mock::plugin::shared!()`, or hand over plain data",
];

const ERASED: &str = "in it can be taken apart by type";

#[test]
fn types_of_one_version_are_not_those_of_the_next() {
    let shop = Workshop::fixture("versions");
    let out = play(&shop, || {
        for file in [KEEPER, "pair/src/lib.rs"] {
            shop.edit(file, "type Number = u64;", "type Number = f64;");
        }
    });
    // One version alone, and what all of them know.
    says(&out, "itself own: got Note { count: 7 }", &[]);
    says(&out, "host known: got Known { count: 7 }", &[]);
    says(&out, "next known: got Known { count: 7 }", &[]);
    says(&out, "next numbers: got [7]", &[]);
    for (door, found) in [
        ("bag", "\": got Note { count: 7.0 }\""),
        ("export", "7.0"),
        ("static", "7.0"),
        ("function", "Note { count: 7.0 }"),
        ("live function", "Note { count: 7.0 }"),
        ("live type", "7.0"),
        ("plain live type", "\": got Plain { count: 0.0 }\""),
    ] {
        says(&out, &format!("new {door}: got {found}"), &[]);
    }
    // Objects that one version gave, and what is left in its set.
    for object in ["own", "list", "closure", "around"] {
        let parts = if object == "own" {
            &NO_RECORD[..]
        } else {
            &NO_RECORD[1..]
        };
        says(&out, &format!("next {object}: "), parts);
    }
    let doors = ["bag", "export", "static", "function", "live function"];
    for door in doors {
        says(&out, &format!("old {door}: "), &NO_RECORD[1..]);
    }
    says(
        &out,
        "old live type: ",
        &[
            "`fn() -> alloc::boxed::Box<dyn keeper::Tells>`",
            NO_RECORD[1],
        ],
    );
    says(
        &out,
        "old plain live type: ",
        &["`keeper::Plain`", NO_RECORD[1]],
    );
    // What takes itself apart by type.
    says(&out, "next erased: ", &["dyn Any", ERASED]);
    says(&out, "old extension: ", &["dyn Any", ERASED]);
    // A crate that has a record, but not the same.
    says(
        &out,
        "next pair: ",
        &["crate `pair` differs (sources: `", "start the host anew"],
    );
    // Other types, and no objects.
    let wanted = "not a `versions_types::Known`";
    says(
        &out,
        "host own: ",
        &["the object is a `keeper::Note`", wanted],
    );
    says(
        &out,
        "host plain: ",
        &["this is plain data, no object of type `versions_types::Known`"],
    );
    // What falls when it is dropped falls inside of its plugin.
    says(&out, "left: 0", &[]);
    assert!(!out.contains("NaN") && !out.contains("e-"), "{out}");
}
