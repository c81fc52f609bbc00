//! Functions whose calls in progress are counted: those that stay in a loop around something that
//! waits, and whoever calls them, up to `main`.
//!
//! ```text
//! fn serve(l: &TcpListener) { for s in l.incoming() { … } }      counted: a loop around `incoming`
//! fn main() { serve(&listener) }                                 counted: it calls `serve`
//! ```
//!
//! A call in progress goes on with its old body. For these functions that may be for ever, so a
//! patch of one says how many calls are running. Found by name: a function that is counted without
//! need costs one atomic addition a call.

use std::collections::{HashMap, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;
use syn::Block;

/// Calls that usually wait for something outside of the program.
const WAITING: [&str; 14] = [
    "accept",
    "await",
    "incoming",
    "lines",
    "next_event",
    "park",
    "read_line",
    "recv",
    "recv_timeout",
    "run_until",
    "select",
    "sleep",
    "wait",
    "wait_timeout",
];

/// A name that more functions than this have says nothing of who calls whom.
const TOO_COMMON: usize = 3;

/// The functions of a crate, by name, as far as they matter here.
#[derive(Debug, Default)]
pub(crate) struct CallGraph {
    list: Vec<(String, bool, HashSet<String>)>,
}

impl CallGraph {
    /// Adds one function.
    pub(crate) fn add(&mut self, name: &str, block: &Block) {
        let mut called = HashSet::new();
        called_names(block.to_token_stream(), &mut called);
        self.list
            .push((name.to_owned(), waits_in_loop(block), called));
    }

    /// Names of functions to count.
    pub(crate) fn counted(&self) -> HashSet<String> {
        let mut definitions: HashMap<&str, usize> = HashMap::new();
        for (name, _, _) in &self.list {
            *definitions.entry(name).or_default() += 1;
        }
        let telling = |name: &str| definitions.get(name).is_some_and(|n| *n <= TOO_COMMON);
        let mut counted: HashSet<String> = self
            .list
            .iter()
            .filter(|(_, waits, _)| *waits)
            .map(|(name, _, _)| name.clone())
            .collect();
        loop {
            let callers: Vec<String> = self
                .list
                .iter()
                .filter(|(name, _, _)| !counted.contains(name))
                .filter(|(_, _, called)| called.iter().any(|c| telling(c) && counted.contains(c)))
                .map(|(name, _, _)| name.clone())
                .collect();
            if callers.is_empty() {
                return counted;
            }
            counted.extend(callers);
        }
    }
}

fn waits_in_loop(block: &Block) -> bool {
    struct Finder(bool);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_expr_loop(&mut self, item: &'ast syn::ExprLoop) {
            self.0 |= mentions_waiting(item.body.to_token_stream());
            syn::visit::visit_expr_loop(self, item);
        }
        fn visit_expr_while(&mut self, item: &'ast syn::ExprWhile) {
            self.0 |= mentions_waiting(item.to_token_stream());
            syn::visit::visit_expr_while(self, item);
        }
        fn visit_expr_for_loop(&mut self, item: &'ast syn::ExprForLoop) {
            self.0 |= mentions_waiting(item.to_token_stream());
            syn::visit::visit_expr_for_loop(self, item);
        }
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut finder = Finder(false);
    finder.visit_block(block);
    finder.0
}

fn mentions_waiting(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => WAITING.contains(&ident.to_string().as_str()),
        TokenTree::Group(group) => mentions_waiting(group.stream()),
        _ => false,
    })
}

/// Identifiers that a parenthesis follows.
fn called_names(tokens: TokenStream, names: &mut HashSet<String>) {
    let mut last: Option<String> = None;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let call = group.delimiter() == proc_macro2::Delimiter::Parenthesis;
                if let (true, Some(name)) = (call, last.take()) {
                    names.insert(name);
                }
                called_names(group.stream(), names);
            }
            TokenTree::Ident(ident) => last = Some(ident.to_string()),
            _ => last = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_that_wait_and_their_callers() {
        let mut functions = CallGraph::default();
        let file: syn::File = syn::parse_str(
            "fn serve() { loop { listener.accept(); handle(); } } \
             fn run() { serve() } fn handle() { for x in 0..3 { work(x) } } fn other() {}",
        )
        .expect("a file");
        for item in file.items {
            if let syn::Item::Fn(item) = item {
                functions.add(&item.sig.ident.to_string(), &item.block);
            }
        }
        let counted = functions.counted();
        assert_eq!(
            counted,
            HashSet::from(["serve".to_owned(), "run".to_owned()])
        );
    }
}
