//! Every function of a crate's source that could have a site of its own, with the name that the
//! site would have.

use syn::{Attribute, Block, ImplItem, Item, Signature};

use crate::syntax::attributes::is_test_only;
use crate::syntax::names::{plain, site_name, Owner};
use crate::syntax::tree::CrateTree;

/// A function as it stands in the source.
pub(crate) struct Found<'a> {
    pub(crate) site: String,
    pub(crate) owner: &'a Owner,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) signature: &'a Signature,
    pub(crate) block: &'a Block,
}

/// Free functions and those of impl blocks, outside of other functions.
pub(crate) fn each_function(tree: &CrateTree, crate_name: &str, note: &mut dyn FnMut(&Found<'_>)) {
    for file in &tree.files {
        items(&file.ast.items, &file.crate_module(crate_name), note);
    }
}

fn items(items_here: &[Item], module: &str, note: &mut dyn FnMut(&Found<'_>)) {
    let mut found = |owner: &Owner, attrs: &[Attribute], signature: &Signature, block: &Block| {
        note(&Found {
            site: site_name(module, owner, &plain(&signature.ident.to_string())),
            owner,
            attrs,
            signature,
            block,
        });
    };
    for item in items_here {
        match item {
            Item::Fn(item) => found(&Owner::Free, &item.attrs, &item.sig, &item.block),
            Item::Impl(item) => {
                let owner = Owner::of_impl(item);
                for inner in &item.items {
                    if let ImplItem::Fn(function) = inner {
                        found(&owner, &function.attrs, &function.sig, &function.block);
                    }
                }
            }
            _ => {}
        }
    }
    for item in items_here {
        let Item::Mod(inner) = item else { continue };
        if let Some((_, content)) = inner.content.as_ref() {
            if !is_test_only(&inner.attrs) {
                let name = plain(&inner.ident.to_string());
                items(content, &format!("{module}::{name}"), note);
            }
        }
    }
}
