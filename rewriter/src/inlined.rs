//! Which functions the optimiser inlines: those that say so, and small ones.
//!
//! ```text
//! #[inline] fn len(&self) -> usize { … }        fn is_empty(&self) -> bool { self.len() == 0 }
//! ```
//!
//! A check at the start of such a function costs as much as its body, and keeps it from being inlined at all: a
//! search of regex-automata took 15 times as long. In an optimised program they get no site; a new body reaches the
//! program by way of their callers. Knows nothing of profiles: whoever asks has looked at the optimisation level.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Block, ImplItem, Item, Signature};

use crate::eligibility::{has_attribute, is_test_only};
use crate::names::{site_name, Owner};
use crate::prologue::plain;
use crate::rewrite::crate_module;
use crate::tree::CrateTree;

/// Bodies with fewer tokens are small.
const SMALL: usize = 64;

/// Names of the sites that the crate's functions would have which the optimiser inlines.
pub fn inlined(tree: &CrateTree, crate_name: &str) -> Vec<String> {
    let mut names = Vec::new();
    for file in &tree.files {
        items(&file.ast.items, &crate_module(file, crate_name), &mut names);
    }
    names
}

fn items(items_here: &[Item], module: &str, names: &mut Vec<String>) {
    let mut note = |owner: &Owner, attrs: &[Attribute], signature: &Signature, block: &Block| {
        if is_inlined(attrs, signature, block) {
            names.push(site_name(
                module,
                owner,
                &plain(&signature.ident.to_string()),
            ));
        }
    };
    for item in items_here {
        match item {
            Item::Fn(item) => note(&Owner::Free, &item.attrs, &item.sig, &item.block),
            Item::Impl(item) => {
                for inner in &item.items {
                    if let ImplItem::Fn(function) = inner {
                        let owner = Owner::of_impl(item);
                        note(&owner, &function.attrs, &function.sig, &function.block);
                    }
                }
            }
            _ => {}
        }
    }
    for item in items_here {
        if let Item::Mod(inner) = item {
            if let Some((_, content)) = inner
                .content
                .as_ref()
                .filter(|_| !is_test_only(&inner.attrs))
            {
                let name = plain(&inner.ident.to_string());
                items(content, &format!("{module}::{name}"), names);
            }
        }
    }
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
        None => !has_attribute(attrs, "cold") && count(block.to_token_stream()) < SMALL,
    }
}

fn count(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(group.stream()),
            _ => 1,
        })
        .sum()
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
             fn main() {{}}\n\
             mod m {{ pub struct S; impl S {{ #[inline] pub fn asked(mut x: u8) {{ {long} }} }} }}"
        );
        assert_eq!(names(&text), ["app::short", "app::m::S::asked"]);
    }
}
