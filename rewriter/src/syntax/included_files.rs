//! The files whose contents are a value in a crate: `include_str!("x")`, `include_bytes!("x")`.
//!
//! By tokens alone, so those of macros and attributes count as well. A path that isn't written out
//! is not found, nor one that stands in a macro and is looked for beside whoever calls that. Knows
//! nothing of what the files hold, nor whether they are there.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use super::CrateTree;

/// The macros whose argument is such a file.
const MACROS: [&str; 2] = ["include_str", "include_bytes"];

/// The paths of the files, without `..`.
pub fn included_files(tree: &CrateTree) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for file in &tree.files {
        // Most crates have none.
        if MACROS.iter().any(|name| file.text.contains(name)) {
            let folder = file.path.parent().unwrap_or(Path::new(""));
            search(file.ast.to_token_stream(), folder, &mut found);
        }
    }
    found
}

/// A path without `.` and `..`.
pub fn plain_path(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn search(tokens: TokenStream, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    let mut before = [false; 2];
    for token in tokens {
        let now = match token {
            TokenTree::Ident(name) => [MACROS.iter().any(|one| name == *one), false],
            TokenTree::Punct(mark) => [false, before[0] && mark.as_char() == '!'],
            TokenTree::Literal(_) => [false; 2],
            TokenTree::Group(group) => {
                let named = before[1].then(|| syn::parse2::<Argument>(group.stream()));
                match named {
                    Some(Ok(Argument(path))) => {
                        found.insert(plain_path(&folder.join(path)));
                    }
                    _ => search(group.stream(), folder, found),
                }
                [false; 2]
            }
        };
        before = now;
    }
}

/// A text, and nothing else.
struct Argument(String);

impl syn::parse::Parse for Argument {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let path: syn::LitStr = input.parse()?;
        let _: Option<syn::Token![,]> = input.parse()?;
        Ok(Self(path.value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_values() {
        let source = r#"
            #![doc = include_str!("../README.md")]
            const A: &str = include_str!("a.txt",);
            macro_rules! m { () => { std::include_bytes!("./deep/b.bin") } }
            fn f() { g(include_str!(concat!("c", ".txt"))); include!("d.in"); "include_str!(\"e\")"; }
        "#;
        let read = &mut |_: &Path| Ok(source.to_owned());
        let tree = CrateTree::load(Path::new("/w/src/lib.rs"), read).expect("a tree");
        let found: Vec<PathBuf> = included_files(&tree).into_iter().collect();
        let expected = ["/w/README.md", "/w/src/a.txt", "/w/src/deep/b.bin"];
        assert_eq!(found, expected.map(PathBuf::from));
    }
}
