//! Functions with a body in a project's files, and how a body is edited: a number is put at its
//! beginning.
//!
//! The edit needs no name but that of a primitive type, so it fits into any edition, into crates
//! without std and into const functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::LineColumn;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, TraitItemFn};

/// A function's body.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// Below the project's folder.
    pub(crate) file: PathBuf,
    pub(crate) function: String,
    /// The line of the function's name, by which `hot` calls it.
    pub(crate) line: usize,
    /// Right behind the opening brace.
    start: LineColumn,
}

impl Body {
    /// Tells it from all others of the project.
    pub(crate) fn name(&self) -> String {
        format!("{} ({}:{})", self.function, self.file.display(), self.line)
    }

    /// Where the mark is put.
    fn place(&self, text: &str) -> usize {
        let lines = text.split_inclusive('\n');
        let before: usize = lines.take(self.start.line - 1).map(str::len).sum();
        let column = text[before..].chars().take(self.start.column);
        before + column.map(char::len_utf8).sum::<usize>()
    }
}

/// Puts the numbers into the bodies. Returns the files as they were.
pub(crate) fn save(
    folder: &Path,
    group: &[Body],
    numbers: &[u64],
) -> Result<Vec<(PathBuf, String)>> {
    let mut files: BTreeMap<PathBuf, Vec<(&Body, u64)>> = BTreeMap::new();
    for (body, number) in group.iter().zip(numbers) {
        let file = files.entry(folder.join(&body.file)).or_default();
        file.push((body, *number));
    }
    let mut originals = Vec::new();
    for (path, marks) in files {
        let original = fs::read_to_string(&path)?;
        fs::write(&path, marked(&original, &marks))?;
        originals.push((path, original));
    }
    Ok(originals)
}

/// A file's text with numbers in these bodies. In a debug build they are in the functions' machine
/// code.
pub(crate) fn marked(text: &str, marks: &[(&Body, u64)]) -> String {
    let mut places: Vec<(usize, u64)> = marks
        .iter()
        .map(|(body, number)| (body.place(text), *number))
        .collect();
    places.sort_unstable();
    let mut marked = text.to_owned();
    for (place, number) in places.into_iter().rev() {
        let mark = format!(" let _ = u64::swap_bytes({number}_u64);");
        marked.insert_str(place, &mark);
    }
    marked
}

/// All bodies in these files, tests aside.
pub(crate) fn bodies(folder: &Path, files: &[PathBuf]) -> Result<Vec<Body>> {
    let mut found = Vec::new();
    for path in files {
        let file = path.strip_prefix(folder).unwrap_or(path).to_owned();
        let text = fs::read_to_string(path)?;
        let parsed = syn::parse_file(&text)
            .with_context(|| format!("{} can't be parsed", path.display()))?;
        let mut finder = Finder {
            file,
            scope: Vec::new(),
            found: &mut found,
        };
        finder.visit_file(&parsed);
    }
    Ok(found)
}

struct Finder<'a> {
    file: PathBuf,
    scope: Vec<String>,
    found: &'a mut Vec<Body>,
}

impl Finder<'_> {
    fn add(&mut self, name: &syn::Ident, block: &Block) {
        let mut function = self.scope.join("::");
        if !function.is_empty() {
            function.push_str("::");
        }
        self.found.push(Body {
            file: self.file.clone(),
            function: function + &name.to_string(),
            line: name.span().start().line,
            start: block.brace_token.span.open().end(),
        });
    }

    fn within(&mut self, scope: String, visit: impl FnOnce(&mut Self)) {
        self.scope.push(scope);
        visit(self);
        self.scope.pop();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        // Functions inside of functions are part of the outer body.
        if !is_test(&item.attrs) {
            self.add(&item.sig.ident, &item.block);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            self.add(&item.sig.ident, &item.block);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig.ident, block);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            self.within(item.ident.to_string(), |this| {
                visit::visit_item_mod(this, item)
            });
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !is_test(&item.attrs) {
            let scope = match &*item.self_ty {
                syn::Type::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()),
                _ => None,
            };
            let scope = scope.unwrap_or_else(|| "_".to_owned());
            self.within(scope, |this| visit::visit_item_impl(this, item));
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.within(item.ident.to_string(), |this| {
            visit::visit_item_trait(this, item)
        });
    }
}

/// Under `#[test]`, `#[bench]` or a condition that names `test`.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let last = path.segments.last().map(|s| s.ident.to_string());
        match last.as_deref() {
            Some("test" | "bench") => true,
            Some("cfg") => attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|condition| condition == "test"),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_bodies_and_marks_them() {
        let folder = Path::new("/nowhere");
        let text = "trait T { fn a(&self) { } fn b(&self); }\nimpl T for S {\n    fn c() -> &'static str { \"é\" }\n}\n\
                    #[cfg(test)]\nmod tests { fn d() {} }\n#[test] fn e() {}\nfn f() { fn g() {} }\n";
        let mut found = Vec::new();
        let mut finder = Finder {
            file: folder.join("a.rs"),
            scope: Vec::new(),
            found: &mut found,
        };
        finder.visit_file(&syn::parse_file(text).expect("Rust"));
        let names: Vec<&str> = found.iter().map(|body| body.function.as_str()).collect();
        assert_eq!(names, ["T::a", "S::c", "f"]);
        let marked = marked(text, &[(&found[1], 7), (&found[0], 8)]);
        assert!(
            marked.contains("str { let _ = u64::swap_bytes(7_u64); \"é\" }"),
            "{marked}"
        );
        assert!(marked.contains("{ let _ = u64::swap_bytes(8_u64); }"));
        assert_eq!(
            (found[1].line, marked.lines().count()),
            (3, text.lines().count())
        );
    }
}
