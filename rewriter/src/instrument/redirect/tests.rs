//! Calls before and after.

use super::*;

#[track_caller]
fn check(before: &str, after: &str) {
    let file = syn::parse_file(before).expect("a file");
    let mut edits = Edits::default();
    insert(before, &file, &mut edits);
    assert_eq!(
        edits.apply(before).replace("crate::__soft_mock::", "$"),
        after
    );
}

#[test]
fn generic_functions_of_std_by_their_paths() {
    check(
        "use std::fs::File; fn f() { File::open(p); }",
        "use std::fs::File; fn f() { $std_fs_File_open(p); }",
    );
    check(
        "use std::fs::*; fn f() { a(File::open); }",
        "use std::fs::*; fn f() { a($std_fs_File_open); }",
    );
    check(
        "fn f() { assert!(::std::env::var(x).is_ok()); }",
        "fn f() { assert!($std_env_var(x).is_ok()); }",
    );
    check(
        "fn f() { use std::{env, fs as g}; env::var(x); g::read(y) }",
        "fn f() { use std::{env, fs as g}; $std_env_var(x); $std_fs_read(y) }",
    );
    check(
        "use std::fs::read; mod t { use super::*; fn f() { read(d) } }",
        "use std::fs::read; mod t { use super::*; fn f() { $std_fs_read(d) } }",
    );
    check(
        "use std::fs; fn f() { mock!(\"std::fs::read\", |p: &Path| -> R { fs::read(q) }) }",
        "use std::fs; fn f() { mock!(\"std::fs::read\", |p: &Path| -> R { $std_fs_read(q) }) }",
    );
}

#[test]
fn other_things_of_those_names_stay() {
    for same in [
        "mod fs {} fn f() { fs::read(d) }",
        "use own::File; fn f() { File::open(d) }",
        "use std::fs::read; fn f() { let read = 1; read(d) }",
        "use std::fs::read; fn f(read: F) { read(d) }",
        "use std::fs; mod t { fn f() { fs::read(d) } }",
        "fn f() { quote!(std::fs::read(d)); a.open(d); std::fs::read::<&str>(d) }",
        "fn f() { std::process::id(); mock!(std::fs::read, g); }",
    ] {
        check(same, same);
    }
}
