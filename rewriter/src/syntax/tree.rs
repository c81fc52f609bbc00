//! The files of a crate, found by following its module declarations from the root file.
//!
//! Does no IO: the caller hands in a function that reads a file. Knows nothing of what is done
//! with the files.

use std::io;
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::{Attribute, Item, ItemMod};

use crate::syntax::attributes::{is_no_std, is_test_only};
use crate::syntax::columns::Columns;
use crate::syntax::compiled_as::CompiledAs;
use crate::syntax::names::plain;

/// One source file of a crate, in the module where it is declared.
#[derive(Debug)]
pub struct SourceFile {
    /// Where it was read.
    pub path: PathBuf,
    /// The path of its module inside the crate; empty for the root.
    pub module: Vec<String>,
    /// Its text.
    pub text: String,
    /// Its syntax.
    pub ast: syn::File,
    /// Where its columns stood in the file that was read.
    pub columns: Columns,
}

impl SourceFile {
    /// The path of its module, the crate's name first.
    pub(crate) fn crate_module(&self, crate_name: &str) -> String {
        let mut path = vec![crate_name.to_owned()];
        path.extend(self.module.iter().cloned());
        path.join("::")
    }

    /// The bytes before what the parser sees: a byte order mark and a `#!` line. Spans count from
    /// there.
    pub(crate) fn unparsed(&self) -> usize {
        let text = self.text.as_str();
        let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let rest = &text[mark..];
        let script = rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[');
        match script {
            true => mark + rest.find('\n').unwrap_or(rest.len()),
            false => mark,
        }
    }

    /// The text that the parser sees.
    pub(crate) fn parsed(&self) -> &str {
        &self.text[self.unparsed()..]
    }
}

/// A file that could not be read as Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What the parser expected.
    pub message: String,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.path.display(),
            self.line,
            self.column,
            self.message
        )
    }
}

impl std::error::Error for SyntaxError {}

/// All files of a crate that can be found and read.
#[derive(Debug, Default)]
pub struct CrateTree {
    /// The files, the root first.
    pub files: Vec<SourceFile>,
    /// The paths and modules of all files that were found, also of those that are no Rust.
    pub found: Vec<(PathBuf, Vec<String>)>,
    /// Files that are no Rust as they stand.
    pub errors: Vec<SyntaxError>,
    /// What it is compiled as.
    pub compiled_as: CompiledAs,
}

/// How many bytes at its start the parser leaves out: a byte order mark and a `#!` line.
pub(crate) fn left_out(text: &str) -> usize {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - rest.len();
    match rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[') {
        true => mark + rest.find('\n').unwrap_or(rest.len()),
        false => mark,
    }
}

/// Parses one file.
pub fn parse(path: &Path, text: &str) -> Result<syn::File, SyntaxError> {
    parse_as(CompiledAs::Crate, path, text)
}

/// Parses one file of a crate that is compiled as this.
pub(crate) fn parse_as(
    compiled_as: CompiledAs,
    path: &Path,
    text: &str,
) -> Result<syn::File, SyntaxError> {
    let parsed = syn::parse_file(text).map_err(|error| {
        let start = error.span().start();
        SyntaxError {
            path: path.to_owned(),
            line: start.line,
            column: start.column + 1,
            message: error.to_string(),
        }
    });
    let mut file = parsed?;
    compiled_as.mark(&mut file);
    Ok(file)
}

impl CrateTree {
    /// Reads the crate with the root file `root`, as it is compiled by itself: see
    /// [`Self::load_as`].
    pub fn load(
        root: &Path,
        read: &mut dyn FnMut(&Path) -> io::Result<String>,
    ) -> io::Result<Self> {
        Self::load_as(CompiledAs::Crate, root, read)
    }

    /// Reads the crate with the root file `root`.
    ///
    /// Module files that don't exist are left out: `#[cfg]` may exclude them, and if it does not,
    /// rustc says so better. The error is that of the root file itself.
    pub fn load_as(
        compiled_as: CompiledAs,
        root: &Path,
        read: &mut dyn FnMut(&Path) -> io::Result<String>,
    ) -> io::Result<Self> {
        let text = read(root)?;
        let dir = root.parent().unwrap_or(Path::new("")).to_owned();
        let mut tree = Self {
            compiled_as,
            ..Self::default()
        };
        let mut loader = Loader {
            tree: &mut tree,
            read,
        };
        loader.file(root.to_owned(), text, Vec::new(), dir);
        Ok(tree)
    }

    /// Whether the crate declares itself free of the standard library, in whatever configuration.
    pub fn is_no_std(&self) -> bool {
        self.files
            .first()
            .is_some_and(|root| is_no_std(&root.ast.attrs))
    }
}

struct Loader<'a> {
    tree: &'a mut CrateTree,
    read: &'a mut dyn FnMut(&Path) -> io::Result<String>,
}

/// Where the declarations of a file or an inline module look for their files.
struct Place<'a> {
    /// The folder of child modules.
    children: PathBuf,
    /// The folder that `#[path]` is relative to.
    paths: PathBuf,
    module: &'a [String],
}

impl Loader<'_> {
    fn file(&mut self, path: PathBuf, text: String, module: Vec<String>, children: PathBuf) {
        self.tree.found.push((path.clone(), module.clone()));
        let ast = match parse_as(self.tree.compiled_as, &path, &text) {
            Ok(ast) => ast,
            Err(error) => return self.tree.errors.push(error),
        };
        let declarations = module_items(&ast.items);
        let paths = path.parent().unwrap_or(Path::new("")).to_owned();
        self.tree.files.push(SourceFile {
            path,
            module: module.clone(),
            text,
            ast,
            columns: Columns::default(),
        });
        self.declarations(
            &declarations,
            &Place {
                children,
                paths,
                module: &module,
            },
        );
    }

    fn declarations(&mut self, declarations: &[ItemMod], place: &Place<'_>) {
        for declaration in declarations {
            let name = plain(&declaration.ident.to_string());
            let mut module = place.module.to_vec();
            module.push(name.clone());
            match &declaration.content {
                Some((_, items)) => {
                    let folder = place.children.join(&name);
                    self.declarations(
                        &module_items(items),
                        &Place {
                            children: folder.clone(),
                            paths: folder,
                            module: &module,
                        },
                    );
                }
                None => self.outline(declaration, &name, module, place),
            }
        }
    }

    /// `mod name;`: the first of its possible files that exists, or each that `#[path]` names.
    fn outline(
        &mut self,
        declaration: &ItemMod,
        name: &str,
        module: Vec<String>,
        place: &Place<'_>,
    ) {
        let mut found = false;
        for path in path_attributes(&declaration.attrs) {
            let path = place.paths.join(path);
            let children = path.parent().unwrap_or(Path::new("")).to_owned();
            found |= self.try_file(path, &module, children);
        }
        if found {
            return;
        }
        let folder = place.children.join(name);
        let beside = place.children.join(format!("{name}.rs"));
        if !self.try_file(beside, &module, folder.clone()) {
            self.try_file(folder.join("mod.rs"), &module, folder);
        }
    }

    fn try_file(&mut self, path: PathBuf, module: &[String], children: PathBuf) -> bool {
        let mut found = self.tree.found.iter();
        if found.any(|(known, of)| *known == path && of == module) {
            return true;
        }
        match (self.read)(&path) {
            Ok(text) => {
                self.file(path, text, module.to_vec(), children);
                true
            }
            Err(_) => false,
        }
    }
}

fn module_items(items: &[Item]) -> Vec<ItemMod> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Mod(module) if !is_test_only(&module.attrs) => Some(shallow(module)),
            _ => None,
        })
        .collect()
}

/// The declaration alone: the contents of inline modules are cloned only as far as modules go.
fn shallow(module: &ItemMod) -> ItemMod {
    ItemMod {
        content: module.content.as_ref().map(|(brace, items)| {
            let inner = module_items(items).into_iter().map(Item::Mod).collect();
            (*brace, inner)
        }),
        attrs: module.attrs.clone(),
        vis: module.vis.clone(),
        unsafety: module.unsafety,
        mod_token: module.mod_token,
        ident: module.ident.clone(),
        semi: module.semi,
    }
}

/// The files that `#[path = "…"]` names, also inside `cfg_attr`.
fn path_attributes(attrs: &[Attribute]) -> Vec<String> {
    let mut found = Vec::new();
    for attr in attrs {
        collect_path(&attr.meta, &mut found);
    }
    found
}

fn collect_path(meta: &syn::Meta, found: &mut Vec<String>) {
    match meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => {
            if let syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) = &pair.value
            {
                found.push(text.value());
            }
        }
        syn::Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let nested = list.parse_args_with(
                syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
            );
            for inner in nested.into_iter().flatten().skip(1) {
                collect_path(&inner, found);
            }
        }
        _ => {}
    }
}

/// The line of a span, from 1.
pub fn line_of(span: Span) -> usize {
    span.start().line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn check(files: &[(&str, &str)], expected: &[(&str, &str)]) {
        let files: HashMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
            .collect();
        let mut read = |path: &Path| {
            files
                .get(path)
                .cloned()
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let tree = CrateTree::load(Path::new("src/main.rs"), &mut read).expect("a root");
        let found: Vec<(String, String)> = tree
            .files
            .iter()
            .map(|f| (f.path.display().to_string(), f.module.join("::")))
            .collect();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn follows_declarations() {
        check(
            &[
                (
                    "src/main.rs",
                    "mod a; mod b { mod c; } #[cfg(x)] mod gone; #[cfg(test)] mod tests;",
                ),
                ("src/a.rs", "mod d;"),
                ("src/a/d.rs", ""),
                ("src/b/c/mod.rs", "mod e;"),
                ("src/b/c/e.rs", ""),
                ("src/tests.rs", ""),
            ],
            &[
                ("src/main.rs", ""),
                ("src/a.rs", "a"),
                ("src/a/d.rs", "a::d"),
                ("src/b/c/mod.rs", "b::c"),
                ("src/b/c/e.rs", "b::c::e"),
            ],
        );
    }

    #[test]
    fn follows_path_attributes() {
        check(
            &[
                (
                    "src/main.rs",
                    "#[path = \"x/y.rs\"] mod a; #[cfg_attr(unix, path = \"u.rs\")] mod os;",
                ),
                ("src/x/y.rs", "mod z;"),
                ("src/x/z.rs", ""),
                ("src/u.rs", ""),
            ],
            &[
                ("src/main.rs", ""),
                ("src/x/y.rs", "a"),
                ("src/x/z.rs", "a::z"),
                ("src/u.rs", "os"),
            ],
        );
    }

    #[test]
    fn says_where_a_file_is_no_rust() {
        let mut read = |_: &Path| Ok("fn f() {\n  let = 1;\n}".to_owned());
        let tree = CrateTree::load(Path::new("src/main.rs"), &mut read).expect("a root");
        assert_eq!((tree.errors[0].line, tree.errors[0].column), (2, 7));
    }

    #[test]
    fn finds_files_that_are_no_rust() {
        let mut read = |path: &Path| match path.to_str() {
            Some("src/main.rs") => Ok("mod a;".to_owned()),
            Some("src/a/mod.rs") => Ok("fn f() {".to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        let tree = CrateTree::load(Path::new("src/main.rs"), &mut read).expect("a root");
        let a = (PathBuf::from("src/a/mod.rs"), vec!["a".to_owned()]);
        assert_eq!(tree.found[1..], [a]);
        assert_eq!((tree.files.len(), tree.errors.len()), (1, 1));
    }
}
