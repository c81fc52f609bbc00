//! Plugins that are installed, and plugins that are refused: all of a plugin or nothing of it.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::{folder, Function, Plugin};
use soft_mock::patch::Transaction;
use soft_mock::patch::{load_plugin, load_plugins, Refusal};
use soft_mock_abi::checksum;

#[allow(unreachable_pub)]
mod app {
    crate::sites! {
        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn one(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn two(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn three(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn untouched(x: u32) -> u32 { x }

        as for<'a> fn(&'a str) -> &'a str, "fn(&str) -> &str";
        pub fn text(text: &str) -> &str { text }
    }
}

/// Counted, as a loop that waits would be.
#[allow(unreachable_pub)]
fn serve(wait: &dyn Fn()) -> u32 {
    use common::support::{Site, APP};
    #[used]
    #[link_section = soft_mock_abi::section!(sites)]
    static SITE: Site = Site::new(
        soft_mock_abi::site::flag::COUNTED,
        "loader::serve",
        file!(),
        line!(),
        "fn(&dyn Fn()) -> u32",
        None,
    )
    .of_crate(&APP);
    if let Some(code) = SITE.code() {
        // SAFETY: whatever is installed at this site was checked to have its type.
        return unsafe { std::mem::transmute::<unsafe fn(), unsafe fn(_) -> _>(code)(wait) };
    }
    let _running = SITE.count_call();
    wait();
    1
}

const SIGNATURE: &str = "fn(u32) -> u32";
const UNIT: &str = "00abcdef01234567";

fn function(name: &str, code: &'static str) -> Function {
    Function::new(format!("loader::app::{name}"), SIGNATURE, code).checked_as("fn(u32) -> u32")
}

fn untouched() -> Function {
    function("untouched", "(x: u32) -> u32 { x + 1000 }")
}

/// Expects that a plugin is refused, and that nothing of it is installed.
#[track_caller]
fn refused(plugin: &Path, expected: &str) -> Refusal {
    let error = load_plugin(plugin).expect_err("a refusal");
    let text = error.to_string();
    assert!(text.contains(expected), "{text}");
    assert!(text.starts_with(&plugin.display().to_string()), "{text}");
    assert!(!text.contains('\n'), "{text}");
    assert_eq!(app::untouched(1), 1);
    error.refusal
}

#[test]
fn installed_replaced_and_restored() {
    let folder = folder();
    let plugin = |name, code| Plugin::of(&[function("one", code)]).build(folder.path(), name);
    let (first, second) = (
        plugin("first", "(x: u32) -> u32 { x + 10 }"),
        plugin("second", "(x: u32) -> u32 { x + 20 }"),
    );
    let report = load_plugin(&first).expect("installed");
    assert_eq!(app::one(1), 11);
    let installed = &report.functions[0];
    assert_eq!(
        (
            installed.name.as_str(),
            installed.file.as_str(),
            installed.line
        ),
        ("loader::app::one", "src/edited.rs", 1)
    );
    assert!(report.bytes >= 4096 && !report.elapsed.is_zero());
    let again = load_plugin(&second).expect("installed");
    assert!(again.patch > report.patch && again.generation > report.generation);
    assert_eq!(app::one(1), 21);
    // The file may go or change, and the same path may be used again.
    fs::write(&second, "gone").expect("overwritten");
    fs::copy(&first, &second).expect("replaced");
    assert_eq!(app::one(1), 21);
    load_plugin(&second).expect("installed");
    assert_eq!(app::one(1), 11);

    let report = Transaction::new()
        .restore(UNIT, "loader::app::one")
        .commit()
        .expect("restored");
    assert!(report.functions[0].restored);
    assert_eq!(report.functions[0].file, file!());
    assert_eq!(app::one(1), 1);
}

#[test]
fn several_plugins_and_restores_are_one_patch() {
    let folder = folder();
    let two =
        Plugin::of(&[function("two", "(x: u32) -> u32 { x + 2 }")]).build(folder.path(), "two");
    let three =
        Plugin::of(&[function("three", "(x: u32) -> u32 { x + 3 }")]).build(folder.path(), "three");
    let wrong = Plugin {
        rustc: "rustc 0.1",
        ..Plugin::of(&[untouched()])
    }
    .build(folder.path(), "wrong");
    load_plugins(&[&two, &three, &wrong]).expect_err("one is wrong");
    assert_eq!((app::two(0), app::three(0)), (0, 0));
    let report = load_plugins(&[&two, &three]).expect("installed");
    assert_eq!(report.functions.len(), 2);
    assert_eq!((app::two(0), app::three(0)), (2, 3));

    let both = || {
        Transaction::new()
            .plugin(&two)
            .restore(UNIT, "loader::app::three")
    };
    both()
        .restore(UNIT, "loader::app::tree")
        .commit()
        .expect_err("an unknown function");
    both()
        .restore("12", "loader::app::two")
        .commit()
        .expect_err("no unit");
    both()
        .restore("0000000000000012", "loader::app::two")
        .commit()
        .expect_err("another unit");
    let twice = both()
        .plugin(&two)
        .commit()
        .expect_err("one function twice");
    assert!(matches!(twice.refusal, Refusal::Twice { .. }));
    let twice = both()
        .restore(UNIT, "loader::app::two")
        .commit()
        .expect_err("changed and restored");
    assert_eq!(twice.functions(), ["loader::app::two"]);
    assert_eq!((app::two(0), app::three(0)), (2, 3));
    both().commit().expect("installed");
    assert_eq!((app::two(0), app::three(0)), (2, 0));
    let nothing = Transaction::new().commit().expect("nothing to do");
    assert_eq!(nothing.functions.len(), 0);
}

#[test]
fn lifetimes_and_running_calls() {
    let folder = folder();
    let text = |pointer| {
        Function::new(
            "loader::app::text",
            "fn(&str) -> &str",
            "(text: &str) -> &str { &text[1..] }",
        )
        .checked_as(pointer)
    };
    let plugin = Plugin::of(&[text("fn(&'static str) -> &'static str"), untouched()])
        .build(folder.path(), "static");
    assert!(matches!(
        refused(&plugin, "it names other types there"),
        Refusal::Types { .. }
    ));
    let plugin =
        Plugin::of(&[text("for<'a> fn(&'a str) -> &'a str")]).build(folder.path(), "bound");
    load_plugin(plugin).expect("installed");
    assert_eq!(app::text(&String::from("abc")), "bc");

    let plugin = Plugin::of(&[Function::new(
        "loader::serve",
        "fn(&dyn Fn()) -> u32",
        "(_: &dyn Fn()) -> u32 { 2 }",
    )])
    .build(folder.path(), "serve");
    let reports = std::cell::RefCell::new(Vec::new());
    let old = serve(&|| {
        reports
            .borrow_mut()
            .push(load_plugin(&plugin).expect("installed"))
    });
    assert_eq!((old, serve(&|| ())), (1, 2));
    assert_eq!(reports.borrow()[0].functions[0].running, 1);
}

#[test]
fn files_that_are_no_plugins() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    assert!(matches!(
        refused(&path("missing.so"), "there is no such file"),
        Refusal::Missing
    ));
    assert!(matches!(
        refused(folder.path(), "this is a folder"),
        Refusal::Folder
    ));
    fs::write(path("empty.so"), "").expect("a file");
    assert!(matches!(
        refused(&path("empty.so"), "is empty"),
        Refusal::Empty
    ));
    fs::write(path("text.so"), "hello\n").expect("a file");
    assert!(matches!(
        refused(&path("text.so"), "no ELF file"),
        Refusal::NotElf
    ));
    fs::write(path("zeros.so"), vec![0; 100_000]).expect("a file");
    refused(&path("zeros.so"), "no ELF file");
    // Opening it must not wait for somebody who writes.
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe.so"), rustix::fs::Mode::RUSR).expect("a pipe");
    assert!(matches!(
        refused(&path("pipe.so"), "not a regular file"),
        Refusal::NotAFile
    ));
    refused(Path::new("/dev/null"), "not a regular file");
    assert!(matches!(
        refused(&path("text.so").join("x"), "no such file"),
        Refusal::Missing
    ));
    let own = std::env::current_exe().expect("this program");
    refused(&own, "it has no manifest");
    std::os::unix::fs::symlink("nowhere", path("dangling.so")).expect("a link");
    refused(&path("dangling.so"), "no such file");
}

#[test]
fn truncated_at_any_length() {
    let folder = folder();
    let whole = Plugin::of(&[untouched()]).build(folder.path(), "whole");
    let bytes = fs::read(&whole).expect("the plugin");
    let plugin = folder.path().join("truncated.so");
    let step = bytes.len() / 400 + 1;
    let lengths = (1..bytes.len())
        .filter(|length| length % step == 0 || *length < 200 || bytes.len() - length < 200);
    for length in lengths {
        fs::write(&plugin, &bytes[..length]).expect("a file");
        refused(&plugin, "");
    }
    // Headers that point anywhere.
    for at in 0..64 {
        for value in [0x00, 0x7f, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            if damaged == bytes {
                continue;
            }
            fs::write(&plugin, &damaged).expect("a file");
            damaged.extend(checksum::of(&damaged));
            // Some bytes mean nothing to us; what counts is that nothing breaks.
            match load_plugin(&plugin) {
                Ok(_) => drop(
                    Transaction::new()
                        .restore(UNIT, "loader::app::untouched")
                        .commit()
                        .expect("restored"),
                ),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    assert_eq!(app::untouched(1), 1);
}

#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
#[test]
fn headers_that_point_beyond_the_end() {
    let folder = folder();
    let whole = Plugin::of(&[untouched()]).build(folder.path(), "whole");
    let bytes = fs::read(&whole).expect("the plugin");
    let plugin = folder.path().join("beyond.so");
    let number = |at: usize, width: usize| {
        let bytes = &bytes[at..at + width];
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    // Where ELF64 has its program headers, and in each of them its place and size in the file.
    let (table, entry, count) = (number(32, 8), number(54, 2), number(56, 2));
    assert!(count > 3);
    for header in (0..count).map(|index| table + index * entry) {
        for (field, value) in [
            (8, bytes.len() as u64),
            (32, bytes.len() as u64 * 2),
            (8, u64::MAX),
        ] {
            let mut damaged = bytes.clone();
            damaged[header + field..header + field + 8].copy_from_slice(&value.to_le_bytes());
            let empty = field == 8 && number(header + 32, 8) == 0;
            if !empty {
                fs::write(&plugin, &damaged).expect("a file");
                assert!(matches!(
                    refused(&plugin, "goes beyond its end"),
                    Refusal::Damaged { .. }
                ));
            }
        }
    }
}

#[test]
fn places_where_others_could_write() {
    let folder = folder();
    let plugin = Plugin::of(&[untouched()]).build(folder.path(), "plugin");
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions")
    };
    set(&plugin, 0o777);
    assert!(matches!(
        refused(&plugin, "mode 777"),
        Refusal::WorldWritable { .. }
    ));
    set(&plugin, 0o644);
    let nested = folder.path().join("open");
    fs::create_dir(&nested).expect("a folder");
    let copy = nested.join("plugin.so");
    fs::copy(&plugin, &copy).expect("a copy");
    for mode in [0o777, 0o1777] {
        set(&nested, mode);
        refused(&copy, "open may be written by everybody");
    }
    // Further up, a sticky folder is as good as any: /tmp is one.
    let private = nested.join("private");
    fs::create_dir(&private).expect("a folder");
    let deep = private.join("plugin.so");
    fs::copy(&plugin, &deep).expect("a copy");
    set(&nested, 0o777);
    refused(&deep, "open may be written by everybody");
    // A link to it leads to the same place.
    let link = folder.path().join("link.so");
    std::os::unix::fs::symlink(&deep, &link).expect("a link");
    refused(&link, "open may be written by everybody");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&plugin, Some(12345), None).expect("another owner");
        assert!(matches!(
            refused(&plugin, "belongs to user 12345"),
            Refusal::ForeignOwner { owner: 12345, .. }
        ));
    }
}

#[test]
fn plugins_of_others() {
    let folder = folder();
    let build = |name: &str, plugin: Plugin| -> PathBuf { plugin.build(folder.path(), name) };
    let good = || Plugin::of(&[untouched()]);
    let plugin = build(
        "rustc",
        Plugin {
            rustc: "rustc 9.9.9",
            ..good()
        },
    );
    refused(
        &plugin,
        "built by `rustc 9.9.9`, this program by `rustc 1.0.0 (for tests)`",
    );
    let plugin = build(
        "rustc-unit",
        Plugin {
            rustc: "rustc 9.9.9",
            unit: 5,
            ..good()
        },
    );
    refused(&plugin, "built by `rustc 9.9.9`");
    let plugin = build("unit", Plugin { unit: 5, ..good() });
    refused(&plugin, "unit 0000000000000005 of crate `app`, which is not in this program (it has 00abcdef01234567 of `app`)");
    let plugin = build(
        "crate",
        Plugin {
            unit: 5,
            krate: "other",
            ..good()
        },
    );
    refused(&plugin, "of crate `other`");
    let plugin = build(
        "format",
        Plugin {
            format: 2,
            ..good()
        },
    );
    refused(&plugin, "format 2, this program reads format 1");
    let plugin = build(
        "kind",
        Plugin {
            kind: "managed",
            ..good()
        },
    );
    refused(&plugin, "kind `managed`");
    let plugin = build(
        "no-manifest",
        Plugin {
            manifest: Some(""),
            ..good()
        },
    );
    assert!(matches!(
        refused(&plugin, "it has no manifest"),
        Refusal::NoManifest
    ));
    let plugin = build(
        "bad-manifest",
        Plugin {
            manifest: Some("{]"),
            ..good()
        },
    );
    refused(&plugin, "its manifest can't be read");
    let plugin = build("nothing", Plugin::of(&[]));
    refused(&plugin, "it carries no function");
}

#[test]
fn functions_that_do_not_fit() {
    let folder = folder();
    let build =
        |name: &str, functions: &[Function]| Plugin::of(functions).build(folder.path(), name);
    let code = "(x: u32) -> u32 { x }";
    let plugin = build("unknown", &[untouched(), function("untuched", code)]);
    let error = load_plugin(&plugin).expect_err("a refusal");
    assert_eq!(error.functions(), ["loader::app::untuched"]);
    refused(
        &plugin,
        "no function is called `loader::app::untuched`; did you mean loader::app::untouched?",
    );

    let plugin = build(
        "signature",
        &[
            untouched(),
            Function {
                signature: "fn(u64) -> u64",
                ..function("one", code)
            },
        ],
    );
    refused(&plugin, "`loader::app::one` has signature `fn(u64) -> u64` in the plugin and `fn(u32) -> u32` in this program");
    let plugin = build(
        "type",
        &[
            untouched(),
            Function {
                pointer: Some("fn(u64) -> u32"),
                ..function("one", code)
            },
        ],
    );
    refused(&plugin, "names other types");
    let plugin = build(
        "symbol",
        &[
            untouched(),
            Function {
                symbol: Some("patch_7"),
                ..function("one", code)
            },
        ],
    );
    refused(&plugin, "doesn't define the symbol `patch_7`");
    // Something of that name exists, but not in the plugin.
    let plugin = build(
        "malloc",
        &[
            untouched(),
            Function {
                symbol: Some("malloc"),
                ..function("one", code)
            },
        ],
    );
    refused(&plugin, "doesn't define the symbol `malloc`");
    let plugin = build("twice", &[untouched(), untouched()]);
    assert!(matches!(
        refused(&plugin, "twice in one patch"),
        Refusal::Twice { .. }
    ));

    let undefined = Plugin {
        items: "extern \"C\" { fn nowhere_to_be_found() -> u32; }\n",
        ..Plugin::of(&[
            untouched(),
            function(
                "one",
                "(x: u32) -> u32 { x + unsafe { nowhere_to_be_found() } }",
            ),
        ])
    };
    let plugin = undefined.build(folder.path(), "undefined");
    assert!(matches!(
        refused(&plugin, "undefined symbol: nowhere_to_be_found"),
        Refusal::Dlopen { .. }
    ));
}
