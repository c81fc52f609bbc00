//! The files of a crate's product code, as its modules name them: what is compiled for tests only
//! isn't followed.
//!
//! Knows nothing of what stands in them but modules.

use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, Meta};

/// A file with modules of a crate.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// The path of its module, without `crate`: empty for the root.
    pub(crate) module: Vec<String>,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
}

impl SourceFile {
    /// Whether it begins by saying what it is for.
    pub(crate) fn is_introduced(&self) -> bool {
        self.text.trim_start().starts_with("//!")
    }
}

/// The root files of a crate's library and programs.
pub(crate) fn roots(krate: &Path) -> Vec<PathBuf> {
    let source = krate.join("src");
    let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
    for entry in fs::read_dir(source.join("bin")).into_iter().flatten() {
        roots.push(entry.expect("an entry").path());
    }
    roots.retain(|root| root.is_file());
    assert!(!roots.is_empty(), "{} has no sources", krate.display());
    roots
}

/// The root file and those of all modules below it.
pub(crate) fn product_files(root: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let folder = root.parent().expect("a folder").to_owned();
    follow(root.to_owned(), folder, Vec::new(), &mut files);
    files
}

/// Reads a file, whose modules lie in `folder`.
fn follow(path: PathBuf, folder: PathBuf, module: Vec<String>, files: &mut Vec<SourceFile>) {
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let syntax =
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut below = Vec::new();
    outlined(&syntax.items, &folder, &module, &mut below);
    files.push(SourceFile {
        path: path.clone(),
        module,
        text,
        syntax,
    });
    for (name, folder, module, written) in below {
        let of_name = [
            folder.join(format!("{name}.rs")),
            folder.join(&name).join("mod.rs"),
        ];
        let named = written.map(|written| path.parent().expect("a folder").join(written));
        let found = named.into_iter().chain(of_name).find(|path| path.is_file());
        let found =
            found.unwrap_or_else(|| panic!("{}: no file for module {name}", path.display()));
        follow(found, folder.join(&name), module, files);
    }
}

type Outlined = (String, PathBuf, Vec<String>, Option<String>);

/// The modules among these items that stand in files of their own, also inside of others that
/// don't.
fn outlined(items: &[Item], folder: &Path, module: &[String], found: &mut Vec<Outlined>) {
    for item in items {
        let Item::Mod(item) = item else { continue };
        if is_for_tests(&item.attrs) {
            continue;
        }
        let name = item.ident.to_string().trim_start_matches("r#").to_owned();
        let inner: Vec<String> = module.iter().cloned().chain([name.clone()]).collect();
        match &item.content {
            Some((_, items)) => outlined(items, &folder.join(&name), &inner, found),
            None => found.push((name, folder.to_owned(), inner, path_attribute(&item.attrs))),
        }
    }
}

/// `#[path = "…"]`
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let path = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let Meta::NameValue(value) = &path.meta else {
        return None;
    };
    match &value.value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// `#[cfg(test)]`, `#[cfg(all(test, …))]`
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            let mut words = condition.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            !condition.starts_with("not")
                && !condition.starts_with("any")
                && words.any(|word| word == "test")
        }
        _ => false,
    })
}
