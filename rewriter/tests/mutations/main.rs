//! The rewriter on texts that nobody wrote on purpose: real files, changed by chance, and made-up
//! items.
//!
//! Chance has fixed seeds. `REWRITER_ROUNDS=100000 cargo test --release -p soft-mock-rewriter
//! --test mutations` runs longer, `REWRITER_SEED` begins elsewhere. `rewriter/fuzz` has the same
//! checks for cargo-fuzz.

mod check;
mod mutate;

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use fastrand::Rng;

fn number(variable: &str, otherwise: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => otherwise,
    }
}

/// Real files: those of this workspace, and those of other packages that cargo has unpacked for it.
fn corpus() -> Vec<String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registry = cargo.map(|home| home.join("registry/src"));
    let mut files = Vec::new();
    for folder in [
        own.parent().map(|root| root.join("soft-mock")),
        Some(own.join("src")),
        registry,
    ] {
        collect(&folder.expect("this package is in a workspace"), &mut files);
    }
    assert!(files.len() > 50, "there are {} files", files.len());
    files.sort();
    let texts = files
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    texts
        .filter(|text| (100..30_000).contains(&text.len()))
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

/// Runs a check; what it was run on is printed if it fails.
fn run(seed: u64, text: &str, check: impl FnOnce() -> bool + panic::UnwindSafe) -> bool {
    panic::catch_unwind(check).unwrap_or_else(|cause| {
        eprintln!("seed {seed}, the text was:\n{text}");
        panic::resume_unwind(cause)
    })
}

#[test]
fn real_files_changed_by_chance() {
    let corpus = corpus();
    let first = number("REWRITER_SEED", 0);
    let mut parsed = 0;
    let rounds = number("REWRITER_ROUNDS", 60);
    for seed in (first..first + rounds).map(|seed| seed as u64) {
        let mut rng = Rng::with_seed(seed);
        let original = &corpus[rng.usize(..corpus.len())];
        let mut text = original.clone();
        for _ in 0..rng.usize(..4) {
            text = mutate::mutate(&text, &mut rng);
        }
        let choice = rng.usize(..64);
        parsed += usize::from(run(seed, &text, || {
            check::check_edit(original, &text, choice)
        }));
    }
    // Texts that aren't Rust show little.
    assert!(parsed > rounds / 4, "{parsed} of {rounds} texts are Rust");
}

#[test]
fn made_up_items() {
    let rounds = number("REWRITER_ROUNDS", 150);
    let first = number("REWRITER_SEED", 0);
    let mut parsed = 0;
    for seed in (first..first + rounds).map(|seed| seed as u64) {
        let mut rng = Rng::with_seed(seed);
        let items: Vec<String> = (0..rng.usize(1..4))
            .map(|_| mutate::item(&mut rng, 0))
            .collect();
        let (text, choice) = (items.join("\n"), rng.usize(..64));
        parsed += usize::from(run(seed, &text, || check::check(&text, choice)));
    }
    assert!(parsed > rounds / 2, "{parsed} of {rounds} texts are Rust");
}

/// A number that becomes another one is never taken for no change: that would be an edit which is
/// lost.
#[test]
fn a_changed_number_is_noticed() {
    let corpus = corpus();
    let first = number("REWRITER_SEED", 0);
    for seed in (first..first + number("REWRITER_ROUNDS", 100)).map(|seed| seed as u64) {
        let mut rng = Rng::with_seed(seed);
        let original = &corpus[rng.usize(..corpus.len())];
        let Some((text, at)) = mutate::replace_leaf(original, &mut rng) else {
            continue;
        };
        if is_code(original, at) {
            run(seed, &text, || {
                assert!(check::is_noticed(original, &text), "byte {at}");
                true
            });
        }
    }
}

/// Whether this byte means something to the program: it isn't in a comment, in documentation, in a
/// note for whoever uses something that is deprecated, in a test.
fn is_code(text: &str, at: usize) -> bool {
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[line_start..at];
    let has_tests = ["test", "bench"].iter().any(|word| text.contains(word));
    let in_comment = text[..at].rfind("/*") > text[..at].rfind("*/");
    let in_note = text[..at].rfind("#[deprecated(") > text[..at].rfind(")]");
    !has_tests
        && !in_comment
        && !in_note
        && !before.contains("//")
        && !before.contains("#[deprecated")
        && !text.contains("#[doc")
        && !text.contains("#![doc")
}

/// Found by chance: the prologue went into the comment, and the function had no site.
#[test]
fn comments_inside_of_a_body() {
    for text in [
        "fn f() -> u8 { //! inner {\n 2 }",
        "fn f() {\n //! nothing but this\n}",
        "fn f() { /*! inner */ g() }",
        "fn f() { #![allow(unused)] //! both\n // and another\n g() }",
    ] {
        assert!(check::check(text, 0));
        assert_eq!(check::sites(text), 1, "{text}");
    }
}
