//! All names in the sources of crates, and those by which types are declared.
//!
//! By tokens alone, inside of macros as well. Knows nothing of what is asked of them.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use super::mentions::identifiers;
use super::names::plain;
use super::CrateTree;

/// The names.
#[derive(Debug, Default)]
pub struct SourceNames {
    written: HashSet<String>,
    all: HashSet<String>,
    types: HashSet<String>,
}

impl SourceNames {
    /// Adds those of a crate.
    pub fn add(&mut self, tree: &CrateTree) {
        for file in &tree.files {
            let tokens = file.ast.to_token_stream();
            identifiers(tokens.clone(), &mut self.written);
            self.declared(tokens);
        }
        self.all.extend(self.written.iter().map(|name| plain(name)));
    }

    /// All of them, raw names as they are written.
    pub fn as_written(&self) -> &HashSet<String> {
        &self.written
    }

    /// Whether anything has this name.
    pub fn has(&self, name: &str) -> bool {
        self.all.contains(name)
    }

    /// Whether a type is declared by it.
    pub fn has_type(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    fn declared(&mut self, tokens: TokenStream) {
        let mut after_keyword = false;
        for token in tokens {
            let mut is_keyword = false;
            match token {
                TokenTree::Group(group) => self.declared(group.stream()),
                TokenTree::Ident(ident) => {
                    let text = ident.to_string();
                    if after_keyword {
                        self.types.insert(plain(&text));
                    }
                    is_keyword = matches!(&*text, "struct" | "enum" | "union");
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            after_keyword = is_keyword;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names_and_types() {
        let source = "mod m { pub struct A; enum r#B {} } type C = u8;
            declare! { union D {} struct $name; } fn e() { struct F(G); }";
        let read = &mut |_: &Path| Ok(source.to_owned());
        let tree = CrateTree::load(Path::new("lib.rs"), read).expect("a tree");
        let mut names = SourceNames::default();
        names.add(&tree);
        for name in ["A", "B", "D", "F"] {
            assert!(names.has(name) && names.has_type(name), "{name}");
        }
        for name in ["C", "G", "e", "name"] {
            assert!(names.has(name) && !names.has_type(name), "{name}");
        }
        assert!(!names.has("H"));
    }
}
