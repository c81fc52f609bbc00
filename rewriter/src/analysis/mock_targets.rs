//! Which of its own functions the tests of a crate could mock: those that something in its sources
//! names where mocks are made. The others needn't be rewritten, which spares the compiler most of
//! its work.
//!
//! ```text
//! mock!(pricing::rate_for, |_| 0.5)              rate_for
//! use pricing::rate_for as rate; mock!(rate, …)  rate_for
//! fn freeze<F>(f: F) { mock!(f, …) }             any function
//! ```
//!
//! By names alone, on the safe side. Only `soft-mock` makes mocks, or a macro of the crate that
//! says so. Knows nothing of functions of other crates, and of what those could mock.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};

use crate::syntax::names::plain;
use crate::syntax::tree::CrateTree;

/// The crate that makes mocks, and its macros that are given what is to be mocked.
const CRATE: &str = "soft_mock";
const MACROS: [&str; 4] = ["double", "mock", "mock_everywhere", "spy"];

/// Functions that are given the function whose mock they are about.
const BY_FUNCTION: [&str; 4] = [
    "call_original",
    "call_original_async",
    "get_mock_for",
    "reset",
];

/// Functions that are given its name, whatever that is, and the one that lists all.
const BY_NAME: [&str; 3] = ["get_mock_by_name", "mock_by_name", "reset_by_name"];
const LIST: &str = "list";

/// What could be mocked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MockTargets {
    /// Whatever there is: it isn't said by a name.
    All,
    /// Functions and methods of these names.
    Named(HashSet<String>),
}

impl MockTargets {
    /// Reads all files of a crate.
    pub(crate) fn of(tree: &CrateTree) -> Self {
        let mut finder = Finder {
            macros: mocking_macros(tree),
            ..Finder::default()
        };
        for file in &tree.files {
            finder.visit_file(&file.ast);
            // What is given by a variable may be any function.
            finder.is_any |= finder.given.iter().any(|name| finder.bound.contains(name));
            finder.given.clear();
            finder.bound.clear();
        }
        match finder.is_any {
            true => Self::All,
            false => Self::Named(finder.with_other_names()),
        }
    }

    /// Whether a function of this name may be mocked.
    pub(crate) fn include(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

/// The names of all macros in which a function may be named to be mocked: also those of the crate
/// that make use of others, and other names of all these.
fn mocking_macros(tree: &CrateTree) -> HashSet<String> {
    let mut own = OwnMacros::default();
    for file in &tree.files {
        own.visit_file(&file.ast);
    }
    let mut macros: HashSet<String> = MACROS.map(str::to_owned).into();
    loop {
        let known = macros.len();
        for (name, words) in &own.0 {
            let is_mocking = |word: &String| {
                macros.contains(word) || word == CRATE || BY_FUNCTION.contains(&&**word)
            };
            if words.iter().any(is_mocking) {
                macros.insert(name.clone());
            }
        }
        if macros.len() == known {
            return macros;
        }
    }
}

/// The macros that the crate makes, with the words in each; and other names of macros.
#[derive(Default)]
struct OwnMacros(Vec<(String, HashSet<String>)>);

impl<'ast> Visit<'ast> for OwnMacros {
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let mut words = HashSet::new();
        words_in(item.mac.tokens.clone(), &mut words);
        let name = item.ident.as_ref().map(ToString::to_string);
        self.0.extend(name.map(|name| (name, words)));
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        let original = HashSet::from([rename.ident.to_string()]);
        self.0.push((rename.rename.to_string(), original));
    }
}

/// All words, those of texts among them.
fn words_in(tokens: TokenStream, words: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => words_in(group.stream(), words),
            TokenTree::Ident(ident) => {
                words.insert(plain(&ident.to_string()));
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let found = text.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
                words.extend(found.map(str::to_owned));
            }
            TokenTree::Punct(_) => {}
        }
    }
}

#[derive(Default)]
struct Finder {
    macros: HashSet<String>,
    names: HashSet<String>,
    /// `a as b`: what is called b, and a.
    renamed: Vec<(String, String)>,
    /// Of the file: what a macro is given as one word, and what variables and constants there are.
    given: HashSet<String>,
    bound: HashSet<String>,
    is_any: bool,
}

impl Finder {
    /// What is given to a macro in the first place, if it is one word.
    fn first_word(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter();
        let (first, second) = (tokens.next(), tokens.next());
        let is_end = second.is_none_or(|token| token.to_string() == ",");
        if let (Some(TokenTree::Ident(word)), true) = (first, is_end) {
            self.given.insert(plain(&word.to_string()));
        }
    }

    fn macro_call(&mut self, name: &str, tokens: TokenStream) {
        self.is_any |= name == "include";
        if self.macros.contains(name) {
            self.named(tokens.clone());
        }
        self.calls_in(tokens);
    }

    /// What is given to something that mocks.
    fn named(&mut self, tokens: TokenStream) {
        self.first_word(tokens.clone());
        words_in(tokens, &mut self.names);
    }

    /// Macros and functions that are called within tokens, and what is bound there.
    fn calls_in(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let word = |at: Option<usize>| match at.map(|at| &tokens[at]) {
            Some(TokenTree::Ident(ident)) => ident.to_string(),
            _ => String::new(),
        };
        let sign = |at: Option<usize>| match at.map(|at| &tokens[at]) {
            Some(TokenTree::Punct(punct)) => punct.as_char(),
            _ => ' ',
        };
        let mut is_module = false;
        for (at, token) in tokens.iter().enumerate() {
            let (before, earlier) = (at.checked_sub(1), at.checked_sub(2));
            match token {
                TokenTree::Ident(ident) => {
                    is_module |= ident == "mod";
                    // `let f`, `|f`, `f: F`.
                    let after = |many: usize| Some(at + many).filter(|at| *at < tokens.len());
                    let has_type = sign(after(1)) == ':' && sign(after(2)) != ':';
                    let binds =
                        has_type || matches!(&*word(before), "let" | "mut") || sign(before) == '|';
                    if binds {
                        self.bound.insert(plain(&ident.to_string()));
                    }
                }
                // `mod tests;`: a file that isn't among the crate's here.
                TokenTree::Punct(punct) => self.is_any |= is_module && punct.as_char() == ';',
                TokenTree::Group(group) => {
                    is_module = false;
                    let (name, called) = (word(before), word(earlier));
                    if sign(before) == '!' && !called.is_empty() {
                        self.macro_call(&called, group.stream());
                        continue;
                    }
                    let is_call = group.delimiter() == Delimiter::Parenthesis;
                    if is_call && BY_FUNCTION.contains(&&*name) {
                        self.named(group.stream());
                    }
                    self.is_any |= is_call && BY_NAME.contains(&&*name);
                    self.calls_in(group.stream());
                }
                TokenTree::Literal(_) => {}
            }
        }
    }

    /// The names, and what they are other names for.
    fn with_other_names(self) -> HashSet<String> {
        let mut names = self.names;
        loop {
            let known = names.len();
            for (name, original) in &self.renamed {
                if names.contains(name) {
                    names.insert(original.clone());
                }
            }
            if names.len() == known {
                return names;
            }
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        self.macro_call(&name.unwrap_or_default(), mac.tokens.clone());
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let name = function.path.segments.last();
            let name = name.map_or_else(String::new, |last| last.ident.to_string());
            if BY_FUNCTION.contains(&&*name) {
                self.named(call.args.to_token_stream());
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let [.., parent, name] = &names[..] {
            self.is_any |= parent == CRATE && name == LIST;
        }
        self.is_any |= names.last().is_some_and(|name| BY_NAME.contains(&&**name));
        visit::visit_path(self, path);
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        if path.ident == CRATE {
            let mut words = HashSet::new();
            words_in(path.tree.to_token_stream(), &mut words);
            self.is_any |= words.contains(LIST);
        }
        visit::visit_use_path(self, path);
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        let (name, original) = (&rename.rename, &rename.ident);
        // The crate itself by another name.
        self.is_any |= original == CRATE;
        let pair = (plain(&name.to_string()), plain(&original.to_string()));
        self.renamed.push(pair);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.is_any |= item.ident == CRATE && item.rename.is_some();
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bound.insert(plain(&pattern.ident.to_string()));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.bound.insert(plain(&item.ident.to_string()));
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.bound.insert(plain(&item.ident.to_string()));
        visit::visit_item_static(self, item);
    }
}

#[cfg(test)]
mod tests;
