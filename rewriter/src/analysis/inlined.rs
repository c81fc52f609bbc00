//! Which functions the optimiser inlines: those that say so, and small ones.
//!
//! ```text
//! #[inline] fn len(&self) -> usize { … }        fn is_empty(&self) -> bool { self.len() == 0 }
//! ```
//!
//! A check at the start of such a function costs as much as its body, and keeps it from being
//! inlined at all: a search of regex-automata took 15 times as long. In an optimised program they
//! get no site; a new body reaches the program by way of their callers. Knows nothing of profiles:
//! whoever asks has looked at the optimisation level.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, ExprCall, ExprMethodCall, Macro, Signature};

use crate::analysis::each_function::each_function;
use crate::syntax::attributes::has_attribute;
use crate::syntax::known_macros;
use crate::syntax::tree::CrateTree;

/// Bodies with fewer tokens are small, if they call no more than this and no macro that makes code
/// of its own.
const SMALL: usize = 64;
const CALLS: usize = 2;

/// A macro that doesn't count: a check, or what never returns.
fn is_light(name: &str) -> bool {
    known_macros::is_check(name) || matches!(name, "matches" | "unreachable")
}

/// Names of the sites that the crate's functions would have which the optimiser inlines.
pub fn inlined(tree: &CrateTree, crate_name: &str) -> Vec<String> {
    let mut names = Vec::new();
    each_function(tree, crate_name, &mut |found| {
        if is_inlined(found.attrs, found.signature, found.block) {
            names.push(found.site.clone());
        }
    });
    names
}

/// The body of an async function is a coroutine: not inlined where it is polled.
fn is_inlined(attrs: &[Attribute], signature: &Signature, block: &Block) -> bool {
    if signature.asyncness.is_some() || signature.ident == "main" {
        return false;
    }
    let asked = attrs.iter().filter(|attr| attr.path().is_ident("inline"));
    let mut asked = asked.map(|attr| attr.to_token_stream().to_string());
    match asked.next() {
        Some(text) => !text.contains("never"),
        None => !has_attribute(attrs, "cold") && is_small(block),
    }
}

fn is_small(block: &Block) -> bool {
    if count(block.to_token_stream()) >= SMALL {
        return false;
    }
    let mut work = Work::default();
    work.visit_block(block);
    work.calls <= CALLS && !work.heavy
}

fn count(tokens: TokenStream) -> usize {
    let size = |token| match token {
        TokenTree::Group(group) => 1 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(size).sum()
}

/// What a body does besides reading and computing.
#[derive(Default)]
struct Work {
    calls: usize,
    heavy: bool,
}

impl<'ast> Visit<'ast> for Work {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        // `Some(x)` and the like only make a value.
        let made = matches!(&*call.func, Expr::Path(path)
            if path.path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase)));
        self.calls += usize::from(!made);
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.calls += 1;
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let name = called.path.segments.last();
        self.heavy |= !name.is_some_and(|name| is_light(&name.ident.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        let tree = CrateTree::load(Path::new("lib.rs"), &mut |_| Ok(text.to_owned()));
        inlined(&tree.expect("a tree"), "app")
    }

    #[test]
    fn small_bodies_and_what_asks_for_it() {
        let long = "x = x + 1; ".repeat(20);
        let text = format!(
            "fn short(x: u8) -> u8 {{ x + 1 }}\n\
             fn long(mut x: u8) {{ {long} }}\n\
             #[inline(never)] fn never(x: u8) -> u8 {{ x }}\n\
             #[cold] fn cold() {{}}\n\
             async fn later() {{}}\n\
             fn title(x: u8) -> String {{ format!(\"{{x}}\") }}\n\
             fn busy(x: u8) {{ a(b(c(x))) }}\n\
             fn main() {{}}\n\
             mod m {{ pub struct S; impl S {{ #[inline] pub fn asked(mut x: u8) {{ {long} }} }} }}"
        );
        assert_eq!(names(&text), ["app::short", "app::m::S::asked"]);
    }
}
