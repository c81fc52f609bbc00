//! What a crate of shared types must not hand over: `dyn Any` and `dyn Error`.
//!
//! Whoever gets one can take it apart as a type of their own, by a `TypeId` that two versions of a
//! plugin have in common, whatever the fields of the type are in each. Where objects pass through
//! `soft-mock` they are compared; in a trait of the user's nobody does.
//!
//! ```text
//! refused  trait Task { fn run(&self) -> Result<(), Box<dyn Error>>; }
//! fine     trait Task { fn run(&self) -> Result<(), TaskError>; }         fn helper() -> Box<dyn Error> { … }
//! ```

use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ItemEnum, ItemStruct, ItemTrait, ItemType, TypeParamBound};

use super::error::BuildError;

/// Where such a thing is handed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// `dyn Any` or `dyn Error`.
    pub(super) what: &'static str,
}

/// The first one in the sources of a library that isn't allowed.
pub(super) fn find(
    root: &Path,
    is_allowed: &dyn Fn(&str) -> bool,
) -> Result<Option<Found>, BuildError> {
    let mut folders = vec![root.parent().unwrap_or(root).to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(BuildError::io(&folder))?;
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| Ok(entry.map_err(BuildError::io(&folder))?.path()))
            .collect::<Result<_, BuildError>>()?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                // What cargo has made lies beside a root file that isn't in a folder of its own.
                folders.extend((!path.ends_with("target")).then_some(path));
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(BuildError::io(&path))?;
            let mut found = in_text(&text).into_iter();
            if let Some((line, what)) = found.find(|(_, what)| !is_allowed(what)) {
                return Ok(Some(Found {
                    file: path,
                    line,
                    what,
                }));
            }
        }
    }
    Ok(None)
}

/// The lines of a file, which the compiler will complain about if it can't be parsed.
fn in_text(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Finder::default();
    if let Ok(file) = syn::parse_file(text) {
        Items(&mut found).visit_file(&file);
    }
    found.0
}

/// Looks into the items that others see the types of.
struct Items<'a>(&'a mut Finder);

impl<'ast> Visit<'ast> for Items<'_> {
    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        for item in &item.items {
            match item {
                // The body of a default method is compiled where it is used.
                syn::TraitItem::Fn(method) => self.0.visit_signature(&method.sig),
                other => self.0.visit_trait_item(other),
            }
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.0.visit_fields(&item.fields);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        for variant in &item.variants {
            self.0.visit_fields(&variant.fields);
        }
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.0.visit_type(&item.ty);
    }
}

#[derive(Default)]
struct Finder(Vec<(usize, &'static str)>);

impl<'ast> Visit<'ast> for Finder {
    fn visit_type_trait_object(&mut self, object: &'ast syn::TypeTraitObject) {
        for bound in &object.bounds {
            let TypeParamBound::Trait(bound) = bound else {
                continue;
            };
            let last = bound.path.segments.last();
            let what = match last.map(|last| last.ident.to_string()).as_deref() {
                Some("Any") => "dyn Any",
                Some("Error") => "dyn Error",
                _ => continue,
            };
            self.0.push((bound.span().start().line, what));
        }
        visit::visit_type_trait_object(self, object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &'static str)]) {
        assert_eq!(in_text(text), expected);
    }

    #[test]
    fn what_crosses_is_found_with_its_line() {
        check(
            "trait Task {\n    fn run(&self) -> Result<(), Box<dyn std::error::Error + Send>>;\n}",
            &[(2, "dyn Error")],
        );
        check(
            "mod a {\n  pub struct S { pub any: Vec<Box<dyn Any>> }\n}",
            &[(2, "dyn Any")],
        );
        check("enum E { A(u8), B(Box<dyn Error>) }", &[(1, "dyn Error")]);
        check("type Callback = fn(&dyn Any);", &[(1, "dyn Any")]);
        check(
            "trait T { fn f(&self, g: &dyn Fn(&dyn Error)); }",
            &[(1, "dyn Error")],
        );
    }

    #[test]
    fn what_stays_in_its_library_is_fine() {
        check("fn helper() -> Result<(), Box<dyn Error>> { Ok(()) }", &[]);
        check(
            "trait T { fn f(&self) { let _: Option<&dyn Any> = None; } }",
            &[],
        );
        check(
            "impl T for U { fn f(&self) -> Box<dyn Any> { Box::new(1) } }",
            &[],
        );
        check("struct S(Box<dyn Fn(MyError)>); enum Error {}", &[]);
        check("not rust", &[]);
    }
}
