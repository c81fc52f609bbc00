//! Where a function can be made to do something else, and how: another operator, another number,
//! the opposite, a default in place of a result.
//!
//! Tests are left as they are, unless they are wanted. Whether it compiles is not known here.

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, ExprBinary, ImplItemFn, ItemFn, ItemImpl, ItemMod, Lit, ReturnType};

use crate::functions::is_test;

/// A change of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutation {
    /// Below the project's folder.
    pub(super) file: PathBuf,
    line: usize,
    range: Range<usize>,
    old: String,
    new: String,
}

impl Mutation {
    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        text.replace_range(self.range.clone(), &self.new);
        text
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.file.display(), self.line);
        write!(f, "{file}:{line}: `{}` is `{}`", self.old, self.new.trim())
    }
}

/// All code of the packages in a folder. `tests`: of their tests, too.
pub(super) fn all(folder: &Path, tests: bool) -> Result<Vec<Mutation>> {
    let mut files = Vec::new();
    for package in packages(folder)? {
        let own = [Some("src"), tests.then_some("tests")];
        let own = own.into_iter().flatten().map(|name| package.join(name));
        for place in own.filter(|place| place.is_dir()) {
            rust_files(&place, &mut files)?;
        }
    }
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        let file = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        found.extend(of(&text, file, tests).with_context(|| path.display().to_string())?);
    }
    Ok(found)
}

/// The folders with a manifest, but for what cargo and git make.
fn packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.join("Cargo.toml").is_file() {
        found.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_made = name == "target" || name.starts_with('.');
        if path.is_dir() && !is_made && !["src", "tests"].contains(&&*name) {
            found.extend(packages(&path)?);
        }
    }
    Ok(found)
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn of(text: &str, file: PathBuf, tests: bool) -> Result<Vec<Mutation>> {
    let mut finder = Finder {
        text,
        file,
        tests,
        inside: 0,
        found: Vec::new(),
    };
    finder.visit_file(&syn::parse_file(text)?);
    Ok(finder.found)
}

struct Finder<'a> {
    text: &'a str,
    file: PathBuf,
    /// Tests are mutated, too.
    tests: bool,
    /// In how many bodies of functions.
    inside: usize,
    found: Vec<Mutation>,
}

impl Finder<'_> {
    fn add(&mut self, span: proc_macro2::Span, new: &str) {
        let range = span.byte_range();
        if self.inside > 0 {
            self.found.push(Mutation {
                file: self.file.clone(),
                line: span.start().line,
                old: self.text[range.clone()].to_owned(),
                range,
                new: new.to_owned(),
            });
        }
    }

    fn body(&mut self, block: &Block, output: &ReturnType) {
        self.inside += 1;
        if !matches!(output, ReturnType::Default) {
            let brace = block.brace_token.span.open();
            self.add(brace, "{ if true { return Default::default(); }");
        }
        visit::visit_block(self, block);
        self.inside -= 1;
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if self.tests || !is_test(&item.attrs) {
            self.body(&item.block, &item.sig.output);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if self.tests || !is_test(&item.attrs) {
            self.body(&item.block, &item.sig.output);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if self.tests || !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if self.tests || !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let other = match binary.op {
            BinOp::Add(_) => "-",
            BinOp::Sub(_) => "+",
            BinOp::Mul(_) => "/",
            BinOp::Lt(_) => "<=",
            BinOp::Le(_) => "<",
            BinOp::Gt(_) => ">=",
            BinOp::Ge(_) => ">",
            BinOp::Eq(_) => "!=",
            BinOp::Ne(_) => "==",
            BinOp::And(_) => "||",
            BinOp::Or(_) => "&&",
            _ => "",
        };
        if !other.is_empty() {
            self.add(binary.op.span(), other);
        }
        visit::visit_expr_binary(self, binary);
    }

    /// What a test says, it says in such macros.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last();
        let asserts = name.is_some_and(|name| name.ident.to_string().starts_with("assert"));
        if self.tests && asserts {
            let arguments = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
            let arguments = call.parse_body_with(arguments).unwrap_or_default();
            arguments
                .iter()
                .for_each(|argument| self.visit_expr(argument));
        }
    }

    fn visit_expr_lit(&mut self, lit: &'ast syn::ExprLit) {
        match &lit.lit {
            Lit::Bool(bool) => self.add(bool.span, if bool.value { "false" } else { "true" }),
            Lit::Int(int) => {
                if let Ok(value) = int.base10_parse::<u64>() {
                    let new = format!("{}{}", value.wrapping_add(1), int.suffix());
                    self.add(int.span(), &new);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_mutated_and_tests_are_not() {
        let text = "const A: u8 = 1;\nfn f(a: u8) -> bool { a + 2 < 3u8 && true }\n\
                    #[cfg(test)] mod tests { fn g() -> u8 { 1 + 1 } }\n#[test] fn h() { assert!(1 < 2); }\n";
        let found = of(text, "a.rs".into(), false).expect("Rust");
        let mut made: Vec<String> = found.iter().map(|mutation| mutation.apply(text)).collect();
        made.sort();
        let line = |text: &String| text.lines().nth(1).unwrap_or_default().to_owned();
        let mut lines: Vec<String> = made.iter().map(line).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "fn f(a: u8) -> bool { a + 2 < 3u8 && false }",
                "fn f(a: u8) -> bool { a + 2 < 3u8 || true }",
                "fn f(a: u8) -> bool { a + 2 < 4u8 && true }",
                "fn f(a: u8) -> bool { a + 2 <= 3u8 && true }",
                "fn f(a: u8) -> bool { a + 3 < 3u8 && true }",
                "fn f(a: u8) -> bool { a - 2 < 3u8 && true }",
                "fn f(a: u8) -> bool { if true { return Default::default(); } a + 2 < 3u8 && true }",
            ]
        );
        let with_tests = of(text, "a.rs".into(), true).expect("Rust");
        assert_eq!(with_tests.len(), found.len() + 4 + 3);
        assert_eq!(
            found[0].to_string(),
            "a.rs:2: `{` is `{ if true { return Default::default(); }`"
        );
    }
}
