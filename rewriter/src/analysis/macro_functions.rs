//! Functions that stand inside macros: rules and calls at the place of items. They have no site,
//! since the rewriter doesn't know what becomes of their text.
//!
//! ```text
//! macro_rules! make { ($name:ident) => { fn $name() { … } } }      `name`
//! service! { fn get(&self) -> u8 { … } fn put(&self); }            `get`; `put` has no body
//! ```

use std::path::PathBuf;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::ItemMacro;

use crate::syntax::tree::{line_of, CrateTree};

/// A function inside a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroFunction {
    /// Its own name, or that of the macro's variable.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The line of its name.
    pub line: usize,
}

/// All functions with a body inside the macros of a crate.
pub fn macro_functions(tree: &CrateTree) -> Vec<MacroFunction> {
    let mut found = Vec::new();
    for file in &tree.files {
        let mut finder = Finder {
            path: &file.path,
            found: &mut found,
        };
        finder.visit_file(&file.ast);
    }
    found
}

struct Finder<'a> {
    path: &'a PathBuf,
    found: &'a mut Vec<MacroFunction>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        self.tokens(item.mac.tokens.clone());
    }
}

impl Finder<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (position, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(word) if *word == "fn" => self.function(&tokens[position + 1..]),
                _ => {}
            }
        }
    }

    /// `name … (parameters) … { body }`; `fn(u32) -> u32` is a type, and without a body it is
    /// declared only.
    fn function(&mut self, rest: &[TokenTree]) {
        let dollar =
            matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '$');
        let Some(TokenTree::Ident(name)) = rest.get(usize::from(dollar)) else {
            return;
        };
        let body = rest.iter().enumerate().find_map(|(at, token)| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(true),
            TokenTree::Punct(punct) if punct.as_char() == ';' => Some(false),
            TokenTree::Ident(word) if *word == "fn" && is_named(&rest[at + 1..]) => Some(false),
            _ => None,
        });
        if body == Some(true) {
            let mark = if dollar { "$" } else { "" };
            self.found.push(MacroFunction {
                name: format!("{mark}{name}"),
                path: self.path.clone(),
                line: line_of(name.span()),
            });
        }
    }
}

/// Whether what follows `fn` is a name: else it is a type.
fn is_named(rest: &[TokenTree]) -> bool {
    !matches!(rest.first(), Some(TokenTree::Group(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn functions_in_rules_and_calls() {
        let source = "macro_rules! make { ($name:ident) => { fn $name() -> fn(u32) { f }  trait T { fn no(); } } }\n\
                      make!(a);\nwrap! {\n  impl X { pub fn b(&self) {} }\n}\nfn plain() { vec![1]; }\n";
        let mut read = |_: &Path| Ok(source.to_owned());
        let tree = CrateTree::load(Path::new("lib.rs"), &mut read).expect("a root");
        let found: Vec<_> = macro_functions(&tree)
            .into_iter()
            .map(|f| (f.name, f.line))
            .collect();
        assert_eq!(found, [("$name".to_owned(), 1), ("b".to_owned(), 4)]);
    }
}
