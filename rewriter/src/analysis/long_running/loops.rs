//! What a body says of the loops that it stays in. Knows nothing of other bodies.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::Block;

use super::CALLING_ONCE;

/// Methods that ask an iterator to its end.
const ITERATING: [&str; 11] = [
    "all",
    "any",
    "find",
    "find_map",
    "fold",
    "for_each",
    "last",
    "position",
    "reduce",
    "try_fold",
    "try_for_each",
];

/// What is known of the loops of a body.
#[derive(Debug, Default)]
pub(super) struct Loops {
    /// One of them has no end.
    pub(super) endless: bool,
    /// All words in them.
    pub(super) words: HashSet<String>,
    /// What they call, by name.
    pub(super) calls: HashSet<String>,
}

impl Loops {
    pub(super) fn of(block: &Block) -> Self {
        let mut found = Self::default();
        found.visit_block(block);
        found
    }

    fn take(&mut self, tokens: TokenStream) {
        called_names(tokens.clone(), &mut self.calls);
        words(tokens, &mut self.words);
    }
}

impl<'ast> Visit<'ast> for Loops {
    fn visit_expr_loop(&mut self, item: &'ast syn::ExprLoop) {
        self.endless |= !Ends::of(&item.body);
        self.take(item.body.to_token_stream());
        visit::visit_expr_loop(self, item);
    }

    fn visit_expr_while(&mut self, item: &'ast syn::ExprWhile) {
        self.take(item.to_token_stream());
        visit::visit_expr_while(self, item);
    }

    fn visit_expr_for_loop(&mut self, item: &'ast syn::ExprForLoop) {
        self.take(item.to_token_stream());
        visit::visit_expr_for_loop(self, item);
    }

    fn visit_expr_method_call(&mut self, item: &'ast syn::ExprMethodCall) {
        let name = item.method.to_string();
        if ITERATING.contains(&name.as_str()) {
            self.take(item.to_token_stream());
        } else {
            self.closures(&name, &item.args);
        }
        visit::visit_expr_method_call(self, item);
    }

    fn visit_expr_call(&mut self, item: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*item.func {
            let last = path.path.segments.last();
            let name = last.map(|segment| segment.ident.to_string());
            self.closures(&name.unwrap_or_default(), &item.args);
        }
        visit::visit_expr_call(self, item);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

impl Loops {
    /// What is called may call a closure again and again.
    fn closures<P>(&mut self, name: &str, arguments: &syn::punctuated::Punctuated<syn::Expr, P>) {
        if CALLING_ONCE.contains(&name) {
            return;
        }
        for argument in arguments {
            if let syn::Expr::Closure(closure) = argument {
                self.take(closure.body.to_token_stream());
            }
        }
    }
}

/// Whether something in a loop may end it.
#[derive(Default)]
struct Ends {
    ends: bool,
    /// Within an inner loop.
    inner: usize,
}

impl Ends {
    fn of(body: &Block) -> bool {
        let mut found = Self::default();
        found.visit_block(body);
        found.ends
    }

    fn inside(&mut self, visit: impl FnOnce(&mut Self)) {
        self.inner += 1;
        visit(self);
        self.inner -= 1;
    }
}

impl<'ast> Visit<'ast> for Ends {
    fn visit_expr_break(&mut self, item: &'ast syn::ExprBreak) {
        self.ends |= self.inner == 0 || item.label.is_some();
    }

    fn visit_expr_return(&mut self, _: &'ast syn::ExprReturn) {
        self.ends = true;
    }

    fn visit_expr_try(&mut self, _: &'ast syn::ExprTry) {
        self.ends = true;
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let mut inside = HashSet::new();
        words(item.tokens.clone(), &mut inside);
        self.ends |= ["break", "return"].iter().any(|end| inside.contains(*end));
        // What an unknown one makes isn't known.
        self.ends |= item.path.is_ident("bail") || item.path.is_ident("ensure");
    }

    fn visit_expr_loop(&mut self, item: &'ast syn::ExprLoop) {
        self.inside(|own| visit::visit_expr_loop(own, item));
    }

    fn visit_expr_while(&mut self, item: &'ast syn::ExprWhile) {
        self.inside(|own| visit::visit_expr_while(own, item));
    }

    fn visit_expr_for_loop(&mut self, item: &'ast syn::ExprForLoop) {
        self.inside(|own| visit::visit_expr_for_loop(own, item));
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// All words.
pub(super) fn words(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => words(group.stream(), found),
            _ => {}
        }
    }
}

/// Identifiers that a parenthesis follows, and names of macros with their `!`.
pub(super) fn called_names(tokens: TokenStream, names: &mut HashSet<String>) {
    let mut last: Option<String> = None;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let is_call = group.delimiter() == proc_macro2::Delimiter::Parenthesis;
                if let Some(name) = last.take().filter(|name| is_call || name.ends_with('!')) {
                    names.insert(name);
                }
                called_names(group.stream(), names);
            }
            TokenTree::Ident(ident) => last = Some(ident.to_string()),
            TokenTree::Punct(sign) if sign.as_char() == '!' => {
                last = last.map(|name| name + "!");
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => last = None,
        }
    }
}
