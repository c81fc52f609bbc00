//! What must hold for any text, whatever it is: checked by the tests and by the fuzz target.
//!
//! A panic anywhere is an error, as is a rewritten file that doesn't parse, or a token that has
//! moved to another line.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use soft_mock_rewriter::analysis::{forget_sources, FileItems, LayoutNames};
use soft_mock_rewriter::diff::{diff, FileDiff, ProgramContext};
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options, Output, PrologueCheck};
use soft_mock_rewriter::patch_source::{patch_source, PatchFunction, PatchRequest, PatchedCrate};
use soft_mock_rewriter::syntax::{CrateTree, Edition};
use soft_mock_rewriter::whole_crate::prepare;
use syn::visit::Visit;

const ROOT: &str = "/app/src/lib.rs";
const EDITIONS: [Edition; 4] = [
    Edition::E2015,
    Edition::E2018,
    Edition::E2021,
    Edition::E2024,
];

/// Puts a text through everything; says whether it is Rust. `choice` chooses among ways to do so.
#[allow(dead_code)] // Not for the fuzz target.
pub(crate) fn check(text: &str, choice: usize) -> bool {
    let is_rust = check_text(text, choice);
    forget_sources();
    is_rust
}

/// As `check`, for a text that was made from another one by an edit.
pub(crate) fn check_edit(old: &str, new: &str, choice: usize) -> bool {
    let is_rust = check_text(new, choice);
    if let (Some(old), Some(new)) = (items(old), items(new)) {
        compare(&old, &new);
        compare(&new, &old);
        assert!(compare(&new, &new).is_empty(), "a file differs from itself");
    }
    forget_sources();
    is_rust
}

/// Compares two states of the only file of a crate.
fn compare(old: &FileItems, new: &FileItems) -> FileDiff {
    let before = LayoutNames::of([(0, old)]);
    let after = Box::new(LayoutNames::of([(0, new)]));
    let around = ProgramContext {
        unit: 0,
        before: &before,
        after: &after,
    };
    diff(old, new, &around)
}

/// Whether the edit is seen at all.
pub(crate) fn is_noticed(old: &str, new: &str) -> bool {
    let noticed = match (items(old), items(new)) {
        (Some(old), Some(new)) => !compare(&old, &new).is_empty(),
        _ => true,
    };
    forget_sources();
    noticed
}

/// How many functions of the rewritten text have a site.
#[allow(dead_code)] // Not for the fuzz target.
pub(crate) fn sites(text: &str) -> usize {
    let rewritten = rewrite(&load(text), &options(0));
    let file = syn::parse_file(&rewritten.files[0].1).expect("Rust");
    let sites = file
        .items
        .iter()
        .filter(|item| !matches!(item, syn::Item::Mod(_)));
    let texts = sites.map(|item| item.to_token_stream().to_string());
    texts
        .map(|text| text.matches("static __SOFT_MOCK_SITE").count())
        .sum()
}

fn check_text(text: &str, choice: usize) -> bool {
    let tree = load(text);
    if !tree.errors.is_empty() || tree.files.is_empty() {
        return false;
    }
    let options = options(choice);
    let rewritten = rewrite(&tree, &options);
    let (_, once) = &rewritten.files[0];
    in_place(text, once, options.mocks);
    let again = load(once);
    assert_eq!(again.errors, [], "what was written isn't Rust");
    // Twice: nobody does that, but nothing may break.
    let (_, twice) = &rewrite(&again, &options).files[0];
    in_place(once, twice, options.mocks);
    check_plugin(text, &tree, &rewritten.hidden, choice);
    check_whole(text, choice);
    true
}

fn options(choice: usize) -> Options {
    Options {
        output: match choice % 2 {
            0 => Output::Program,
            _ => Output::Twin,
        },
        edition: EDITIONS[choice / 2 % 4],
        facts: CrateIdentity {
            name: "app".to_owned(),
            ..CrateIdentity::default()
        },
        main: choice / 8 % 2 == 1,
        mocks: choice / 16 % 2 == 1,
        check: [PrologueCheck::Atomic, PrologueCheck::Assembly][choice / 32 % 2],
        ..Options::default()
    }
}

fn load(text: &str) -> CrateTree {
    let mut read = |path: &Path| match path == Path::new(ROOT) {
        true => Ok(text.to_owned()),
        false => Err(io::ErrorKind::NotFound.into()),
    };
    CrateTree::load(Path::new(ROOT), &mut read).expect("the root is there")
}

fn items(text: &str) -> Option<FileItems> {
    let tree = load(text);
    tree.files.first().map(FileItems::of_source)
}

/// A plugin with some of the functions.
fn check_plugin(
    text: &str,
    tree: &CrateTree,
    hidden: &[soft_mock_rewriter::analysis::Hidden],
    choice: usize,
) {
    let files = [Arc::new(FileItems::of_source(&tree.files[0]))];
    let eligible = files[0].functions.iter().enumerate();
    let functions: Vec<PatchFunction> = eligible
        .filter(|(index, function)| function.kind.is_ok() && (index + choice) % 3 == 0)
        .map(|(index, _)| PatchFunction {
            file: 0,
            function: index,
            not_send: choice % 5 == 0,
            typed: choice % 7 != 0,
            added: false,
        })
        .collect();
    let plugin = patch_source(&PatchRequest {
        options: &PatchedCrate {
            crate_name: "app".to_owned(),
            edition: EDITIONS[choice / 2 % 4],
            unit: 7,
            rustc: "rustc 1".to_owned(),
        },
        files: &files,
        text: &|_| Some(text),
        hidden,
        functions: &functions,
        additions: &[],
        shown: &|path| path.display().to_string(),
    });
    if let Ok(plugin) = plugin {
        for (path, text) in &plugin.files {
            // All but the root are included, and may begin in the middle of something.
            let parsed = syn::parse_file(text);
            assert!(
                parsed.is_ok(),
                "{}: {:?}\n{text}",
                path.display(),
                parsed.err()
            );
        }
    }
}

/// The whole crate, prepared so that all of its functions can be taken out of it.
fn check_whole(text: &str, choice: usize) {
    let tree = load(text);
    let functions = rewrite(&tree, &options(choice)).functions;
    if let Ok(source) = prepare(tree, "app", &functions, &|_| choice % 2 == 0) {
        let (_, text) = &rewrite(&source.tree, &options(choice)).files[0];
        let parsed = syn::parse_file(text);
        assert!(parsed.is_ok(), "whole: {:?}", parsed.err());
    }
}

/// Every name of the old text is on the same line in the new one, but for those that may change:
/// for tests, calls of the standard library are redirected, and only what functions are called
/// stays for sure.
fn in_place(old: &str, new: &str, redirected: bool) {
    let parsed = syn::parse_file(new);
    let new = parsed.unwrap_or_else(|error| panic!("what was written isn't Rust: {error}\n{new}"));
    let old = syn::parse_file(old).expect("it was parsed before");
    let mut names = Names::default();
    names.visit_file(&old);
    let mut there = HashMap::new();
    count(new.to_token_stream(), &mut there);
    let mut all = HashMap::new();
    match redirected {
        true => all = names.functions,
        false => count(old.to_token_stream(), &mut all),
    }
    for (name, number) in &all {
        let free = names.movable.get(name).copied().unwrap_or(0);
        let found = there.get(name).copied().unwrap_or(0);
        let free = if redirected { 0 } else { free };
        assert!(
            found + free >= *number,
            "{name:?} has moved to another line"
        );
    }
}

type Count = HashMap<(usize, String), usize>;

#[derive(Default)]
struct Names {
    /// Those that rules may take away: patterns among parameters are taken apart in the body.
    movable: Count,
    functions: Count,
}

impl Visit<'_> for Names {
    fn visit_signature(&mut self, signature: &syn::Signature) {
        count(signature.inputs.to_token_stream(), &mut self.movable);
        count(signature.ident.to_token_stream(), &mut self.functions);
    }

    // `pub(crate)` is `pub` in a twin.
    fn visit_vis_restricted(&mut self, visibility: &syn::VisRestricted) {
        count(visibility.to_token_stream(), &mut self.movable);
    }
}

fn count(tokens: TokenStream, names: &mut Count) {
    for token in tokens {
        let (line, text) = match &token {
            TokenTree::Group(group) => {
                count(group.stream(), names);
                continue;
            }
            TokenTree::Ident(name) => (name.span().start().line, name.to_string()),
            TokenTree::Literal(literal) => (literal.span().start().line, literal.to_string()),
            TokenTree::Punct(_) => continue,
        };
        // Text that syn itself makes (of documentation, for one) has no place.
        if line > 0 {
            *names.entry((line, text)).or_default() += 1;
        }
    }
}
