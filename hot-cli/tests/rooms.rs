//! The rooms of the command, and of the crate that compares: arrows run one way. Read from the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, UseTree};

/// The rooms of `src`, from top to bottom: each may know those below it.
const COMMAND: [&str; 21] = [
    "cli", "session", "offline", "inspect", "plugins", "remote", "patch", "program", "include",
    "wrapper", "rustc", "cargo", "child", "control", "handover", "watch", "ui", "protocol", "os",
    "config", "exit",
];

/// Those of `compiled/src`.
const COMPILED: [&str; 13] = [
    "manifest_object",
    "extract",
    "select",
    "compare",
    "debug_info",
    "sites",
    "fingerprint",
    "world",
    "code",
    "objects",
    "library",
    "visibility",
    "symbols",
];

/// Files that stand above all rooms, or beside them.
const ABOVE: [&str; 3] = ["main.rs", "lib.rs", "bin"];

/// What a file refers to by `crate::…`: the rooms, and the lines.
#[derive(Default)]
struct References(Vec<(String, usize)>);

impl References {
    fn of(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source");
        let mut found = Self::default();
        found.visit_file(&syn::parse_file(&text).expect("Rust"));
        found
    }

    fn tree(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.record(&path.ident),
            UseTree::Name(name) => self.record(&name.ident),
            UseTree::Rename(name) => self.record(&name.ident),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree)),
            UseTree::Glob(_) => panic!("`use crate::*` hides what is used"),
        }
    }

    fn record(&mut self, room: &syn::Ident) {
        self.0.push((room.to_string(), room.span().start().line));
    }
}

impl<'ast> Visit<'ast> for References {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if let UseTree::Path(path) = &item.tree {
            if path.ident == "crate" {
                self.tree(&path.tree);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate") {
            // `pub(crate)` is such a path as well.
            if let Some(room) = segments.next() {
                self.record(&room.ident);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|condition| condition == "test")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_owned();
        if name == "tests" || name == "fixture" {
            continue;
        }
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// All arrows that don't run down, and all rooms that there are.
fn look(source: &Path, rooms: &[&str]) -> (Vec<String>, BTreeSet<String>) {
    let place = |name: &str| rooms.iter().position(|room| *room == name);
    let mut paths = Vec::new();
    files(source, &mut paths);
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let inner = path.strip_prefix(source).expect("a source");
        let first = inner.iter().next().expect("a name").to_string_lossy();
        if ABOVE.contains(&&*first) {
            continue;
        }
        let room = first.trim_end_matches(".rs").to_owned();
        for (other, line) in References::of(&path).0 {
            let down = match (place(&room), place(&other)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            };
            if !down {
                let file = inner.display();
                wrong.push(format!(
                    "{file}:{line}: an arrow from `{room}` to `{other}`"
                ));
            }
        }
        seen.insert(room);
    }
    (wrong, seen)
}

#[track_caller]
fn check(source: &str, rooms: &[&str]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let (wrong, seen) = look(&source, rooms);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let known: BTreeSet<String> = rooms.iter().map(|room| (*room).to_owned()).collect();
    assert_eq!(seen, known);
}

#[test]
fn arrows_of_the_command_run_one_way() {
    check("src", &COMMAND);
}

#[test]
fn arrows_of_the_comparison_run_one_way() {
    check("compiled/src", &COMPILED);
}

#[test]
fn an_arrow_upwards_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join("os")).expect("a folder");
        fs::write(folder.path().join(name), text).expect("a source");
    };
    write("session.rs", "use crate::{os::files, os};\n");
    write(
        "os/files.rs",
        "//! Files.\nuse std::io;\nfn f() -> io::Result<()> {\n    crate::session::run()\n}\n\
         #[cfg(test)]\nmod tests {\n    use crate::session;\n}\n",
    );
    let (wrong, seen) = look(folder.path(), &["session", "os"]);
    assert_eq!(wrong, ["os/files.rs:4: an arrow from `os` to `session`"]);
    assert_eq!(seen.len(), 2);
}
